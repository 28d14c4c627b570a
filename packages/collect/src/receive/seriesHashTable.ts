/**
 * From the hash of a series' labels, as its sender writes them, to the store's reference. The hash
 * is keyed and has 96 bits here, so equal hashes are taken for equal labels, and a series that is
 * known costs no label, no string and no object.
 *
 * Open addressing; an entry is 24 bytes in one buffer, so that finding it mostly takes one line of
 * the cache: three words of the hash, the epoch in which it was last found (0: free), and the
 * reference. A table that is full is rebuilt, without what was not found in this epoch or the one
 * before, and larger where that is not enough. One that may not grow any more starts anew: its
 * series are resolved again.
 */
import { assert } from '@tyto/base';
import type { SeriesRef } from '@tyto/model';

/** What `find` answers for a hash that is not there; no reference is below zero. */
export const NOT_KNOWN: SeriesRef = -1;

const ENTRY_WORDS = 6;
const EPOCH = 3;
const CAPACITY_MIN = 1024;
const FULL = 0.75;

export class SeriesHashTable {
  /** How many entries there are. */
  size = 0;
  readonly #sizeMax: number;
  #words = new Uint32Array(0);
  #refs = new Float64Array(0);
  #mask = 0;
  /** The first is 2, so that the one before it is not what marks a free entry. */
  #epoch = 2;

  /** `sizeMax` bounds the entries; the memory is at most 64 bytes for each. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
    this.#allocate(CAPACITY_MIN);
  }

  /** Begins an epoch: what is not found in it nor in the next one may be forgotten then. */
  beginEpoch(): void {
    this.#epoch++;
  }

  /** The reference of the hash in hashes[at, at + 3), or NOT_KNOWN. */
  find(hashes: Uint32Array, at: number): SeriesRef {
    const entry = this.#entry(hashes, at);
    const words = this.#words;
    if (words[entry + EPOCH] === 0) return NOT_KNOWN;
    // Written only where it changes: most lines of the cache stay clean.
    if (words[entry + EPOCH] !== this.#epoch) words[entry + EPOCH] = this.#epoch;
    return this.#refs[entry / 2 + 2];
  }

  /** Adds a hash, or gives it another reference. */
  set(hashes: Uint32Array, at: number, ref: SeriesRef): void {
    assert(ref >= 0, 'a reference is not negative');
    if (this.size >= Math.min(this.#sizeMax, (this.#mask + 1) * FULL)) this.#rebuild();
    const entry = this.#entry(hashes, at);
    const words = this.#words;
    if (words[entry + EPOCH] === 0) {
      words[entry] = hashes[at];
      words[entry + 1] = hashes[at + 1];
      words[entry + 2] = hashes[at + 2];
      this.size++;
    }
    words[entry + EPOCH] = this.#epoch;
    this.#refs[entry / 2 + 2] = ref;
  }

  /** Where the hash is, or where it would go. There is always a free entry. */
  #entry(hashes: Uint32Array, at: number): number {
    const words = this.#words;
    const mask = this.#mask;
    const hash = hashes[at];
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slot * ENTRY_WORDS;
      if (words[entry + EPOCH] === 0) return entry;
      if (
        words[entry] === hash &&
        words[entry + 1] === hashes[at + 1] &&
        words[entry + 2] === hashes[at + 2]
      ) {
        return entry;
      }
    }
  }

  #rebuild(): void {
    const words = this.#words;
    const refs = this.#refs;
    const oldest = this.#epoch - 1;
    let kept = 0;
    for (let at = EPOCH; at < words.length; at += ENTRY_WORDS) if (words[at] >= oldest) kept++;
    this.size = 0;
    // Half full at most: otherwise the next rebuild would come too soon to know what is used.
    let capacity = CAPACITY_MIN;
    while (kept > (capacity * FULL) / 2) capacity *= 2;
    this.#allocate(capacity);
    if (kept > this.#sizeMax / 2) return;
    for (let at = 0; at < words.length; at += ENTRY_WORDS) {
      const epoch = words[at + EPOCH];
      if (epoch < oldest) continue;
      const entry = this.#entry(words, at);
      this.#words.set(words.subarray(at, at + EPOCH + 1), entry);
      this.#refs[entry / 2 + 2] = refs[at / 2 + 2];
      this.size++;
    }
  }

  #allocate(capacity: number): void {
    const buffer = new ArrayBuffer(capacity * ENTRY_WORDS * 4);
    this.#words = new Uint32Array(buffer);
    this.#refs = new Float64Array(buffer);
    this.#mask = capacity - 1;
  }
}
