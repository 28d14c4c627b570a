/**
 * A block's index, versions 1 and 2 (index.md of the format's description). Symbols are kept in
 * memory; series are read from the file one after the other, in the order of their labels.
 */
import { Labels } from '@tyto/model';
import { ByteCursor } from './byteCursor.ts';
import { crc32c } from './crc32c.ts';
import { confine, damaged, type ReportDamage } from './damage.ts';
import { WindowFile } from './windowFile.ts';

export const INDEX_MAGIC = 0xbaaad700;
const HEADER_BYTES = 5;
const TOC_BYTES = 52;
const CRC_BYTES = 4;
const VARINT_BYTES_MAX = 10;
/** Series of version 2 begin at multiples of this, and are numbered by them. */
export const SERIES_ALIGNMENT = 16;

export interface ChunkPlace {
  readonly ref: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface IndexSeries {
  /** The reference of postings and tombstones. */
  readonly ref: number;
  readonly labels: Labels;
  readonly chunks: readonly ChunkPlace[];
}

interface Contents {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelTable: number;
  readonly postings: number;
  readonly postingsTable: number;
}

export interface PostingsEntry {
  readonly name: string;
  readonly value: string;
  readonly offset: number;
}

export class IndexReader {
  readonly #file: WindowFile;
  readonly #version: number;
  readonly #contents: Contents;
  /** By number in version 2, by place in the file in version 1. */
  readonly #symbols: Map<number, string> | readonly string[];

  private constructor(file: WindowFile) {
    this.#file = file;
    const header = new ByteCursor(file.some(0, HEADER_BYTES));
    if (header.uint32() !== INDEX_MAGIC) throw damaged('it does not begin as an index');
    this.#version = header.byte();
    if (this.#version !== 1 && this.#version !== 2) {
      throw damaged(`version ${this.#version} of the index is not known, only 1 and 2`);
    }
    this.#contents = readContents(file);
    this.#symbols = this.#readSymbols();
  }

