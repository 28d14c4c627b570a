export { BlockReader } from './block/reader.ts';
export { type BlockRange, BlockWriter } from './block/writer.ts';
export { type AppendFile, type Disk, nodeDisk, type ReadFile } from './disk.ts';
export { BLOCKS_DIRECTORY, isBlockName, LOG_DIRECTORY } from './filenames.ts';
export { BLOCK_RANGE_MS } from './limits.ts';
export { type DirectoryLock, lockDirectory } from './lock.ts';
export type { RetentionRule } from './retention.ts';
export { Tsdb, type TsdbOptions, type TsdbStats } from './tsdb.ts';
export type { UnreadMetric } from './unread.ts';
