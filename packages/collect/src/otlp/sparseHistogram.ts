/**
 * Exponential histograms of OpenTelemetry, of any scale, as counts by index: to be added up, made
 * coarser, and turned into native histograms. A bucket of OpenTelemetry has its lower bound as its
 * index and one of Prometheus its upper one, so they differ by one.
 */
import { TytoError } from '@tyto/base';
import type { FloatHistogram } from '@tyto/model';
import { checkHistogram, type OtlpBuckets, type OtlpPoint, sideOf } from '@tyto/wire';

/** The coarsest and the finest scale of native histograms. */
const SCALE_MIN = -4;
const SCALE_MAX = 8;
/** What OpenTelemetry's SDKs have at most is 160 on each side; totals may become wider. */
const BUCKETS_MAX = 640;
/** The breadth of the zero bucket where nothing is said, as the specification has it. */
const ZERO_THRESHOLD = 1e-128;

export interface SparseHistogram {
  readonly scale: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: ReadonlyMap<number, number>;
  readonly negative: ReadonlyMap<number, number>;
}

/** Of a point; one of another kind has no buckets. */
export function sparseOf(point: OtlpPoint): SparseHistogram {
  const { scale, zeroCount, zeroThreshold, positive, negative } = point;
  const histogram = {
    scale,
    zeroCount,
    zeroThreshold,
    positive: countsOf(positive),
    negative: countsOf(negative),
  };
  return narrowed(scale > SCALE_MAX ? atScale(histogram, SCALE_MAX) : histogram);
}

/** Made coarser until it has no more buckets than are kept, or cannot be coarser. */
function narrowed(given: SparseHistogram): SparseHistogram {
  let histogram = given;
  while (histogram.scale > SCALE_MIN && widthOf(histogram) > BUCKETS_MAX) {
    histogram = atScale(histogram, histogram.scale - 1);
  }
  return histogram;
}

function countsOf({ offset, counts }: OtlpBuckets): Map<number, number> {
  const map = new Map<number, number>();
  counts.forEach((count, i) => {
    if (count !== 0) map.set(offset + i, count);
  });
  return map;
}

export function addBuckets(a: SparseHistogram, b: SparseHistogram): SparseHistogram {
  const scale = Math.min(a.scale, b.scale);
  const first = atScale(a, scale);
  const second = atScale(b, scale);
  return narrowed({
    scale,
    zeroCount: a.zeroCount + b.zeroCount,
    zeroThreshold: Math.max(a.zeroThreshold, b.zeroThreshold),
    positive: addMaps(first.positive, second.positive),
    negative: addMaps(first.negative, second.negative),
  });
}

function widthOf({ positive, negative }: SparseHistogram): number {
  return Math.max(positive.size, negative.size);
}

function atScale(histogram: SparseHistogram, scale: number): SparseHistogram {
  // More steps than an index has bits leave but two buckets.
  const steps = Math.min(histogram.scale - scale, 33);
  if (steps <= 0) return histogram;
  const reduce = (counts: ReadonlyMap<number, number>) => {
    const reduced = new Map<number, number>();
    for (const [index, count] of counts) {
      const target = Math.floor(index / 2 ** steps);
      reduced.set(target, (reduced.get(target) ?? 0) + count);
    }
    return reduced;
  };
  const { positive, negative } = histogram;
  return { ...histogram, scale, positive: reduce(positive), negative: reduce(negative) };
}

function addMaps(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): Map<number, number> {
  const sum = new Map(a);
  for (const [index, count] of b) sum.set(index, (sum.get(index) ?? 0) + count);
  return sum;
}

/** Throws TytoError `bad_data` for what no native histogram can be. */
export function nativeOf(
  histogram: SparseHistogram,
  count: number,
  sum: number | undefined,
): FloatHistogram {
  if (histogram.scale < SCALE_MIN) {
    throw new TytoError(
      'bad_data',
      `cannot convert exponential to native histogram: scale must be >= ${SCALE_MIN}, ` +
        `was ${histogram.scale}`,
    );
  }
  if (widthOf(histogram) > BUCKETS_MAX) {
    throw new TytoError('bad_data', `the histogram has more than ${BUCKETS_MAX} buckets`);
  }
  const sides = [histogram.positive, histogram.negative].map((counts) => {
    const indexes = [...counts.keys()].sort((a, b) => a - b);
    const values = indexes.map((index) => counts.get(index) ?? 0);
    return sideOf(
      indexes.map((index) => index + 1),
      values,
    );
  });
  const native: FloatHistogram = {
    isInteger: true,
    counterResetHint: 'unknown',
    schema: histogram.scale,
    zeroThreshold: histogram.zeroThreshold === 0 ? ZERO_THRESHOLD : histogram.zeroThreshold,
    zeroCount: histogram.zeroCount,
    count,
    sum: sum ?? 0,
    positiveSpans: sides[0].spans,
    negativeSpans: sides[1].spans,
    positiveBuckets: sides[0].counts,
    negativeBuckets: sides[1].counts,
    customValues: [],
  };
  checkHistogram(native);
  return native;
}
