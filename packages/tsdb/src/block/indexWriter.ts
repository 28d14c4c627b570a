/**
 * An index on its way: label pairs are interned, each series is a list of pair numbers and some
 * varints about its chunks, all in a few large arrays. At the end symbols and pairs are sorted and
 * everything gets its final number, in slices.
 */
import { Column } from '../column.ts';
import { LabelPairs } from '../series/labelPairs.ts';
import { breathe } from '../slices.ts';
import { VarintWriter } from '../varints.ts';
import { INDEX_MAGIC, SECTION, sectionPieces } from './format.ts';
import { sortSliced } from './sortSliced.ts';

/** Series or pairs that are gone through before other work gets its turn. */
const SLICE_COUNT = 10_000;

export interface WrittenChunk {
  readonly length: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export class IndexWriter {
  readonly pairs = new LabelPairs();
  readonly #minTimeMs: number;
  /** The pairs of all series, series after series, and where each one's begin and end. */
  readonly #refs = new Column(Uint32Array);
  readonly #refStart = new Column(Uint32Array);
  /** What the series say of their chunks, in their final form, and where each one's begins. */
  readonly #chunks = new VarintWriter(64 * 1024);
  readonly #chunkStart = new Column(Uint32Array);
  #seriesCount = 0;
  #chunkCount = 0;

  constructor(minTimeMs: number) {
    this.#minTimeMs = minTimeMs;
    this.#refStart.reserve(1);
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  get chunkCount(): number {
    return this.#chunkCount;
  }

  /** `pairs`: numbers of `this.pairs` in the labels' order. The chunks lie from `offset` on. */
  add(
    pairs: ArrayLike<number>,
    pairCount: number,
    offset: number,
    chunks: readonly WrittenChunk[],
  ): void {
    const series = this.#seriesCount++;
    const from = this.#refStart.view[series];
    this.#refs.reserve(from + pairCount);
    const refs = this.#refs.view;
    for (let i = 0; i < pairCount; i++) refs[from + i] = pairs[i];
    this.#refStart.reserve(series + 2);
    this.#refStart.view[series + 1] = from + pairCount;
    this.#chunkStart.reserve(series + 2);
    this.#chunks.put(chunks.length);
    this.#chunks.put(offset);
    let timeMs = this.#minTimeMs;
    for (const { length, minTimeMs, maxTimeMs } of chunks) {
      this.#chunks.put(length);
      this.#chunks.put(minTimeMs - timeMs);
      this.#chunks.put(maxTimeMs - minTimeMs);
      timeMs = maxTimeMs;
    }
    this.#chunkStart.view[series + 1] = this.#chunks.length;
    this.#chunkCount += chunks.length;
  }

  /** The file, piece by piece. */
  async *pieces(): AsyncIterableIterator<Uint8Array> {
    const counts = this.#countSeries();
    const { symbols, symbolOf } = await this.#sortSymbols(counts);
    const pairs = this.#sortPairs(counts, symbolOf, symbols.length);
    const pairOf = inverse(pairs, this.pairs.size);
    yield INDEX_MAGIC;
    yield* this.#symbolSections(symbols);
    yield* this.#pairSections(pairs, symbolOf);
    yield* this.#postingsSections(pairs, pairOf, counts);
    yield* this.#seriesSections(pairOf);
  }

  /** How many series each pair has; none where all of them fell away. */
  #countSeries(): Uint32Array {
    const counts = new Uint32Array(this.pairs.size);
    const end = this.#refStart.view[this.#seriesCount];
    const refs = this.#refs.view;
    for (let i = 0; i < end; i++) counts[refs[i]]++;
    return counts;
  }

  /** The symbols of pairs that are in use, in the order of their bytes; and their new numbers. */
  async #sortSymbols(counts: Uint32Array) {
    const { pairs } = this;
    const { symbols } = pairs;
    const isUsed = new Uint8Array(symbols.size);
    for (let pair = 0; pair < counts.length; pair++) {
      if (counts[pair] === 0) continue;
      isUsed[pairs.nameOf(pair)] = 1;
      isUsed[pairs.valueOf(pair)] = 1;
    }
    const used = new Uint32Array(symbols.size);
    let count = 0;
    for (let id = 0; id < used.length; id++) if (isUsed[id] === 1) used[count++] = id;
    const compare = (a: number, b: number) => symbols.compare(a, b);
    const sorted = await sortSliced(used.slice(0, count), compare);
    return { symbols: sorted, symbolOf: inverse(sorted, symbols.size) };
  }

