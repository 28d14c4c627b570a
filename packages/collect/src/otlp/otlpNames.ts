/**
 * From OpenTelemetry's names and units to those of Prometheus (the compatibility specification,
 * "OTLP metric points to Prometheus"): units are words in the name, counters end in `_total`, and
 * with underscore escaping everything else than letters, digits and colons is an underscore.
 */
import type { OtlpMetric } from '@tyto/wire';
import type { OtlpConfig } from './otlpConfig.ts';

/** Units of UCUM in the words that Prometheus has for them. */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};
/** Behind a slash they are singular. */
const UNITS_PER: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

interface UnitWords {
  readonly main: string;
  readonly per: string;
}

/** The unit's words; '' for what is none, such as `{packets}`. */
function unitWords(unit: string, clean: (text: string) => string): UnitWords {
  const slash = unit.indexOf('/');
  const mainText = slash < 0 ? unit : unit.slice(0, slash);
  const perText = slash < 0 ? '' : unit.slice(slash + 1);
  const word = (text: string, known: Readonly<Record<string, string>>) => {
    const trimmed = text.trim();
    if (/[{}]/.test(trimmed)) return '';
    return clean(Object.hasOwn(known, trimmed) ? known[trimmed] : trimmed);
  };
  return { main: word(mainText, UNITS), per: word(perText, UNITS_PER) };
}

const isCounter = (metric: OtlpMetric) => metric.kind === 'sum' && metric.isMonotonic;
const isRatio = (metric: OtlpMetric) => metric.kind === 'gauge' && metric.unit.trim() === '1';

/** The name of the metric family; '' where nothing of the name is left. */
export function metricName(metric: OtlpMetric, config: OtlpConfig): string {
  switch (config.translationStrategy) {
    case 'NoTranslation':
      return metric.name;
    case 'NoUTF8EscapingWithSuffixes':
      return suffixedName(metric);
    case 'UnderscoreEscapingWithSuffixes':
      return digitSafe(escapedName(metric));
    case 'UnderscoreEscapingWithoutSuffixes':
      return digitSafe(
        metric.name
          .split(/[^a-zA-Z0-9:_]+/)
          .filter((part) => part !== '')
          .join('_'),
      );
  }
}

function escapedName(metric: OtlpMetric): string {
  let words = metric.name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  const clean = (text: string) => text.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '');
  const { main, per } = unitWords(metric.unit, clean);
  if (main !== '' && !words.includes(main)) words.push(main);
  if (per !== '' && !words.includes(per)) words.push('per', per);
  const suffix = isCounter(metric) ? 'total' : isRatio(metric) ? 'ratio' : undefined;
  if (suffix !== undefined) words = [...words.filter((word) => word !== suffix), suffix];
  return words.join('_');
}

/** The name as it is, with the suffixes at its end, each of them once. */
function suffixedName(metric: OtlpMetric): string {
  const { main, per } = unitWords(metric.unit, (text) => text);
  const type = isCounter(metric) ? 'total' : isRatio(metric) ? 'ratio' : '';
  const suffixes = [main, per === '' ? '' : `per_${per}`, type].filter((suffix) => suffix !== '');
  let name = metric.name;
  for (const suffix of [...suffixes].reverse()) name = withoutSuffix(name, suffix);
  return [name, ...suffixes].join('_');
}

function withoutSuffix(name: string, suffix: string): string {
  const start = name.slice(0, -suffix.length - 1);
  return name.endsWith(suffix) && /[^a-zA-Z0-9]$/.test(name.slice(0, -suffix.length))
    ? start
    : name;
}

function digitSafe(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** The unit as the metadata of a family has it. */
export function unitName(unit: string): string {
  const clean = (text: string) => text.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_+|_+$/g, '');
  const { main, per } = unitWords(unit, clean);
  return [main, per === '' ? '' : `per_${per}`].filter((word) => word !== '').join('_');
}

/** The name of the label that holds an attribute. */
export function labelName(key: string, config: OtlpConfig): string {
  if (!config.translationStrategy.startsWith('UnderscoreEscaping')) return key;
  let name = key.replace(/[^a-zA-Z0-9_]/g, '_');
  if (!config.labelNamePreserveMultipleUnderscores && !/^__.*__$/.test(key)) {
    name = name.replace(/_+/g, '_');
  }
  if (/^[0-9]/.test(name)) return `key_${name}`;
  const isPrivate = name.startsWith('_') && !name.startsWith('__');
  return isPrivate && config.labelNameUnderscoreSanitization ? `key${name}` : name;
}
