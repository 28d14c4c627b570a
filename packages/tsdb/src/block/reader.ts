/**
 * An open block: its index in memory as typed arrays, its chunks read when asked for, each
 * against its checksum.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { getOrCreate, TytoError } from '@tyto/base';
import { Labels, type SampleColumns } from '@tyto/model';
import { appendChunk } from '../chunkRead.ts';
import type { Disk, ReadFile } from '../disk.ts';
import type { SeriesIndex } from '../indexSearch.ts';
import { NO_POSTINGS, type Postings } from '../postings.ts';
import {
  asFloat64,
  asUint32,
  type BlockMeta,
  CHUNKS_MAGIC,
  INDEX_MAGIC,
  SECTION,
  SECTION_HEADER_BYTES,
  type SectionKind,
} from './format.ts';

/** Where the postings of one label's values are. */
interface LabelPostings {
  readonly byValue: Map<string, { readonly start: number; readonly count: number }>;
}

export class BlockReader implements SeriesIndex {
  readonly directory: string;
  readonly meta: BlockMeta;
  readonly bytes: number;
  readonly #symbols: readonly string[];
  readonly #sections: ReadonlyMap<SectionKind, Uint8Array>;
  readonly #pairs: Uint32Array;
  readonly #pairStart: Uint32Array;
  readonly #chunkStart: Uint32Array;
  readonly #chunkOffset: Float64Array;
  readonly #chunkLength: Uint32Array;
  readonly #chunkMinTime: Float64Array;
  readonly #chunkMaxTime: Float64Array;
  readonly #postings: Uint32Array;
  readonly #labels = new Map<string, LabelPostings>();
  readonly #chunks: ReadFile;
  #allSeries: Postings | undefined;

  private constructor(
    directory: string,
    meta: BlockMeta,
    bytes: number,
    sections: ReadonlyMap<SectionKind, Uint8Array>,
    chunks: ReadFile,
  ) {
    this.directory = directory;
    this.meta = meta;
    this.bytes = bytes;
    this.#sections = sections;
    this.#chunks = chunks;
    this.#symbols = this.#readSymbols();
    this.#pairs = asUint32(this.#section(SECTION.pairs));
    this.#pairStart = asUint32(this.#section(SECTION.pairStart));
    this.#chunkStart = asUint32(this.#section(SECTION.chunkStart));
    this.#chunkOffset = asFloat64(this.#section(SECTION.chunkOffset));
    this.#chunkLength = asUint32(this.#section(SECTION.chunkLength));
    this.#chunkMinTime = asFloat64(this.#section(SECTION.chunkMinTime));
    this.#chunkMaxTime = asFloat64(this.#section(SECTION.chunkMaxTime));
    this.#postings = asUint32(this.#section(SECTION.postings));
    this.#readPostingsTable();
    this.#sections = new Map();
  }

  /** Opens a block, checking every byte of its index. Throws TytoError `io` for a damaged one. */
  static async open(disk: Disk, directory: string): Promise<BlockReader> {
    const metaText = new TextDecoder().decode(await disk.readFile(join(directory, 'meta.json')));
    const meta = parseMeta(metaText, directory);
    const index = await disk.readFile(join(directory, 'index'));
    const sections = readSections(index, directory);
    const bytes = await disk.size(directory);
    const chunks = disk.openRead(join(directory, 'chunks'));
    try {
      const magic = new Uint8Array(CHUNKS_MAGIC.length);
      chunks.readSync(magic, 0);
      if (!CHUNKS_MAGIC.every((byte, i) => magic[i] === byte)) {
        throw new TytoError('io', `${directory}/chunks does not begin as a chunks file`);
      }
      return new BlockReader(directory, meta, bytes, sections, chunks);
    } catch (error) {
      chunks.close();
      throw error;
    }
  }

  close(): void {
    this.#chunks.close();
  }

  get seriesCount(): number {
    return this.meta.seriesCount;
  }

  overlaps(minTimeMs: number, maxTimeMs: number): boolean {
    return this.meta.minTimeMs <= maxTimeMs && minTimeMs < this.meta.maxTimeMs;
  }

  allSeries(): Postings {
    this.#allSeries ??= Uint32Array.from({ length: this.seriesCount }, (_, i) => i);
    return this.#allSeries;
  }

  postings(name: string, value: string): Postings {
    const place = this.#labels.get(name)?.byValue.get(value);
    if (place === undefined) return NO_POSTINGS;
    return this.#postings.subarray(place.start, place.start + place.count);
  }

  labelNames(): Iterable<string> {
    return this.#labels.keys();
  }

  labelValues(name: string): Iterable<string> {
    return this.#labels.get(name)?.byValue.keys() ?? [];
  }

