/**
 * Writes the fields of a protobuf message (proto3's binary wire format) one behind the other:
 *
 *   const writer = new ProtobufWriter();
 *   writer.string(1, name);
 *   const point = writer.begin(2);
 *   writer.double(1, value);
 *   writer.end(point);
 *   send(writer.finish());
 *
 * Every call writes its field, also where the value is the default that proto3 may leave out: the
 * caller leaves it out where it matters. Repeated numbers are written packed, and not at all when
 * there are none.
 */
import { assert } from '@tyto/base';

const TWO_32 = 2 ** 32;
const encoder = new TextEncoder();

export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Also for bool (0 or 1) and enums. */
  uint32(field: number, value: number): void {
    this.#tag(field, 0);
    this.#varint(value >>> 0, 0);
  }

  /** Also for uint64 below 2^63. A whole number. */
  int64(field: number, value: number): void {
    this.#tag(field, 0);
    this.#varint(lowOf(value), highOf(value));
  }

  sint32(field: number, value: number): void {
    this.#tag(field, 0);
    this.#varint(((value << 1) ^ (value >> 31)) >>> 0, 0);
  }

  fixed64(field: number, value: number): void {
    this.doubleBits(field, lowOf(value), highOf(value));
  }

  /** Of a NaN the payload may be lost; `doubleBits` keeps it. */
  double(field: number, value: number): void {
    this.#tag(field, 1);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** 64 bits as two halves. */
  doubleBits(field: number, low: number, high: number): void {
    this.#tag(field, 1);
    this.#reserve(8);
    this.#view.setUint32(this.#length, low, true);
    this.#view.setUint32(this.#length + 4, high, true);
    this.#length += 8;
  }

  string(field: number, value: string): void {
    this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, 2);
    this.#varint(value.length, 0);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  doubles(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    this.#tag(field, 2);
    this.#varint(values.length * 8, 0);
    this.#reserve(values.length * 8);
    for (const value of values) {
      this.#view.setFloat64(this.#length, value, true);
      this.#length += 8;
    }
  }

  uint32s(field: number, values: readonly number[]): void {
    this.#packed(field, values, (value) => this.#varint(value >>> 0, 0));
  }

  /** Whole numbers, of which the nearest to 64 bits are written. */
  sint64s(field: number, values: readonly number[]): void {
    this.#packed(field, values, (value) => {
      const folded = value < 0 ? -(value + 1) : value;
      const low = lowOf(folded);
      const high = ((highOf(folded) << 1) | (low >>> 31)) >>> 0;
      this.#varint(((low << 1) | (value < 0 ? 1 : 0)) >>> 0, high);
    });
  }

  /** Begins a message within; what is written up to `end` is its contents. They may nest. */
  begin(field: number): number {
    this.#tag(field, 2);
    this.#reserve(1);
    // One byte for the length, as most messages are short; `end` makes room for more.
    return ++this.#length;
  }

  /** Ends the message that `begin` gave this mark for. */
  end(mark: number): void {
    const length = this.#length - mark;
    assert(length >= 0, 'a message ends behind its begin');
    let more = 0;
    for (let rest = length; rest >= 0x80; rest >>>= 7) more++;
    // Enough for what `#varint` asks for, too: its room must not come from what lies behind it.
    this.#reserve(more + 10);
    if (more > 0) {
      this.#bytes.copyWithin(mark + more, mark, this.#length);
    }
    this.#length = mark - 1;
    this.#varint(length, 0);
    this.#length += length;
  }

  /** The message, as a view of this writer's memory until it is written to again. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins anew, with the memory that there is. */
  clear(): void {
    this.#length = 0;
  }

  #packed(field: number, values: readonly number[], write: (value: number) => void): void {
    if (values.length === 0) return;
    const mark = this.begin(field);
    for (const value of values) write(value);
    this.end(mark);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(((field << 3) | wireType) >>> 0, 0);
  }

  #varint(low: number, high: number): void {
    this.#reserve(10);
    let restLow = low;
    let restHigh = high;
    while (restHigh !== 0 || restLow >= 0x80) {
      this.#bytes[this.#length++] = (restLow & 0x7f) | 0x80;
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
      restHigh >>>= 7;
    }
    this.#bytes[this.#length++] = restLow;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** The lower 32 bits of a whole number in two's complement. */
function lowOf(value: number): number {
  return value >>> 0;
}

function highOf(value: number): number {
  return Math.floor(value / TWO_32) >>> 0;
}
