/**
 * A cursor over bytes in the notation of Go's encoding/binary: big-endian numbers, varints, texts
 * with their length before them. Reading beyond the end throws TytoError `io`. Whole numbers beyond
 * 2^53 lose their lowest bits.
 */
import { damaged } from './damage.ts';
import { floatOf } from './floatBits.ts';

const TWO_32 = 2 ** 32;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class ByteCursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** The words of what `words` or a varint has read last. */
  high = 0;
  low = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw damaged('it ends too soon');
    return this.bytes[this.at++];
  }

  uint16(): number {
    return this.byte() * 256 + this.byte();
  }

  uint32(): number {
    if (this.at + 4 > this.end) throw damaged('it ends too soon');
    const { bytes, at } = this;
    this.at += 4;
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  }

  /** Reads 64 bits into `high` and `low`. */
  words(): void {
    this.high = this.uint32();
    this.low = this.uint32();
  }

  uint64(): number {
    this.words();
    return this.high * TWO_32 + this.low;
  }

  int64(): number {
    this.words();
    return (this.high | 0) * TWO_32 + this.low;
  }

  float64(): number {
    this.words();
    return floatOf(this.high, this.low);
  }

  uvarint(): number {
    this.#varintWords();
    return this.high * TWO_32 + this.low;
  }

  varint(): number {
    this.#varintWords();
    return unfoldSign(this.high, this.low);
  }

  /** A uvarint that counts or places something: refused beyond `max`. */
  count(max: number, what: string): number {
    const value = this.uvarint();
    if (value > max) throw damaged(`${what} is ${value}, at most ${max} is possible`);
    return value;
  }

  text(): string {
    const length = this.count(this.left, 'a length');
    this.at += length;
    return decoder.decode(this.bytes.subarray(this.at - length, this.at));
  }

  #varintWords(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
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

/** From zig-zag to a signed number: 0, -1, 1, -2, 2 … */
export function unfoldSign(high: number, low: number): number {
  const half = (high >>> 1) * TWO_32 + (((high << 31) | (low >>> 1)) >>> 0);
  return low & 1 ? -half - 1 : half;
}
