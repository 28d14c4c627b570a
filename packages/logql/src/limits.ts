/** What one query may cost, and what raising a limit costs. */

export interface LogqlLimits {
  /** Entries of one answer; each is some kilobytes of JSON at worst. */
  readonly entriesMax: number;
  /** Series of one answer. */
  readonly seriesMax: number;
  /** How far a query may reach, with the ranges of its windows; 0 for any length. */
  readonly queryLengthMaxMs: number;
  /** Wall time of one query; a longer one holds its memory for longer. */
  readonly timeoutMs: number;
  /** Panes of windows, points and kept values that a query holds at once, some 10 bytes each. */
  readonly pointsMax: number;
  /** Characters of lines that a log query gives, which are held until they are sent. */
  readonly answerLengthMax: number;
}

/** Loki's own, where it has one. */
export const DEFAULT_LOGQL_LIMITS: LogqlLimits = {
  entriesMax: 5000,
  seriesMax: 500,
  queryLengthMaxMs: 721 * 3600_000,
  timeoutMs: 60_000,
  pointsMax: 20_000_000,
  answerLengthMax: 256 * 1024 * 1024,
};

/** Steps of a range query, as in Prometheus and Loki. */
export const STEP_COUNT_MAX = 11_000;

/** Groups that a store may find for an aggregation before it is told to give up. */
export const STORED_GROUPS_MAX = 100_000;

/** Series that a query may have in between, before they are aggregated. */
export const INNER_SERIES_MAX = 200_000;
