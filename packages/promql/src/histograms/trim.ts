/** Cutting off the observations of a native histogram above or below a value. */
import type { FloatHistogram } from '@tyto/model';
import { histogramFractionOf } from './statistics.ts';
import { allBuckets, fromSparse, toSparse, upperBound, usesCustomBuckets } from './sparse.ts';

/**
 * Keeps the observations below (`</`) or above (`>/`) `value`; a bucket that is cut keeps the
 * share that interpolation gives it. The sum is estimated from what is left.
 */
export function trimHistogram(
  histogram: FloatHistogram,
  value: number,
  keepBelow: boolean,
): FloatHistogram {
  const sparse = toSparse(histogram);
  const { schema, customValues } = sparse;
  const share = (lower: number, upper: number): number => {
    if (keepBelow ? upper <= value : lower >= value) return 1;
    if (keepBelow ? lower >= value : upper <= value) return 0;
    const below = cutShare(lower, upper, value, histogram);
    return keepBelow ? below : 1 - below;
  };
  for (const [index, count] of sparse.positive) {
    const lower = upperBound(schema, index - 1, customValues);
    const kept = share(lower, upperBound(schema, index, customValues));
    sparse.positive.set(index, count * kept);
  }
  for (const [index, count] of sparse.negative) {
    const upper = -upperBound(schema, index - 1, customValues);
    sparse.negative.set(index, count * share(-upperBound(schema, index, customValues), upper));
  }
  if (!usesCustomBuckets(sparse)) {
    sparse.zeroCount *= share(-sparse.zeroThreshold, sparse.zeroThreshold);
  }
  const trimmed = fromSparse(sparse);
  const buckets = allBuckets(trimmed);
  const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  if (count === histogram.count) return histogram;
  const sum = buckets.reduce((total, bucket) => total + bucket.count * middle(bucket), 0);
  return { ...trimmed, count, sum };
}

function middle({ lower, upper }: { lower: number; upper: number }): number {
  if (lower === Number.NEGATIVE_INFINITY) return upper;
  if (upper === Number.POSITIVE_INFINITY) return lower;
  if (lower <= 0 && upper >= 0) return (lower + upper) / 2;
  const mean = Math.sqrt(lower * upper);
  return upper < 0 ? -mean : mean;
}

/** The share of one bucket's observations that interpolation puts below `value`. */
function cutShare(lower: number, upper: number, value: number, histogram: FloatHistogram): number {
  const width = usesCustomBuckets(histogram) ? upper - lower : 0;
  if (width > 0 && Number.isFinite(width)) return (value - lower) / width;
  if (lower <= 0 && upper >= 0) return (value - lower) / (upper - lower);
  const single = histogramFractionOf(lower, value, histogram);
  const whole = histogramFractionOf(lower, upper, histogram);
  return whole === 0 ? 0 : single / whole;
}
