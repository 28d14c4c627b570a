/**
 * An index in memory: the bytes of its file and nothing else. Names, values and pairs are found by
 * binary search, postings and series are decoded when they are asked for.
 */
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import type { SeriesIndex } from '../indexSearch.ts';
import { covers, type Intervals } from '../intervals.ts';
import { NO_POSTINGS, type Postings } from '../postings.ts';
import type { PairFinder } from '../seriesSource.ts';
import { VarintReader } from '../varints.ts';
import { CHUNK_TRAILER_BYTES, readSections, SECTION, type SectionKind } from './format.ts';

/** Strings that are kept decoded; names and the values of whole jobs come again and again. */
const CACHE_SIZE = 1024;
const CACHED_TEXT_MAX = 256;

/** Called for each chunk of a series, oldest first. */
export type ChunkVisitor = (
  offset: number,
  length: number,
  minTimeMs: number,
  maxTimeMs: number,
) => void;

export class IndexReader implements SeriesIndex {
  readonly #minTimeMs: number;
  readonly #text: Buffer;
  readonly #symbolStart: Uint32Array;
  readonly #names: Uint32Array;
  readonly #pairValues: Uint32Array;
  readonly #postingsStart: Uint32Array;
  readonly #postings: Uint8Array;
  readonly #seriesStart: Uint32Array;
  readonly #series: Uint8Array;
  readonly #cachedIds = new Int32Array(CACHE_SIZE).fill(-1);
  readonly #cachedTexts: string[] = [];
  #allSeries: Postings | undefined;

