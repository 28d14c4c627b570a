/** One request of OpenTelemetry on its way into an appender. */
import { TytoError } from '@tyto/base';
import {
  APPENDED,
  type AppendResult,
  EXEMPLAR_LABEL_CHARACTERS_MAX,
  type FloatHistogram,
  Labels,
  METRIC_NAME,
  type MetricAppender,
  type MetricMetadata,
  type MetricType,
  NO_SERIES,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  SERIES_LIMIT,
  type SeriesRef,
} from '@tyto/model';
import {
  boundText,
  checkHistogram,
  customHistogram,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpScope,
  type OtlpVisitor,
} from '@tyto/wire';
import { METADATA_COUNT_MAX, RECEIVED_AHEAD_MS_MAX } from '../limits.ts';
import { reasonOf, Refusals } from '../receive/refusals.ts';
import type { AddedPoint, DeltaSeries } from './deltaSeries.ts';
import type { OtlpConfig } from './otlpConfig.ts';
import { pointLabels, type ResourceLabels, resourceLabels, scopeLabels } from './otlpLabels.ts';
import { metricName, unitName } from './otlpNames.ts';
import { nativeOf, sparseOf } from './sparseHistogram.ts';

/** A histogram with more buckets than these is a mistake; each is a series. */
const BUCKETS_MAX = 1000;
/** The longest labels of a series whose deltas are added up: they are kept. */
const DELTA_KEY_LENGTH_MAX = 16 * 1024;

export interface OtlpBatchContext {
  readonly appender: MetricAppender;
  readonly config: OtlpConfig;
  readonly deltas: DeltaSeries;
  readonly metadata: Map<string, MetricMetadata>;
  readonly nowMs: number;
  readonly keepsStartTimes: boolean;
}

const NO_RESOURCE: ResourceLabels = {
  identity: new Map(),
  promoted: new Map(),
  targetInfo: undefined,
};

export class OtlpBatch implements OtlpVisitor {
  points = 0;
  rejectedPoints = 0;
  readonly #context: OtlpBatchContext;
  readonly #refusals = new Refusals();
  readonly #deltaKeys = new Set<string>();
  #resource = NO_RESOURCE;
  #latestMs = 0;
  #scope: ReadonlyMap<string, string> = new Map();
  #metric: OtlpMetric | undefined;
  #name = '';
  /** Of the current point. */
  #labels: ReadonlyMap<string, string> = new Map();
  #timeMs = 0;
  /** 0 where there is none, or it is not wanted. */
  #startMs = 0;
  #result: AppendResult = APPENDED;

  constructor(context: OtlpBatchContext) {
    this.#context = context;
  }

  /** Why points were rejected; '' where none were. */
  get message(): string {
    return this.#refusals.isEmpty ? '' : this.#refusals.message();
  }

