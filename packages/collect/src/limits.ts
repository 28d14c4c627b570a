/** What collecting may take from outside, and what raising a limit costs. */

/**
 * Largest decompressed body of a scrape where the job sets no `body_size_limit`. It is held in
 * memory while it is parsed, once for every target that is being scraped at that moment.
 */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Bodies of all targets together that are being read; what is beyond it fails its scrape. */
export const BODIES_BYTES_MAX = 128 * 1024 * 1024;

/** A body's first bytes, which are tried before the rest is read: garbage ends a scrape early. */
export const HEAD_BYTES = 64 * 1024;

/** Largest answer of an HTTP discovery, and largest file of a file discovery. */
export const DISCOVERY_BYTES_MAX = 16 * 1024 * 1024;

/** Redirects that a request follows, as Go's client does. */
export const REDIRECT_COUNT_MAX = 10;

/** Metric families whose metadata a target may have; each costs a few hundred bytes. */
export const METADATA_COUNT_MAX = 20_000;

/** Dropped targets that a job remembers where `keep_dropped_targets` says nothing. */
export const DROPPED_TARGET_COUNT_MAX = 10_000;

/** Largest textfile of the host metrics. */
export const TEXTFILE_BYTES_MAX = 4 * 1024 * 1024;

/** How long the file systems of the host may take to answer before they count as hung. */
export const FILESYSTEM_TIMEOUT_MS = 5000;

/** Largest body of a remote write request, compressed as well as not. Each is held while read. */
export const WRITE_BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Bodies of remote write requests that are held at once; what is beyond it is told to retry. */
export const WRITE_BODIES_BYTES_MAX = 128 * 1024 * 1024;

/** Series whose senders' bytes are remembered, for each version; each costs at most 64 bytes. */
export const RECEIVED_SERIES_MAX = 4_000_000;

/** Received samples further ahead of the clock than this are refused, as in Prometheus. */
export const RECEIVED_AHEAD_MS_MAX = 10 * 60_000;

/**
 * Series that OpenTelemetry's exporters send as deltas and that are added up here; a total costs a
 * few hundred bytes, one of a histogram some kilobytes. Further series are refused.
 */
export const DELTA_SERIES_MAX = 100_000;

/** A total that nothing was added to for so long is forgotten: its series begins anew. */
export const DELTA_AGE_MS_MAX = 60 * 60_000;

/** Largest request of OpenTelemetry in JSON: parsed, it takes several times as much memory. */
export const OTLP_JSON_BYTES_MAX = 16 * 1024 * 1024;

/** Groups that batch jobs may have pushed; each is two series at least, at every scrape. */
export const PUSHED_GROUPS_MAX = 20_000;

/** About the bytes of memory that all pushed metrics may take. */
export const PUSHED_COST_MAX = 128 * 1024 * 1024;

/** Largest body of a push, compressed as well as not. */
export const PUSH_BODY_BYTES_MAX = 16 * 1024 * 1024;
