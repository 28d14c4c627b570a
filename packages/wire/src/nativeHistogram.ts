/**
 * What sources do to native histograms on their way in: buckets by index become spans, a resolution
 * is reduced, classic buckets become custom ones.
 */
import { TytoError } from '@tyto/base';
import type { FloatHistogram, HistogramSpan } from '@tyto/model';

const SCHEMA_MIN = -4;
const SCHEMA_MAX = 8;
const SCHEMA_CUSTOM = -53;

interface Side {
  readonly spans: HistogramSpan[];
  readonly counts: number[];
}

/** Spans and counts of buckets with rising indexes; empty buckets are left out. */
export function sideOf(indexes: readonly number[], counts: readonly number[]): Side {
  const spans: { offset: number; length: number }[] = [];
  const kept: number[] = [];
  let next = 0;
  for (let i = 0; i < indexes.length; i++) {
    if (counts[i] === 0) continue;
    const last = spans.at(-1);
    if (last !== undefined && indexes[i] === next) last.length++;
    else spans.push({ offset: indexes[i] - next, length: 1 });
    kept.push(counts[i]);
    next = indexes[i] + 1;
  }
  return { spans, counts: kept };
}

/** The histogram in a coarser exponential schema; a finer or equal one gives it as it is. */
export function reduceResolution(histogram: FloatHistogram, schema: number): FloatHistogram {
  const { positiveSpans, positiveBuckets, negativeSpans, negativeBuckets } = histogram;
  const steps = histogram.schema - schema;
  if (steps <= 0 || histogram.schema === SCHEMA_CUSTOM) return histogram;
  const positive = reduceSide(positiveSpans, positiveBuckets, steps);
  const negative = reduceSide(negativeSpans, negativeBuckets, steps);
  return {
    ...histogram,
    schema,
    positiveSpans: positive.spans,
    positiveBuckets: positive.counts,
    negativeSpans: negative.spans,
    negativeBuckets: negative.counts,
  };
}

function reduceSide(
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
  steps: number,
): Side {
  const indexes: number[] = [];
  const counts: number[] = [];
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++) {
      const target = Math.floor((index - 1) / 2 ** steps) + 1;
      if (indexes.at(-1) === target) counts[counts.length - 1] += buckets[at++];
      else {
        indexes.push(target);
        counts.push(buckets[at++]);
      }
    }
  }
  return sideOf(indexes, counts);
}

/**
 * The histogram within a limit of buckets (0: none) and no finer than `schemaMax`. Throws TytoError
 * `too_large` where no resolution is coarse enough.
 */
export function limitHistogram(
  histogram: FloatHistogram,
  bucketLimit: number,
  schemaMax: number,
): FloatHistogram {
  let limited = reduceResolution(histogram, schemaMax);
  while (bucketLimit > 0 && bucketCount(limited) > bucketLimit) {
    if (limited.schema <= SCHEMA_MIN) {
      const counts = `number of buckets: ${bucketCount(limited)}, limit: ${bucketLimit}`;
      throw new TytoError('too_large', `histogram bucket limit exceeded (${counts})`);
    }
    limited = reduceResolution(limited, limited.schema - 1);
  }
  return limited;
}

function bucketCount(histogram: FloatHistogram): number {
  return histogram.positiveBuckets.length + histogram.negativeBuckets.length;
}

/** The finest schema whose buckets grow at least by this factor; 8 where it says nothing. */
export function schemaOfFactor(factor: number): number {
  if (factor <= 1) return SCHEMA_MAX;
  const schema = -Math.floor(Math.log2(Math.log2(factor)));
  return Math.min(SCHEMA_MAX, Math.max(SCHEMA_MIN, schema));
}

/**
 * A histogram with custom buckets. `counts` are those of each bucket, not cumulative, with one more
 * of them than `bounds`: the last is that above all bounds.
 */
export function customHistogram(
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
  hint: FloatHistogram['counterResetHint'] = 'unknown',
): FloatHistogram {
  const indexes = counts.map((_, i) => i);
  const side = sideOf(indexes, counts);
  return {
    isInteger: counts.every(Number.isInteger),
    counterResetHint: hint,
    schema: SCHEMA_CUSTOM,
    zeroThreshold: 0,
    zeroCount: 0,
    count: counts.reduce((total, count) => total + count, 0),
    sum,
    positiveSpans: side.spans,
    negativeSpans: [],
    positiveBuckets: side.counts,
    negativeBuckets: [],
    customValues: [...bounds],
  };
}

/**
 * The same of classic buckets: cumulative counts by upper bounds, in any order, with or without
 * that of +Inf. Undefined where they are no histogram.
 */
export function customOfClassic(
  buckets: ReadonlyMap<number, number>,
  count: number | undefined,
  sum: number,
): FloatHistogram | undefined {
  const bounds = [...buckets.keys()].filter(Number.isFinite).sort((a, b) => a - b);
  const total = buckets.get(Infinity) ?? count;
  if (total === undefined || (count !== undefined && count !== total)) return undefined;
  const counts: number[] = [];
  let below = 0;
  for (const cumulative of [...bounds.map((bound) => buckets.get(bound) ?? 0), total]) {
    if (!(cumulative >= below)) return undefined;
    counts.push(cumulative - below);
    below = cumulative;
  }
  return customHistogram(bounds, counts, sum);
}

/** A bound as the value of the labels `le` and `quantile`: as OpenMetrics writes numbers. */
export function boundText(bound: number): string {
  if (Number.isNaN(bound)) return 'NaN';
  if (!Number.isFinite(bound)) return bound > 0 ? '+Inf' : '-Inf';
  if (Object.is(bound, -0)) return '-0.0';
  const magnitude = Math.abs(bound);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) {
    return bound.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(bound);
  return text.includes('.') ? text : `${text}.0`;
}
