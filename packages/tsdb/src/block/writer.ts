/**
 * Writes a block: series come one by one with all their samples, chunks go to disk as they are
 * made, the index is kept in memory and written at the end. Everything happens in a temporary
 * directory whose rename makes the block appear at once.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert } from '@tyto/base';
import type { Labels, SampleColumns } from '@tyto/model';
import { chunksOf } from '../chunkWrite.ts';
import { samplesOf } from '../startTimeChunk.ts';
import type { StoredChunk } from './reader.ts';
import type { AppendFile, Disk } from '../disk.ts';
import { blockName, blockSequence, TEMPORARY_PREFIX } from '../filenames.ts';
import { BLOCK_CHUNK_SAMPLES, MERGED_CHUNK_SAMPLES } from '../limits.ts';
import type { LabelPairs } from '../series/labelPairs.ts';
import { CHUNK_TRAILER_BYTES, CHUNKS_MAGIC, metaText } from './format.ts';
import { IndexWriter, type WrittenChunk } from './indexWriter.ts';
import { ParityBuilder } from './parity.ts';

const BUFFER_BYTES = 1024 * 1024;

export interface BlockRange {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly level: number;
  /** See BlockMeta; the block's own name where there are none. */
  readonly sources?: readonly string[];
  readonly outOfOrder?: boolean;
}

export class BlockWriter {
  readonly #disk: Disk;
  readonly #parent: string;
  readonly #range: BlockRange;
  readonly #index: IndexWriter;
  readonly #chunkSamplesMax: number;
  #name = '';
  #directory = '';
  #chunks: AppendFile | undefined;
  #chunkFileBytes = CHUNKS_MAGIC.length;
  #buffered: Uint8Array[] = [CHUNKS_MAGIC];
  #bufferedBytes = CHUNKS_MAGIC.length;
  #sampleCount = 0;
  #isComplete = false;
  #scratch: number[] = [];

  constructor(disk: Disk, parent: string, range: BlockRange) {
    this.#disk = disk;
    this.#parent = parent;
    this.#range = range;
    this.#index = new IndexWriter(range.minTimeMs);
    this.#chunkSamplesMax = range.level > 1 ? MERGED_CHUNK_SAMPLES : BLOCK_CHUNK_SAMPLES;
  }

  /** The label pairs of the block, for callers of `addInterned`. */
  get pairs(): LabelPairs {
    return this.#index.pairs;
  }