  /** The batch was not written: what it added up is to be sent again. */
  forgetDeltas(): void {
    for (const key of this.#deltaKeys) this.#context.deltas.forget(key);
  }

  resource(attributes: readonly (readonly [string, string])[]): void {
    this.#resource = resourceLabels(attributes, this.#context.config);
    this.#latestMs = 0;
  }

  scope(scope: OtlpScope): void {
    this.#scope = scopeLabels(scope, this.#context.config);
  }

  metric(metric: OtlpMetric): void {
    this.#metric = metric;
    this.#name = metricName(metric, this.#context.config);
    const { metadata } = this.#context;
    if (this.#name === '') return;
    if (metadata.size >= METADATA_COUNT_MAX && !metadata.has(this.#name)) return;
    metadata.set(this.#name, {
      type: typeOf(metric),
      help: metric.description,
      unit: unitName(metric.unit),
    });
  }

  point(point: OtlpPoint): void {
    const { nowMs } = this.#context;
    const metric = this.#metric as OtlpMetric;
    this.#timeMs = point.timeMs === 0 ? nowMs : point.timeMs;
    this.#result = APPENDED;
    try {
      if (this.#timeMs > nowMs + RECEIVED_AHEAD_MS_MAX) this.#result = OUT_OF_BOUNDS;
      else {
        const exemplars = [...point.exemplars].sort((a, b) => a.timeMs - b.timeMs);
        this.#store(metric, { ...point, exemplars, timeMs: this.#timeMs });
      }
    } catch (error) {
      if (!(error instanceof TytoError) || error.kind !== 'bad_data') throw error;
      this.rejectedPoints++;
      this.#refusals.addOther(`${error.message} for metric "${metric.name}"`);
      return;
    }
    const reason = reasonOf(this.#result);
    if (reason === undefined) {
      this.points++;
      this.#latestMs = Math.max(this.#latestMs, this.#timeMs);
      return;
    }
    this.rejectedPoints++;
    const shown = Labels.fromEntries(this.#labels).with(METRIC_NAME, this.#name);
    this.#refusals.add(reason, 1, (words) => `${words} for series ${shown}`);
  }

  /** The series about the resource; whether it can be stored is nobody's data point. */
  endResource(): void {
    const { targetInfo } = this.#resource;
    const { appender } = this.#context;
    if (targetInfo === undefined || this.#latestMs === 0) return;
    const ref = appender.series(targetInfo);
    if (ref !== NO_SERIES) appender.append(ref, this.#latestMs, 1);
  }

  /** Throws TytoError `bad_data` for a point that means nothing. */
  #store(metric: OtlpMetric, point: OtlpPoint): void {
    const { config } = this.#context;
    if (this.#name === '') throw bad('a metric has no name');
    this.#labels = pointLabels(point.attributes, this.#resource, this.#scope, config);
    check(metric, point);
    if (metric.temporality !== 'delta' || point.hasNoValue) {
      this.#append(metric, { ...point, exponential: undefined });
      return;
    }
    const key = Labels.fromEntries(this.#labels).with(METRIC_NAME, this.#name).key;
    if (key.length > DELTA_KEY_LENGTH_MAX) throw bad('the labels are too long to add up deltas');
    const added = this.#context.deltas.add(key, point, this.#context.nowMs);
    if (added.kind === 'old') this.#result = OUT_OF_ORDER;
    else if (added.kind === 'full') throw bad('no more series of deltas can be added up');
    else {
      this.#append(metric, added.point);
      if (this.#result !== APPENDED) return;
      added.keep();
      this.#deltaKeys.add(key);
    }
  }

  #append(metric: OtlpMetric, point: AddedPoint): void {
    const isStarted = this.#context.keepsStartTimes && metric.kind !== 'gauge';
    this.#startMs = isStarted ? point.startMs : 0;
    const isCustom = metric.kind === 'histogram' && this.#context.config.convertHistogramsToNhcb;
    if (metric.kind === 'exponential' || isCustom) this.#appendNative(metric, point);
    else if (metric.kind === 'histogram') this.#appendClassic(point);
    else if (metric.kind === 'summary') this.#appendSummary(point);
    else {
      const ref = this.#write('', point.hasNoValue ? undefined : point.value);
      if (metric.isMonotonic) for (const exemplar of point.exemplars) this.#exemplar(ref, exemplar);
    }
  }

  #appendNative(metric: OtlpMetric, point: AddedPoint): void {
    const ref = this.#write('', point.hasNoValue ? undefined : nativePoint(metric, point));
    for (const exemplar of point.exemplars) this.#exemplar(ref, exemplar);
  }

  #appendClassic(point: OtlpPoint): void {
    const { bounds, counts, count, sum, hasNoValue } = point;
    this.#write('_count', hasNoValue ? undefined : count);
    if (sum !== undefined || hasNoValue) this.#write('_sum', hasNoValue ? undefined : sum);
    let cumulative = 0;
    let below = -Infinity;
    for (let i = 0; i <= bounds.length; i++) {
      cumulative += counts[i] ?? 0;
      const bound = i < bounds.length ? bounds[i] : Infinity;
      const value = i < bounds.length ? cumulative : count;
      const ref = this.#write('_bucket', hasNoValue ? undefined : value, ['le', boundText(bound)]);
      for (const exemplar of point.exemplars) {
        if (exemplar.value > below && exemplar.value <= bound) this.#exemplar(ref, exemplar);
      }
      below = bound;
      if (bound === Infinity) break;
    }
  }

  #appendSummary({ count, sum, quantiles, hasNoValue }: OtlpPoint): void {
    this.#write('_sum', hasNoValue ? undefined : (sum ?? 0));
    this.#write('_count', hasNoValue ? undefined : count);
    for (const [quantile, value] of quantiles) {
      this.#write('', hasNoValue ? undefined : value, ['quantile', boundText(quantile)]);
    }
  }

  /** A sample of the current point's series; `undefined` ends it. Notes the first refusal. */
  #write(
    suffix: string,
    value: number | FloatHistogram | undefined,
    more?: readonly [string, string],
  ): SeriesRef {
    const { appender } = this.#context;
    const labels: (readonly [string, string])[] = [...this.#labels];
    labels.push([METRIC_NAME, this.#name + suffix]);
    if (more !== undefined) labels.push(more);
    const ref = appender.series(Labels.fromEntries(labels));
    const timeMs = this.#timeMs;
    const startMs = this.#startMs;
    let result: AppendResult;
    if (ref === NO_SERIES) result = SERIES_LIMIT;
    else if (value === undefined) result = appender.appendStale(ref, timeMs);
    else if (typeof value === 'number') result = appender.append(ref, timeMs, value, startMs);
    else result = appender.appendHistogram(ref, timeMs, value, startMs);
    if (this.#result === APPENDED && result !== REPEATED) this.#result = result;
    return ref;
  }

  /** What the store refuses of exemplars, and attributes that are too long, are left out. */
  #exemplar(ref: SeriesRef, exemplar: OtlpExemplar): void {
    const { traceId, spanId, attributes, value } = exemplar;
    if (ref === NO_SERIES) return;
    const own = Object.entries({ trace_id: traceId, span_id: spanId });
    let labels = Labels.fromEntries([...attributes, ...own]);
    if (charactersOf(labels) > EXEMPLAR_LABEL_CHARACTERS_MAX) labels = Labels.fromEntries(own);
    const timestampMs = exemplar.timeMs === 0 ? this.#timeMs : exemplar.timeMs;
    if (timestampMs > this.#context.nowMs + RECEIVED_AHEAD_MS_MAX) return;
    this.#context.appender.appendExemplar(ref, { labels, value, timestampMs });
  }
}

function charactersOf(labels: Labels): number {
  let count = 0;
  for (const text of labels.pairs) count += [...text].length;
  return count;
}

function typeOf(metric: OtlpMetric): MetricType {
  if (metric.kind === 'sum') return metric.isMonotonic ? 'counter' : 'gauge';
  return metric.kind === 'exponential' ? 'histogram' : metric.kind;
}

function nativePoint(metric: OtlpMetric, point: AddedPoint): FloatHistogram {
  if (metric.kind === 'exponential') {
    return nativeOf(point.exponential ?? sparseOf(point), point.count, point.sum);
  }
  const counts = point.counts.length === 0 ? [point.count] : point.counts;
  const bounds = point.bounds.filter((bound) => bound !== Infinity);
  const histogram = customHistogram(bounds, counts.slice(0, bounds.length + 1), point.sum ?? 0);
  checkHistogram(histogram);
  return histogram;
}

/** Throws TytoError `bad_data` for what a metric of this kind cannot have. */
function check(metric: OtlpMetric, point: OtlpPoint): void {
  const { kind, temporality } = metric;
  const accumulates = kind === 'sum' || kind === 'histogram' || kind === 'exponential';
  if (accumulates && temporality === 'unspecified') throw bad('it has no aggregation temporality');
  if (kind !== 'histogram' || point.hasNoValue) return;
  const { bounds, counts, count } = point;
  if (bounds.length > BUCKETS_MAX) throw bad(`a histogram has more than ${BUCKETS_MAX} buckets`);
  if (counts.length !== 0 && counts.length !== bounds.length + 1) {
    throw bad(`a histogram with ${bounds.length} bounds has ${counts.length} counts`);
  }
  if (bounds.length > 0 && counts.length === 0) throw bad('a histogram with bounds has no counts');
  if (!bounds.every((bound, i) => (i === 0 ? !Number.isNaN(bound) : bound > bounds[i - 1]))) {
    throw bad('the bounds of a histogram do not rise');
  }
  if (!(count >= 0) || !counts.every((each) => each >= 0)) {
    throw bad('a histogram has a count below zero');
  }
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}
