/** What sending and reading may take, and what raising a limit costs. */

/** A segment of a queue; a smaller one repeats labels more often, a larger one is kept longer. */
export const SEGMENT_BYTES = 32 * 1024 * 1024;

/** A queue has at least so many segments, so that dropping the oldest costs little of it. */
export const SEGMENTS_MIN = 8;

/** One record of a queue; a longer one in a file is damage. It is held in memory. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** Samples of one record: a round of sending begins and ends between two. */
export const RECORD_SAMPLES_MAX = 2000;

/** A record of labels, histograms or exemplars is ended behind this; one of them may be larger. */
export const RECORD_BYTES = 1024 * 1024;

/** Samples of one round of sending: they are held in memory, at about 100 bytes each. */
export const ROUND_SAMPLES_MAX = 500_000;

/** Bytes of a record whose samples are packed; smaller ones gain too little. */
export const PACKED_BYTES_MIN = 128;

/** Bytes that wait for a slow or full disk before they are dropped, for each endpoint. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** A queue's file of positions is begun anew at this size; it is read at a start. */
export const POSITION_BYTES_MAX = 256 * 1024;

/** What is read of a queue at once, on the main thread. */
export const READ_BYTES = 256 * 1024;

/** The longest that an endpoint may put off the next try with Retry-After. */
export const RETRY_AFTER_MS_MAX = 10 * 60_000;

/** Metadata entries of one request. */
export const METADATA_PER_REQUEST_MAX = 2000;

/** Largest remote read request, decompressed: a few matchers each. */
export const READ_REQUEST_BYTES_MAX = 4 * 1024 * 1024;

/** Queries of one remote read request. */
export const READ_QUERIES_MAX = 1000;

/** Bytes of one frame of a streamed answer, as in Prometheus. */
export const READ_FRAME_BYTES_MAX = 1024 * 1024;

/** Largest answer of another store, as it comes and decompressed. It is held while it is read. */
export const READ_ANSWER_BYTES_MAX = 128 * 1024 * 1024;
