/**
 * The head's series: each is a list of interned label pairs in one arena, found through an
 * open-addressing hash table. No JavaScript object per series.
 *
 * An id is reused after its series is gone, so what leaves this module is a reference: the id and
 * the generation of its slot, in one number (generation * 2^32 + id). A stale reference is told
 * from a fresh one by its generation.
 */
import { assert } from '@tyto/base';
import { Labels, NO_SERIES, type SeriesRef } from '@tyto/model';
import type { LabelsOf, SeriesIndex } from '../indexSearch.ts';
import { SERIES_MAX, SERIES_TEXT_MAX } from '../limits.ts';
import { NO_POSTINGS, type Postings } from '../postings.ts';
import type { PairFinder } from '../seriesSource.ts';
import { Column } from '../column.ts';
import { LabelPairs } from './labelPairs.ts';

const ID_RANGE = 2 ** 32;
/** Up to so many series everything is made anew when some are gone; beyond, when a quarter is. */
const REBUILD_ALWAYS_MAX = 100_000;

/** Sorted values of so many labels are kept, of labels with so many values. */
const KEPT_LABELS_MAX = 16;
const KEPT_VALUES_MIN = 64;
const KEPT_VALUES_MAX = 50_000;

interface KeptValues {
  readonly pairs: LabelPairs;
  readonly count: number;
  readonly values: readonly string[];
}

export class SeriesTable implements SeriesIndex {
  #pairs = new LabelPairs();
  /** The pairs of all series, in the order of their names, series after series. */
  #arena = new Column(Uint32Array);
  #arenaUsed = 0;
  readonly #start = new Column(Uint32Array);
  /** Count of pairs; 0 for a slot without a series. */
  readonly #pairCount = new Column(Uint16Array);
  readonly #hash = new Column(Uint32Array);
  readonly #generation = new Column(Uint32Array);
  /** Id + 1 by hash, with open addressing; at most three quarters full. */
  #slots = new Uint32Array(1024);
  #liveCount = 0;
  #idLimit = 0;
  /** Series that are gone and that postings still name. */
  #deadCount = 0;
  #freeIds: number[] = [];
  /** Ids that are free as soon as no postings name them. */
  #releasedIds: number[] = [];
  #all: Postings | undefined;
  /** By label name: its values while there were so many pairs of it. */
  readonly #valuesOf = new Map<string, KeptValues>();
  #scratch = new Uint32Array(64);

  get count(): number {
    return this.#liveCount;
  }

  /** One more than the largest id ever used: the size that per-series arrays need. */
  get idLimit(): number {
    return this.#idLimit;
  }

  get symbolCount(): number {
    return this.#pairs.symbols.size;
  }

  /** The interned pairs, for those who write them down. They change with `remove`. */
  get labelPairs(): LabelPairs {
    return this.#pairs;
  }

  /** The reference of a series, creating it when needed; NO_SERIES at the limit. */
  resolve(labels: Labels): { ref: SeriesRef; created: boolean } {
    const { symbols } = this.#pairs;
    const texts = labels.pairs;
    const count = texts.length / 2;
    assert(count > 0, 'a series has labels');
    if (!symbols.hasRoom(SERIES_TEXT_MAX * 3)) return { ref: NO_SERIES, created: false };
    if (count > this.#scratch.length) this.#scratch = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) {
      const name = symbols.intern(texts[2 * i]);
      this.#scratch[i] = this.#pairs.intern(name, symbols.intern(texts[2 * i + 1]));
    }
    return this.#resolvePairs(this.#scratch, count);
  }

