/** The counterpart of ByteCursor: bytes that grow. */
import { HIGH, LOW } from './floatBits.ts';

const encoder = new TextEncoder();
const TWO_32 = 2 ** 32;

export class ByteSink {
  #bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written; valid until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  uint32(value: number): void {
    this.#reserve(4);
    for (let shift = 24; shift >= 0; shift -= 8) this.#bytes[this.length++] = value >>> shift;
  }

  uint64(value: number): void {
    this.uint32(Math.floor(value / TWO_32));
    this.uint32(value % TWO_32);
  }

  float64(words: Uint32Array): void {
    this.uint32(words[HIGH]);
    this.uint32(words[LOW]);
  }

  /** A whole number, not negative and below 2^53. */
  uvarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** A whole number between -2^52 and 2^52. */
  varint(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  text(value: string): void {
    const bytes = encoder.encode(value);
    this.uvarint(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Zeros up to a multiple of `alignment`. */
  pad(alignment: number): void {
    while (this.length % alignment !== 0) this.byte(0);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + count, this.#bytes.length * 2));
    grown.set(this.written);
    this.#bytes = grown;
  }
}
