/** What incidents may take; each limit with what raising it costs. */

/** Incidents that are kept, open and over. One takes about 3 KB of memory with its timeline. */
export const INCIDENTS_MAX = 10_000;
/** Alerts of one incident; more are told by their routes but not listed. Some 500 bytes each. */
export const INCIDENT_ALERTS_MAX = 500;
/** Alerts of an incident that has been over for a day. */
export const OVER_ALERTS_MAX = 20;
/** Labels and annotations of an alert that are kept, and characters of each. */
export const FIELDS_MAX = 100;
export const FIELD_LENGTH_MAX = 4000;
/** Entries of a timeline. The middle is left out beyond: what began it and what is new stay. */
export const TIMELINE_MAX = 200;
/** The entries at the beginning of a timeline that are never left out. */
export const TIMELINE_HEAD = 50;
export const NOTE_LENGTH_MAX = 4000;
/** Names of people, causes, outcomes: whatever else somebody writes. */
export const TEXT_LENGTH_MAX = 500;
/** Attempts to notify that are remembered, about 400 bytes each. */
export const ATTEMPTS_MAX = 50_000;
/** Suppressions by matchers at once. Each is asked for every alert of every flush. */
export const SUPPRESSIONS_MAX = 500;
/** Alerts of one digest; the rest is a number. */
export const DIGEST_ALERTS_MAX = 500;
/** The longest suppression and acknowledgement. */
export const SPAN_MS_MAX = 366 * 86_400_000;
/** Responses that run at once; others wait for their turn. */
export const RESPONSES_AT_ONCE = 4;
/** Responses that wait; more are noted as left out. */
export const RESPONSES_WAITING = 100;
