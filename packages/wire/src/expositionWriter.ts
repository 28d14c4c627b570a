/** Writes metric families in the Prometheus text format 0.0.4 (1.0.0 where a name needs quotes). */
import { isClassicLabelName, isClassicMetricName, type MetricType } from '@tyto/model';
import { formatFloat } from './floatText.ts';

export interface FamilySample {
  /** Appended to the family's name: `_bucket`, `_sum`, `_count`; nothing when left out. */
  readonly suffix?: string | undefined;
  /** In the order in which they are written; values may be empty. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  readonly timestampMs?: number | undefined;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly samples: readonly FamilySample[];
}

/** The types that the text format has words for. */
const TYPE_WORDS: Readonly<Record<MetricType, string>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'histogram',
  summary: 'summary',
  info: 'gauge',
  stateset: 'gauge',
  unknown: 'untyped',
};

/** The exposition of these families; one without samples is left out. */
export function writeExposition(families: Iterable<MetricFamily>): string {
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length === 0) continue;
    const name = isClassicMetricName(family.name) ? family.name : quote(family.name);
    if (family.help !== '') lines.push(`# HELP ${name} ${escapeHelp(family.help)}`);
    lines.push(`# TYPE ${name} ${TYPE_WORDS[family.type]}`);
    for (const sample of family.samples) lines.push(formatSample(family.name, sample));
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function formatSample(familyName: string, sample: FamilySample): string {
  const name = familyName + (sample.suffix ?? '');
  const classic = isClassicMetricName(name);
  const inside = classic ? [] : [quote(name)];
  for (const [label, value] of sample.labels) {
    inside.push(`${isClassicLabelName(label) ? label : quote(label)}=${quote(value)}`);
  }
  const braces = inside.length > 0 ? `{${inside.join(',')}}` : '';
  const time = sample.timestampMs === undefined ? '' : ` ${Math.trunc(sample.timestampMs)}`;
  return `${classic ? name : ''}${braces} ${formatFloat(sample.value)}${time}`;
}

function quote(text: string): string {
  return `"${text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`;
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, (c) => (c === '\n' ? '\\n' : '\\\\'));
}
