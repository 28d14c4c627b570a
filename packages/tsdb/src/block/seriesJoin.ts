/** Series told apart by the numbers of their label pairs: equal lists get equal numbers. */
import { Column } from '../column.ts';

export class SeriesJoin {
  /** The pairs of all series, series after series, and where each one's begin and end. */
  readonly #refs = new Column(Uint32Array);
  readonly #start = new Column(Uint32Array);
  readonly #hash = new Column(Uint32Array);
  /** Number + 1 by hash, with open addressing; at most half full. */
  #slots = new Uint32Array(1024);
  #count = 0;

  constructor() {
    this.#start.reserve(1);
  }

  get count(): number {
    return this.#count;
  }

  /** The pairs of a series; a view that is valid until the next `resolve`. */
  pairsOf(number: number): Uint32Array {
    return this.#refs.view.subarray(this.#start.view[number], this.#start.view[number + 1]);
  }

  /** The number of the series with these pairs, a new one where it has none. */
  resolve(pairs: readonly number[], count: number): number {
    let hash = 0x9e3779b9;
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ pairs[i], 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] - 1;
      if (this.#hash.view[number] === hash && this.#has(number, pairs, count)) return number;
    }
    return this.#add(pairs, count, hash, slot);
  }

  #has(number: number, pairs: readonly number[], count: number): boolean {
    const start = this.#start.view[number];
    if (this.#start.view[number + 1] - start !== count) return false;
    const refs = this.#refs.view;
    for (let i = 0; i < count; i++) if (refs[start + i] !== pairs[i]) return false;
    return true;
  }

  #add(pairs: readonly number[], count: number, hash: number, slot: number): number {
    const number = this.#count++;
    const start = this.#start.view[number];
    this.#refs.reserve(start + count);
    const refs = this.#refs.view;
    for (let i = 0; i < count; i++) refs[start + i] = pairs[i];
    this.#start.reserve(number + 2);
    this.#start.view[number + 1] = start + count;
    this.#hash.reserve(number + 1);
    this.#hash.view[number] = hash;
    this.#slots[slot] = number + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return number;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#count; number++) {
      let slot = this.#hash.view[number] & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}
