/** Results of the API as promtool prints them. */
import { TytoError } from '@tyto/base';
import { quoteString } from '@tyto/syntax';

type LabelSet = Readonly<Record<string, string>>;
type Point = readonly [seconds: number, value: string];

export interface HistogramJson {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [kind: number, lower: string, upper: string, n: string])[];
}

export interface SeriesJson {
  readonly metric: LabelSet;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: readonly [seconds: number, histogram: HistogramJson];
  readonly histograms?: readonly (readonly [seconds: number, histogram: HistogramJson])[];
}

/** The series of a vector or matrix; undefined for other results. */
export function seriesOf(data: unknown, type: 'vector' | 'matrix'): SeriesJson[] | undefined {
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown };
  return resultType === type && Array.isArray(result) ? (result as SeriesJson[]) : undefined;
}

/** The `data` of an answer. Throws TytoError where it is no result. */
export function valueText(data: unknown): string {
  const vector = seriesOf(data, 'vector');
  if (vector !== undefined) return vector.map(sampleText).join('\n');
  const matrix = seriesOf(data, 'matrix');
  if (matrix !== undefined) return matrix.map(streamText).join('\n');
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown };
  if (resultType === 'scalar' && Array.isArray(result)) {
    return `scalar: ${floatText(String(result[1]))} @[${result[0]}]`;
  }
  if (resultType === 'string' && Array.isArray(result)) return String(result[1]);
  throw new TytoError('unavailable', `the server answers with an unknown result, ${resultType}`);
}

function sampleText({ metric, value, histogram }: SeriesJson): string {
  return histogram === undefined
    ? `${metricText(metric)} => ${pointText(value ?? [0, 'NaN'])}`
    : `${metricText(metric)} => ${histogramText(histogram[1])} @[${histogram[0]}]`;
}

function streamText({ metric, values = [], histograms = [] }: SeriesJson): string {
  const lines = [
    ...values.map(pointText),
    ...histograms.map(([seconds, histogram]) => `${histogramText(histogram)} @[${seconds}]`),
  ];
  return `${metricText(metric)} =>\n${lines.join('\n')}`;
}

function pointText([seconds, value]: Point): string {
  return `${floatText(value)} @[${seconds}]`;
}

/** Digits without an exponent, however many there are. */
function floatText(text: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/i.exec(text);
  if (match === null) return text;
  const [, sign, first, rest = '', power] = match;
  const digits = first + rest;
  const point = 1 + Number(power);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function histogramText({ count, sum, buckets = [] }: HistogramJson): string {
  const shown = buckets.map(([kind, lower, upper, n]) => {
    const open = kind === 1 || kind === 3 ? '[' : '(';
    const close = kind === 0 || kind === 3 ? ']' : ')';
    return `${open}${lower},${upper}${close}:${n}`;
  });
  return `Count: ${count}, Sum: ${sum}, Buckets: [${shown.join(' ')}]`;
}

function metricText(metric: LabelSet): string {
  const { __name__: name = '', ...labels } = metric;
  const pairs = pairTexts(labels);
  if (pairs.length === 0) return name === '' ? '{}' : name;
  return `${name}{${pairs.join(', ')}}`;
}

/** `{a="b", c="d"}`, by name. */
export function labelSetText(labels: LabelSet): string {
  return `{${pairTexts(labels).join(', ')}}`;
}

function pairTexts(labels: LabelSet): string[] {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}=${quoteString(labels[name])}`);
}
