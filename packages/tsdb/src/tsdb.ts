/**
 * The time-series database: one directory, a head, a log, and blocks. See docs/formats/ and the
 * package's README for how they work together.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  type Clock,
  type Logger,
  silentLogger,
  systemClock,
  type Timer,
  TytoError,
} from '@tyto/base';
import {
  type CommitTap,
  type ExemplarRequest,
  type LabelRequest,
  type Labels,
  type Limited,
  type MetricAppender,
  type MetricStore,
  NO_SERIES,
  type SelectRequest,
  type SeriesExemplars,
  type SeriesRef,
  type SeriesSelection,
  type SettledTime,
} from '@tyto/model';
import {
  type AdminTarget,
  type DeleteRequest,
  deleteSeries,
  type SnapshotRequest,
  takeSnapshot,
} from './admin.ts';
import { Appender } from './appender.ts';
import { ColumnPool } from './batchColumns.ts';
import type { BlockMeta } from './block/format.ts';
import { BlockSet } from './blockSet.ts';
import { type Cardinality, topCardinality } from './cardinality.ts';
import { nodeDisk } from './disk.ts';
import { BLOCKS_DIRECTORY, LOG_DIRECTORY } from './filenames.ts';
import { ExemplarRing } from './exemplarRing.ts';
import { Head } from './head/head.ts';
import { HeadSource } from './headSource.ts';
import {
  searchExemplars,
  searchLabelNames,
  searchLabelValues,
  searchSeries,
} from './labelSearch.ts';
import {
  BATCH_MS_MAX,
  EXEMPLARS_DEFAULT,
  LABELS_PER_SERIES_MAX,
  SERIES_TEXT_MAX,
} from './limits.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { LogKeeper } from './logKeeper.ts';
import { encodeSeries } from './log/seriesRecord.ts';
import { replayLog } from './log/replay.ts';
import { LogWriter } from './log/writer.ts';
import { Maintenance } from './maintenance.ts';
import { LateSamples } from './head/lateSamples.ts';
import { LateSource } from './lateSource.ts';
import { OpenBatches } from './head/openBatches.ts';
import { dayOf, ReadDays } from './readDays.ts';
import type { TsdbOptions, TsdbStats } from './tsdbOptions.ts';
import { ChunkFiles } from './readers/chunkFiles.ts';
import { ReaderPool } from './readers/readerPool.ts';
import { Scanner } from './readers/scanner.ts';
import type { RetentionRule } from './retention.ts';
import { findUnread, type UnreadMetric } from './unread.ts';
import { Selection } from './selection.ts';
import type { SeriesSource } from './seriesSource.ts';

/** Damaged places that are remembered, so that each is told of once. */
const DAMAGE_NOTED_MAX = 10_000;

