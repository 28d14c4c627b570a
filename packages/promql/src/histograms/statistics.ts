/** Quantiles, fractions and variance of native histograms, by interpolation within buckets. */
import { type FloatHistogram, populatedBuckets } from '@tyto/model';
import { compensate } from '../windows/sums.ts';
import { usesCustomBuckets } from './sparse.ts';

/** What there is to tell about a quantile of observations of which some were NaN. */
export type QuantileNote = 'none' | 'result is NaN' | 'result is skewed higher';

interface Bucket {
  lower: number;
  upper: number;
  count: number;
}

export interface QuantileResult {
  readonly value: number;
  readonly note: QuantileNote;
}

export function histogramQuantileOf(q: number, histogram: FloatHistogram): QuantileResult {
  const plain = (value: number): QuantileResult => ({ value, note: 'none' });
  if (q < 0) return plain(Number.NEGATIVE_INFINITY);
  if (q > 1) return plain(Number.POSITIVE_INFINITY);
  if (histogram.count === 0 || Number.isNaN(q)) return plain(Number.NaN);
  const hasNaN = Number.isNaN(histogram.sum);
  const forward = hasNaN || q < 0.5;
  const buckets: Bucket[] = populatedBuckets(histogram);
  if (!forward) buckets.reverse();
  const target = (forward ? q : 1 - q) * histogram.count;
  let count = 0;
  let bucket: Bucket = { lower: 0, upper: 0, count: 0 };
  for (bucket of buckets) {
    count += bucket.count;
    if (count >= target) break;
  }
  bucket = clipped(bucket, histogram);
  if (usesCustomBuckets(histogram)) {
    if (bucket.lower === Number.NEGATIVE_INFINITY) {
      if (bucket.upper <= 0) return plain(bucket.upper);
      bucket.lower = 0;
    } else if (bucket.upper === Number.POSITIVE_INFINITY) {
      return plain(bucket.lower);
    }
  }
  count = Math.min(count, histogram.count);
  if (count < target && hasNaN) return { value: Number.NaN, note: 'result is NaN' };
  const rank = forward ? target - (count - bucket.count) : count - target;
  const value = interpolate(bucket, rank / bucket.count, histogram);
  return { value, note: hasNaN ? 'result is skewed higher' : 'none' };
}

/** A zero bucket ends at zero where all other observations are on one side of it. */
function clipped({ lower, upper, count }: Bucket, histogram: FloatHistogram): Bucket {
  if (usesCustomBuckets(histogram) || !(lower < 0 && upper > 0)) return { lower, upper, count };
  const hasNegative = histogram.negativeBuckets.length > 0;
  const hasPositive = histogram.positiveBuckets.length > 0;
  if (!hasNegative && hasPositive) return { lower: 0, upper, count };
  if (!hasPositive && hasNegative) return { lower, upper: 0, count };
  return { lower, upper, count };
}

/** Linear in custom and zero buckets, exponential elsewhere. */
function interpolate({ lower, upper }: Bucket, share: number, histogram: FloatHistogram): number {
  if (usesCustomBuckets(histogram) || (lower <= 0 && upper >= 0)) {
    return lower + (upper - lower) * share;
  }
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * share);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - share)));
}

/** The share of observations between two values. */
export function histogramFractionOf(
  lower: number,
  upper: number,
  histogram: FloatHistogram,
): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const buckets = populatedBuckets(histogram).map((bucket) => clipped(bucket, histogram));
  const difference = rankOf(upper, buckets, histogram) - rankOf(lower, buckets, histogram);
  return difference / histogram.count;
}

/** How many observations are below `value`. */
function rankOf(value: number, buckets: readonly Bucket[], histogram: FloatHistogram): number {
  let rank = 0;
  for (const bucket of buckets) {
    if (bucket.lower >= value) return rank;
    if (bucket.upper > value) return rank + bucket.count * shareBelow(value, bucket, histogram);
    rank += bucket.count;
  }
  return rank;
}

function shareBelow(value: number, bucket: Bucket, histogram: FloatHistogram): number {
  let { lower } = bucket;
  const { upper } = bucket;
  if (usesCustomBuckets(histogram) && lower === Number.NEGATIVE_INFINITY) {
    // The first bucket is taken to begin at zero, as that of a classic histogram.
    if (upper <= 0) return 1;
    lower = 0;
    if (value <= 0) return 0;
  }
  if (upper === Number.POSITIVE_INFINITY) return 0;
  if (usesCustomBuckets(histogram) || (lower <= 0 && upper >= 0)) {
    return (value - lower) / (upper - lower);
  }
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logValue = Math.log2(Math.abs(value));
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** The estimated population variance of the observations. */
export function histogramVariance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  const custom = usesCustomBuckets(histogram);
  let variance = 0;
  let error = 0;
  for (const { lower, upper, count } of populatedBuckets(histogram)) {
    const delta = representative(lower, upper, custom) - mean;
    const increment = count * delta * delta;
    error = compensate(increment, variance, error);
    variance += increment;
  }
  return (variance + error) / histogram.count;
}

function representative(lower: number, upper: number, custom: boolean): number {
  if (custom) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const mean = Math.sqrt(upper * lower);
  return upper < 0 ? -mean : mean;
}
