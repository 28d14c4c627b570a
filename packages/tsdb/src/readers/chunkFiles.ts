/**
 * Bytes of chunks files for one thread: descriptors that stay open, and of each file the bytes
 * around what was read last, since series that are asked for together lie together.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { READER_FILES_MAX, READER_WINDOW_BYTES } from '../limits.ts';

export class ChunkFiles {
  /** By path, the longest open first. */
  readonly #files = new Map<string, ChunkFile>();

  /** A view of `length` bytes, valid until the next call. Throws where there are fewer. */
  bytes(path: string, position: number, length: number): Uint8Array {
    return (this.#files.get(path) ?? this.#open(path)).bytes(position, length);
  }

  /** Lets go of all files; what is gone from the disk is gone then. */
  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #open(path: string): ChunkFile {
    const [oldest] = this.#files;
    if (oldest !== undefined && this.#files.size >= READER_FILES_MAX) {
      oldest[1].close();
      this.#files.delete(oldest[0]);
    }
    const file = new ChunkFile(openSync(path, 'r'));
    this.#files.set(path, file);
    return file;
  }
}

class ChunkFile {
  readonly #descriptor: number;
  #window = new Uint8Array(0);
  #start = 0;
  #end = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  bytes(position: number, length: number): Uint8Array {
    const end = position + length;
    if (position < this.#start || end > this.#end) this.#fill(position, length);
    if (end > this.#end) throw new Error('the file is too short');
    return this.#window.subarray(position - this.#start, end - this.#start);
  }

  #fill(position: number, length: number): void {
    // Who goes on where the last bytes ended is likely to do so again.
    const goesOn = position >= this.#start && position <= this.#end && this.#end > 0;
    const wanted = goesOn ? Math.max(length, READER_WINDOW_BYTES) : length;
    if (wanted > this.#window.length) this.#window = new Uint8Array(wanted);
    this.#end = 0;
    let read = 0;
    while (read < wanted) {
      const count = readSync(this.#descriptor, this.#window, read, wanted - read, position + read);
      if (count === 0) break;
      read += count;
    }
    this.#start = position;
    this.#end = position + read;
  }
}
