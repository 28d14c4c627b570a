/**
 * What the database does by itself: blocks cut from the head, a shorter log, larger blocks,
 * retention. Whatever changes blocks runs here, one after the other.
 */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import type { BlockSet } from './blockSet.ts';
import { Compactor } from './compactor.ts';
import type { Head } from './head/head.ts';
import { writeHeadBlock } from './headBlock.ts';
import type { LateSamples } from './head/lateSamples.ts';
import type { HeadSource } from './headSource.ts';
import { cutLateBlocks } from './lateBlocks.ts';
import {
  BLOCK_RANGE_MS,
  HEAD_RANGE_MS,
  JOINED_CHUNKS_MAX,
  LATE_SAMPLES_MAX,
  LOG_BYTES_MIN,
} from './limits.ts';
import type { LogKeeper } from './logKeeper.ts';
import type { OpenBatches } from './head/openBatches.ts';
import { Retention, type RetentionRule } from './retention.ts';

export interface MaintenanceOptions {
  readonly head: Head;
  readonly headSource: HeadSource;
  readonly late: LateSamples;
  readonly blocks: BlockSet;
  readonly keeper: LogKeeper;
  readonly batches: OpenBatches;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly retentionRules: readonly RetentionRule[];
  /** Bytes of the log and its checkpoints. */
  logBytes(): Promise<number>;
}

export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #compactor: Compactor;
  #retention: Retention;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running: Promise<void> | undefined;
  /** Whether the log holds what blocks hold already; stays so where shortening it failed. */
  #isLogLong = false;
  #blocksCut = 0;
  #failures = 0;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#compactor = new Compactor(options);
    this.#retention = this.#newRetention(options.retentionRules);
  }

  /** Blocks written: cut from the head, merged, or written anew. */
  get compactions(): number {
    return this.#blocksCut + this.#compactor.count;
  }

  get failures(): number {
    return this.#failures;
  }

  set retentionRules(rules: readonly RetentionRule[]) {
    this.#retention = this.#newRetention(rules);
  }

  /** One round; a round that is under way is joined. Never rejects: what fails is tried again. */
  run(): Promise<void> {
    this.#running ??= this.exclusive(() => this.#round()).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Runs work that needs the blocks to stay as they are, when it is its turn. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#queue.then(() => {
      this.#waiting--;
      return work();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Writes the blocks that have tombstones anew, without what was deleted; within `exclusive`. */
  async cleanTombstones(): Promise<void> {
    for (const block of this.#options.blocks.all.filter((one) => one.hasTombstones)) {
      await this.#compactor.rewrite(block);
    }
  }

  /** The last work before the database closes: a checkpoint, so that the next start is quick. */
  async finish(): Promise<void> {
    await this.#queue;
    const { head, keeper, logger } = this.#options;
    if (!keeper.wantsCompact) return;
    try {
      await keeper.checkpoint({ isCompact: head.chunkCount <= JOINED_CHUNKS_MAX });
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
      }
      await this.#cutLate();
      if (this.#isLogLong || this.#isCheckpointDue()) await this.#options.keeper.checkpoint();
      this.#isLogLong = false;
      await this.#retention.apply(this.#options.head.maxTimeMs);
      // What waits has its turn between two merges, the next round goes on with them.
      while (await this.#compactor.mergeNext()) if (this.#waiting > 0 || this.#isCutDue()) break;
    } catch (error) {
      this.#failures++;
      this.#options.logger.error('maintenance of the time-series database failed; it is retried', {
        error: errorMessage(error),
      });
    }
  }

  #newRetention(rules: readonly RetentionRule[]): Retention {
    const options = this.#options;
    const otherBytes = () => options.logBytes();
    return new Retention({ ...options, compactor: this.#compactor, rules, otherBytes });
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
    const { head, headSource, blocks, keeper, clock, logger } = this.#options;
    const startedMs = clock.monotonicMs();
    const minTimeMs = blockStart(head.oldestMs);
    const maxTimeMs = minTimeMs + BLOCK_RANGE_MS;
    const writer = blocks.writer({ minTimeMs, maxTimeMs, level: 1 });
    const finish = () => blocks.finish(writer);
    const block = await writeHeadBlock(headSource, writer, minTimeMs, maxTimeMs, clock, finish);
    // From here to the end in one turn: no reader sees the samples twice or not at all.
    const dead = head.truncate(maxTimeMs);
    headSource.truncate(maxTimeMs);
    if (block === undefined) blocks.touch();
    else blocks.add(block);
    this.#forget(dead);
    this.#blocksCut++;
    this.#isLogLong = true;
    await keeper.noteCut();
    logger.info('a block was cut from the head', {
      minTime: new Date(minTimeMs).toISOString(),
      maxTime: new Date(maxTimeMs).toISOString(),
      series: block?.meta.seriesCount ?? 0,
      samples: block?.meta.sampleCount ?? 0,
      bytes: block?.bytes ?? 0,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
  }

  /** Late samples of a time that blocks hold go to blocks too; all of them when they are many. */
  async #cutLate(): Promise<void> {
    const { head, late, blocks, clock, logger } = this.#options;
    const endMs = late.sampleCount > LATE_SAMPLES_MAX ? Infinity : head.minTimeMs;
    const cut = await cutLateBlocks(late, head.series, blocks, endMs, clock);
    if (cut.length === 0) return;
    this.#isLogLong = true;
    this.#blocksCut += cut.length;
    logger.info('blocks were cut from samples that came late', {
      blocks: cut.length,
      samples: cut.reduce((sum, { meta }) => sum + meta.sampleCount, 0),
    });
  }

  #forget(dead: Set<number>): void {
    const { head, headSource, keeper, batches, late } = this.#options;
    for (const id of dead) {
      if (batches.holds(id) || late.has(id)) dead.delete(id);
    }
    head.series.remove(dead);
    for (const id of dead) {
      head.release(id);
      headSource.forget(id);
    }
    keeper.quarantine([...dead]);
  }
}

function blockStart(timeMs: number): number {
  return Math.floor(timeMs / BLOCK_RANGE_MS) * BLOCK_RANGE_MS;
}