  /** The pairs in use, by name and value: two passes of counting, the value's first. */
  #sortPairs(counts: Uint32Array, symbolOf: Uint32Array, symbolCount: number): Uint32Array {
    const { pairs } = this;
    const used = new Uint32Array(pairs.size);
    let count = 0;
    for (let pair = 0; pair < counts.length; pair++) if (counts[pair] > 0) used[count++] = pair;
    const byValueKey = (pair: number) => symbolOf[pairs.valueOf(pair)];
    const byNameKey = (pair: number) => symbolOf[pairs.nameOf(pair)];
    const byValue = countingSort(used.subarray(0, count), byValueKey, symbolCount);
    return countingSort(byValue, byNameKey, symbolCount);
  }

  async *#symbolSections(symbols: Uint32Array): AsyncIterableIterator<Uint8Array> {
    const source = this.pairs.symbols;
    const start = new Uint32Array(symbols.length + 1);
    symbols.forEach((id, i) => {
      start[i + 1] = start[i] + source.byteLength(id);
    });
    const text = new Uint8Array(start[symbols.length]);
    for (let i = 0; i < symbols.length; i++) {
      text.set(source.bytes(symbols[i]), start[i]);
      if (i % SLICE_COUNT === 0) await breathe();
    }
    yield* sectionPieces(SECTION.symbolText, text);
    yield* sectionPieces(SECTION.symbolStart, start);
  }

  *#pairSections(pairs: Uint32Array, symbolOf: Uint32Array): IterableIterator<Uint8Array> {
    const names: number[] = [];
    const values = new Uint32Array(pairs.length);
    for (let i = 0; i < pairs.length; i++) {
      const name = symbolOf[this.pairs.nameOf(pairs[i])];
      if (names.length === 0 || names[names.length - 2] !== name) names.push(name, i);
      values[i] = symbolOf[this.pairs.valueOf(pairs[i])];
    }
    yield* sectionPieces(SECTION.names, Uint32Array.from(names));
    yield* sectionPieces(SECTION.pairValues, values);
  }

  async *#postingsSections(
    pairs: Uint32Array,
    pairOf: Uint32Array,
    counts: Uint32Array,
  ): AsyncIterableIterator<Uint8Array> {
    const ends = new Uint32Array(pairs.length);
    let total = 0;
    for (let i = 0; i < pairs.length; i++) {
      ends[i] = total;
      total += counts[pairs[i]];
    }
    // Series come in rising order, so every list does.
    const lists = new Uint32Array(total);
    const refs = this.#refs.view;
    const refStart = this.#refStart.view;
    for (let series = 0; series < this.#seriesCount; series++) {
      for (let at = refStart[series]; at < refStart[series + 1]; at++) {
        lists[ends[pairOf[refs[at]]]++] = series;
      }
      if (series % SLICE_COUNT === 0) await breathe();
    }
    const bytes = new VarintWriter(total * 2);
    const start = new Uint32Array(pairs.length + 1);
    let from = 0;
    for (let i = 0; i < pairs.length; i++) {
      putList(bytes, lists, from, ends[i]);
      from = ends[i];
      start[i + 1] = bytes.length;
      if (i % SLICE_COUNT === 0) await breathe();
    }
    yield* sectionPieces(SECTION.postingsStart, start);
    yield* sectionPieces(SECTION.postings, bytes.view);
  }

  async *#seriesSections(pairOf: Uint32Array): AsyncIterableIterator<Uint8Array> {
    const bytes = new VarintWriter(this.#chunks.length * 3);
    const start = new Uint32Array(this.#seriesCount + 1);
    const refs = this.#refs.view;
    const refStart = this.#refStart.view;
    const chunkStart = this.#chunkStart.view;
    for (let series = 0; series < this.#seriesCount; series++) {
      bytes.append(this.#chunks.view.subarray(chunkStart[series], chunkStart[series + 1]));
      bytes.put(refStart[series + 1] - refStart[series]);
      let before = 0;
      for (let at = refStart[series]; at < refStart[series + 1]; at++) {
        const pair = pairOf[refs[at]];
        bytes.putSigned(pair - before);
        before = pair;
      }
      start[series + 1] = bytes.length;
      if (series % SLICE_COUNT === 0) await breathe();
    }
    yield* sectionPieces(SECTION.seriesStart, start);
    yield* sectionPieces(SECTION.series, bytes.view);
  }
}

function putList(bytes: VarintWriter, lists: Uint32Array, from: number, to: number): void {
  bytes.put(to - from);
  let before = 0;
  for (let i = from; i < to; i++) {
    bytes.put(lists[i] - before);
    before = lists[i];
  }
}

/** Where each id stands in `order`. */
function inverse(order: Uint32Array, size: number): Uint32Array {
  const place = new Uint32Array(size);
  for (let i = 0; i < order.length; i++) place[order[i]] = i;
  return place;
}

/** Sorted by a key below `limit`; what has the same key stays in its order. */
function countingSort(ids: Uint32Array, keyOf: (id: number) => number, limit: number): Uint32Array {
  const next = new Uint32Array(limit + 1);
  for (let i = 0; i < ids.length; i++) next[keyOf(ids[i]) + 1]++;
  for (let key = 0; key < limit; key++) next[key + 1] += next[key];
  const sorted = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) sorted[next[keyOf(ids[i])]++] = ids[i];
  return sorted;
}
