/** Native histograms with float counts, as Prometheus' data model has them. */

export interface HistogramSpan {
  /** Gap to the previous span's end; for the first span the index of its first bucket. */
  readonly offset: number;
  readonly length: number;
}

export interface FloatHistogram {
  /** Set where the source counts in whole numbers; what is computed from it counts in floats. */
  readonly isInteger?: boolean;
  readonly counterResetHint: 'unknown' | 'reset' | 'not_reset' | 'gauge';
  /** -4..8: base 2^(2^-schema) exponential buckets; -53: custom boundaries. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positiveSpans: readonly HistogramSpan[];
  readonly negativeSpans: readonly HistogramSpan[];
  /** Absolute counts, one a bucket of the spans. */
  readonly positiveBuckets: readonly number[];
  readonly negativeBuckets: readonly number[];
  /** Upper bounds of schema -53, otherwise empty. */
  readonly customValues: readonly number[];
}
