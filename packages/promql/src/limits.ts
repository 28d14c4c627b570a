/** What one query may cost, and what raising a limit costs. */

/** Samples and result points held at once; each is 9 bytes, so this is some 450 MB. */
export const SAMPLE_LIMIT = 50_000_000;

/** Samples of a query that do not count in what all hold together; 900 kB of each query. */
export const ACCOUNT_FREE_SAMPLES = 100_000;

/**
 * A series of a result counts as so many more: its labels and arrays, some hundred bytes. More
 * would refuse what Prometheus answers with the same limit, less would let a million series of
 * one point each pass as next to nothing.
 */
export const SERIES_SAMPLES = 16;

/** What a selection notes of a series that it found: 24 bytes or so. */
export const SELECTED_SAMPLES = 2;

/** A label value that a query makes; nested calls could double it without end. */
export const LABEL_VALUE_LENGTH_MAX = 64 * 1024;

/** A pattern whose groups are asked for: each place in it has all of them, for every value. */
export const CAPTURE_LENGTH_MAX = 4096;
export const CAPTURE_GROUPS_MAX = 100;

/** Texts that a query makes count as samples, which take about as much memory. */
export const CHARACTERS_PER_SAMPLE = 8;

/** Labels by which the store groups series; by more of them it is done here, series by series. */
export const STORED_GROUPING_MAX = 16;

/** Wall time of one query; a longer one holds its memory for longer. */
export const TIMEOUT_MS = 120_000;

/** How far an instant selector looks back for the newest sample. */
export const LOOKBACK_MS = 5 * 60_000;

/** The resolution of a subquery that states none. */
export const SUBQUERY_STEP_MS = 60_000;

/** Work between two pauses that let scrapes and requests run. */
export const PACE_MS = 20;

/** Distinct messages of one query; further ones are counted and not kept. */
export const ANNOTATION_COUNT_MAX = 100;

/** Points of one inner evaluation of a subquery per series; memory is 9 bytes for each. */
export const SUBQUERY_STEP_COUNT_MAX = 50_000_000;

/** The part of all kept results that one query's may take. */
export const RESULT_CACHE_SHARE = 0.25;

/** Queries that are kept parsed, and how long each may be: some megabytes together. */
export const PARSED_COUNT_MAX = 256;
export const PARSED_TEXT_MAX = 2000;
