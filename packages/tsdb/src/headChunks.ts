/**
 * The sealed chunks of the head: their bytes in pages, and a table of typed arrays in which every
 * series has its chunks as a list linked backwards in time.
 */
import { assert } from '@tyto/base';
import { chunkSampleCount } from '@tyto/kernels';

const PAGE_BYTES = 1024 * 1024;
export const NO_CHUNK = -1;

export class HeadChunks {
  #pages: Uint8Array[] = [];
  #pageUsed = PAGE_BYTES;
  #previous = new Int32Array(256);
  #page = new Uint32Array(256);
  #offset = new Uint32Array(256);
  #length = new Uint32Array(256);
  #minTime = new Float64Array(256);
  #maxTime = new Float64Array(256);
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
    if (this.#count === this.#previous.length) this.#grow();
    if (this.#pageUsed + chunk.length > PAGE_BYTES) {
      this.#pages.push(new Uint8Array(PAGE_BYTES));
      this.#pageUsed = 0;
    }
    const index = this.#count++;
    this.#pages[this.#pages.length - 1].set(chunk, this.#pageUsed);
    this.#previous[index] = previous;
    this.#page[index] = this.#pages.length - 1;
    this.#offset[index] = this.#pageUsed;
    this.#length[index] = chunk.length;
    this.#minTime[index] = minTimeMs;
    this.#maxTime[index] = maxTimeMs;
    this.#pageUsed += chunk.length;
    return index;
  }

  previous(index: number): number {
    return this.#previous[index];
  }

  minTimeMs(index: number): number {
    return this.#minTime[index];
  }

  maxTimeMs(index: number): number {
    return this.#maxTime[index];
  }

  /** A view; it stays as it is, chunks are never changed. */
  bytesOf(index: number): Uint8Array {
    const start = this.#offset[index];
    return this.#pages[this.#page[index]].subarray(start, start + this.#length[index]);
  }

  sampleCount(index: number): number {
    return chunkSampleCount(this.bytesOf(index));
  }

  #grow(): void {
    const size = this.#count * 2;
    const copy = <T extends Int32Array | Uint32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#previous = copy(new Int32Array(size), this.#previous);
    this.#page = copy(new Uint32Array(size), this.#page);
    this.#offset = copy(new Uint32Array(size), this.#offset);
    this.#length = copy(new Uint32Array(size), this.#length);
    this.#minTime = copy(new Float64Array(size), this.#minTime);
    this.#maxTime = copy(new Float64Array(size), this.#maxTime);
  }
}
