/**
 * The head's series: labels as symbol ids in one arena, found through an open-addressing hash
 * table, and their postings. No JavaScript object per series.
 *
 * An id is reused after its series is gone, so what leaves this module is a reference: the id and
 * the generation of its slot, in one number (generation * 2^32 + id). A stale reference is told
 * from a fresh one by its generation.
 */
import { assert, getOrCreate } from '@tyto/base';
import { Labels, NO_SERIES, type SeriesRef } from '@tyto/model';
import type { SeriesIndex } from './indexSearch.ts';
import { SERIES_MAX } from './limits.ts';
import { NO_POSTINGS, type Postings, PostingsBuilder } from './postings.ts';
import { Symbols } from './symbols.ts';

const ID_RANGE = 2 ** 32;
const EMPTY = 0xffffffff;

export class SeriesTable implements SeriesIndex {
  readonly #symbols = new Symbols();
  /** nameId, valueId, nameId, valueId … of all series. */
  #pairs = new Uint32Array(1024);
  #pairsUsed = 0;
  #pairsDead = 0;
  #start = new Uint32Array(64);
  /** Count of pairs; 0 for a slot without a series. */
  #pairCount = new Uint16Array(64);
  #hash = new Uint32Array(64);
  #generation = new Uint32Array(64);
  #slots = new Uint32Array(128).fill(EMPTY);
  #liveCount = 0;
  #idLimit = 0;
  readonly #freeIds: number[] = [];
  readonly #byPair = new Map<number, Map<number, PostingsBuilder>>();
  readonly #all = new PostingsBuilder();

  get count(): number {
    return this.#liveCount;
  }

  /** One more than the largest id ever used: the size that per-series arrays need. */
  get idLimit(): number {
    return this.#idLimit;
  }

  get symbolCount(): number {
    return this.#symbols.size;
  }

