/** What a database is opened with, and what it tells of itself. */
import type { Clock, Logger } from '@tyto/base';
import type { CommitTap } from '@tyto/model';
import type { Disk } from './disk.ts';
import type { ReaderOptions } from './readers/readerPool.ts';
import type { RetentionRule } from './retention.ts';

export interface TsdbOptions {
  readonly directory: string;
  readonly clock?: Clock;
  readonly disk?: Disk;
  readonly logger?: Logger;
  /** What a power cut may cost; the death of the process costs nothing. Default 1 s. */
  readonly logFsyncIntervalMs?: number;
  /** Blocks older than this, counted from the newest sample, are deleted; 0 keeps all. */
  readonly retentionMs?: number;
  /** The oldest blocks are deleted while the directory is larger than this; 0 keeps all. */
  readonly retentionBytes?: number;
  /** How much older than the newest sample of all a late one may be. Default 0: none is taken. */
  readonly outOfOrderWindowMs?: number;
  /** For some series another retention: the first rule that matches a series decides. */
  readonly retentionRules?: readonly RetentionRule[];
  /** How many of the newest exemplars are kept, of all series together. Default 100,000. */
  readonly exemplarsMax?: number;
  /** Sees what every commit puts into the store; it costs nothing where there is none. */
  readonly tap?: CommitTap;
  /** Threads for wide reads; they open files by themselves, beside `disk`. Default: none. */
  readonly readers?: ReaderOptions;
  /** How often blocks are cut and retention is applied. Default 10 s; 0 only when called. */
  readonly maintenanceIntervalMs?: number;
}

export interface TsdbStats {
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly samplesAppended: number;
  readonly samplesRefused: number;
  readonly headMinTimeMs: number;
  readonly headMaxTimeMs: number;
  readonly headBytes: number;
  readonly blockCount: number;
  readonly blockBytes: number;
  readonly blockSamples: number;
  readonly logSegment: number;
  readonly logBytesWritten: number;
  readonly logFailures: number;
  readonly compactions: number;
  readonly compactionsFailed: number;
  readonly symbolCount: number;
  readonly exemplarCount: number;
  /** Samples out of order that are in no block yet. */
  readonly lateSamples: number;
  /** Pieces of wide reads that reader threads have done. */
  readonly readerTasks: number;
  /** Damaged files of the log, blocks and chunks that were found. */
  readonly corruptions: number;
}
