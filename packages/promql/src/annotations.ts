/** Warnings and infos of a query, in Prometheus' words, each once, with their place. */
import { lineAndColumn, type Span } from '@tyto/syntax';
import { ANNOTATION_COUNT_MAX } from './limits.ts';

const QUANTILE_HELP =
  'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';

export class Annotations {
  readonly #text: string;
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();

  constructor(text: string) {
    this.#text = text;
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  get infos(): string[] {
    return [...this.#infos];
  }

  warn(message: string, span: Span): void {
    this.#add(this.#warnings, `PromQL warning: ${message}`, span);
  }

  info(message: string, span: Span): void {
    this.#add(this.#infos, `PromQL info: ${message}`, span);
  }

  #add(set: Set<string>, message: string, span: Span): void {
    if (set.size >= ANNOTATION_COUNT_MAX) return;
    const { line, column } = lineAndColumn(this.#text, span.start);
    set.add(`${message} (${line}:${column})`);
  }
}

/** ` for metric name "x"`, or nothing where the name is unknown. */
export function forMetric(name: string): string {
  return name === '' ? '' : ` for metric name ${JSON.stringify(name)}`;
}

export const messages = {
  invalidQuantile: (value: string) => `quantile value should be between 0 and 1, got ${value}`,
  invalidRatio: (value: string, capped: string) =>
    `ratio value should be between -1 and 1, got ${value}, capping to ${capped}`,
  badBucketLabel: (name: string, value: string) =>
    `bucket label "le" is missing or has a malformed value of ${JSON.stringify(value)}` +
    forMetric(name),
  mixedFloatsHistograms: (name: string) =>
    `encountered a mix of histograms and floats${forMetric(name)}`,
  mixedFloatsHistogramsAggregation: () =>
    'encountered a mix of histograms and floats for aggregation',
  mixedClassicNative: (name: string) =>
    `vector contains a mix of classic and native histograms${forMetric(name)}`,
  possibleNonCounter: (name: string) =>
    'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ' +
    JSON.stringify(name),
  possibleNonCounterType: (name: string, type: string) =>
    'metric might not be a counter, __type__ label is not set to "counter" or "histogram", got ' +
    `${JSON.stringify(type)}: ${JSON.stringify(name)}`,
  forcedMonotonicity: (name: string, details: string) =>
    `input to histogram_quantile needed to be fixed for monotonicity (see ${QUANTILE_HELP})` +
    `${forMetric(name)}${details}`,
  sortInRange: () =>
    'sort is ineffective for range queries since results are always ordered by labels',
  histogramIgnoredIn: (where: string) => `ignored histogram in ${where}`,
  histogramIgnoredInMixed: (name: string) =>
    `ignored histograms in a range containing both floats and histograms${forMetric(name)}`,
  mixedSchemas: (name: string) =>
    'vector contains a mix of histograms with exponential and custom buckets schemas' +
    forMetric(name),
  incompatibleBuckets: (operator: string) =>
    `incompatible bucket layout encountered for binary operator ${operator}`,
  conflictingResets: (during: string) => `conflicting counter resets during histogram ${during}`,
  reconciledBounds: (during: string) =>
    `mismatched custom buckets were reconciled during ${during}`,
  notCounter: (name: string) =>
    `this native histogram metric is not a counter: ${JSON.stringify(name)}`,
  notGauge: (name: string) =>
    `this native histogram metric is not a gauge: ${JSON.stringify(name)}`,
  nanQuantile: (name: string, consequence: string) =>
    `input to histogram_quantile has NaN observations, ${consequence}${forMetric(name)}`,
  nanFraction: (name: string) =>
    'input to histogram_fraction has NaN observations, which are excluded from all fractions' +
    forMetric(name),
  incompatibleTypes: (operator: string, left: string, right: string) =>
    `incompatible sample types encountered for binary operator ${JSON.stringify(operator)}: ` +
    `${left} ${operator} ${right}`,
} as const;