  /** The reference of a series, creating it when needed; NO_SERIES at the limit. */
  resolve(labels: Labels): { ref: SeriesRef; created: boolean } {
    const ids = this.#internPairs(labels);
    const hash = hashPairs(ids);
    const found = this.#lookUp(ids, hash);
    if (found !== EMPTY) return { ref: this.refOf(found), created: false };
    if (this.#liveCount >= SERIES_MAX) return { ref: NO_SERIES, created: false };
    const id = this.#freeIds.pop() ?? this.#idLimit;
    this.#insert(id, ids, hash);
    return { ref: this.refOf(id), created: true };
  }

  /** Puts a series at the id that the log gives it, replacing what is there. */
  restore(id: number, labels: Labels): void {
    if (this.isLive(id)) {
      if (this.labels(id).equals(labels)) return;
      this.remove(new Set([id]));
    }
    const ids = this.#internPairs(labels);
    this.#insert(id, ids, hashPairs(ids));
  }

  /** After a replay: ids below the limit that no series has are free. */
  collectFreeIds(): void {
    this.#freeIds.length = 0;
    for (let id = this.#idLimit - 1; id >= 0; id--) {
      if (!this.isLive(id)) this.#freeIds.push(id);
    }
  }

  refOf(id: number): SeriesRef {
    return this.#generation[id] * ID_RANGE + id;
  }

  /** The id behind a reference, or -1 when its series is gone. */
  idOf(ref: SeriesRef): number {
    const id = ref >>> 0;
    const known = ref >= 0 && id < this.#idLimit && this.isLive(id) && this.refOf(id) === ref;
    return known ? id : -1;
  }

  isLive(id: number): boolean {
    return this.#pairCount[id] > 0;
  }

  labels(id: number): Labels {
    const pairs: string[] = [];
    const start = this.#start[id];
    for (let i = 0; i < this.#pairCount[id] * 2; i++) {
      pairs.push(this.#symbols.text(this.#pairs[start + i]));
    }
    return Labels.fromSorted(pairs);
  }

  /** Forgets series. Their ids are reused only after `release`. */
  remove(dead: ReadonlySet<number>): void {
    if (dead.size === 0) return;
    for (const [name, values] of this.#byPair) {
      for (const [value, builder] of values) {
        builder.removeWhere((id) => dead.has(id));
        if (builder.length === 0) values.delete(value);
      }
      if (values.size === 0) this.#byPair.delete(name);
    }
    this.#all.removeWhere((id) => dead.has(id));
    for (const id of dead) {
      this.#pairsDead += this.#pairCount[id] * 2;
      this.#pairCount[id] = 0;
      this.#generation[id]++;
      this.#liveCount--;
    }
    if (this.#pairsDead * 2 > this.#pairsUsed) this.#compactPairs();
    this.#rehash(this.#slots.length);
  }

  /** Lets ids be used again; no log that is still kept may name them for their old series. */
  release(ids: Iterable<number>): void {
    for (const id of ids) this.#freeIds.push(id);
  }

  allSeries(): Postings {
    return this.#all.view();
  }

  postings(name: string, value: string): Postings {
    const values = this.#byPair.get(this.#symbols.find(name));
    return values?.get(this.#symbols.find(value))?.view() ?? NO_POSTINGS;
  }

  *labelNames(): IterableIterator<string> {
    for (const id of this.#byPair.keys()) yield this.#symbols.text(id);
  }

  *labelValues(name: string): IterableIterator<string> {
    const values = this.#byPair.get(this.#symbols.find(name));
    for (const id of values?.keys() ?? []) yield this.#symbols.text(id);
  }

  /** How many series have each value of a label. */
  *valueCounts(name: string): IterableIterator<[value: string, count: number]> {
    const values = this.#byPair.get(this.#symbols.find(name));
    for (const [id, builder] of values ?? []) yield [this.#symbols.text(id), builder.length];
  }

  #internPairs(labels: Labels): Uint32Array {
    assert(labels.size > 0, 'a series has labels');
    const ids = new Uint32Array(labels.pairs.length);
    for (let i = 0; i < ids.length; i++) ids[i] = this.#symbols.intern(labels.pairs[i]);
    return ids;
  }

  #lookUp(ids: Uint32Array, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot];
      if (id === EMPTY) return EMPTY;
      if (this.#hash[id] === hash && this.#hasPairs(id, ids)) return id;
    }
  }

  #hasPairs(id: number, ids: Uint32Array): boolean {
    if (this.#pairCount[id] * 2 !== ids.length) return false;
    const start = this.#start[id];
    for (let i = 0; i < ids.length; i++) {
      if (this.#pairs[start + i] !== ids[i]) return false;
    }
    return true;
  }

  #insert(id: number, ids: Uint32Array, hash: number): void {
    this.#reserve(id, ids.length);
    this.#start[id] = this.#pairsUsed;
    this.#pairCount[id] = ids.length / 2;
    this.#hash[id] = hash;
    this.#pairs.set(ids, this.#pairsUsed);
    this.#pairsUsed += ids.length;
    this.#idLimit = Math.max(this.#idLimit, id + 1);
    this.#liveCount++;
    if (this.#liveCount * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    else this.#place(id);
    this.#all.add(id);
    for (let i = 0; i < ids.length; i += 2) this.#builder(ids[i], ids[i + 1]).add(id);
  }

  #builder(nameId: number, valueId: number): PostingsBuilder {
    const values = getOrCreate(this.#byPair, nameId, () => new Map<number, PostingsBuilder>());
    return getOrCreate(values, valueId, () => new PostingsBuilder());
  }

  #reserve(id: number, pairIds: number): void {
    if (id >= this.#start.length) {
      const size = Math.max(id + 1, this.#start.length * 2);
      this.#start = grown(this.#start, size);
      this.#hash = grown(this.#hash, size);
      this.#generation = grown(this.#generation, size);
      const counts = new Uint16Array(size);
      counts.set(this.#pairCount);
      this.#pairCount = counts;
    }
    if (this.#pairsUsed + pairIds > this.#pairs.length) {
      this.#pairs = grown(this.#pairs, Math.max(this.#pairs.length * 2, pairIds * 2));
    }
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash[id] & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  #rehash(size: number): void {
    this.#slots = new Uint32Array(size).fill(EMPTY);
    for (let id = 0; id < this.#idLimit; id++) {
      if (this.isLive(id)) this.#place(id);
    }
  }

  #compactPairs(): void {
    const pairs = new Uint32Array(Math.max(1024, this.#pairsUsed));
    let used = 0;
    for (let id = 0; id < this.#idLimit; id++) {
      const length = this.#pairCount[id] * 2;
      if (length === 0) continue;
      pairs.set(this.#pairs.subarray(this.#start[id], this.#start[id] + length), used);
      this.#start[id] = used;
      used += length;
    }
    this.#pairs = pairs;
    this.#pairsUsed = used;
    this.#pairsDead = 0;
  }
}

function grown(array: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(size);
  larger.set(array);
  return larger;
}

/** A 32-bit mix over the symbol ids. */
function hashPairs(ids: Uint32Array): number {
  let hash = 0x9e3779b9;
  for (let i = 0; i < ids.length; i++) {
    hash = Math.imul(hash ^ ids[i], 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
}
