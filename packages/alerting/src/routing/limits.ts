/** What routing holds at most, and what raising it costs. */

/** Alerts that are firing or over for less than their retention; each costs about 2 KB. */
export const ALERTS_MAX = 200_000;
/** Characters of the labels and annotations of all alerts together: memory, twice that at worst. */
export const ALERT_CHARACTERS_TOTAL_MAX = 512 * 1024 * 1024;
/** Of one alert; they are in every notification, and in the keys of groups. */
export const ALERT_LABELS_MAX = 256;
export const ALERT_LABEL_CHARACTERS_MAX = 64 * 1024;
/** Of one alert, names and values together. */
export const ALERT_ANNOTATION_CHARACTERS_MAX = 256 * 1024;
/** Groups of alerts; each has a timer of its own. */
export const GROUPS_MAX = 200_000;
/** Silences, the expired among them that are still shown: each is asked about each new alert. */
export const SILENCES_MAX = 10_000;
/** Characters of a silence as JSON; it is written as one value. */
export const SILENCE_CHARACTERS_MAX = 64 * 1024;
/** Requests to one integration at once; each is a connection. */
export const NOTIFY_REQUESTS_MAX = 100;
/** Alerts in the requests to one integration at once; each is about 1 KB of JSON. */
export const NOTIFY_ALERTS_MAX = 2000;
/** What cannot be written within this time is answered with an error. */
export const STATE_WRITE_MS_MAX = 10_000;
