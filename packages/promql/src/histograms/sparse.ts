/**
 * Native histograms in the form in which they are computed with: counts by bucket index. A
 * SparseHistogram is mutable and owned by whoever made it; FloatHistogram is what is stored.
 */
import { bucketUpperBound, CUSTOM_SCHEMA, type FloatHistogram } from '@tyto/model';
import { bucketMap, spansOf } from './buckets.ts';

export interface SparseHistogram {
  hint: FloatHistogram['counterResetHint'];
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  count: number;
  sum: number;
  positive: Map<number, number>;
  negative: Map<number, number>;
  customValues: readonly number[];
}

export function toSparse(histogram: FloatHistogram): SparseHistogram {
  return {
    hint: histogram.counterResetHint,
    schema: histogram.schema,
    zeroThreshold: histogram.zeroThreshold,
    zeroCount: histogram.zeroCount,
    count: histogram.count,
    sum: histogram.sum,
    positive: bucketMap(histogram, false),
    negative: bucketMap(histogram, true),
    customValues: histogram.customValues,
  };
}

export function fromSparse(sparse: SparseHistogram): FloatHistogram {
  const positive = spansOf(sparse.positive);
  const negative = spansOf(sparse.negative);
  return {
    counterResetHint: sparse.hint,
    schema: sparse.schema,
    zeroThreshold: sparse.zeroThreshold,
    zeroCount: sparse.zeroCount,
    count: sparse.count,
    sum: sparse.sum,
    positiveSpans: positive.spans,
    negativeSpans: negative.spans,
    positiveBuckets: positive.counts,
    negativeBuckets: negative.counts,
    customValues: sparse.customValues,
  };
}

export function usesCustomBuckets(histogram: { readonly schema: number }): boolean {
  return histogram.schema === CUSTOM_SCHEMA;
}

/** Merges exponential buckets down to a coarser schema. */
export function reduceResolution(sparse: SparseHistogram, schema: number): void {
  const shift = sparse.schema - schema;
  if (shift <= 0) return;
  sparse.positive = merged(sparse.positive, (index) => ((index - 1) >> shift) + 1);
  sparse.negative = merged(sparse.negative, (index) => ((index - 1) >> shift) + 1);
  sparse.schema = schema;
}

function merged(
  buckets: ReadonlyMap<number, number>,
  target: (index: number) => number,
): Map<number, number> {
  const out = new Map<number, number>();
  for (const [index, count] of buckets) {
    const to = target(index);
    out.set(to, (out.get(to) ?? 0) + count);
  }
  return out;
}

/** Moves custom buckets onto a subset of their bounds. */
export function mapCustomBounds(sparse: SparseHistogram, bounds: readonly number[]): void {
  const old = sparse.customValues;
  sparse.positive = merged(sparse.positive, (index) => {
    const upper = bucketUpperBound(CUSTOM_SCHEMA, index, old);
    const at = bounds.findIndex((bound) => bound >= upper);
    return at < 0 ? bounds.length : at;
  });
  sparse.customValues = bounds;
}

/** Widens the zero bucket to at least `threshold`; a populated bucket is never cut. */
export function widenZeroBucket(sparse: SparseHistogram, wanted: number): void {
  let threshold = wanted;
  for (let changed = true; changed; ) {
    changed = false;
    for (const buckets of [sparse.positive, sparse.negative]) {
      for (const [index, count] of buckets) {
        const upper = bucketUpperBound(sparse.schema, index, []);
        const lower = bucketUpperBound(sparse.schema, index - 1, []);
        if (count !== 0 && lower < threshold && upper > threshold) {
          threshold = upper;
          changed = true;
        }
      }
    }
  }
  for (const buckets of [sparse.positive, sparse.negative]) {
    for (const [index, count] of [...buckets]) {
      if (bucketUpperBound(sparse.schema, index, []) > threshold) continue;
      sparse.zeroCount += count;
      buckets.delete(index);
    }
  }
  sparse.zeroThreshold = threshold;
}
