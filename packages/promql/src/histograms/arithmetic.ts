/** Arithmetic on native histograms. */
import type { FloatHistogram } from '@tyto/model';

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
