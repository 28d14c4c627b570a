/**
 * Writes a block: series come one by one with all their samples, chunks go to disk as they are
 * made, the index is kept in memory and written at the end. Everything happens in a temporary
 * directory whose rename makes the block appear at once.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { getOrCreate } from '@tyto/base';
import type { Labels, SampleColumns } from '@tyto/model';
import type { AppendFile, Disk } from '../disk.ts';
import { blockName, TEMPORARY_PREFIX } from '../filenames.ts';
import { chunksOf } from '../chunkWrite.ts';
import {
  type BlockMeta,
  CHUNKS_MAGIC,
  INDEX_MAGIC,
  SECTION,
  SECTION_HEADER_BYTES,
  type SectionKind,
} from './format.ts';

const BUFFER_BYTES = 1024 * 1024;

export interface BlockRange {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly level: number;
}

export class BlockWriter {
  readonly #disk: Disk;
  readonly #parent: string;
  readonly #range: BlockRange;
  readonly #directory: string;
  readonly #symbols = new Map<string, number>();
  readonly #pairs: number[] = [];
  readonly #pairStart: number[] = [0];
  readonly #chunkStart: number[] = [0];
  readonly #chunkOffset: number[] = [];
  readonly #chunkLength: number[] = [];
  readonly #chunkSamples: number[] = [];
  readonly #chunkMinTime: number[] = [];
  readonly #chunkMaxTime: number[] = [];
  #chunks: AppendFile | undefined;
  #chunkFileBytes = CHUNKS_MAGIC.length;
  #buffered: Uint8Array[] = [CHUNKS_MAGIC];
  #bufferedBytes = CHUNKS_MAGIC.length;
  #sampleCount = 0;

  constructor(disk: Disk, parent: string, range: BlockRange) {
    this.#disk = disk;
    this.#parent = parent;
    this.#range = range;
    const name = blockName(range.minTimeMs, range.maxTimeMs, range.level);
    this.#directory = join(parent, TEMPORARY_PREFIX + name);
  }

  async open(): Promise<void> {
    await this.#disk.remove(this.#directory);
    await this.#disk.makeDirectory(this.#directory);
    this.#chunks = await this.#disk.openAppend(join(this.#directory, 'chunks'));
  }

  /** Adds a series with its samples; one without samples is left out. */
  async add(labels: Labels, columns: SampleColumns): Promise<void> {
    if (columns.length === 0) return;
    for (const text of labels.pairs) this.#pairs.push(this.#intern(text));
    this.#pairStart.push(this.#pairs.length);
    for (const { chunk, from, count } of chunksOf(columns)) {
      this.#addChunk(chunk, columns.timestamps[from], columns.timestamps[from + count - 1], count);
    }
    this.#chunkStart.push(this.#chunkOffset.length);
    this.#sampleCount += columns.length;
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
    await this.#writeFile('index', this.#encodeIndex());
    const meta: BlockMeta = {
      version: 1,
      ...this.#range,
      seriesCount: this.#pairStart.length - 1,
      chunkCount: this.#chunkOffset.length,
      sampleCount: this.#sampleCount,
    };
    const text = `${JSON.stringify(meta, null, 2)}\n`;
    await this.#writeFile('meta.json', [new TextEncoder().encode(text)]);
    await this.#disk.syncDirectory(this.#directory);
    const { minTimeMs, maxTimeMs, level } = this.#range;
    const final = join(this.#parent, blockName(minTimeMs, maxTimeMs, level));
    await this.#disk.rename(this.#directory, final);
    await this.#disk.syncDirectory(this.#parent);
    return final;
  }

  /** Throws away what was written so far. */
  async abandon(): Promise<void> {
    await this.#closeChunks();
    await this.#disk.remove(this.#directory);
  }

  async #closeChunks(): Promise<void> {
    const file = this.#chunks;
    this.#chunks = undefined;
    await file?.close();
  }

  #intern(text: string): number {
    return getOrCreate(this.#symbols, text, () => this.#symbols.size);
  }

  #addChunk(chunk: Uint8Array, minTimeMs: number, maxTimeMs: number, count: number): void {
    const checksum = Uint32Array.of(crc32(chunk));
    this.#chunkOffset.push(this.#chunkFileBytes);
    this.#chunkLength.push(chunk.length);
    this.#chunkSamples.push(count);
    this.#chunkMinTime.push(minTimeMs);
    this.#chunkMaxTime.push(maxTimeMs);
    this.#buffered.push(chunk, new Uint8Array(checksum.buffer));
    this.#bufferedBytes += chunk.length + 4;
    this.#chunkFileBytes += chunk.length + 4;
  }

  async #flush(): Promise<void> {
    if (this.#bufferedBytes === 0) return;
    const bytes = Buffer.concat(this.#buffered);
    this.#buffered = [];
    this.#bufferedBytes = 0;
    await this.#chunks?.write(bytes);
  }

  async #writeFile(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const file = await this.#disk.openAppend(join(this.#directory, name));
    try {
      for (const part of parts) await file.write(part);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  #encodeIndex(): Uint8Array[] {
    const { text, start, renumber } = sortedSymbols([...this.#symbols.keys()]);
    const pairs = Uint32Array.from(this.#pairs, (id) => renumber[id]);
    const pairStart = Uint32Array.from(this.#pairStart);
    const { table, lists } = invertPairs(pairs, pairStart);
    return [
      INDEX_MAGIC,
      ...section(SECTION.symbolText, text),
      ...section(SECTION.symbolStart, bytesOf(start)),
      ...section(SECTION.pairs, bytesOf(pairs)),
      ...section(SECTION.pairStart, bytesOf(pairStart)),
      ...section(SECTION.chunkStart, bytesOf(Uint32Array.from(this.#chunkStart))),
      ...section(SECTION.chunkOffset, bytesOf(Float64Array.from(this.#chunkOffset))),
      ...section(SECTION.chunkLength, bytesOf(Uint32Array.from(this.#chunkLength))),
      ...section(SECTION.chunkSamples, bytesOf(Uint32Array.from(this.#chunkSamples))),
      ...section(SECTION.chunkMinTime, bytesOf(Float64Array.from(this.#chunkMinTime))),
      ...section(SECTION.chunkMaxTime, bytesOf(Float64Array.from(this.#chunkMaxTime))),
      ...section(SECTION.postingsTable, bytesOf(table)),
      ...section(SECTION.postings, bytesOf(lists)),
    ];
  }
}

/** Symbols in rising order: their text, where each begins, and the new number of each old one. */
function sortedSymbols(symbols: readonly string[]): {
  text: Uint8Array;
  start: Uint32Array;
  renumber: Uint32Array;
} {
  const order = symbols.map((_, i) => i);
  order.sort((a, b) => (symbols[a] < symbols[b] ? -1 : 1));
  const renumber = new Uint32Array(symbols.length);
  const start = new Uint32Array(symbols.length + 1);
  const encoder = new TextEncoder();
  const texts = order.map((old, i) => {
    renumber[old] = i;
    const bytes = encoder.encode(symbols[old]);
    start[i + 1] = start[i] + bytes.length;
    return bytes;
  });
  return { text: Buffer.concat(texts), start, renumber };
}

/** From series to pairs turned around: for each pair, in rising order, the series that have it. */
function invertPairs(
  pairs: Uint32Array,
  pairStart: Uint32Array,
): { table: Uint32Array; lists: Uint32Array } {
  const seriesOf = new Map<number, Map<number, number[]>>();
  for (let series = 0; series + 1 < pairStart.length; series++) {
    for (let i = pairStart[series]; i < pairStart[series + 1]; i += 2) {
      const values = getOrCreate(seriesOf, pairs[i], () => new Map<number, number[]>());
      getOrCreate(values, pairs[i + 1], () => []).push(series);
    }
  }
  const table: number[] = [];
  const lists = new Uint32Array(pairs.length / 2);
  let at = 0;
  for (const name of [...seriesOf.keys()].sort((a, b) => a - b)) {
    const values = seriesOf.get(name) ?? new Map<number, number[]>();
    for (const value of [...values.keys()].sort((a, b) => a - b)) {
      const list = values.get(value) ?? [];
      table.push(name, value, at, list.length);
      lists.set(list, at);
      at += list.length;
    }
  }
  return { table: Uint32Array.from(table), lists };
}

function bytesOf(array: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function section(kind: SectionKind, bytes: Uint8Array): Uint8Array[] {
  const header = new DataView(new ArrayBuffer(SECTION_HEADER_BYTES));
  header.setUint32(0, kind, true);
  header.setUint32(4, crc32(bytes), true);
  header.setFloat64(8, bytes.length, true);
  const padding = new Uint8Array((8 - (bytes.length % 8)) % 8);
  return [new Uint8Array(header.buffer), bytes, padding];
}
