/** Warnings and infos of a query, in Prometheus' words, each once, with their place. */
import { lineAndColumn, type Span } from '@tyto/syntax';
import { ANNOTATION_COUNT_MAX } from './limits.ts';

const QUANTILE_HELP =
  'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile';

/** Buckets of a classic histogram that had to be raised, at one step or at many. */
export interface Monotonicity {
  readonly fromBound: number;
  readonly toBound: number;
  readonly differenceMax: number;
  readonly sampleCount: number;
  readonly startMs: number;
  readonly endMs: number;
}

export class Annotations {
  readonly #text: string;
  readonly #warnings = new Set<string>();
  readonly #infos = new Set<string>();
  readonly #monotonicity = new Map<string, { span: Span; name: string; seen: Monotonicity }>();

  constructor(text: string) {
    this.#text = text;
  }

  get warnings(): string[] {
    return [...this.#warnings];
  }

  get infos(): string[] {
    const infos = new Set(this.#infos);
    for (const { span, name, seen } of this.#monotonicity.values()) {
      const details = describeMonotonicity(seen);
      this.#add(infos, `PromQL info: ${messages.forcedMonotonicity(name, details)}`, span);
    }
    return [...infos];
  }

  /** What an earlier evaluation told, with places already. */
  add({ warnings, infos }: { warnings: readonly string[]; infos: readonly string[] }): void {
    for (const warning of warnings) this.#warnings.add(warning);
    for (const info of infos) this.#infos.add(info);
  }

  warn(message: string, span: Span): void {
    this.#add(this.#warnings, `PromQL warning: ${message}`, span);
  }

  info(message: string, span: Span): void {
    this.#add(this.#infos, `PromQL info: ${message}`, span);
  }

  /** Steps of the same metric and place are told of together. */
  forcedMonotonicity(name: string, step: Monotonicity, span: Span): void {
    const key = `${span.start} ${name}`;
    const known = this.#monotonicity.get(key)?.seen;
    if (known === undefined && this.#monotonicity.size >= ANNOTATION_COUNT_MAX) return;
    const seen =
      known === undefined
        ? step
        : {
            fromBound: Math.min(known.fromBound, step.fromBound),
            toBound: Math.max(known.toBound, step.toBound),
            differenceMax: Math.max(known.differenceMax, step.differenceMax),
            sampleCount: known.sampleCount + step.sampleCount,
            startMs: Math.min(known.startMs, step.startMs),
            endMs: Math.max(known.endMs, step.endMs),
          };
    this.#monotonicity.set(key, { span, name, seen });
  }

  #add(set: Set<string>, message: string, span: Span): void {
    if (set.size >= ANNOTATION_COUNT_MAX) return;
    const { line, column } = lineAndColumn(this.#text, span.start);
    set.add(`${message} (${line}:${column})`);
  }
}

function describeMonotonicity(seen: Monotonicity): string {
  const time = (timeMs: number) => new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const difference = Number(seen.differenceMax.toPrecision(2));
  return (
    `, from buckets ${seen.fromBound} to ${seen.toBound}, with a max diff of ${difference}, ` +
    `over ${seen.sampleCount} samples from ${time(seen.startMs)} to ${time(seen.endMs)}`
  );
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
  startTimeOverlap: (name: string) =>
    'sample has start time that overlaps with previous sample timestamp for metric ' +
    JSON.stringify(name),
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
