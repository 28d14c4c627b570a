/** How long samples are kept: by time, by size, and by rules for some series. */
import { type Logger, TytoError } from '@tyto/base';
import type { Matcher } from '@tyto/model';
import type { BlockReader } from './block/reader.ts';
import type { BlockSet } from './blockSet.ts';
import type { Compactor } from './compactor.ts';
import { findSeries } from './indexSearch.ts';
import { REWRITTEN_PART_MIN } from './limits.ts';

/** Of several rules, the first whose matchers a series satisfies decides. */
export interface RetentionRule {
  readonly matchers: readonly Matcher[];
  /** Counted from the newest sample; 0 keeps all. */
  readonly retentionMs: number;
}

export interface RetentionOptions {
  readonly blocks: BlockSet;
  readonly compactor: Compactor;
  readonly logger: Logger;
  /** 0 keeps all. */
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly rules: readonly RetentionRule[];
  /** Bytes of everything that is no block. */
  otherBytes(): Promise<number>;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** Of the rules, and last of all series without one. */
  readonly #retentionsMs: readonly number[];
  /** Which retentions a block was past when it was last looked at. */
  readonly #seen = new WeakMap<BlockReader, string>();

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#retentionsMs = [...options.rules.map((rule) => rule.retentionMs), options.retentionMs];
    if (this.#retentionsMs.some((ms) => !(ms >= 0))) {
      throw new TytoError('bad_data', 'a retention is a positive number of milliseconds');
    }
  }

  /** One round; at most one block is written anew. */
  async apply(newestMs: number): Promise<void> {
    await this.#applyTime(newestMs);
    if (this.#options.retentionBytes > 0) await this.#applySize();
  }

  async #applyTime(newestMs: number): Promise<void> {
    const { blocks, compactor } = this.#options;
    for (const block of [...blocks.all]) {
      const isPast = this.#retentionsMs.map(
        (ms) => ms > 0 && block.meta.maxTimeMs <= newestMs - ms,
      );
      if (!isPast.includes(true)) continue;
      if (!isPast.includes(false)) {
        await this.#delete(block, 'time');
        continue;
      }
      const seen = isPast.join();
      if (this.#seen.get(block) === seen) continue;
      this.#seen.set(block, seen);
      const isGone = this.#goneSeries(block, isPast);
      const gone = isGone.reduce((sum, one) => sum + one, 0);
      if (gone === block.seriesCount) {
        await this.#delete(block, 'time');
        continue;
      }
      if (gone < block.seriesCount * REWRITTEN_PART_MIN) continue;
      await compactor.rewrite(block, (_, series) => (isGone[series] === 1 ? Infinity : -Infinity));
      return;
    }
  }

  /** 1 for each series whose own retention the block is past. */
  #goneSeries(block: BlockReader, isPast: readonly boolean[]): Uint8Array {
    const { rules } = this.#options;
    const isGone = new Uint8Array(block.seriesCount).fill(isPast[rules.length] ? 1 : 0);
    // The first rule is written last.
    for (let i = rules.length - 1; i >= 0; i--) {
      for (const series of findSeries(block, rules[i].matchers)) isGone[series] = isPast[i] ? 1 : 0;
    }
    return isGone;
  }

  async #applySize(): Promise<void> {
    const { blocks, retentionBytes } = this.#options;
    const otherBytes = await this.#options.otherBytes();
    const oldestFirst = [...blocks.all].sort((a, b) => a.meta.maxTimeMs - b.meta.maxTimeMs);
    for (const block of oldestFirst) {
      if (blocks.bytes + otherBytes <= retentionBytes) return;
      await this.#delete(block, 'size');
    }
  }

  async #delete(block: BlockReader, reason: 'time' | 'size'): Promise<void> {
    const { blocks, logger } = this.#options;
    logger.info('a block is past its retention and is deleted', { block: block.directory, reason });
    await blocks.remove(block);
  }
}
