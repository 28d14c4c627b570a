/**
 * What a store may compute beside its samples: the results of a function over windows of each
 * series, or of groups of series, so that samples stay where they are decoded. A part of the port
 * in metricStore.ts; a store need not offer it, and may leave series out.
 */

/** Functions of PromQL by their names; `last` is an instant selector, with its staleness. */
export type WindowFunction =
  | 'last'
  | 'rate'
  | 'increase'
  | 'delta'
  | 'irate'
  | 'idelta'
  | 'changes'
  | 'resets'
  | 'sum_over_time'
  | 'avg_over_time'
  | 'min_over_time'
  | 'max_over_time'
  | 'count_over_time'
  | 'present_over_time'
  | 'first_over_time'
  | 'last_over_time'
  | 'quantile_over_time';

/** How series become one; `count` stands for `group`, too. */
export type GroupOperator = 'sum' | 'count' | 'min' | 'max';

/** The windows (startMs + i * stepMs - rangeMs, startMs + i * stepMs], 0 <= i < count. */
export interface WindowRequest {
  readonly name: WindowFunction;
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
  readonly rangeMs: number;
  /** For quantile_over_time. */
  readonly quantile?: number;
  readonly groups?: WindowGroups;
}

export interface WindowGroups {
  readonly operator: GroupOperator;
  /** The group of each series of the selection. */
  readonly groupOf: Uint32Array;
}

/** Of series that the asker has to read himself, such as those with native histograms. */
export const NOT_COMPUTED = -1;

/** The results of series [first, end); valid until the next batch is asked for. */
export interface ColumnBatch {
  readonly first: number;
  readonly end: number;
  /** By series: how many samples were read, or NOT_COMPUTED. */
  readonly sampleCounts: Int32Array;
  /** By series: whether there is a result at any step. */
  readonly hasResults: Uint8Array;
  /** Without groups: `count` results of each series, 1 where there is one. */
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** With groups: what these series make of theirs. */
  readonly groups: GroupColumns | undefined;
}

/** For each group `count` numbers in each column. */
export interface GroupColumns {
  /** Which groups these are. */
  readonly ids: Uint32Array;
  /** Sums, or extremes; for `count` nothing. */
  readonly values: Float64Array;
  /** What rounding took from the sums. */
  readonly errors: Float64Array;
  /** How many series have a result at each step. */
  readonly counts: Float64Array;
}

/** Gives the batches of a selection, one after the other. */
export interface ColumnReader {
  /** At once where nothing is waited for; undefined at the end. Never rejects or throws. */
  next(): Promise<ColumnBatch> | ColumnBatch | undefined;
  /** After the last `next`, however the reading ended. */
  release(): void;
}

/** Series in groups of equal values of some labels. */
export interface SeriesGroups {
  /** The group of each series of the selection. */
  readonly groupOf: Uint32Array;
  /** For each group its values of the labels asked for, in their order; empty for none. */
  readonly values: readonly (readonly string[])[];
}
