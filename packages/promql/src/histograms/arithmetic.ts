/** Arithmetic on native histograms. */
import type { FloatHistogram } from '@tyto/model';
import { bucketMap, spansOf } from './buckets.ts';

/** Every count and the sum times `factor`. A negative factor makes a gauge of it. */
export function scaleHistogram(histogram: FloatHistogram, factor: number): FloatHistogram {
  return {
    ...histogram,
    counterResetHint: factor < 0 ? 'gauge' : histogram.counterResetHint,
    zeroCount: histogram.zeroCount * factor,
    count: histogram.count * factor,
    sum: histogram.sum * factor,
    positiveBuckets: histogram.positiveBuckets.map((count) => count * factor),
    negativeBuckets: histogram.negativeBuckets.map((count) => count * factor),
  };
}

/** `left + sign * right`, at the coarser resolution of the two. */
export function addHistograms(
  left: FloatHistogram,
  right: FloatHistogram,
  sign: 1 | -1,
): FloatHistogram {
  const positive = spansOf(addMaps(bucketMap(left, false), bucketMap(right, false), sign));
  const negative = spansOf(addMaps(bucketMap(left, true), bucketMap(right, true), sign));
  return {
    ...left,
    count: left.count + sign * right.count,
    sum: left.sum + sign * right.sum,
    zeroCount: left.zeroCount + sign * right.zeroCount,
    positiveSpans: positive.spans,
    positiveBuckets: positive.counts,
    negativeSpans: negative.spans,
    negativeBuckets: negative.counts,
  };
}

function addMaps(
  left: Map<number, number>,
  right: Map<number, number>,
  sign: 1 | -1,
): Map<number, number> {
  for (const [index, count] of right) left.set(index, (left.get(index) ?? 0) + sign * count);
  return left;
}
