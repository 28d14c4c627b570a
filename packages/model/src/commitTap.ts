/** The port through which somebody sees what a store takes, sample by sample, as it takes it. */
import type { Exemplar } from './exemplar.ts';
import type { FloatHistogram } from './histogram.ts';
import type { Labels } from './labels.ts';
import type { SeriesRef } from './metricStore.ts';

/** What a commit put into the store; what was refused or was there already is not among it. */
export interface CommittedSamples {
  /**
   * The floats are [from, end) of three columns that belong to the store and are valid during the
   * call only. Stale markers are among the values, as bits.
   */
  readonly refs: Float64Array;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly from: number;
  readonly end: number;
  /** Behind the floats where a series has both. */
  readonly histograms: readonly {
    readonly ref: SeriesRef;
    readonly timestampMs: number;
    readonly histogram: FloatHistogram;
  }[];
  readonly exemplars: readonly { readonly series: Labels; readonly exemplar: Exemplar }[];
  /** Whether these are samples that came later than newer ones of their series. */
  readonly late: boolean;
}

export interface CommitTap {
  /** Whether anybody looks: where not, `committed` is not called. */
  readonly isTapped: boolean;
  /**
   * Called within the commit, so in the order in which samples became visible. The commit waits
   * for the promise, which never rejects. `labelsOf` is to be called before this returns.
   */
  committed(samples: CommittedSamples, labelsOf: (ref: SeriesRef) => Labels): Promise<void>;
}
