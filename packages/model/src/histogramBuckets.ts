/** The buckets of a native histogram, with their bounds. */
import type { FloatHistogram, HistogramSpan } from './histogram.ts';

export const CUSTOM_SCHEMA = -53;

export interface HistogramBucket {
  readonly lower: number;
  readonly upper: number;
  readonly isLowerIncluded: boolean;
  readonly isUpperIncluded: boolean;
  readonly count: number;
}

/** The upper bound of a bucket: a power of 2^(2^-schema), or one of the custom bounds. */
export function bucketUpperBound(
  schema: number,
  index: number,
  customValues: readonly number[],
): number {
  if (schema !== CUSTOM_SCHEMA) return 2 ** (index * 2 ** -schema);
  if (index < 0) return Number.NEGATIVE_INFINITY;
  return index < customValues.length ? customValues[index] : Number.POSITIVE_INFINITY;
}

/** All populated buckets from the smallest value to the greatest, the zero bucket among them. */
export function populatedBuckets(histogram: FloatHistogram): HistogramBucket[] {
  const { schema, customValues, zeroThreshold, zeroCount } = histogram;
  const bound = (index: number) => bucketUpperBound(schema, index, customValues);
  const buckets: HistogramBucket[] = [];
  eachCount(histogram.negativeSpans, histogram.negativeBuckets, (index, count) => {
    buckets.push({
      lower: -bound(index),
      upper: -bound(index - 1),
      isLowerIncluded: true,
      isUpperIncluded: false,
      count,
    });
  });
  buckets.reverse();
  if (zeroCount !== 0) {
    buckets.push({
      lower: -zeroThreshold,
      upper: zeroThreshold,
      isLowerIncluded: true,
      isUpperIncluded: true,
      count: zeroCount,
    });
  }
  eachCount(histogram.positiveSpans, histogram.positiveBuckets, (index, count) => {
    const isFirstCustom = schema === CUSTOM_SCHEMA && index === 0;
    buckets.push({
      lower: bound(index - 1),
      upper: bound(index),
      isLowerIncluded: isFirstCustom,
      isUpperIncluded: true,
      count,
    });
  });
  return buckets;
}

/** Visits the counts that are not 0 with the indexes of their buckets, which rise. */
function eachCount(
  spans: readonly HistogramSpan[],
  counts: readonly number[],
  visit: (index: number, count: number) => void,
): void {
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (const end = at + length; at < end; at++, index++) {
      if (counts[at] !== 0) visit(index, counts[at]);
    }
  }
}