export class Tsdb implements MetricStore {
  /** How late samples may come; batches that are open keep the old window. */
  outOfOrderWindowMs: number;
  readonly #clock: Clock;
  readonly #lock: DirectoryLock;
  readonly #head: Head;
  readonly #blocks: BlockSet;
  readonly #log: LogWriter;
  readonly #damagedLogFiles: number;
  readonly #maintenance: Maintenance;
  readonly #batches = new OpenBatches();
  readonly #columns = new ColumnPool();
  readonly #headSource: HeadSource;
  readonly #lateSource: LateSource;
  readonly #exemplars: ExemplarRing;
  readonly #late: LateSamples;
  readonly #readDays: ReadDays;
  readonly #tap: CommitTap | undefined;
  readonly #readers: ReaderPool | undefined;
  #deletions = 0;
  /** What the main thread computes itself. */
  readonly #scannedFiles = new ChunkFiles();
  readonly #scanner = new Scanner(this.#scannedFiles);
  readonly #adminTarget: AdminTarget;
  readonly #logger: Logger;
  readonly #damage = new Set<string>();
  #undefinedIds: number[] = [];
  #samplesAppended = 0;
  #samplesRefused = 0;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(
    options: TsdbOptions,
    lock: DirectoryLock,
    head: Head,
    headSource: HeadSource,
    blocks: BlockSet,
    log: LogWriter,
    keeper: LogKeeper,
    damagedLogFiles: number,
    exemplars: ExemplarRing,
    late: LateSamples,
    readDays: ReadDays,
  ) {
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#lock = lock;
    this.#head = head;
    this.#blocks = blocks;
    this.#log = log;
    this.#damagedLogFiles = damagedLogFiles;
    this.#headSource = headSource;
    this.#exemplars = exemplars;
    this.#late = late;
    this.#readDays = readDays;
    this.#tap = options.tap;
    this.#lateSource = new LateSource(head.series, late);
    this.outOfOrderWindowMs = options.outOfOrderWindowMs ?? 0;
    if (options.readers !== undefined) {
      this.#readers = new ReaderPool(options.readers, this.#clock, this.#logger);
    }
    blocks.onChange = () => {
      this.#readers?.renew();
      this.#scannedFiles.close();
    };
    this.#adminTarget = {
      directory: options.directory,
      disk: options.disk ?? nodeDisk,
      clock: this.#clock,
      head,
      headSource,
      late,
      lateSource: this.#lateSource,
      blocks,
      log,
    };
    this.#maintenance = new Maintenance({
      head,
      headSource,
      late,
      blocks,
      keeper,
      batches: this.#batches,
      clock: this.#clock,
      logger: options.logger ?? silentLogger,
      retentionMs: options.retentionMs ?? 0,
      retentionBytes: options.retentionBytes ?? 0,
      retentionRules: options.retentionRules ?? [],
      logBytes: () => (options.disk ?? nodeDisk).size(join(options.directory, LOG_DIRECTORY)),
    });
    const intervalMs = options.maintenanceIntervalMs ?? 10_000;
    if (intervalMs > 0) this.#scheduleMaintenance(intervalMs);
  }

  /**
   * Opens a directory, creating it when needed: takes its lock, opens its blocks and replays its
   * log. Throws TytoError `unavailable` when another process has it, `io` when it is unusable.
   */
  static async open(options: TsdbOptions): Promise<Tsdb> {
    const disk = options.disk ?? nodeDisk;
    const clock = options.clock ?? systemClock;
    const logger = options.logger ?? silentLogger;
    const logDirectory = join(options.directory, LOG_DIRECTORY);
    const blocksDirectory = join(options.directory, BLOCKS_DIRECTORY);
    await disk.makeDirectory(logDirectory);
    await disk.makeDirectory(blocksDirectory);
    const lock = await lockDirectory(options.directory);
    try {
      const blocks = await BlockSet.open(disk, blocksDirectory, logger);
      const head = new Head();
      const readDays = new ReadDays();
      const headSource = new HeadSource(head, readDays, () => dayOf(clock.nowMs()));
      head.startAt(blocks.maxTimeMs);
      const exemplars = new ExemplarRing(options.exemplarsMax ?? EXEMPLARS_DEFAULT);
      const late = new LateSamples();
      const keeper = new LogKeeper(disk, logDirectory, {
        head,
        headSource,
        late,
        readDays,
        exemplars,
      });
      const startedMs = clock.monotonicMs();
      const report = await replayLog(
        disk,
        logDirectory,
        keeper.replayVisitor(dayOf(clock.nowMs())),
        logger,
      );
      head.series.finishRestore();
      const log = new LogWriter({
        disk,
        clock,
        logger,
        directory: logDirectory,
        firstSegment: report.nextSegment,
        fsyncIntervalMs: options.logFsyncIntervalMs ?? 1000,
      });
      keeper.attach(log, report.segmentBytes);
      logger.info('the time-series database is open', {
        directory: options.directory,
        blocks: blocks.count,
        series: head.series.count,
        logRecords: report.records,
        damagedBytes: report.damagedBytes,
        replayMs: Math.round(clock.monotonicMs() - startedMs),
      });
      return new Tsdb(
        options,
        lock,
        head,
        headSource,
        blocks,
        log,
        keeper,
        report.damagedFiles,
        exemplars,
        late,
        readDays,
      );
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  appender(): MetricAppender {
    if (this.#closed) throw new TytoError('unavailable', 'the database is closed');
    return new Appender({
      head: this.#head,
      log: this.#log,
      batches: this.#batches,
      columns: this.#columns,
      exemplars: this.#exemplars,
      late: this.#late,
      outOfOrderWindowMs: this.outOfOrderWindowMs,
      tap: this.#tap?.isTapped === true ? this.#tap : undefined,
      nowMs: () => this.#clock.nowMs(),
      resolve: (labels) => this.#resolve(labels),
      takeDefinitions: () => this.#takeDefinitions(),
      committed: (count, refused) => {
        this.#samplesAppended += count;
        this.#samplesRefused += refused;
      },
    });
  }

  settled(): SettledTime {
    const { boundMs, maxTimeMs } = this.#head;
    const beforeMs = Math.min(boundMs, maxTimeMs - this.outOfOrderWindowMs) - BATCH_MS_MAX;
    return { beforeMs, version: this.#blocks.version + this.#deletions };
  }

  async select(request: SelectRequest): Promise<SeriesSelection> {
    if (request.matchers.every((matcher) => matcher.matches(''))) {
      throw new TytoError('bad_data', 'a selector must have a matcher that the empty string fails');
    }
    const layout = {
      number: () => this.#blocks.version,
      sources: this.#sources,
      damaged: (message: string) => this.#noteDamage(message),
      series: this.#head.series,
      readers: this.#readers,
      scanner: this.#scanner,
    };
    return Selection.find(layout, request, this.#clock);
  }

  async labelNames(request: LabelRequest): Promise<Limited<string>> {
    return searchLabelNames(this.#labelSources, request, this.#clock);
  }

  async labelValues(name: string, request: LabelRequest): Promise<Limited<string>> {
    return searchLabelValues(this.#labelSources, name, request, this.#clock);
  }

  async series(request: LabelRequest): Promise<Limited<Labels>> {
    return searchSeries(this.#labelSources, request, this.#clock);
  }

  async exemplars(request: ExemplarRequest): Promise<readonly SeriesExemplars[]> {
    return searchExemplars(this.#exemplars, request);
  }

  /** Whether the log is compressed from now on. */
  set logCompression(compresses: boolean) {
    this.#log.compresses = compresses;
  }

  /** For some series another retention, from the next maintenance on. */
  set retentionRules(rules: readonly RetentionRule[]) {
    this.#maintenance.retentionRules = rules;
  }

  /** Cuts blocks that are due, applies retention, shortens the log. */
  maintain(): Promise<void> {
    return this.#maintenance.run();
  }

  /** Deletes samples; how many series have any there. Also in the head, and for good. */
  deleteSeries(request: DeleteRequest): Promise<number> {
    return this.#alone(async () => {
      const count = await deleteSeries(this.#adminTarget, request);
      this.#deletions++;
      return count;
    });
  }

  /** Gives the space of deleted samples back: writes the blocks that have any anew. */
  cleanTombstones(): Promise<void> {
    return this.#alone(() => this.#maintenance.cleanTombstones());
  }

  /** A copy below the data directory that can be opened as one; returns its path. */
  snapshot(request: SnapshotRequest): Promise<string> {
    const time = new Date(this.#clock.nowMs()).toISOString().replace(/[-:]|\.\d+/g, '');
    const name = `${time}-${randomBytes(8).toString('hex')}`;
    return this.#alone(() => takeSnapshot(this.#adminTarget, request, name));
  }

  /** The labels with the most values, and the values with the most series, of the head. */
  topCardinality(limit: number): Cardinality {
    return topCardinality(this.#head.series, limit);
  }

  /** Metrics of the head with series that nobody has read for so many days, the most first. */
  unreadMetrics(days: number): UnreadMetric[] {
    const today = dayOf(this.#clock.nowMs());
    return findUnread(this.#head.series, this.#readDays, today, days);
  }

  /** The time of the oldest sample; Infinity without samples. */
  get oldestMs(): number {
    const blocks = this.#blocks.all.map(({ meta }) => meta.minTimeMs);
    return Math.min(...blocks, this.#head.oldestMs, this.#late.minTimeMs);
  }

  /** The blocks that queries read, the oldest first. */
  blocks(): (BlockMeta & { readonly name: string })[] {
    const blocks = this.#blocks.all.map(({ name, meta }) => ({ name, ...meta }));
    return blocks.sort((a, b) => a.minTimeMs - b.minTimeMs);
  }

  stats(): TsdbStats {
    return {
      seriesCount: this.#head.series.count,
      chunkCount: this.#head.chunkCount,
      samplesAppended: this.#samplesAppended,
      samplesRefused: this.#samplesRefused,
      headMinTimeMs: this.#head.oldestMs,
      headMaxTimeMs: this.#head.maxTimeMs,
      headBytes: this.#head.bytes,
      blockCount: this.#blocks.count,
      blockBytes: this.#blocks.bytes,
      blockSamples: this.#blocks.sampleCount,
      logSegment: this.#log.segment,
      logBytesWritten: this.#log.writtenBytes,
      logFailures: this.#log.failures,
      compactions: this.#maintenance.compactions,
      compactionsFailed: this.#maintenance.failures,
      symbolCount: this.#head.series.symbolCount,
      exemplarCount: this.#exemplars.size,
      lateSamples: this.#late.sampleCount,
      readerTasks: this.#readers?.tasksAnswered ?? 0,
      corruptions: this.#damagedLogFiles + this.#blocks.damaged + this.#damage.size,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#maintenance.finish();
    await this.#log.close();
    await this.#readers?.close();
    this.#scannedFiles.close();
    this.#blocks.close();
    await this.#lock.release();
  }

  /** Runs what needs the blocks to stay as they are, in its turn. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new TytoError('unavailable', 'the database is closed');
    return this.#maintenance.exclusive(work);
  }

  /** Damage that a reader met is logged and counted once. */
  #noteDamage(message: string): void {
    if (this.#damage.has(message) || this.#damage.size >= DAMAGE_NOTED_MAX) return;
    this.#damage.add(message);
    this.#logger.error('a part of a block is damaged; its samples are missing', { error: message });
  }

  #resolve(labels: Labels): SeriesRef {
    if (labels.size === 0 || labels.size > LABELS_PER_SERIES_MAX) return NO_SERIES;
    if (textLength(labels) > SERIES_TEXT_MAX) return NO_SERIES;
    const { ref, created } = this.#head.series.resolve(labels);
    if (created) {
      const id = this.#head.series.idOf(ref);
      this.#head.prepare(id);
      this.#headSource.forget(id);
      this.#readDays.begin(id, dayOf(this.#clock.nowMs()));
      this.#undefinedIds.push(id);
    }
    return ref;
  }

  #takeDefinitions(): Uint8Array[] {
    const ids = this.#undefinedIds;
    this.#undefinedIds = [];
    return encodeSeries(this.#head.series, ids);
  }

  readonly #sources = (minTimeMs: number, maxTimeMs: number): SeriesSource[] => {
    const blocks = this.#blocks.overlapping(minTimeMs, maxTimeMs);
    // Late samples give way to the head's, as they will when those are in a block.
    const late = blocks.findIndex((block) => block.meta.outOfOrder === true);
    const sources: SeriesSource[] = blocks;
    if (maxTimeMs >= this.#head.minTimeMs) {
      sources.splice(late < 0 ? blocks.length : late, 0, this.#headSource);
    }
    if (this.#late.sampleCount > 0) sources.push(this.#lateSource);
    return sources;
  };

  /** As `#sources`, without the head where none of its samples is in the range. */
  readonly #labelSources = (minTimeMs: number, maxTimeMs: number): SeriesSource[] => {
    if (maxTimeMs < minTimeMs) return [];
    const { oldestMs, maxTimeMs: newestMs } = this.#head;
    const isHeadIn = maxTimeMs >= oldestMs && minTimeMs <= newestMs;
    const sources = this.#sources(minTimeMs, maxTimeMs);
    return sources.filter((source) => isHeadIn || source !== this.#headSource);
  };

  #scheduleMaintenance(intervalMs: number): void {
    this.#timer = this.#clock.schedule(intervalMs, () => {
      void this.#maintenance.run().finally(() => {
        if (!this.#closed) this.#scheduleMaintenance(intervalMs);
      });
    });
  }
}

function textLength(labels: Labels): number {
  let length = 0;
  for (const text of labels.pairs) length += text.length;
  return length;
}