  /** `file` may be kept; the times of chunks are counted from `minTimeMs`. */
  constructor(file: Uint8Array, path: string, minTimeMs: number) {
    // Arrays of numbers begin at multiples of 8 of the file, and so they must in memory.
    const own = file.byteOffset % 8 === 0 ? file : Uint8Array.from(file);
    const sections = readSections(own, path);
    const section = (kind: SectionKind): Uint8Array => {
      const bytes = sections.get(kind);
      if (bytes === undefined) throw new TytoError('io', `${path} lacks section ${kind}`);
      return bytes;
    };
    const numbers = (kind: SectionKind): Uint32Array => {
      const bytes = section(kind);
      return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    };
    const text = section(SECTION.symbolText);
    this.#minTimeMs = minTimeMs;
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.length);
    this.#symbolStart = numbers(SECTION.symbolStart);
    this.#names = numbers(SECTION.names);
    this.#pairValues = numbers(SECTION.pairValues);
    this.#postingsStart = numbers(SECTION.postingsStart);
    this.#postings = section(SECTION.postings);
    this.#seriesStart = numbers(SECTION.seriesStart);
    this.#series = section(SECTION.series);
  }

  get seriesCount(): number {
    return this.#seriesStart.length - 1;
  }

  get pairCount(): number {
    return this.#pairValues.length;
  }

  allSeries(): Postings {
    this.#allSeries ??= Uint32Array.from({ length: this.seriesCount }, (_, i) => i);
    return this.#allSeries;
  }

  postings(name: string, value: string): Postings {
    const range = this.#pairsOf(name);
    const bytes = Buffer.from(value);
    const pair = this.#firstNotBelow(range.from, range.to, bytes);
    if (pair === range.to || this.#compareValue(pair, bytes) !== 0) return NO_POSTINGS;
    return this.#list(pair);
  }

  *labelNames(): IterableIterator<string> {
    for (let i = 0; i < this.#names.length; i += 2) yield this.#string(this.#names[i]);
  }

  *labelValues(name: string): IterableIterator<string> {
    const { from, to } = this.#pairsOf(name);
    for (let pair = from; pair < to; pair++) yield this.#string(this.#pairValues[pair]);
  }

  valueCount(name: string): number {
    const { from, to } = this.#pairsOf(name);
    return to - from;
  }

  matchingPostings(name: string, prefix: string, matches: (value: string) => boolean): Postings[] {
    const range = this.#pairsOf(name);
    const bytes = Buffer.from(prefix);
    const lists: Postings[] = [];
    let pair = this.#firstNotBelow(range.from, range.to, bytes);
    for (; pair < range.to; pair++) {
      const value = this.#string(this.#pairValues[pair]);
      if (!value.startsWith(prefix)) break;
      if (matches(value)) lists.push(this.#list(pair));
    }
    return lists;
  }

  labels(series: number): Labels {
    const texts: string[] = [];
    const reader = this.#pairsAt(series);
    const count = reader.next();
    let pair = 0;
    for (let i = 0; i < count; i++) {
      pair += reader.nextSigned();
      texts.push(this.#string(this.#nameOf(pair)), this.#string(this.#pairValues[pair]));
    }
    return Labels.fromSorted(texts);
  }

  /** The pairs of a series in the order of its labels; returns how many there are. */
  pairsInto(series: number, target: number[]): number {
    const reader = this.#pairsAt(series);
    const count = reader.next();
    let pair = 0;
    for (let i = 0; i < count; i++) {
      pair += reader.nextSigned();
      target[i] = pair;
    }
    return count;
  }

  nameText(pair: number): string {
    return this.#string(this.#nameOf(pair));
  }

  valueText(pair: number): string {
    return this.#string(this.#pairValues[pair]);
  }

  pairFinder(name: string): PairFinder {
    const { from, to } = this.#pairsOf(name);
    return {
      pairOf: (series) => {
        const reader = this.#pairsAt(series);
        let pair = 0;
        for (let left = reader.next(); left > 0; left--) {
          pair += reader.nextSigned();
          if (pair >= from && pair < to) return pair;
        }
        return -1;
      },
      valueOf: (pair) => this.valueText(pair),
      pairs: function* () {
        for (let pair = from; pair < to; pair++) yield pair;
      },
      seriesOf: (pair) => this.#list(pair),
    };
  }

  /** All pairs in rising order, with the UTF-8 of their names and values. */
  *pairs(): IterableIterator<readonly [pair: number, name: Uint8Array, value: Uint8Array]> {
    for (let i = 0; i < this.#names.length; i += 2) {
      const name = this.#bytes(this.#names[i]);
      const to = this.#names[i + 3] ?? this.pairCount;
      for (let pair = this.#names[i + 1]; pair < to; pair++) {
        yield [pair, name, this.#bytes(this.#pairValues[pair])];
      }
    }
  }

  eachChunk(series: number, visit: ChunkVisitor): void {
    const reader = new VarintReader(this.#series, this.#seriesStart[series]);
    const count = reader.next();
    let offset = reader.next();
    let timeMs = this.#minTimeMs;
    for (let i = 0; i < count; i++) {
      const length = reader.next();
      const minTimeMs = timeMs + reader.next();
      timeMs = minTimeMs + reader.next();
      visit(offset, length, minTimeMs, timeMs);
      offset += length + CHUNK_TRAILER_BYTES;
    }
  }

  /** Whether a chunk of the series overlaps the range with more than what is deleted. */
  mayHaveSamples(
    series: number,
    minTimeMs: number,
    maxTimeMs: number,
    deleted: Intervals = [],
  ): boolean {
    const reader = new VarintReader(this.#series, this.#seriesStart[series]);
    const count = reader.next();
    reader.next();
    let timeMs = this.#minTimeMs;
    for (let i = 0; i < count; i++) {
      reader.next();
      const startMs = timeMs + reader.next();
      if (startMs > maxTimeMs) return false;
      timeMs = startMs + reader.next();
      if (timeMs < minTimeMs) continue;
      const [fromMs, toMs] = [Math.max(startMs, minTimeMs), Math.min(timeMs, maxTimeMs)];
      if (!covers(deleted, fromMs, toMs)) return true;
    }
    return false;
  }

  #pairsAt(series: number): VarintReader {
    const reader = new VarintReader(this.#series, this.#seriesStart[series]);
    const chunks = reader.next();
    reader.next();
    for (let i = 0; i < 3 * chunks; i++) reader.next();
    return reader;
  }

  #list(pair: number): Postings {
    const reader = new VarintReader(this.#postings, this.#postingsStart[pair]);
    const ids = new Uint32Array(reader.next());
    let id = 0;
    for (let i = 0; i < ids.length; i++) {
      id += reader.next();
      ids[i] = id;
    }
    return ids;
  }

  /** The pairs of a name, [from, to). */
  #pairsOf(name: string): { readonly from: number; readonly to: number } {
    const bytes = Buffer.from(name);
    const names = this.#names;
    let low = 0;
    let high = names.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compareSymbol(names[2 * middle], bytes);
      if (order === 0) {
        return { from: names[2 * middle + 1], to: names[2 * middle + 3] ?? this.pairCount };
      }
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return { from: 0, to: 0 };
  }

  /** The name symbol of a pair. */
  #nameOf(pair: number): number {
    const names = this.#names;
    let low = 0;
    let high = names.length / 2 - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (names[2 * middle + 1] <= pair) low = middle;
      else high = middle - 1;
    }
    return names[2 * low];
  }

  /** The first pair in [from, to) whose value is not below these bytes, or `to`. */
  #firstNotBelow(from: number, to: number, bytes: Uint8Array): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compareValue(middle, bytes) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compareValue(pair: number, bytes: Uint8Array): number {
    return this.#compareSymbol(this.#pairValues[pair], bytes);
  }

  #compareSymbol(symbol: number, bytes: Uint8Array): number {
    const start = this.#symbolStart[symbol];
    const length = this.#symbolStart[symbol + 1] - start;
    const shared = Math.min(length, bytes.length);
    for (let i = 0; i < shared; i++) {
      const order = this.#text[start + i] - bytes[i];
      if (order !== 0) return order;
    }
    return length - bytes.length;
  }

  #bytes(symbol: number): Uint8Array {
    return this.#text.subarray(this.#symbolStart[symbol], this.#symbolStart[symbol + 1]);
  }

  #string(symbol: number): string {
    const place = symbol % CACHE_SIZE;
    if (this.#cachedIds[place] === symbol) return this.#cachedTexts[place];
    const start = this.#symbolStart[symbol];
    const end = this.#symbolStart[symbol + 1];
    const text = this.#text.toString('utf8', start, end);
    if (end - start <= CACHED_TEXT_MAX) {
      this.#cachedIds[place] = symbol;
      this.#cachedTexts[place] = text;
    }
    return text;
  }
}
