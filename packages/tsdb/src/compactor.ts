/** Blocks written anew from others: merged, or without what was deleted or is too old. */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import { mergeBlocks } from './block/merge.ts';
import type { BlockReader } from './block/reader.ts';
import type { BlockSet } from './blockSet.ts';
import { mergedRangesMs, planCompaction } from './compaction.ts';
import { MERGE_RETRY_MS } from './limits.ts';

export interface CompactorOptions {
  readonly blocks: BlockSet;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retentionMs: number;
}

/** The time from which on samples of a series are kept; Infinity for none. */
export type KeptFrom = (source: BlockReader, series: number) => number;

export class Compactor {
  readonly #options: CompactorOptions;
  readonly #rangesMs: readonly number[];
  #notBeforeMs = -Infinity;
  #count = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#rangesMs = mergedRangesMs(options.retentionMs);
  }

  /** Blocks that were written. */
  get count(): number {
    return this.#count;
  }

  /** Merges the blocks that are due next. False where none are. */
  async mergeNext(): Promise<boolean> {
    const { blocks, clock } = this.#options;
    if (clock.monotonicMs() < this.#notBeforeMs) return false;
    const plan = planCompaction(
      blocks.all.map((block) => ({ ...block.meta, block })),
      this.#rangesMs,
    );
    if (plan.length === 0) return false;
    try {
      const level = Math.max(...plan.map((one) => one.level)) + 1;
      const planned = new Set(plan.map((one) => one.block));
      const sources = blocks.all.filter((block) => planned.has(block));
      await this.#write(sources, level);
      return true;
    } catch (error) {
      this.#notBeforeMs = clock.monotonicMs() + MERGE_RETRY_MS;
      throw error;
    }
  }

  /** Writes a block anew without its deleted samples, and without those that are not kept. */
  rewrite(block: BlockReader, keptFromMs?: KeptFrom): Promise<void> {
    return this.#write([block], block.meta.level, keptFromMs);
  }

  async #write(
    sources: readonly BlockReader[],
    level: number,
    keptFromMs?: KeptFrom,
  ): Promise<void> {
    const { blocks, clock, logger } = this.#options;
    const startedMs = clock.monotonicMs();
    const metas = sources.map(({ meta }) => meta);
    const writer = blocks.writer({
      minTimeMs: Math.min(...metas.map((meta) => meta.minTimeMs)),
      maxTimeMs: Math.max(...metas.map((meta) => meta.maxTimeMs)),
      level,
      sources: [...new Set(metas.flatMap((meta) => meta.sources))],
      ...(metas.every((meta) => meta.outOfOrder === true) ? { outOfOrder: true } : {}),
    });
    let damaged: ReadonlyMap<BlockReader, number>;
    let block: BlockReader | undefined;
    try {
      await writer.open();
      damaged = await mergeBlocks(writer, {
        sources,
        clock,
        logger,
        ...(keptFromMs === undefined ? {} : { keptFromMs }),
      });
      block = await blocks.finish(writer);
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    blocks.replace(sources, block);
    this.#count++;
    logger.info(sources.length > 1 ? 'blocks were merged' : 'a block was written anew', {
      sources: sources.map((one) => one.name),
      block: block?.name,
      series: block?.meta.seriesCount ?? 0,
      samples: block?.meta.sampleCount ?? 0,
      bytes: block?.bytes ?? 0,
      durationMs: Math.round(clock.monotonicMs() - startedMs),
    });
    for (const source of sources) await this.#dispose(source, damaged.get(source) ?? 0);
  }

  /** What is not deleted now is superseded at the next start. */
  async #dispose(source: BlockReader, damagedChunks: number): Promise<void> {
    const { blocks, logger } = this.#options;
    try {
      if (damagedChunks > 0) await blocks.setAside(source, damagedChunks);
      else await blocks.remove(source);
    } catch (error) {
      logger.warn('a block that was written anew cannot be deleted; the next start does it', {
        block: source.directory,
        error: errorMessage(error),
      });
    }
  }
}
