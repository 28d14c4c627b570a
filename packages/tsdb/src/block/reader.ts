/**
 * An open block: its index in memory, its chunks read when asked for, each against its checksum.
 */
import { basename, join } from 'node:path';
import { TytoError } from '@tyto/base';
import type { Labels, SampleColumns } from '@tyto/model';
import { appendChunk, appendDecoded } from '../chunkRead.ts';
import type { Disk, ReadFile } from '../disk.ts';
import { addInterval, dropSamples } from '../intervals.ts';
import { BLOCK_CHUNK_SAMPLES, MERGED_CHUNK_SAMPLES } from '../limits.ts';
import type { Postings } from '../postings.ts';
import type { DecodedRun, ReadPlan } from '../readers/readPlan.ts';
import type { SeriesTable } from '../series/seriesTable.ts';
import type { DamageListener, PairFinder, SeriesSource } from '../seriesSource.ts';
import {
  type BlockMeta,
  CHUNK_TRAILER_BYTES,
  CHUNKS_MAGIC,
  parseMeta,
  soundChunk,
} from './format.ts';
import { HeadLinks } from './headLinks.ts';
import { IndexReader } from './indexReader.ts';
import { readTombstones, type Tombstones, writeTombstones } from './tombstones.ts';

/** A chunk with the times of its first and last sample. */
export interface StoredChunk {
  readonly bytes: Uint8Array;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export class BlockReader implements SeriesSource {
  readonly directory: string;
  readonly meta: BlockMeta;
  readonly bytes: number;
  readonly index: IndexReader;
  readonly #disk: Disk;
  readonly #chunks: ReadFile;
  readonly #chunksPath: string;
  /** The most samples of a chunk, by the rules of this store. */
  readonly #chunkSamples: number;
  #tombstones: Tombstones;
  #headLinks: HeadLinks | undefined;

  private constructor(
    disk: Disk,
    directory: string,
    meta: BlockMeta,
    bytes: number,
    index: IndexReader,
    tombstones: Tombstones,
    chunks: ReadFile,
  ) {
    this.#disk = disk;
    this.directory = directory;
    this.meta = meta;
    this.bytes = bytes;
    this.index = index;
    this.#tombstones = tombstones;
    this.#chunks = chunks;
    this.#chunksPath = join(directory, 'chunks');
    this.#chunkSamples = meta.level > 1 ? MERGED_CHUNK_SAMPLES : BLOCK_CHUNK_SAMPLES;
  }

  /** Opens a block, checking every byte of its index. Throws TytoError `io` for a damaged one. */
  static async open(disk: Disk, directory: string): Promise<BlockReader> {
    const metaPath = join(directory, 'meta.json');
    const meta = parseMeta(new TextDecoder().decode(await disk.readFile(metaPath)), metaPath);
    const indexPath = join(directory, 'index');
    const index = new IndexReader(await disk.readFile(indexPath), indexPath, meta.minTimeMs);
    const tombstones = await readTombstones(disk, directory, meta.minTimeMs);
    const bytes = await disk.size(directory);
    const chunks = disk.openRead(join(directory, 'chunks'));
    try {
      const magic = new Uint8Array(CHUNKS_MAGIC.length);
      chunks.readSync(magic, 0);
      if (!CHUNKS_MAGIC.every((byte, i) => magic[i] === byte)) {
        throw new TytoError('io', `${directory}/chunks does not begin as a chunks file`);
      }
      return new BlockReader(disk, directory, meta, bytes, index, tombstones, chunks);
    } catch (error) {
      chunks.close();
      throw error;
    }
  }

  close(): void {
    this.#chunks.close();
  }

  get name(): string {
    return basename(this.directory);
  }

  get seriesCount(): number {
    return this.meta.seriesCount;
  }

  overlaps(minTimeMs: number, maxTimeMs: number): boolean {
    return this.meta.minTimeMs <= maxTimeMs && minTimeMs < this.meta.maxTimeMs;
  }

  allSeries(): Postings {
    return this.index.allSeries();
  }

  postings(name: string, value: string): Postings {
    return this.index.postings(name, value);
  }

  matchingPostings(name: string, prefix: string, matches: (value: string) => boolean): Postings[] {
    return this.index.matchingPostings(name, prefix, matches);
  }

  valueCount(name: string): number {
    return this.index.valueCount(name);
  }

  labelNames(): Iterable<string> {
    return this.index.labelNames();
  }

  labelValues(name: string): Iterable<string> {
    return this.index.labelValues(name);
  }

  labels(series: number): Labels {
    return this.index.labels(series);
  }

  headId(series: number, table: SeriesTable): number {
    this.#headLinks ??= new HeadLinks(this.index, table);
    return this.#headLinks.idOf(series);
  }

  mayHaveSamples(series: number, minTimeMs: number, maxTimeMs: number): boolean {
    const deleted = this.#tombstones.get(series);
    return this.index.mayHaveSamples(series, minTimeMs, maxTimeMs, deleted);
  }

  /**
   * Appends the samples within the range, oldest first. A damaged chunk is left out where `damaged`
   * is there to be told, and throws TytoError `io` otherwise.
   */
  readInto(
    series: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: SampleColumns,
    damaged?: DamageListener,
    decoded?: DecodedRun,
  ): void {
    const start = target.length;
    if (decoded !== undefined) appendDecoded(decoded, target);
    else this.#appendChunks(series, minTimeMs, maxTimeMs, target, damaged);
    const deleted = this.#tombstones.get(series);
    if (deleted !== undefined) dropSamples(target, start, deleted);
  }

  planRead(series: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): number {
    this.index.eachChunk(series, (offset, length, chunkMinMs, chunkMaxMs) => {
      if (chunkMaxMs < minTimeMs || chunkMinMs > maxTimeMs) return;
      plan.addStored(this.#chunksPath, offset, length, this.#chunkSamples);
    });
    // Chunks of a block never change.
    return 0;
  }

  planScan(series: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): boolean {
    if (this.meta.outOfOrder === true || this.#tombstones.has(series)) return false;
    this.planRead(series, minTimeMs, maxTimeMs, plan);
    return true;
  }

  pairFinder(name: string): PairFinder {
    return this.index.pairFinder(name);
  }

  #appendChunks(
    series: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: SampleColumns,
    damaged: DamageListener | undefined,
  ): void {
    this.index.eachChunk(series, (offset, length, chunkMinMs, chunkMaxMs) => {
      if (chunkMaxMs < minTimeMs || chunkMinMs > maxTimeMs) return;
      try {
        appendChunk(this.#readChunk(offset, length), minTimeMs, maxTimeMs, target);
      } catch (error) {
        if (damaged === undefined || !(error instanceof TytoError)) throw error;
        damaged(error.message);
      }
    });
  }

  /** Whether samples of the series are deleted. */
  hasDeletions(series: number): boolean {
    return this.#tombstones.has(series);
  }

  /** The chunks of a series as they are. Throws TytoError `io` for damage. */
  chunksOf(series: number): StoredChunk[] {
    const chunks: StoredChunk[] = [];
    this.index.eachChunk(series, (offset, length, minTimeMs, maxTimeMs) => {
      chunks.push({ bytes: this.#readChunk(offset, length), minTimeMs, maxTimeMs });
    });
    return chunks;
  }

  get hasTombstones(): boolean {
    return this.#tombstones.size > 0;
  }

  /**
   * Deletes the samples of some series within the range, for good once it resolves. Returns the
   * series that have any there.
   */
  async delete(series: Iterable<number>, minTimeMs: number, maxTimeMs: number): Promise<number[]> {
    const touched: number[] = [];
    const tombstones = new Map(this.#tombstones);
    for (const one of series) {
      if (!this.mayHaveSamples(one, minTimeMs, maxTimeMs)) continue;
      touched.push(one);
      const fromMs = Math.max(minTimeMs, this.meta.minTimeMs);
      const toMs = Math.min(maxTimeMs, this.meta.maxTimeMs - 1);
      tombstones.set(one, addInterval(tombstones.get(one) ?? [], fromMs, toMs));
    }
    if (touched.length === 0) return touched;
    await writeTombstones(this.#disk, this.directory, this.meta.minTimeMs, tombstones);
    this.#tombstones = tombstones;
    return touched;
  }

  #readChunk(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length + CHUNK_TRAILER_BYTES);
    const read = this.#chunks.readSync(bytes, offset);
    const chunk = soundChunk(bytes.subarray(0, read), 0, length);
    if (chunk === undefined) {
      throw new TytoError('io', `${this.directory}/chunks is damaged at byte ${offset}`);
    }
    return chunk;
  }
}
