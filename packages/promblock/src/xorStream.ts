/**
 * `<varbit_xor>`: each float as the bits in which it differs from the one before. 0 is the same
 * value; 10 reuses the window of bits of the last difference; 11 gives a new window as 5 bits of
 * leading zeros and 6 bits of width, of which 0 stands for 64.
 */
import type { BitReader, BitWriter } from './bits.ts';
import { damaged } from './damage.ts';

const NO_WINDOW = 255;
const LEADING_MAX = 31;

/** The floats of one field; the newest is in its words. */
export class XorReader {
  high = 0;
  low = 0;
  #leading = 0;
  #trailing = 0;

  /** Reads the first float, which is whole. */
  first(reader: BitReader): void {
    reader.wide(64);
    this.high = reader.high;
    this.low = reader.low;
  }

  next(reader: BitReader): void {
    if (reader.bit() === 0) return;
    if (reader.bit() === 1) this.newWindow(reader);
    else this.sameWindow(reader);
  }

  newWindow(reader: BitReader): void {
    this.#leading = reader.bits(5);
    const width = reader.bits(6) || 64;
    this.#trailing = 64 - this.#leading - width;
    if (this.#trailing < 0) throw damaged('a window of bits is wider than a float');
    this.sameWindow(reader);
  }

  sameWindow(reader: BitReader): void {
    reader.wide(64 - this.#leading - this.#trailing);
    const shift = this.#trailing;
    if (shift === 0) {
      this.high = (this.high ^ reader.high) >>> 0;
      this.low = (this.low ^ reader.low) >>> 0;
    } else if (shift < 32) {
      this.high = (this.high ^ ((reader.high << shift) | (reader.low >>> (32 - shift)))) >>> 0;
      this.low = (this.low ^ (reader.low << shift)) >>> 0;
    } else {
      this.high = (this.high ^ (reader.low << (shift - 32))) >>> 0;
    }
  }
}

export class XorWriter {
  #high = 0;
  #low = 0;
  #leading = NO_WINDOW;
  #trailing = 0;

  first(writer: BitWriter, high: number, low: number): void {
    this.#high = high;
    this.#low = low;
    writer.wide(high, low, 64);
  }

  next(writer: BitWriter, high: number, low: number): void {
    const changedHigh = (high ^ this.#high) >>> 0;
    const changedLow = (low ^ this.#low) >>> 0;
    this.#high = high;
    this.#low = low;
    if (changedHigh === 0 && changedLow === 0) {
      writer.bits(0, 1);
      return;
    }
    const leading = Math.min(
      LEADING_MAX,
      changedHigh === 0 ? 32 + Math.clz32(changedLow) : Math.clz32(changedHigh),
    );
    const trailing = changedLow === 0 ? 32 + zerosBehind(changedHigh) : zerosBehind(changedLow);
    if (this.#leading !== NO_WINDOW && leading >= this.#leading && trailing >= this.#trailing) {
      writer.bits(0b10, 2);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      writer.bits(0b11, 2);
      writer.bits(leading, 5);
      writer.bits((64 - leading - trailing) & 63, 6);
    }
    const shift = this.#trailing;
    const width = 64 - this.#leading - shift;
    if (shift === 0) writer.wide(changedHigh, changedLow, width);
    else if (shift < 32) {
      const low32 = ((changedLow >>> shift) | (changedHigh << (32 - shift))) >>> 0;
      writer.wide(changedHigh >>> shift, low32, width);
    } else writer.wide(0, changedHigh >>> (shift - 32), width);
  }
}

function zerosBehind(word: number): number {
  return 31 - Math.clz32(word & -word);
}
