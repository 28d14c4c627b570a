/**
 * The port between log stores and everything that reads or writes them. Engines import this, never
 * a store. `logStoreSuite.ts` is the contract as tests, which every implementation runs.
 *
 * The model is Loki's: a stream is a set of labels of one tenant, and holds entries of a time, a
 * line and structured metadata. Times are nanoseconds since 1970.
 */
import type { Labels } from './labels.ts';
import type { Matcher } from './matcher.ts';

export interface LogEntry {
  readonly timestampNs: bigint;
  readonly line: string;
  /** Structured metadata: indexed with the entry, no part of its stream. */
  readonly metadata: Labels;
}

/** Entries of one stream, in any order of time. */
export interface LogStreamEntries {
  readonly labels: Labels;
  readonly entries: readonly LogEntry[];
}

export interface LogAppender {
  /**
   * Resolves when the entries survive the death of every process; none is visible before others of
   * the same call for long. An entry that repeats another's stream, time, line and metadata may be
   * kept once or twice. Rejects with TytoError `io` (the disk, full too) or `unavailable` (the
   * store is not there just now, or has more to write than it may hold); nothing of it counts as
   * stored then, though some of it may be.
   */
  append(tenant: string, streams: readonly LogStreamEntries[]): Promise<void>;
}

/** [startNs, endNs): the end is not included. */
export interface LogRange {
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** Where a value is looked for; the first place of several that has it counts. */
export type LogField =
  | { readonly from: 'label' | 'metadata'; readonly name: string }
  /** What the stage `json` extracts of the line, by the path of keys and indexes to it. */
  | { readonly from: 'json'; readonly path: readonly (string | number)[] }
  /** What the stage `logfmt` extracts. */
  | { readonly from: 'logfmt'; readonly key: string }
  /**
   * What a stage shows as the label of that name, which has an underscore: that may be one in the
   * key, any character that a label can't have, or between the keys of nested objects.
   */
  | { readonly from: 'json_label' | 'logfmt_label'; readonly name: string };

/** Line filters and label filters of a query, as far as a store may know them. */
export type LogFilter =
  | {
      readonly on: 'line';
      /** `contains`: the text; `regexp`: RE2, anywhere; `pattern`: Loki's `<_>` notation. */
      readonly type: 'contains' | 'regexp' | 'pattern';
      readonly negated: boolean;
      /** Any of them. */
      readonly values: readonly string[];
    }
  | {
      readonly on: 'field';
      /** The first that is there; '' where none is. */
      readonly places: readonly LogField[];
      readonly type: '=' | '!=' | '=~' | '!~';
      readonly value: string;
    }
  | {
      readonly on: 'number';
      readonly places: readonly LogField[];
      readonly unit: LogUnit;
      readonly type: '==' | '!=' | '>' | '>=' | '<' | '<=';
      readonly value: number;
    };

/** How a text is read as a number: plainly, as Go's duration in seconds, or as a size in bytes. */
export type LogUnit = 'number' | 'duration' | 'bytes';

export interface LogSelect extends LogRange {
  readonly tenant: string;
  /** All must match the labels of the stream. At least one does not match the empty string. */
  readonly matchers: readonly Matcher[];
  readonly filters: readonly LogFilter[];
  readonly signal?: AbortSignal | undefined;
}

export interface LogRead extends LogSelect {
  /** `forward` is the oldest first. Entries of one time come in any order. */
  readonly direction: 'forward' | 'backward';
  /**
   * About how many entries are wanted, for the size of the first reading. The reader stops when it
   * has enough.
   */
  readonly wanted: number;
}

/** Some entries, as columns of one length; what of it is shared is not to be changed. */
export interface LogChunk {
  /** The streams that occur in it. */
  readonly streams: readonly Labels[];
  /** Of each entry, the index of its stream. */
  readonly streamOf: Uint32Array;
  readonly timestampsNs: BigInt64Array;
  readonly lines: readonly string[];
  readonly metadata: readonly Labels[];
}

/** The series of a range aggregation over logs: window i is (end - range, end], as in LogQL. */
export interface LogWindows {
  readonly firstEndNs: bigint;
  readonly stepNs: bigint;
  readonly rangeNs: bigint;
  readonly count: number;
}

export interface LogAggregate {
  /** Its range covers all windows; its filters are applied exactly. */
  readonly select: LogSelect;
  readonly windows: LogWindows;
  /** `count` and `bytes` are of lines, the rest of `value`. */
  readonly of: 'count' | 'bytes' | 'sum' | 'min' | 'max';
  readonly value?: { readonly places: readonly LogField[]; readonly unit: LogUnit } | undefined;
  /**
   * One group each for stream and metadata together, or for the values of these fields. Metadata
   * whose name the stream has, too, gets `_extracted` behind it.
   */
  readonly by: 'entry' | readonly { readonly name: string; readonly places: readonly LogField[] }[];
  /** Set where the query's pipeline parses each line: what does not parse is told. */
  readonly parse?: 'json' | 'logfmt' | undefined;
  /** More groups than this are refused: TytoError `too_large`. */
  readonly groupsMax: number;
}

export interface LogAggregated {
  readonly groups: readonly {
    readonly labels: Labels;
    /** One value for each window; NaN where no entry was in it. */
    readonly values: Float64Array;
  }[];
  /**
   * Entries that passed the filters and are not of the format of `parse`, or have a value that is
   * not of the unit that a filter or `value` reads.
   */
  readonly unparsed: number;
  readonly read: LogReadSize;
}

/** What was, or would be, read: entries, and bytes of their lines before compression. */
export interface LogReadSize {
  readonly entries: number;
  readonly bytes: number;
}

export interface LogStreamsRequest extends LogRange {
  readonly tenant: string;
  /** A stream counts when it satisfies any of these lists; none means all. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly signal?: AbortSignal | undefined;
}

/** A stream with what it has in a range, or in a part of it. */
export interface LogStreamSize extends LogReadSize {
  readonly labels: Labels;
  /** The end of the part, where sizes are asked for by parts. */
  readonly endNs: bigint;
}

export interface LogQuerier {
  /**
   * Entries in order of time, as chunks that follow one another. A store leaves out what a filter
   * surely refuses, and may give what a filter refuses: the reader applies all filters itself.
   * Ending the iteration early ends the reading. Throws `timeout`, `too_large` or `canceled`.
   */
  read(request: LogRead): AsyncIterable<LogChunk>;
  /**
   * The whole aggregation, where the store can give exactly what reading all entries would;
   * undefined where it can't, and the engine reads then.
   */
  aggregate?(request: LogAggregate): Promise<LogAggregated | undefined>;
  /** About what `read` would have to go through. Cheap. */
  estimate(request: LogSelect): Promise<LogReadSize>;
  /** Streams with entries in the range, which may be taken hours wider, in order of labels. */
  streams(request: LogStreamsRequest): Promise<readonly Labels[]>;
  /** Streams with their sizes, whole or by parts of `stepNs` that end at multiples of it. */
  sizes(
    request: LogStreamsRequest & { readonly stepNs?: bigint | undefined },
  ): Promise<readonly LogStreamSize[]>;
}

export interface LogDeletion {
  readonly tenant: string;
  readonly matchers: readonly Matcher[];
  /** Exact: only entries that satisfy all of them go. */
  readonly filters: readonly LogFilter[];
  /** [startNs, endNs). */
  readonly startNs: bigint;
  readonly endNs: bigint;
}

export interface LogStore extends LogAppender, LogQuerier {
  /**
   * Resolves when no reader sees the entries any more, with their number. Rejects with `bad_data`
   * for a filter that the store can't apply exactly.
   */
  delete(request: LogDeletion): Promise<number>;
}
