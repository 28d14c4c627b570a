/** What the database does by itself: blocks cut from the head, retention, a shorter log. */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import type { BlockSet } from './blockSet.ts';
import type { Head } from './head/head.ts';
import { BLOCK_RANGE_MS, HEAD_RANGE_MS, LOG_BYTES_MIN, SLICE_MS } from './limits.ts';
import type { LogKeeper } from './logKeeper.ts';
import type { OpenBatches } from './head/openBatches.ts';
import { breathe } from './slices.ts';

export interface MaintenanceOptions {
  readonly head: Head;
  readonly blocks: BlockSet;
  readonly keeper: LogKeeper;
  readonly batches: OpenBatches;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

export class Maintenance {
  readonly #options: MaintenanceOptions;
  #running: Promise<void> | undefined;
  /** Whether the log holds what blocks hold already; stays so where shortening it failed. */
  #isLogLong = false;
  #blocksCut = 0;
  #failures = 0;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  get blocksCut(): number {
    return this.#blocksCut;
  }

  get failures(): number {
    return this.#failures;
  }

  /** One round; a round that is under way is joined. Never rejects: what fails is tried again. */
  run(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The last work before the database closes: a checkpoint, so that the next start is quick. */
  async finish(): Promise<void> {
    await this.#running;
    const { keeper, logger } = this.#options;
    if (keeper.bytesSinceCheckpoint === 0) return;
    try {
      await keeper.checkpoint();
    } catch (error) {
      logger.warn('no checkpoint was written; the next start reads the log instead', {
        error: errorMessage(error),
      });
    }
  }

  async #round(): Promise<void> {
    try {
      while (this.#isCutDue()) {
        await this.#cutBlock();
        this.#isLogLong = true;
      }
      if (this.#isLogLong || this.#isCheckpointDue()) await this.#options.keeper.checkpoint();
      this.#isLogLong = false;
      await this.#applyRetention();
    } catch (error) {
      this.#failures++;
      this.#options.logger.error('maintenance of the time-series database failed; it is retried', {
        error: errorMessage(error),
      });
    }
  }

  #isCutDue(): boolean {
    const { head } = this.#options;
    return head.maxTimeMs - blockStart(head.oldestMs) > HEAD_RANGE_MS;
  }

  #isCheckpointDue(): boolean {
    const { keeper } = this.#options;
    return keeper.bytesSinceCheckpoint > LOG_BYTES_MIN + keeper.checkpointBytes / 2;
  }

  async #cutBlock(): Promise<void> {
    const { head, blocks, clock, logger } = this.#options;
    const startedMs = clock.monotonicMs();
    const minTimeMs = blockStart(head.oldestMs);
    const maxTimeMs = minTimeMs + BLOCK_RANGE_MS;
    const directory = await this.#writeBlock(minTimeMs, maxTimeMs);
    const block = directory === undefined ? undefined : await blocks.load(directory);
    // From here to the end in one turn: no reader sees the samples twice or not at all.
    const dead = head.truncate(maxTimeMs);
    if (block === undefined) blocks.touch();
    else blocks.add(block);
    this.#forget(dead);
    this.#blocksCut++;
    logger.info('a block was cut from the head', {
      minTime: new Date(minTimeMs).toISOString(),
      maxTime: new Date(maxTimeMs).toISOString(),
      series: block?.meta.seriesCount ?? 0,
      samples: block?.meta.sampleCount ?? 0,
      bytes: block?.bytes ?? 0,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
  }

  async #writeBlock(minTimeMs: number, maxTimeMs: number): Promise<string | undefined> {
    const { head, blocks, clock } = this.#options;
    const writer = blocks.writer({ minTimeMs, maxTimeMs, level: 1 });
    const columns = new SampleColumns(1024);
    try {
      await writer.open();
      let sliceStartMs = clock.monotonicMs();
      for (const id of head.series.allSeries().slice()) {
        columns.clear();
        head.readInto(id, minTimeMs, maxTimeMs - 1, columns);
        await writer.add(head.series.labels(id), columns);
        if (clock.monotonicMs() - sliceStartMs < SLICE_MS) continue;
        await breathe();
        sliceStartMs = clock.monotonicMs();
      }
      return await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  #forget(dead: Set<number>): void {
    const { head, keeper, batches } = this.#options;
    for (const id of dead) {
      if (batches.holds(id)) dead.delete(id);
    }
    head.series.remove(dead);
    for (const id of dead) head.release(id);
    keeper.quarantine([...dead]);
  }

  async #applyRetention(): Promise<void> {
    const { blocks, head, logger, retentionMs, retentionBytes } = this.#options;
    for (;;) {
      const oldest = blocks.oldest;
      if (oldest === undefined) return;
      const tooOld = retentionMs > 0 && oldest.meta.maxTimeMs <= head.maxTimeMs - retentionMs;
      const tooMuch = retentionBytes > 0 && blocks.bytes > retentionBytes;
      if (!tooOld && !tooMuch) return;
      logger.info('a block is past its retention and is deleted', {
        block: oldest.directory,
        reason: tooOld ? 'time' : 'size',
      });
      await blocks.remove(oldest);
    }
  }
}

function blockStart(timeMs: number): number {
  return Math.floor(timeMs / BLOCK_RANGE_MS) * BLOCK_RANGE_MS;
}
