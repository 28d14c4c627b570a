/** Limits of what comes from outside, and of what the store takes of the machine. */

/** Queries that run in the engine at once; each may take its memory and both cores. */
export const QUERIES_MAX = 16;
/** Queries that wait for one of these places; more are refused, for nobody waits so long. */
export const QUERIES_WAITING_MAX = 256;
/** Text of one query; lists of streams are long. Raising it costs memory for each query. */
export const QUERY_BYTES_MAX = 16 * 1024 * 1024;
/** The engine's memory, all queries, merges and caches together. */
export const ENGINE_MEMORY_BYTES = 2 * 1024 ** 3;
/** Memory of one query. */
export const QUERY_MEMORY_BYTES = 768 * 1024 * 1024;
export const QUERY_SECONDS_MAX = 120;
/** An answer that is held in memory as a whole. */
export const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** Entries that wait to be written, in bytes of their lines and metadata. More is refused. */
export const WAITING_BYTES_MAX = 128 * 1024 * 1024;
/** A batch is written when it has so much, or has waited for `LINGER_MS`. */
export const BATCH_BYTES = 24 * 1024 * 1024;
export const LINGER_MS = 40;
/** Batches on their way at once: one is encoded while the engine writes another. */
export const BATCHES_AT_ONCE = 2;
/** Days that one insert may touch, since each is a part of its own. */
export const DAYS_PER_INSERT = 50;
/** How long a batch is tried again while the engine comes back. */
export const RETRY_MS = 8000;

/** Streams that one selector may find. */
export const STREAMS_MAX = 100_000;
/** Streams whose labels are kept in memory, some hundred bytes each. */
export const STREAMS_KEPT_MAX = 200_000;
/** Times apart from each other that are kept of such a stream. */
export const STREAM_SPANS_MAX = 32;

/** Entries that one reading asks for, and their bytes. */
export const SLICE_ENTRIES_MAX = 250_000;
