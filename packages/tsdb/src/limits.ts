/** Limits of the engine, each with what raising it costs. */

/** Samples of a series that wait uncompressed in the head: 16 bytes each, for every series. */
export const TAIL_SAMPLES = 32;

/** Samples of a chunk in a block. More compress better and make reading one sample slower. */
export const BLOCK_CHUNK_SAMPLES = 960;

/** The same for blocks that were merged from others, which are read less often. */
export const MERGED_CHUNK_SAMPLES = 1920;

/** What one block covers when it is cut from the head. */
export const BLOCK_RANGE_MS = 2 * 3600_000;

/** The longest range of a merged block: longer ones take longer to rewrite. */
export const MERGED_RANGE_MS_MAX = 31 * 24 * 3600_000;

/** Blocks fit the retention at least so often: fewer would keep samples much longer than asked. */
export const RETENTION_PER_BLOCK = 10;

/** The part of a block's series that must be past their retention before it is written anew. */
export const REWRITTEN_PART_MIN = 0.05;

/** After a merge that failed, as on a full disk, the next one waits so long. */
export const MERGE_RETRY_MS = 5 * 60_000;

/** The head is cut once it covers this much; what it covers is replayed at a start. */
export const HEAD_RANGE_MS = BLOCK_RANGE_MS * 1.5;

/** Samples further behind the newest one than this are out of bounds, as in Prometheus. */
export const PAST_MS_MAX = BLOCK_RANGE_MS / 2;

/** Samples further ahead of the clock than this are out of bounds: one would push all others out. */
export const FUTURE_MS_MAX = 10 * 60_000;

/** A batch of samples is committed so soon: it is judged by how old samples may be at its start. */
export const BATCH_MS_MAX = 60_000;

/** A search by regular expressions gives others their turn after so long, at first and at most. */
export const SEARCH_SLICE_MS = 100;
export const SEARCH_SLICE_MS_MAX = 300;

/** The longest such search; what it matched is in memory meanwhile. */
export const SEARCH_MS_MAX = 60_000;

/** Active series; each costs about 500 bytes and its labels. */
export const SERIES_MAX = 20_000_000;

/** Bytes that may wait for a slow or full disk before appends are refused. */
export const LOG_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** A log segment is closed at this size; smaller ones are deleted sooner, larger ones are fewer. */
export const LOG_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * A checkpoint is due when the log behind it is longer than this and half of the checkpoint: less
 * would write more, more would make a start slower.
 */
export const LOG_BYTES_MIN = 32 * 1024 * 1024;

/** One record of the log; a longer length in a file is damage. */
export const LOG_RECORD_BYTES_MAX = 32 * 1024 * 1024;

/** The longest that work on the main thread runs before other work gets its turn. */
export const SLICE_MS = 10;

/** Characters of all names and values of one series; more are refused. */
export const SERIES_TEXT_MAX = 1024 * 1024;

/** Labels of one series; more are refused. */
export const LABELS_PER_SERIES_MAX = 2000;

/** Exemplars that are kept unless the configuration says otherwise; each costs about 500 bytes. */
export const EXEMPLARS_DEFAULT = 100_000;

/** Late samples that are kept in memory; more become blocks at once. Each costs 16 to 50 bytes. */
export const LATE_SAMPLES_MAX = 2_000_000;

/** At a close, up to so many chunks of the head are joined: about a second of work. */
export const JOINED_CHUNKS_MAX = 1_000_000;

/**
 * Chunks of so many samples are copied when blocks are merged; smaller ones are made anew. Chunks
 * of 480 samples are about 2 % larger than those of 1,920, and copying costs a tenth.
 */
export const COPIED_SAMPLES_MIN = 240;

/** Threads that read; each has kernels of its own and costs about 10 MB. */
export const READERS_MAX = 4;

/** All memory into which readers decode: results that wait to be used. */
export const READ_BYTES_MAX = 64 * 1024 * 1024;

/** Samples of one task of a reader: more wait longer for the first, less are asked more often. */
export const READ_TASK_SAMPLES = 256 * 1024;

/** Tasks that compute columns read so many times more, which takes no memory between threads. */
export const SCAN_TASKS_JOINED = 4;

/** What has fewer tasks' samples is read at once: some 5 ms, of which threads would save little. */
export const READ_AHEAD_TASKS_MIN = 2;

/** Tasks of one selection beyond those that readers work on: one in use, one for the change. */
export const READ_TASKS_AHEAD = 2;

/** What a reader reads at once where it goes on in a file; it keeps so much of each file. */
export const READER_WINDOW_BYTES = 64 * 1024;

/** Samples of one series that are computed in a kernel's memory, at 32 bytes each. */
export const SCANNED_SAMPLES_MAX = 4_000_000;

/** Files that a reader keeps open. */
export const READER_FILES_MAX = 64;

/** After a reader died before it did anything, none is started for so long. */
export const READER_RETRY_MS = 60_000;
