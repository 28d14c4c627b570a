/** What one exposition may hold. Raising a limit costs memory for every target that reaches it. */

/** Longest line: a series of this size is a mistake, and its bytes are kept in the scrape cache. */
export const LINE_BYTES_MAX = 1024 * 1024;

/** Labels of one sample; each becomes a string when the series is new. */
export const LABEL_COUNT_MAX = 1024;

/** How much of a bad line an error message quotes. */
export const QUOTED_BYTES_MAX = 80;

/** How deep the value of an attribute of OpenTelemetry may nest; each level is a call. */
export const VALUE_DEPTH_MAX = 16;
