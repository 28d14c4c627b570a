/** Limits of reading and writing Prometheus' files, each with what raising it costs. */

/** Bytes of a file that are kept in memory while it is read onwards. */
export const WINDOW_BYTES = 1024 * 1024;

/** Reads beyond this go past the window. */
export const LARGE_READ_BYTES = WINDOW_BYTES / 4;

/** Samples of a chunk that is written; Prometheus aims at the same. */
export const CHUNK_SAMPLES = 120;

/** A chunks file is followed by the next one beyond this; the format allows 512 MiB. */
export const SEGMENT_BYTES = 512 * 1024 * 1024;

/** One record of the log after it was unpacked; a longer one is damage. It is held in memory. */
export const LOG_RECORD_BYTES_MAX = 256 * 1024 * 1024;

/** Chunk bytes that wait in memory for being written. */
export const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** Samples of a series of the head that wait to be packed: 16 bytes each, for every series. */
export const HEAD_TAIL_SAMPLES = 60;