  /** One block is written to a directory at a time. */
  async open(): Promise<void> {
    const { minTimeMs, maxTimeMs, level } = this.#range;
    const taken = (await this.#disk.list(this.#parent)).map(blockSequence);
    const sequence = taken.reduce((max, one) => Math.max(max, one), 0) + 1;
    this.#name = blockName(minTimeMs, maxTimeMs, level, sequence);
    this.#directory = join(this.#parent, TEMPORARY_PREFIX + this.#name);
    await this.#disk.remove(this.#directory);
    await this.#disk.makeDirectory(this.#directory);
    this.#chunks = await this.#disk.openAppend(join(this.#directory, 'chunks'));
  }

  /** Adds a series with its samples; one without samples is left out. */
  async add(labels: Labels, columns: SampleColumns): Promise<void> {
    if (columns.length === 0) return;
    const { pairs } = this.#index;
    const texts = labels.pairs;
    for (let i = 0; i < labels.size; i++) {
      const name = pairs.symbols.intern(texts[2 * i]);
      this.#scratch[i] = pairs.intern(name, pairs.symbols.intern(texts[2 * i + 1]));
    }
    await this.addInterned(this.#scratch, labels.size, columns);
  }

  /** The same, its labels given as numbers of `pairs`, in their order. */
  async addInterned(
    pairs: ArrayLike<number>,
    pairCount: number,
    columns: SampleColumns,
  ): Promise<void> {
    const { timestamps, length } = columns;
    if (length === 0) return;
    const { minTimeMs, maxTimeMs } = this.#range;
    const inside = timestamps[0] >= minTimeMs && timestamps[length - 1] < maxTimeMs;
    assert(inside, 'the samples of a block lie within its time');
    const offset = this.#chunkFileBytes;
    const written: WrittenChunk[] = [];
    for (const { chunk, from, count } of chunksOf(columns, this.#chunkSamplesMax)) {
      this.#addChunk(chunk);
      written.push({
        length: chunk.length,
        minTimeMs: timestamps[from],
        maxTimeMs: timestamps[from + count - 1],
      });
    }
    this.#index.add(pairs, pairCount, offset, written);
    this.#sampleCount += length;
    if (this.#bufferedBytes >= BUFFER_BYTES) await this.#flush();
  }

  /** The same with chunks of another block, which rise in time. */
  async addChunks(
    pairs: ArrayLike<number>,
    pairCount: number,
    chunks: readonly StoredChunk[],
  ): Promise<void> {
    const { minTimeMs, maxTimeMs } = this.#range;
    const inside =
      chunks[0].minTimeMs >= minTimeMs && chunks[chunks.length - 1].maxTimeMs < maxTimeMs;
    assert(inside, 'the samples of a block lie within its time');
    const offset = this.#chunkFileBytes;
    const written = chunks.map((chunk) => {
      this.#addChunk(chunk.bytes);
      this.#sampleCount += samplesOf(chunk.bytes);
      return { ...chunk, length: chunk.bytes.length };
    });
    this.#index.add(pairs, pairCount, offset, written);
    if (this.#bufferedBytes >= BUFFER_BYTES) await this.#flush();
  }

  /** Completes the block. Returns its directory, or undefined when there was nothing to write. */
  async finish(): Promise<string | undefined> {
    await this.#flush();
    await this.#chunks?.sync();
    await this.#closeChunks();
    if (this.#sampleCount === 0) {
      await this.#disk.remove(this.#directory);
      return undefined;
    }
    const parity = new ParityBuilder();
    await this.#writeFile('index', this.#index.pieces(), parity);
    await this.#writeFile('index.parity', [parity.finish()]);
    const text = metaText({
      sources: [this.#name],
      ...this.#range,
      seriesCount: this.#index.seriesCount,
      chunkCount: this.#index.chunkCount,
      sampleCount: this.#sampleCount,
    });
    await this.#writeFile('meta.json', [new TextEncoder().encode(text)]);
    await this.#disk.syncDirectory(this.#directory);
    const final = join(this.#parent, this.#name);
    await this.#disk.rename(this.#directory, final);
    this.#isComplete = true;
    await this.#disk.syncDirectory(this.#parent);
    return final;
  }

  /** Throws away what was written, also a block that is complete. */
  async abandon(): Promise<void> {
    await this.#closeChunks();
    if (this.#name === '') return;
    const final = join(this.#parent, this.#name);
    // Renamed first, so that no part of it can be taken for a block.
    if (this.#isComplete) await this.#disk.rename(final, this.#directory);
    this.#isComplete = false;
    await this.#disk.remove(this.#directory);
  }

  async #closeChunks(): Promise<void> {
    const file = this.#chunks;
    this.#chunks = undefined;
    await file?.close();
  }

  #addChunk(chunk: Uint8Array): void {
    const checksum = Uint32Array.of(crc32(chunk));
    this.#buffered.push(chunk, new Uint8Array(checksum.buffer));
    this.#bufferedBytes += chunk.length + CHUNK_TRAILER_BYTES;
    this.#chunkFileBytes += chunk.length + CHUNK_TRAILER_BYTES;
  }

  async #flush(): Promise<void> {
    if (this.#bufferedBytes === 0) return;
    const bytes = Buffer.concat(this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
    await this.#chunks?.write(bytes);
  }

  async #writeFile(
    name: string,
    pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    parity?: ParityBuilder,
  ): Promise<void> {
    const file = await this.#disk.openAppend(join(this.#directory, name));
    try {
      for await (const piece of pieces) {
        parity?.push(piece);
        await file.write(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
