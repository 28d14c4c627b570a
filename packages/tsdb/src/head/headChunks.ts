/**
 * The sealed chunks of the head: their bytes in pages, and a table of typed arrays in which every
 * series has its chunks as a list linked backwards in time.
 */
import { assert } from '@tyto/base';
import { Column } from '../column.ts';
import { isFloatChunkAt } from '../histogramChunk.ts';
import type { ReadPlan } from '../readers/readPlan.ts';

const PAGE_BYTES = 1024 * 1024;
/** Chunks begin at multiples of this, so that 32 bits address 16 GB. */
const ALIGNMENT = 4;
export const NO_CHUNK = 0xffffffff;
/** The longest time that a chunk may span; its duration is kept in 32 bits. */
export const CHUNK_DURATION_MS_MAX = 0xffffffff;

export class HeadChunks {
  #pages: Uint8Array<SharedArrayBuffer>[] = [];
  #pageUsed = PAGE_BYTES;
  readonly #previous = new Column(Uint32Array);
  readonly #place = new Column(Uint32Array);
  readonly #length = new Column(Uint32Array);
  readonly #minTime = new Column(Float64Array);
  readonly #duration = new Column(Uint32Array);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#pages.length * PAGE_BYTES;
  }

  /** Copies a chunk in; returns its index, the new end of the list that `previous` ended. */
  add(previous: number, chunk: Uint8Array, minTimeMs: number, maxTimeMs: number): number {
    assert(chunk.length <= PAGE_BYTES, 'a chunk fits a page');
    assert(maxTimeMs - minTimeMs <= CHUNK_DURATION_MS_MAX, 'a chunk spans less than 50 days');
    if (this.#pageUsed + chunk.length > PAGE_BYTES) {
      this.#pages.push(new Uint8Array(new SharedArrayBuffer(PAGE_BYTES)));
      this.#pageUsed = 0;
    }
    const index = this.#count++;
    this.#reserve(this.#count);
    this.#pages[this.#pages.length - 1].set(chunk, this.#pageUsed);
    const start = (this.#pages.length - 1) * PAGE_BYTES + this.#pageUsed;
    this.#previous.view[index] = previous;
    this.#place.view[index] = start / ALIGNMENT;
    this.#length.view[index] = chunk.length;
    this.#minTime.view[index] = minTimeMs;
    this.#duration.view[index] = maxTimeMs - minTimeMs;
    this.#pageUsed += Math.ceil(chunk.length / ALIGNMENT) * ALIGNMENT;
    return index;
  }

  previous(index: number): number {
    return this.#previous.view[index];
  }

  minTimeMs(index: number): number {
    return this.#minTime.view[index];
  }

  maxTimeMs(index: number): number {
    return this.#minTime.view[index] + this.#duration.view[index];
  }

  /** A view of a page; it stays as it is, chunks are never changed. */
  bytesOf(index: number): Uint8Array<SharedArrayBuffer> {
    const start = this.#place.view[index] * ALIGNMENT;
    const page = this.#pages[Math.floor(start / PAGE_BYTES)];
    return page.subarray(start % PAGE_BYTES, (start % PAGE_BYTES) + this.#length.view[index]);
  }

  /** Adds a chunk to a plan, without any view of it; false for what is no chunk of floats. */
  addTo(plan: ReadPlan, index: number): boolean {
    const start = this.#place.view[index] * ALIGNMENT;
    const page = this.#pages[Math.floor(start / PAGE_BYTES)];
    const offset = start % PAGE_BYTES;
    if (!isFloatChunkAt(page, offset)) return false;
    // The count is a varint; what a third byte adds makes no difference to how work is shared out.
    const low = page[offset];
    const samples = low < 0x80 ? low : (low & 0x7f) + (page[offset + 1] << 7);
    plan.addShared(page.buffer, offset, this.#length.view[index], samples);
    return true;
  }

  #reserve(count: number): void {
    this.#previous.reserve(count);
    this.#place.reserve(count);
    this.#length.reserve(count);
    this.#minTime.reserve(count);
    this.#duration.reserve(count);
  }
}