  labels(series: number): Labels {
    const pairs: string[] = [];
    for (let i = this.#pairStart[series]; i < this.#pairStart[series + 1]; i++) {
      pairs.push(this.#symbols[this.#pairs[i]]);
    }
    return Labels.fromSorted(pairs);
  }

  /** Whether a chunk of the series overlaps the range. */
  mayHaveSamples(series: number, minTimeMs: number, maxTimeMs: number): boolean {
    const first = this.#chunkStart[series];
    const last = this.#chunkStart[series + 1] - 1;
    return this.#chunkMinTime[first] <= maxTimeMs && this.#chunkMaxTime[last] >= minTimeMs;
  }

  /** Appends the samples within the range, oldest first. Throws TytoError `io` for damage. */
  readInto(series: number, minTimeMs: number, maxTimeMs: number, target: SampleColumns): void {
    for (let i = this.#chunkStart[series]; i < this.#chunkStart[series + 1]; i++) {
      if (this.#chunkMaxTime[i] < minTimeMs) continue;
      if (this.#chunkMinTime[i] > maxTimeMs) break;
      appendChunk(this.#readChunk(i), minTimeMs, maxTimeMs, target);
    }
  }

  #readChunk(index: number): Uint8Array {
    const length = this.#chunkLength[index];
    const bytes = new Uint8Array(length + 4);
    const offset = this.#chunkOffset[index];
    const read = this.#chunks.readSync(bytes, offset);
    const chunk = bytes.subarray(0, length);
    const checksum = new DataView(bytes.buffer).getUint32(length, true);
    if (read !== bytes.length || crc32(chunk) !== checksum) {
      throw new TytoError('io', `${this.directory}/chunks is damaged at byte ${offset}`);
    }
    return chunk;
  }

  #section(kind: SectionKind): Uint8Array {
    const section = this.#sections.get(kind);
    if (section === undefined) {
      throw new TytoError('io', `${this.directory}/index lacks section ${kind}`);
    }
    return section;
  }

  #readSymbols(): string[] {
    const text = this.#section(SECTION.symbolText);
    const start = asUint32(this.#section(SECTION.symbolStart));
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return Array.from({ length: Math.max(0, start.length - 1) }, (_, i) =>
      decoder.decode(text.subarray(start[i], start[i + 1])),
    );
  }

  #readPostingsTable(): void {
    const table = asUint32(this.#section(SECTION.postingsTable));
    for (let i = 0; i + 3 < table.length; i += 4) {
      const name = this.#symbols[table[i]];
      const label = getOrCreate(this.#labels, name, () => ({ byValue: new Map() }));
      const place = { start: table[i + 2], count: table[i + 3] };
      label.byValue.set(this.#symbols[table[i + 1]], place);
    }
  }
}

function parseMeta(text: string, directory: string): BlockMeta {
  let meta: Partial<BlockMeta>;
  try {
    meta = JSON.parse(text) as Partial<BlockMeta>;
  } catch (error) {
    throw new TytoError('io', `${directory}/meta.json is no JSON`, { cause: error });
  }
  const times = typeof meta.minTimeMs === 'number' && typeof meta.maxTimeMs === 'number';
  if (meta.version !== 1 || !times || typeof meta.seriesCount !== 'number') {
    throw new TytoError('io', `${directory}/meta.json is not of a version that this Tyto reads`);
  }
  return meta as BlockMeta;
}

function readSections(index: Uint8Array, directory: string): Map<SectionKind, Uint8Array> {
  const damaged = (what: string) => new TytoError('io', `${directory}/index is damaged: ${what}`);
  if (!INDEX_MAGIC.every((byte, i) => index[i] === byte)) throw damaged('its first bytes');
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const sections = new Map<SectionKind, Uint8Array>();
  let at = INDEX_MAGIC.length;
  while (at + SECTION_HEADER_BYTES <= index.length) {
    const kind = view.getUint32(at, true) as SectionKind;
    const length = view.getFloat64(at + 8, true);
    const start = at + SECTION_HEADER_BYTES;
    if (!(length >= 0 && start + length <= index.length)) throw damaged(`section ${kind} is cut`);
    const bytes = index.subarray(start, start + length);
    if (crc32(bytes) !== view.getUint32(at + 4, true)) throw damaged(`section ${kind}`);
    sections.set(kind, bytes);
    at = start + Math.ceil(length / 8) * 8;
    if (index.subarray(start + length, at).some((byte) => byte !== 0)) {
      throw damaged(`the padding of section ${kind}`);
    }
  }
  if (at !== index.length) throw damaged('its end');
  return sections;
}
