/** A file that is read in place, through a window that moves onwards with the reader. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { damaged } from './damage.ts';
import { LARGE_READ_BYTES, WINDOW_BYTES } from './limits.ts';

export class WindowFile {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;
  #window = new Uint8Array(0);
  #windowStart = 0;

  /** Throws the system's error where the file cannot be opened. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /**
   * The bytes at a position, valid until the next call. Throws TytoError `io` where the file is
   * shorter.
   */
  bytes(position: number, length: number): Uint8Array {
    if (position < 0 || length < 0 || position + length > this.size) {
      throw damaged(`bytes up to ${position + length} are named, the file has ${this.size}`);
    }
    const start = position - this.#windowStart;
    if (start < 0 || start + length > this.#window.length) {
      if (length > LARGE_READ_BYTES) return this.#read(position, length);
      this.#windowStart = position;
      this.#window = this.#read(position, Math.min(WINDOW_BYTES, this.size - position));
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(start, start + length);
  }

  /** Up to `length` bytes; fewer at the end of the file. */
  some(position: number, length: number): Uint8Array {
    return this.bytes(position, Math.min(length, this.size - position));
  }

  #read(position: number, length: number): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(length);
    let read = 0;
    while (read < length) {
      const count = readSync(this.#descriptor, target, read, length - read, position + read);
      if (count === 0) throw damaged(`it has become shorter while it was read`);
      read += count;
    }
    return target;
  }
}
