/**
 * Native histograms in the form in which they are computed with: counts by bucket index. A
 * SparseHistogram is mutable and owned by whoever made it; FloatHistogram is what is stored.
 */
import type { FloatHistogram } from '@tyto/model';
import { bucketMap, spansOf } from './buckets.ts';

export const CUSTOM_SCHEMA = -53;

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

/** The upper bound of a bucket: a power of 2^(2^-schema), or one of the custom bounds. */
export function upperBound(schema: number, index: number, customValues: readonly number[]): number {
  if (schema !== CUSTOM_SCHEMA) return 2 ** (index * 2 ** -schema);
  if (index < 0) return Number.NEGATIVE_INFINITY;
  return index < customValues.length ? customValues[index] : Number.POSITIVE_INFINITY;
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
    const upper = upperBound(CUSTOM_SCHEMA, index, old);
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
        const upper = upperBound(sparse.schema, index, []);
        const lower = upperBound(sparse.schema, index - 1, []);
        if (count !== 0 && lower < threshold && upper > threshold) {
          threshold = upper;
          changed = true;
        }
      }
    }
  }
  for (const buckets of [sparse.positive, sparse.negative]) {
    for (const [index, count] of [...buckets]) {
      if (upperBound(sparse.schema, index, []) > threshold) continue;
      sparse.zeroCount += count;
      buckets.delete(index);
    }
  }
  sparse.zeroThreshold = threshold;
}

export interface Bucket {
  lower: number;
  upper: number;
  count: number;
}

/** All populated buckets from the smallest value to the greatest, the zero bucket among them. */
export function allBuckets(histogram: FloatHistogram): Bucket[] {
  const sparse = toSparse(histogram);
  const { schema, customValues } = sparse;
  const sorted = (map: ReadonlyMap<number, number>) => [...map].sort(([a], [b]) => a - b);
  const buckets: Bucket[] = [];
  for (const [index, count] of sorted(sparse.negative).reverse()) {
    const upper = -upperBound(schema, index - 1, customValues);
    buckets.push({ lower: -upperBound(schema, index, customValues), upper, count });
  }
  if (sparse.zeroCount !== 0) {
    const { zeroThreshold, zeroCount } = sparse;
    buckets.push({ lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount });
  }
  for (const [index, count] of sorted(sparse.positive)) {
    const lower = upperBound(schema, index - 1, customValues);
    buckets.push({ lower, upper: upperBound(schema, index, customValues), count });
  }
  return buckets.filter(({ count }) => count !== 0);
}
