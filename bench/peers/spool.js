/** Prepared request bodies in one temporary file, read back one at a time while they are sent. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

export class Spool {
  #descriptor;
  #offsets = [0];

  /** @param {string} path */
  constructor(path) {
    this.#descriptor = openSync(path, 'w+');
  }

  /** @param {Uint8Array} body */
  add(body) {
    const offset = this.bytes;
    let written = 0;
    while (written < body.length) {
      written += writeSync(
        this.#descriptor,
        body,
        written,
        body.length - written,
        offset + written,
      );
    }
    this.#offsets.push(offset + body.length);
  }

  get count() {
    return this.#offsets.length - 1;
  }

  get bytes() {
    return this.#offsets[this.#offsets.length - 1];
  }

  /** @param {number} index */
  read(index) {
    const offset = this.#offsets[index];
    const body = Buffer.allocUnsafe(this.#offsets[index + 1] - offset);
    let read = 0;
    while (read < body.length) {
      const count = readSync(this.#descriptor, body, read, body.length - read, offset + read);
      if (count === 0) throw new Error('the spool of request bodies is shorter than it was');
      read += count;
    }
    return body;
  }

  close() {
    closeSync(this.#descriptor);
  }
}
