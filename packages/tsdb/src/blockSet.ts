/** The blocks of a directory. `version` changes with every change of the set. */
import { join } from 'node:path';
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import { BlockReader } from './block/reader.ts';
import { repairBlock } from './block/repair.ts';
import { type BlockRange, BlockWriter } from './block/writer.ts';
import type { Disk } from './disk.ts';
import { byTime } from './compaction.ts';
import { blockSequence, DAMAGED_PREFIX, isBlockName, TEMPORARY_PREFIX } from './filenames.ts';

export class BlockSet {
  readonly #disk: Disk;
  readonly #directory: string;
  #blocks: BlockReader[] = [];
  #version = 0;
  #damaged = 0;
  /** Hears of every change, in its own turn. */
  onChange: (() => void) | undefined;

  private constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Opens what is there. Leftovers of a crash go; a damaged block is set aside and reported. */
  static async open(disk: Disk, directory: string, logger: Logger): Promise<BlockSet> {
    const set = new BlockSet(disk, directory);
    for (const name of await disk.list(directory)) {
      const path = join(directory, name);
      if (name.startsWith(TEMPORARY_PREFIX)) await disk.remove(path);
      if (!isBlockName(name)) continue;
      try {
        set.#blocks.push(await set.#openRepaired(path, logger));
      } catch (error) {
        if (!isDamage(error)) throw error;
        set.#damaged++;
        const aside = join(directory, DAMAGED_PREFIX + name);
        logger.error('a block is damaged; it was set aside and its samples are missing', {
          block: path,
          movedTo: aside,
          error: errorMessage(error),
        });
        await disk.rename(path, aside);
      }
    }
    set.#sort();
    for (const block of set.#blocks.filter((one) => set.#isSuperseded(one))) {
      logger.info('a block that went into a larger one is still there; it is deleted', {
        block: block.directory,
      });
      await set.remove(block);
    }
    return set;
  }

  get version(): number {
    return this.#version;
  }

  /** All blocks, in the order of their precedence. */
  get all(): readonly BlockReader[] {
    return this.#blocks;
  }

  /** Blocks that were set aside or mended at the start, and damaged chunks that merges left out. */
  get damaged(): number {
    return this.#damaged;
  }

  get count(): number {
    return this.#blocks.length;
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.bytes, 0);
  }

  get sampleCount(): number {
    return this.#blocks.reduce((sum, block) => sum + block.meta.sampleCount, 0);
  }

  /** The time from which on samples are the head's; -Infinity without blocks. */
  get maxTimeMs(): number {
    return this.#blocks.reduce(
      (max, { meta }) => (meta.outOfOrder === true ? max : Math.max(max, meta.maxTimeMs)),
      -Infinity,
    );
  }

  overlapping(minTimeMs: number, maxTimeMs: number): BlockReader[] {
    return this.#blocks.filter((block) => block.overlaps(minTimeMs, maxTimeMs));
  }

  writer(range: BlockRange): BlockWriter {
    return new BlockWriter(this.#disk, this.#directory, range);
  }

  /** Completes a block and opens it; undefined where there was nothing to write. */
  async finish(writer: BlockWriter): Promise<BlockReader | undefined> {
    const directory = await writer.finish();
    return directory === undefined ? undefined : BlockReader.open(this.#disk, directory);
  }

  add(block: BlockReader): void {
    this.#blocks.push(block);
    this.#sort();
    this.#changed();
  }

  /** Says that what the sources show has moved between them. */
  touch(): void {
    this.#changed();
  }

  /** Shows one block, if any, in the place of others, from one turn to the next. */
  replace(sources: readonly BlockReader[], block: BlockReader | undefined): void {
    this.#blocks = this.#blocks.filter((other) => !sources.includes(other));
    if (block !== undefined) this.#blocks.push(block);
    this.#sort();
    this.#changed();
  }

  /** Deletes a block. A crash meanwhile leaves all of it or what a start removes. */
  async remove(block: BlockReader): Promise<void> {
    this.replace([block], undefined);
    block.close();
    const path = join(this.#directory, TEMPORARY_PREFIX + block.name);
    await this.#disk.rename(block.directory, path);
    await this.#disk.remove(path);
  }

  /** Keeps a block with damaged chunks for its owner, but shows it no longer. */
  async setAside(block: BlockReader, damagedChunks: number): Promise<void> {
    this.replace([block], undefined);
    this.#damaged += damagedChunks;
    block.close();
    await this.#disk.rename(block.directory, join(this.#directory, DAMAGED_PREFIX + block.name));
  }

  close(): void {
    for (const block of this.#blocks) block.close();
    this.#blocks = [];
    this.#changed();
  }

  #changed(): void {
    this.#version++;
    this.onChange?.();
  }

  /** In the order of precedence: late samples give way to those that came in time. */
  #sort(): void {
    const isLate = (block: BlockReader) => (block.meta.outOfOrder === true ? 1 : 0);
    this.#blocks.sort(
      (a, b) =>
        isLate(a) - isLate(b) ||
        byTime(a.meta, b.meta) ||
        blockSequence(a.name) - blockSequence(b.name),
    );
  }

  /** Whether a later block has all that went into this one: a crash came before its deletion. */
  /** Opens a block, mended where it is damaged. */
  async #openRepaired(path: string, logger: Logger): Promise<BlockReader> {
    try {
      return await BlockReader.open(this.#disk, path);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const files = await repairBlock(this.#disk, path);
      if (files.length === 0) throw error;
      this.#damaged++;
      logger.error('a block was damaged and is mended; no sample is missing', {
        block: path,
        files,
        error: errorMessage(error),
      });
      return await BlockReader.open(this.#disk, path);
    }
  }

  #isSuperseded(block: BlockReader): boolean {
    return this.#blocks.some(
      (other) =>
        blockSequence(other.name) > blockSequence(block.name) &&
        block.meta.sources.every((source) => other.meta.sources.includes(source)),
    );
  }
}

/** Damage, as opposed to a disk that does not answer: files missing, cut short or changed. */
function isDamage(error: unknown): boolean {
  if (error instanceof TytoError || error instanceof RangeError) return true;
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