  /**
   * Puts a series at the id that the log gives it, replacing what is there. It is found by its id
   * only, until `finishRestore`.
   */
  restore(id: number, pairs: Uint32Array, count: number): boolean {
    if (this.isLive(id)) {
      if (this.#hasPairs(id, pairs, count)) return false;
      this.#bury(id);
    }
    this.#put(id, pairs, count, hashPairs(pairs, count));
    return true;
  }

  /** After a replay: makes the series findable, and the ids that none has free. */
  finishRestore(): void {
    this.#freeIds = [];
    for (let id = 0; id < this.#idLimit; id++) {
      for (const pair of this.pairsOf(id)) this.#pairs.addSeries(pair, id);
      if (!this.isLive(id)) this.#freeIds.push(id);
    }
    this.#rehash(this.#slotsNeeded());
  }

  refOf(id: number): SeriesRef {
    return this.#generation.view[id] * ID_RANGE + id;
  }

  /** The id behind a reference, or -1 when its series is gone. */
  idOf(ref: SeriesRef): number {
    const id = ref >>> 0;
    const known = ref >= 0 && id < this.#idLimit && this.isLive(id) && this.refOf(id) === ref;
    return known ? id : -1;
  }

  isLive(id: number): boolean {
    return this.#pairCount.view[id] > 0;
  }

  labels(id: number): Labels {
    return labelsOf(this.#pairs, this.pairsOf(id));
  }

  /** Holds on to the pairs of now: `remove` and new series at these ids change nothing in it. */
  keepLabels(ids: Uint32Array): LabelsOf {
    const pairs = this.#pairs;
    const arena = this.#arena;
    const start = new Uint32Array(ids.length);
    const count = new Uint16Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      start[i] = this.#start.view[ids[i]];
      count[i] = this.#pairCount.view[ids[i]];
    }
    return (index) =>
      labelsOf(pairs, arena.view.subarray(start[index], start[index] + count[index]));
  }

  /** Finds the pair of a name; valid until the next change. */
  pairFinder(name: string): PairFinder {
    const pairs = this.#pairs;
    const symbol = pairs.symbols.find(name);
    const arena = this.#arena.view;
    return {
      pairOf: (id) => {
        const start = this.#start.view[id];
        const end = start + this.#pairCount.view[id];
        for (let at = start; at < end; at++)
          if (pairs.nameOf(arena[at]) === symbol) return arena[at];
        return -1;
      },
      valueOf: (pair) => pairs.symbols.text(pairs.valueOf(pair)),
      pairs: () => pairs.pairsOf(symbol),
      seriesOf: (pair) => pairs.seriesOf(pair),
    };
  }

  /** The pairs of a series; a view that is valid until the next change. */
  pairsOf(id: number): Uint32Array {
    const start = this.#start.view[id];
    return this.#arena.view.subarray(start, start + this.#pairCount.view[id]);
  }

  /** Forgets series. Their ids are reused only after `release`. */
  remove(dead: ReadonlySet<number>): void {
    if (dead.size === 0) return;
    for (const id of dead) this.#bury(id);
    this.#deadCount += dead.size;
    const few = this.#liveCount <= REBUILD_ALWAYS_MAX;
    if (few || this.#deadCount * 4 > this.#liveCount) this.#rebuild();
  }

  /** Lets ids be used again; no log that is still kept may name them for their old series. */
  release(ids: Iterable<number>): void {
    const free = this.#deadCount === 0 ? this.#freeIds : this.#releasedIds;
    for (const id of ids) free.push(id);
  }

  allSeries(): Postings {
    if (this.#all === undefined) {
      const ids = new Uint32Array(this.#liveCount);
      let count = 0;
      for (let id = 0; id < this.#idLimit; id++) {
        if (this.isLive(id)) ids[count++] = id;
      }
      this.#all = ids;
    }
    return this.#all;
  }

  postings(name: string, value: string): Postings {
    const pair = this.#findPair(name, value);
    return pair < 0 ? NO_POSTINGS : this.#pairs.seriesOf(pair);
  }

  *labelNames(): IterableIterator<string> {
    for (const name of this.#pairs.names()) yield this.#pairs.symbols.text(name);
  }

  /** Sorted; of large labels the last answers are kept. */
  labelValues(name: string): readonly string[] {
    const pairs = this.#pairs;
    const count = this.valueCount(name);
    const known = this.#valuesOf.get(name);
    if (known?.pairs === pairs && known.count === count) return known.values;
    const values = Array.from(this.valueCounts(name), ([value]) => value).sort();
    this.#valuesOf.delete(name);
    if (count < KEPT_VALUES_MIN || count > KEPT_VALUES_MAX) return values;
    const [oldest] = this.#valuesOf.keys();
    if (this.#valuesOf.size >= KEPT_LABELS_MAX) this.#valuesOf.delete(oldest);
    this.#valuesOf.set(name, { pairs, count, values });
    return values;
  }

  /** How many values a label has, with those of series that have just gone. */
  valueCount(name: string): number {
    return this.#pairs.countOf(this.#pairs.symbols.find(name));
  }

  /** How many series have each value of a label. */
  *valueCounts(name: string): IterableIterator<[value: string, count: number]> {
    const { symbols } = this.#pairs;
    for (const pair of this.#pairs.pairsOf(symbols.find(name))) {
      yield [symbols.text(this.#pairs.valueOf(pair)), this.#pairs.seriesCount(pair)];
    }
  }

  #findPair(name: string, value: string): number {
    const { symbols } = this.#pairs;
    const nameSymbol = symbols.find(name);
    const valueSymbol = nameSymbol < 0 ? -1 : symbols.find(value);
    return valueSymbol < 0 ? -1 : this.#pairs.find(nameSymbol, valueSymbol);
  }

  /** The id of the series with these pairs, in the order of their names; -1 for none. */
  find(pairs: ArrayLike<number>, count: number, hash = hashPairs(pairs, count)): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] - 1;
      if (id < 0) return -1;
      if (this.#hash.view[id] === hash && this.#hasPairs(id, pairs, count)) return id;
    }
  }

  #resolvePairs(pairs: Uint32Array, count: number): { ref: SeriesRef; created: boolean } {
    const hash = hashPairs(pairs, count);
    const found = this.find(pairs, count, hash);
    if (found >= 0) return { ref: this.refOf(found), created: false };
    if (this.#liveCount >= SERIES_MAX) return { ref: NO_SERIES, created: false };
    const id = this.#freeIds.pop() ?? this.#idLimit;
    this.#insert(id, pairs, count, hash);
    return { ref: this.refOf(id), created: true };
  }

  #hasPairs(id: number, pairs: ArrayLike<number>, count: number): boolean {
    if (this.#pairCount.view[id] !== count) return false;
    const arena = this.#arena.view;
    const start = this.#start.view[id];
    for (let i = 0; i < count; i++) {
      if (arena[start + i] !== pairs[i]) return false;
    }
    return true;
  }

  #insert(id: number, pairs: Uint32Array, count: number, hash: number): void {
    this.#put(id, pairs, count, hash);
    for (let i = 0; i < count; i++) this.#pairs.addSeries(pairs[i], id);
    if (this.#liveCount * 4 > this.#slots.length * 3) this.#rehash(this.#slots.length * 2);
    else this.#place(id);
  }

  #put(id: number, pairs: Uint32Array, count: number, hash: number): void {
    this.#start.reserve(id + 1);
    this.#pairCount.reserve(id + 1);
    this.#hash.reserve(id + 1);
    this.#generation.reserve(id + 1);
    this.#arena.reserve(this.#arenaUsed + count);
    this.#start.view[id] = this.#arenaUsed;
    this.#pairCount.view[id] = count;
    this.#hash.view[id] = hash;
    const arena = this.#arena.view;
    for (let i = 0; i < count; i++) arena[this.#arenaUsed++] = pairs[i];
    this.#idLimit = Math.max(this.#idLimit, id + 1);
    this.#liveCount++;
    this.#all = undefined;
  }

  #bury(id: number): void {
    this.#pairCount.view[id] = 0;
    this.#generation.view[id]++;
    this.#liveCount--;
    this.#all = undefined;
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash.view[id] & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  #rehash(size: number): void {
    this.#slots = new Uint32Array(size);
    for (let id = 0; id < this.#idLimit; id++) {
      if (this.isLive(id)) this.#place(id);
    }
  }

  /** Makes pairs, postings and the hash table anew from the series that are there. */
  #rebuild(): void {
    const old = this.#pairs;
    const oldArena = this.#arena.view;
    const pairs = new LabelPairs();
    const arena = new Column(Uint32Array);
    const renamed = new Uint32Array(old.size);
    let used = 0;
    for (let id = 0; id < this.#idLimit; id++) {
      const count = this.#pairCount.view[id];
      const start = this.#start.view[id];
      arena.reserve(used + count);
      for (let i = 0; i < count; i++) {
        const pair = oldArena[start + i];
        if (renamed[pair] === 0) renamed[pair] = copyPair(old, pair, pairs) + 1;
        arena.view[used + i] = renamed[pair] - 1;
        pairs.addSeries(renamed[pair] - 1, id);
      }
      this.#start.view[id] = used;
      this.#hash.view[id] = hashPairs(arena.view.subarray(used, used + count), count);
      used += count;
    }
    this.#pairs = pairs;
    this.#arena = arena;
    this.#arenaUsed = used;
    this.#deadCount = 0;
    for (const id of this.#releasedIds) this.#freeIds.push(id);
    this.#releasedIds = [];
    this.#rehash(this.#slotsNeeded());
  }

  #slotsNeeded(): number {
    let slots = this.#slots.length;
    while (this.#liveCount * 4 > slots * 3) slots *= 2;
    return slots;
  }
}

function labelsOf(pairs: LabelPairs, ofSeries: Uint32Array): Labels {
  const { symbols } = pairs;
  const texts = new Array<string>(2 * ofSeries.length);
  for (let i = 0; i < ofSeries.length; i++) {
    texts[2 * i] = symbols.text(pairs.nameOf(ofSeries[i]));
    texts[2 * i + 1] = symbols.text(pairs.valueOf(ofSeries[i]));
  }
  return Labels.fromSorted(texts);
}

function copyPair(from: LabelPairs, pair: number, to: LabelPairs): number {
  const copy = (symbol: number) => {
    const bytes = from.symbols.bytes(symbol);
    return to.symbols.internBytes(bytes, 0, bytes.length);
  };
  return to.intern(copy(from.nameOf(pair)), copy(from.valueOf(pair)));
}

/** A 32-bit mix over the pairs. */
function hashPairs(pairs: ArrayLike<number>, count: number): number {
  let hash = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    hash = Math.imul(hash ^ pairs[i], 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
}
