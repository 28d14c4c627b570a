/**
 * The tails of all series: their newest samples, uncompressed. A tail begins small and grows by
 * doubling up to TAIL_SAMPLES, so that a series which gets few samples costs little. Slots of one
 * size lie in pages; a tail is named by its size class and its slot.
 */
import { assert } from '@tyto/base';
import { bitsOf } from '@tyto/model';
import { Column } from '../column.ts';
import { TAIL_SAMPLES } from '../limits.ts';

const FIRST_SAMPLES = 4;
const TAIL_CLASSES = Math.log2(TAIL_SAMPLES / FIRST_SAMPLES) + 1;
const SLOTS_PER_PAGE = 1024;

export interface TailPage {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** The bits of `values`. */
  readonly bits: Uint32Array;
}

export class Tails {
  readonly #pages: TailPage[][] = Array.from({ length: TAIL_CLASSES }, () => []);
  readonly #used = new Float64Array(TAIL_CLASSES);
  /** Slots that are free, by class. */
  readonly #free = Array.from({ length: TAIL_CLASSES }, () => new Column(Uint32Array));
  readonly #freeCount = new Float64Array(TAIL_CLASSES);

  get bytes(): number {
    const pages = this.#pages.map((list, size) => list.length * capacityOf(size));
    return pages.reduce((a, b) => a + b, 0) * SLOTS_PER_PAGE * 16;
  }

  allocate(size: number): number {
    if (this.#freeCount[size] > 0) return this.#free[size].view[--this.#freeCount[size]];
    const slot = this.#used[size]++;
    if (slot % SLOTS_PER_PAGE === 0) this.#pages[size].push(newPage(capacityOf(size)));
    return slot;
  }

  free(size: number, slot: number): void {
    const count = this.#freeCount[size]++;
    this.#free[size].reserve(count + 1);
    this.#free[size].view[count] = slot;
  }

  /** Moves a full tail of `count` samples into the next class; returns its new slot. */
  grow(size: number, slot: number): number {
    assert(size + 1 < TAIL_CLASSES, 'a tail of the last class is sealed, not grown');
    const grown = this.allocate(size + 1);
    const from = this.page(size, slot);
    const to = this.page(size + 1, grown);
    const start = this.offset(size, slot);
    const end = start + capacityOf(size);
    const at = this.offset(size + 1, grown);
    to.timestamps.set(from.timestamps.subarray(start, end), at);
    to.bits.set(from.bits.subarray(start * 2, end * 2), at * 2);
    this.free(size, slot);
    return grown;
  }

  page(size: number, slot: number): TailPage {
    return this.#pages[size][Math.floor(slot / SLOTS_PER_PAGE)];
  }

  /** Where in its page's arrays a slot begins. */
  offset(size: number, slot: number): number {
    return (slot % SLOTS_PER_PAGE) * capacityOf(size);
  }
}

/** How many samples a tail of a class holds. */
export function capacityOf(size: number): number {
  return FIRST_SAMPLES << size;
}

/** The smallest class that holds so many samples, or the largest one. */
export function classFor(samples: number): number {
  let size = 0;
  while (size + 1 < TAIL_CLASSES && capacityOf(size) < samples) size++;
  return size;
}

/** Where the newest sample of a tail that is no later than a time lies; -1 for none. */
export function newestUpTo(page: TailPage, start: number, count: number, timeMs: number): number {
  let last = start + count - 1;
  while (last >= start && page.timestamps[last] > timeMs) last--;
  return last < start ? -1 : last;
}

/** Copies the value at `from` of one column's bits to `to` of another's. */
export function copyBits(target: Uint32Array, to: number, source: Uint32Array, from: number): void {
  target[2 * to] = source[2 * from];
  target[2 * to + 1] = source[2 * from + 1];
}

function newPage(capacity: number): TailPage {
  const bytes = SLOTS_PER_PAGE * capacity * 8;
  const values = new Float64Array(new SharedArrayBuffer(bytes));
  return {
    timestamps: new Float64Array(new SharedArrayBuffer(bytes)),
    values,
    bits: bitsOf(values),
  };
}
