/**
 * Bytes of chunks files for one thread: descriptors that stay open, and the bytes around what was
 * read last, since series that are asked for together lie together.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { READER_FILES_MAX, READER_WINDOW_BYTES } from '../limits.ts';

export class ChunkFiles {
  /** Descriptors by path, the longest open first. */
  readonly #files = new Map<string, number>();
  #window = new Uint8Array(READER_WINDOW_BYTES);
  #path = '';
  #start = 0;
  #end = 0;

  /** A view of `length` bytes, valid until the next call. Throws where there are fewer. */
  bytes(path: string, position: number, length: number): Uint8Array {
    const end = position + length;
    if (path !== this.#path || position < this.#start || end > this.#end) {
      this.#fill(path, position, length);
    }
    if (end > this.#end) throw new Error('the file is too short');
    return this.#window.subarray(position - this.#start, end - this.#start);
  }

  /** Lets go of all files; what is gone from the disk is gone then. */
  close(): void {
    for (const descriptor of this.#files.values()) closeSync(descriptor);
    this.#files.clear();
    this.#path = '';
  }

  #fill(path: string, position: number, length: number): void {
    // Who goes on where the last bytes ended is likely to do so again.
    const goesOn = path === this.#path && position >= this.#start && position <= this.#end;
    const wanted = goesOn ? Math.max(length, READER_WINDOW_BYTES) : length;
    if (wanted > this.#window.length) this.#window = new Uint8Array(wanted * 2);
    const descriptor = this.#open(path);
    this.#path = '';
    let read = 0;
    while (read < wanted) {
      const count = readSync(descriptor, this.#window, read, wanted - read, position + read);
      if (count === 0) break;
      read += count;
    }
    this.#path = path;
    this.#start = position;
    this.#end = position + read;
  }

  #open(path: string): number {
    let descriptor = this.#files.get(path);
    if (descriptor !== undefined) return descriptor;
    const [oldest] = this.#files;
    if (oldest !== undefined && this.#files.size >= READER_FILES_MAX) {
      closeSync(oldest[1]);
      this.#files.delete(oldest[0]);
    }
    descriptor = openSync(path, 'r');
    this.#files.set(path, descriptor);
    return descriptor;
  }
}