  /** Throws TytoError `io` where nothing can be read: a damaged header, contents or symbols. */
  static open(path: string): IndexReader {
    const file = new WindowFile(path);
    try {
      return new IndexReader(file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  close(): void {
    this.#file.close();
  }

  /** All series in the order of their labels; those that are damaged are reported and left out. */
  *series(report: ReportDamage): Generator<IndexSeries> {
    const path = this.#file.path;
    const places = confine(path, this.#contents.postingsTable, report, () => this.#allPlaces());
    for (const place of places ?? this.#scannedPlaces()) {
      const read = () => this.#readSeries(place);
      const series = confine(path, place, report, read);
      if (series !== undefined) yield series;
    }
  }

  /** The postings of all label pairs; the entry whose name is empty is for all series. */
  postingsTable(): PostingsEntry[] {
    const { postingsTable } = this.#contents;
    if (postingsTable === 0) return [];
    const cursor = this.#section(postingsTable, 'the table of postings');
    const count = cursor.uint32();
    const entries: PostingsEntry[] = [];
    for (let i = 0; i < count; i++) {
      if (cursor.byte() !== 2) throw damaged('an entry of the table of postings is no label pair');
      const name = cursor.text();
      const value = cursor.text();
      entries.push({ name, value, offset: cursor.uvarint() });
    }
    return entries;
  }

  /** The references of a list of postings, rising. */
  postings(offset: number): Uint32Array {
    const cursor = this.#section(offset, 'a list of postings');
    const count = cursor.uint32();
    if (count * 4 > cursor.left) throw damaged(`a list of ${count} postings has no bytes for them`);
    return Uint32Array.from({ length: count }, () => cursor.uint32());
  }

  #allPlaces(): number[] {
    const all = this.postingsTable().find(({ name, value }) => name === '' && value === '');
    if (all === undefined) throw damaged('the list of all series is missing');
    const factor = this.#version === 1 ? 1 : SERIES_ALIGNMENT;
    return Array.from(this.postings(all.offset), (ref) => ref * factor);
  }

  /** Without a list of all series: one after the other as they lie in the file. */
  *#scannedPlaces(): Generator<number> {
    const { series, labelIndices, postings } = this.#contents;
    const end = [labelIndices, postings].find((offset) => offset > series) ?? this.#file.size;
    const step = this.#version === 1 ? 1 : SERIES_ALIGNMENT;
    let at = Math.ceil(series / step) * step;
    while (at < end) {
      const length = this.#goodSeriesLength(at);
      if (length > 0) yield at;
      at = Math.ceil((at + Math.max(1, length)) / step) * step;
    }
  }

  /** The bytes of the whole entry, 0 where there is none or a damaged one. */
  #goodSeriesLength(place: number): number {
    try {
      const { bytes, length } = this.#entry(place);
      return bytes.length > 0 ? length : 0;
    } catch {
      return 0;
    }
  }

  #entry(place: number): { bytes: Uint8Array; length: number } {
    const cursor = new ByteCursor(this.#file.some(place, VARINT_BYTES_MAX));
    const length = cursor.count(this.#file.size, 'the length of a series');
    const bytes = this.#file.bytes(place + cursor.at, length + CRC_BYTES);
    return { bytes: checked(bytes, 'a series'), length: cursor.at + length + CRC_BYTES };
  }

  #readSeries(place: number): IndexSeries {
    const cursor = new ByteCursor(this.#entry(place).bytes);
    const pairs: string[] = [];
    for (let i = cursor.count(cursor.left, 'the number of labels'); i > 0; i--) {
      pairs.push(this.#symbol(cursor.uvarint()), this.#symbol(cursor.uvarint()));
    }
    const chunks: ChunkPlace[] = [];
    let time = 0;
    let ref = 0;
    for (let i = cursor.count(cursor.left, 'the number of chunks'); i > 0; i--) {
      const isFirst = chunks.length === 0;
      const minTimeMs = isFirst ? cursor.varint() : time + cursor.uvarint();
      const maxTimeMs = minTimeMs + cursor.uvarint();
      ref = isFirst ? cursor.uvarint() : ref + cursor.varint();
      chunks.push({ ref, minTimeMs, maxTimeMs });
      time = maxTimeMs;
    }
    const factor = this.#version === 1 ? 1 : SERIES_ALIGNMENT;
    return { ref: place / factor, labels: labelsOf(pairs), chunks };
  }

  #symbol(ref: number): string {
    const symbols = this.#symbols;
    const symbol = symbols instanceof Map ? symbols.get(ref) : symbols[ref];
    if (symbol === undefined) throw damaged(`there is no symbol ${ref}`);
    return symbol;
  }

  #readSymbols(): Map<number, string> | readonly string[] {
    const { symbols } = this.#contents;
    if (symbols === 0) return [];
    const cursor = this.#section(symbols, 'the table of symbols');
    const count = cursor.uint32();
    if (count > cursor.left) throw damaged(`${count} symbols have no bytes`);
    if (this.#version === 2) return Array.from({ length: count }, () => cursor.text());
    const byPlace = new Map<number, string>();
    for (let i = 0; i < count; i++) byPlace.set(symbols + 4 + cursor.at, cursor.text());
    return byPlace;
  }

  /** A section whose length stands before it and whose checksum behind it. */
  #section(offset: number, what: string): ByteCursor {
    const length = new ByteCursor(this.#file.bytes(offset, 4)).uint32();
    const bytes = this.#file.bytes(offset + 4, length + CRC_BYTES);
    return new ByteCursor(checked(bytes, what));
  }
}

/** The bytes without the checksum behind them, which must be theirs. */
function checked(bytes: Uint8Array, what: string): Uint8Array {
  const end = bytes.length - CRC_BYTES;
  const wanted = new ByteCursor(bytes, end).uint32();
  if (crc32c(bytes, 0, end) !== wanted) throw damaged(`the checksum of ${what} is wrong`);
  return bytes.subarray(0, end);
}

function readContents(file: WindowFile): Contents {
  if (file.size < HEADER_BYTES + TOC_BYTES) throw damaged('it is too short for an index');
  const bytes = file.bytes(file.size - TOC_BYTES, TOC_BYTES);
  const cursor = new ByteCursor(checked(bytes, 'the table of contents'));
  return {
    symbols: cursor.uint64(),
    series: cursor.uint64(),
    labelIndices: cursor.uint64(),
    labelTable: cursor.uint64(),
    postings: cursor.uint64(),
    postingsTable: cursor.uint64(),
  };
}

/** Pairs in any order, as labels. */
export function labelsOf(pairs: string[]): Labels {
  for (let i = 0; i < pairs.length; i += 2) {
    const isRising = i === 0 || pairs[i - 2] < pairs[i];
    if (isRising && pairs[i + 1] !== '') continue;
    return Labels.fromEntries(
      Array.from({ length: pairs.length / 2 }, (_, k) => [pairs[2 * k], pairs[2 * k + 1]] as const),
    );
  }
  return Labels.fromSorted(pairs);
}
