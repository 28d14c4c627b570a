/**
 * The port between metric stores and everything that reads or writes them. Engines import this,
 * never a store; the server brings the two together. `metricStoreSuite.ts` is the contract as
 * tests, which every implementation runs.
 */
import type { Exemplar, SeriesExemplars } from './exemplar.ts';
import type { FloatHistogram } from './histogram.ts';
import type { Labels } from './labels.ts';
import type { Matcher } from './matcher.ts';
import type { SampleColumns } from './samples.ts';
import type { ColumnReader, SeriesGroups, WindowRequest } from './windowColumns.ts';

/** A store's short name for a series; meaningful to the appenders of that store only. */
export type SeriesRef = number;

/** What became of one appended sample. */
export const APPENDED = 0;
/** The same timestamp and value were there already: nothing to do, and no error. */
export const REPEATED = 1;
/** The timestamp is there already with another value: "duplicate sample for timestamp". */
export const DUPLICATE = 2;
/** Older than the newest sample of its series: "out of order sample". */
export const OUT_OF_ORDER = 3;
/** Older than the store still takes, or too far in the future: "out of bounds". */
export const OUT_OF_BOUNDS = 4;
/** The store has forgotten this reference: resolve the labels again. */
export const UNKNOWN_SERIES = 5;
/** The store is at its limit of series. */
export const SERIES_LIMIT = 6;
/** Out of order, and older than the window in which that is allowed: "too old sample". */
export const TOO_OLD = 7;
export type AppendResult = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Returned by `series` when the store takes no more of them. */
export const NO_SERIES: SeriesRef = -1;

/**
 * A batch of samples. Any number may be open; one is used by one caller. Nothing is promised
 * before `commit` resolves; after that the samples survive the death of the process.
 */
export interface MetricAppender {
  /** Finds or creates a series. NO_SERIES when the store is at its limit. */
  series(labels: Labels): SeriesRef;
  /**
   * `startTimeMs`: since when a counter counts; 0 where that is unknown. It is no part of what
   * makes a sample: one that repeats another's time and value is REPEATED with any start time.
   */
  append(ref: SeriesRef, timestampMs: number, value: number, startTimeMs?: number): AppendResult;
  /**
   * Samples [from, from + count) of two columns, in rising time; the bits of the values are kept,
   * so stale markers may be among them. What is refused falls out and the rest is appended; the
   * answer is the first refusal's, APPENDED when there was none.
   */
  appendRun(
    ref: SeriesRef,
    timestamps: Float64Array,
    values: Float64Array,
    from: number,
    count: number,
  ): AppendResult;
  /**
   * One sample of each of several series, at one time: the first `count` of two columns. Writes
   * what became of each to `results`, and returns how many were not APPENDED.
   */
  appendRow(
    timestampMs: number,
    refs: Float64Array,
    values: Float64Array,
    count: number,
    results: Uint8Array,
  ): number;
  /** Ends the series at this time, until it gets a further sample. */
  appendStale(ref: SeriesRef, timestampMs: number): AppendResult;
  /** A native histogram. A series may hold floats and histograms at different times. */
  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: FloatHistogram,
    startTimeMs?: number,
  ): AppendResult;
  /** Kept among the newest of all series; one that repeats its series' newest is REPEATED. */
  appendExemplar(ref: SeriesRef, exemplar: Exemplar): AppendResult;
  /** Makes the batch visible to readers at once and durable when resolved. Rejects with `io`. */
  commit(): Promise<void>;
  /** Throws the batch away. */
  rollback(): void;
}

export interface SelectRequest {
  /** All must match. At least one of them must not match the empty string. */
  readonly matchers: readonly Matcher[];
  /** Both ends are included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The series that a select found, in no particular order. */
export interface SeriesSelection {
  readonly size: number;
  /** May be made anew at each call: who needs them again keeps them. */
  labels(index: number): Labels;
  /** Appends the samples of the request's time range to `target`, oldest first. No I/O. */
  readInto(index: number, target: SampleColumns): void;
  /**
   * For stores that read ahead in other threads. Who reads many series calls this before each
   * `readInto`, in rising order, and waits for what it returns, if anything: then the series has
   * been read, and `readInto` takes it from there. It is a hint: `readInto` without it, out of
   * order, or before what is waited for, gives the same samples. Never rejects. What is read ahead
   * is the store's and bounded by it; `release` gives it back.
   */
  prepare?(index: number): Promise<void> | undefined;
  /** After the last `prepare`, however the reading ended. */
  release?(): void;
  /** Computes columns instead of giving samples; undefined where this selection does not. */
  columns?(request: WindowRequest): ColumnReader | undefined;
  /** The series by these labels, without making all their labels; undefined where it does not. */
  groupBy?(names: readonly string[]): SeriesGroups | undefined;
  /**
   * What the asker of a query should know of this answer, such as that something is missing; may
   * grow while series are read.
   */
  readonly warnings?: Iterable<string>;
}

export interface LabelRequest {
  /** A series counts when it satisfies any of these lists; none means all series. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** At most so many answers; 0 means all. */
  readonly limit: number;
}

export interface ExemplarRequest {
  readonly matcherSets: readonly (readonly Matcher[])[];
  /** Both ends are included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** An answer that a limit may have cut short. */
export interface Limited<T> {
  readonly items: readonly T[];
  readonly truncated: boolean;
}

/** Samples before a time are what they are, while the version is the same. */
export interface SettledTime {
  readonly beforeMs: number;
  readonly version: number;
}

export interface MetricQuerier {
  /** For those who keep results; a querier that does not know has none. */
  settled?(): SettledTime | undefined;
  select(request: SelectRequest): Promise<SeriesSelection>;
  /** Sorted. */
  labelNames(request: LabelRequest): Promise<Limited<string>>;
  /** Sorted. */
  labelValues(name: string, request: LabelRequest): Promise<Limited<string>>;
  series(request: LabelRequest): Promise<Limited<Labels>>;
  /** The exemplars that are still kept, oldest first, of the series that any list matches. */
  exemplars(request: ExemplarRequest): Promise<readonly SeriesExemplars[]>;
}

export interface MetricStore extends MetricQuerier {
  appender(): MetricAppender;
}

/** What an exposition says of a metric family. */
export interface MetricMetadata {
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
}

export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';
