/**
 * Buffers for bodies, used again and again: memory that comes and goes with every scrape keeps the
 * garbage collector busy.
 */
import { assert } from '@tyto/base';

const FIRST_BYTES = 256 * 1024;
/** Larger buffers, and more of them, are not kept. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
const KEPT_MAX = 4;

export class BodyBuffers {
  #free: Buffer[] = [];

  /** A buffer of at least so many bytes; what it holds is anybody's. */
  take(bytes: number): Buffer {
    const index = this.#free.findIndex((buffer) => buffer.length >= bytes);
    if (index >= 0) return this.#free.splice(index, 1)[0];
    return Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, bytes));
  }

  /** Takes a buffer back, or any view of it; nobody may look at it from here on. */
  giveBack(view: Uint8Array): void {
    const buffer = Buffer.from(view.buffer as ArrayBuffer);
    if (buffer.length < FIRST_BYTES || buffer.length > KEPT_BYTES_MAX) return;
    // Two bodies would be written over each other.
    const isFree = this.#free.some((free) => free.buffer === buffer.buffer);
    assert(!isFree, 'a buffer is given back once');
    this.#free.push(buffer);
    this.#free.sort((a, b) => a.length - b.length);
    if (this.#free.length > KEPT_MAX) this.#free.shift();
  }
}
