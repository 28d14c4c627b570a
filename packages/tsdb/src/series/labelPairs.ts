/**
 * Interned label pairs: every (name, value) is kept once and named by a number, with the series
 * that have it. The pairs of one name form a list.
 */
import type { Postings } from '../postings.ts';
import { Column } from '../column.ts';
import { PostingLists } from './postingLists.ts';
import { Symbols } from './symbols.ts';

const NONE = 0xffffffff;

export class LabelPairs {
  readonly symbols = new Symbols();
  readonly #name = new Column(Uint32Array);
  readonly #value = new Column(Uint32Array);
  /** The pair of the same name that came before, or NONE. */
  readonly #previous = new Column(Uint32Array);
  readonly #series = new PostingLists();
  /** By name's symbol: its newest pair. */
  readonly #newestOf = new Map<number, number>();
  /** By name's symbol: how many pairs. */
  readonly #countOf = new Map<number, number>();
  /** Pair + 1 by hash, with open addressing; at most half full. */
  #slots = new Uint32Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  nameOf(pair: number): number {
    return this.#name.view[pair];
  }

  valueOf(pair: number): number {
    return this.#value.view[pair];
  }

  intern(name: number, value: number): number {
    const found = this.find(name, value);
    return found >= 0 ? found : this.#add(name, value);
  }

  /** The pair of these symbols, or -1. */
  find(name: number, value: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = mix(name, value) & mask; ; slot = (slot + 1) & mask) {
      const pair = slots[slot] - 1;
      if (pair < 0) return -1;
      if (this.#value.view[pair] === value && this.#name.view[pair] === name) return pair;
    }
  }

  addSeries(pair: number, id: number): void {
    this.#series.add(pair, id);
  }

  seriesCount(pair: number): number {
    return this.#series.length(pair);
  }

  /** The series that have a pair, rising; valid until the next change. */
  seriesOf(pair: number): Postings {
    return this.#series.view(pair);
  }

  /** How many pairs of a name there are. */
  countOf(name: number): number {
    return this.#countOf.get(name) ?? 0;
  }

  /** The names that any series has. */
  *names(): IterableIterator<number> {
    for (const name of this.#newestOf.keys()) {
      if (!this.pairsOf(name).next().done) yield name;
    }
  }

  /** The pairs of a name that any series has. */
  *pairsOf(name: number): IterableIterator<number> {
    let pair = this.#newestOf.get(name) ?? NONE;
    for (; pair !== NONE; pair = this.#previous.view[pair]) {
      if (this.#series.length(pair) > 0) yield pair;
    }
  }

  #add(name: number, value: number): number {
    const pair = this.#size++;
    this.#name.reserve(this.#size);
    this.#value.reserve(this.#size);
    this.#previous.reserve(this.#size);
    this.#series.reserve(this.#size);
    this.#name.view[pair] = name;
    this.#value.view[pair] = value;
    this.#previous.view[pair] = this.#newestOf.get(name) ?? NONE;
    this.#newestOf.set(name, pair);
    this.#countOf.set(name, this.countOf(name) + 1);
    if (this.#size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    else this.#place(pair);
    return pair;
  }

  #place(pair: number): void {
    const mask = this.#slots.length - 1;
    let slot = mix(this.#name.view[pair], this.#value.view[pair]) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = pair + 1;
  }

  #rehash(size: number): void {
    this.#slots = new Uint32Array(size);
    for (let pair = 0; pair < this.#size; pair++) this.#place(pair);
  }
}

function mix(name: number, value: number): number {
  let hash = Math.imul(name, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}
