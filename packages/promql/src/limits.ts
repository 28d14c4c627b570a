/** What one query may cost, and what raising a limit costs. */

/** Samples and result points held at once; each is 9 bytes, so this is some 450 MB. */
export const SAMPLE_LIMIT = 50_000_000;

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
