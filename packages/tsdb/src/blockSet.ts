/** The blocks of a directory, oldest first. `version` changes with every change of the set. */
import { join } from 'node:path';
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import { BlockReader } from './block/reader.ts';
import { type BlockRange, BlockWriter } from './block/writer.ts';
import type { Disk } from './disk.ts';
import { DAMAGED_PREFIX, isBlockName, TEMPORARY_PREFIX } from './filenames.ts';

export class BlockSet {
  readonly #disk: Disk;
  readonly #directory: string;
  #blocks: BlockReader[] = [];
  #version = 0;
  #damaged = 0;

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
        set.#blocks.push(await BlockReader.open(disk, path));
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
    return set;
  }

  get version(): number {
    return this.#version;
  }

  /** Blocks that were set aside at the start. */
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

  get oldest(): BlockReader | undefined {
    return this.#blocks[0];
  }

  overlapping(minTimeMs: number, maxTimeMs: number): BlockReader[] {
    return this.#blocks.filter((block) => block.overlaps(minTimeMs, maxTimeMs));
  }

  writer(range: BlockRange): BlockWriter {
    return new BlockWriter(this.#disk, this.#directory, range);
  }

  async load(directory: string): Promise<BlockReader> {
    return BlockReader.open(this.#disk, directory);
  }

  add(block: BlockReader): void {
    this.#blocks.push(block);
    this.#sort();
    this.#version++;
  }

  /** Says that what the sources show has moved between them. */
  touch(): void {
    this.#version++;
  }

  async remove(block: BlockReader): Promise<void> {
    this.#blocks = this.#blocks.filter((other) => other !== block);
    this.#version++;
    block.close();
    await this.#disk.remove(block.directory);
  }

  close(): void {
    for (const block of this.#blocks) block.close();
    this.#blocks = [];
    this.#version++;
  }

  #sort(): void {
    this.#blocks.sort((a, b) => a.meta.minTimeMs - b.meta.minTimeMs);
  }
}

/** Damage, as opposed to a disk that does not answer: files missing, cut short or changed. */
function isDamage(error: unknown): boolean {
  if (error instanceof TytoError || error instanceof RangeError) return true;
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
