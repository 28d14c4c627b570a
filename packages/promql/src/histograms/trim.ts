/** Cutting off the observations of a native histogram above or below a value. */
import { bucketUpperBound, type FloatHistogram } from '@tyto/model';
import { fromSparse, toSparse, usesCustomBuckets } from './sparse.ts';

/**
 * Keeps the observations below (`</`) or above (`>/`) `value`. A bucket that is cut keeps the
 * share that interpolation gives it: linear in custom and zero buckets, exponential elsewhere. A
 * bucket without end is kept as a whole on its open side. The sum is estimated from the middles of
 * what is left.
 */
export function trimHistogram(
  histogram: FloatHistogram,
  value: number,
  keepBelow: boolean,
): FloatHistogram {
  const sparse = toSparse(histogram);
  const { schema, customValues } = sparse;
  const custom = usesCustomBuckets(sparse);
  let count = 0;
  let sum = 0;
  let changed = false;
  const cut = (bucketCount: number, lower: number, upper: number, linear: boolean): number => {
    const share = keptShare(lower, upper, value, keepBelow, linear);
    const kept = bucketCount * share;
    if (share !== 1 && bucketCount !== 0) changed = true;
    if (kept === 0) return 0;
    const low = keepBelow ? lower : Math.max(lower, value);
    const high = keepBelow ? Math.min(upper, value) : upper;
    count += kept;
    sum += kept * middle(low, high, linear);
    return kept;
  };
  for (const [index, bucketCount] of sparse.positive) {
    const upper = bucketUpperBound(schema, index, customValues);
    let lower = bucketUpperBound(schema, index - 1, customValues);
    // The first custom bucket is taken to begin at zero where that makes sense.
    const isFirst = lower === Number.NEGATIVE_INFINITY && Number.isFinite(upper);
    if (isFirst && upper > 0 && value >= 0) lower = 0;
    sparse.positive.set(index, cut(bucketCount, lower, upper, custom));
  }
  for (const [index, bucketCount] of sparse.negative) {
    const upper = -bucketUpperBound(schema, index - 1, customValues);
    const lower = -bucketUpperBound(schema, index, customValues);
    sparse.negative.set(index, cut(bucketCount, lower, upper, false));
  }
  if (!custom) {
    const { zeroThreshold, zeroCount } = sparse;
    const hasNegative = histogram.negativeBuckets.length > 0;
    const hasPositive = histogram.positiveBuckets.length > 0;
    const lower = !hasNegative && hasPositive ? 0 : -zeroThreshold;
    const upper = !hasPositive && hasNegative ? 0 : zeroThreshold;
    sparse.zeroCount = cut(zeroCount, lower, upper, true);
  }
  if (!changed) return histogram;
  return { ...fromSparse(sparse), count, sum };
}

function keptShare(
  lower: number,
  upper: number,
  value: number,
  keepBelow: boolean,
  linear: boolean,
): number {
  if (keepBelow ? upper <= value : lower >= value) return 1;
  if (keepBelow ? lower >= value : upper <= value) return 0;
  const opensBelow = lower === Number.NEGATIVE_INFINITY;
  const opensAbove = upper === Number.POSITIVE_INFINITY;
  // A first bucket that reaches above zero is taken to have nothing below it.
  if (opensBelow && upper > 0) return 0;
  if (opensBelow || opensAbove)
    return opensBelow !== opensAbove && keepBelow === opensBelow ? 1 : 0;
  const below = linear ? (value - lower) / (upper - lower) : exponentialShare(lower, upper, value);
  return keepBelow ? below : 1 - below;
}

function exponentialShare(lower: number, upper: number, value: number): number {
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logValue = Math.log2(Math.abs(value));
  return (logValue - logLower) / (logUpper - logLower);
}

function middle(lower: number, upper: number, linear: boolean): number {
  if (lower === Number.NEGATIVE_INFINITY) return upper;
  if (upper === Number.POSITIVE_INFINITY) return lower;
  if (linear) return (lower + upper) / 2;
  const mean = Math.sqrt(lower * upper);
  return upper <= 0 ? -mean : mean;
}
