/**
 * Streams of bits, highest bit first, and the numbers of varying width in them (bstream.md and
 * chunks.md of the format's description): a prefix of ones tells how many bits follow.
 */
import { unfoldSign } from './byteCursor.ts';
import { damaged } from './damage.ts';

const TWO_32 = 2 ** 32;

/** Widths behind the prefixes 10, 110, 1110 … of a timestamp; all ones stand for 64 bits. */
const TIMESTAMP_WIDTHS = [14, 17, 20];
/** The same for numbers in histograms. */
const NUMBER_WIDTHS = [3, 6, 9, 12, 18, 25, 56];

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  /** The words of what `wide` has read last. */
  high = 0;
  low = 0;

  constructor(bytes: Uint8Array, startByte: number) {
    this.#bytes = bytes;
    this.#at = startByte * 8;
    this.#end = bytes.length * 8;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  bit(): number {
    const at = this.#at;
    if (at >= this.#end) throw damaged('the chunk ends too soon');
    this.#at = at + 1;
    return (this.#bytes[at >>> 3] >>> (7 - (at & 7))) & 1;
  }

  /** 1 to 32 bits. */
  bits(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) throw damaged('the chunk ends too soon');
    this.#at = at + count;
    const bytes = this.#bytes;
    const byte = at >>> 3;
    const shift = at & 7;
    const first =
      (bytes[byte] << 24) | (bytes[byte + 1] << 16) | (bytes[byte + 2] << 8) | bytes[byte + 3];
    const word = (first << shift) | (bytes[byte + 4] >>> (8 - shift));
    return word >>> (32 - count);
  }

  /** 1 to 64 bits into `high` and `low`. */
  wide(count: number): void {
    this.high = count > 32 ? this.bits(count - 32) : 0;
    this.low = this.bits(Math.min(count, 32));
  }

  uvarint(): number {
    this.#varintWords();
    return this.high * TWO_32 + this.low;
  }

  varint(): number {
    this.#varintWords();
    return unfoldSign(this.high, this.low);
  }

  timestampDelta(): number {
    return this.#signed(TIMESTAMP_WIDTHS);
  }

  /** `<varbit_int>` */
  signed(): number {
    return this.#signed(NUMBER_WIDTHS);
  }

  /** `<varbit_uint>` */
  unsigned(): number {
    const ones = this.#ones(NUMBER_WIDTHS.length + 1);
    if (ones === 0) return 0;
    this.wide(NUMBER_WIDTHS[ones - 1] ?? 64);
    return this.high * TWO_32 + this.low;
  }

  /** Bits as two's complement. */
  twosComplement(width: number): number {
    if (width === 64) {
      this.wide(64);
      return (this.high | 0) * TWO_32 + this.low;
    }
    const value = this.bits(width);
    return value >= 2 ** (width - 1) ? value - 2 ** width : value;
  }

  #signed(widths: readonly number[]): number {
    const ones = this.#ones(widths.length + 1);
    if (ones === 0) return 0;
    const width = widths[ones - 1] ?? 64;
    this.wide(width);
    if (width === 64) return (this.high | 0) * TWO_32 + this.low;
    const value = this.high * TWO_32 + this.low;
    if (value <= 2 ** (width - 1)) return value;
    // The high word is turned negative first, so that no bit of the low one is lost.
    return width > 32 ? (this.high - 2 ** (width - 32)) * TWO_32 + this.low : value - 2 ** width;
  }

  #ones(max: number): number {
    let count = 0;
    while (count < max && this.bit() === 1) count++;
    return count;
  }

  #varintWords(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bits(8);
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw damaged('a number has too many bytes');
  }
}

export class BitWriter {
  #bytes = new Uint8Array(256);
  #at = 0;

  /** A copy of what was written, padded with zero bits. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, (this.#at + 7) >>> 3);
  }

  /** The lowest `count` of 1 to 32 bits. */
  bits(value: number, count: number): void {
    const end = this.#at + count;
    if (end > this.#bytes.length * 8 - 8) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    let left = count;
    while (left > 0) {
      const room = 8 - (this.#at & 7);
      const taken = Math.min(room, left);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      this.#bytes[this.#at >>> 3] |= part << (room - taken);
      this.#at += taken;
      left -= taken;
    }
  }

  /** The lowest `count` of 1 to 64 bits. */
  wide(high: number, low: number, count: number): void {
    if (count > 32) this.bits(high, count - 32);
    this.bits(low, Math.min(count, 32));
  }

  uvarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bits((rest % 0x80) | 0x80, 8);
      rest = Math.floor(rest / 0x80);
    }
    this.bits(rest, 8);
  }

  varint(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  timestampDelta(value: number): void {
    this.#signed(value, TIMESTAMP_WIDTHS);
  }

  signed(value: number): void {
    this.#signed(value, NUMBER_WIDTHS);
  }

  unsigned(value: number): void {
    if (value === 0) this.bits(0, 1);
    else {
      const found = NUMBER_WIDTHS.findIndex((width) => value < 2 ** width);
      this.#prefixed(value, found, NUMBER_WIDTHS);
    }
  }

  #signed(value: number, widths: readonly number[]): void {
    if (value === 0) {
      this.bits(0, 1);
      return;
    }
    // Symmetric around one half: 3 bits hold -3 to 4 (bstream.md).
    const found = widths.findIndex(
      (width) => value > -(2 ** (width - 1)) && value <= 2 ** (width - 1),
    );
    this.#prefixed(value, found, widths);
  }

  #prefixed(value: number, found: number, widths: readonly number[]): void {
    const ones = found < 0 ? widths.length + 1 : found + 1;
    const width = found < 0 ? 64 : widths[found];
    if (found < 0) this.bits(2 ** ones - 1, ones);
    else this.bits(2 ** (ones + 1) - 2, ones + 1);
    const high = Math.floor(value / TWO_32);
    this.wide(high, value - high * TWO_32, width);
  }
}
