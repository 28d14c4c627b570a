/**
 * A cursor over the fields of a protobuf message (proto3's binary wire format). It builds nothing:
 *
 *   const reader = new ProtobufReader(bytes);
 *   while (reader.next()) {
 *     if (reader.field === 1) name = reader.string();
 *     else if (reader.field === 2) readPoint(reader.message());
 *   }
 *
 * `next` has checked the whole field, so one that is not asked for is skipped. What comes twice is
 * given twice: for a field that is not repeated the last one counts. All methods throw TytoError
 * `bad_data` for what is malformed, or is not of the type that is asked for. Messages nest as deep
 * as the caller calls `message`, which therefore bounds it where a type holds itself.
 */
import { TytoError } from '@tyto/base';
import { decodeText } from './seriesText.ts';
import type { TextCache } from './textCache.ts';

export const WIRE_VARINT = 0;
const WIRE_64 = 1;
export const WIRE_LENGTH = 2;
const WIRE_32 = 5;

const TWO_32 = 2 ** 32;

export class ProtobufReader {
  readonly bytes: Uint8Array;
  /** The number and wire type of the current field. */
  field = 0;
  wireType = 0;
  /** Where the current field begins, with its tag. */
  fieldStart = 0;
  /** Of a length-delimited field: its contents in `bytes`; of others: the value. */
  start = 0;
  end = 0;
  /** The two halves, unsigned, of a varint, a 64-bit or (`low` only) a 32-bit value. */
  low = 0;
  high = 0;
  /** Made when the first float is read: most messages have none. */
  #floats: DataView | undefined;
  readonly #limit: number;
  #at: number;

  /** Over [start, end) of `bytes`; positions are those of `bytes`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#limit = end;
  }

  /** Steps to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    this.fieldStart = this.#at;
    this.#readVarint();
    this.wireType = this.low & 7;
    this.field = this.low >>> 3;
    if (this.high !== 0 || this.field === 0) throw malformed('a tag has no valid field number');
    if (this.wireType === WIRE_LENGTH) this.#locate();
    else this.#readValue(this.wireType);
    return true;
  }

  bool(): boolean {
    this.#expect(WIRE_VARINT);
    return this.low !== 0 || this.high !== 0;
  }

  /** Also of enums. As protobuf has it, bits beyond 32 are dropped. */
  int32(): number {
    this.#expect(WIRE_VARINT);
    return this.low | 0;
  }

  uint32(): number {
    this.#expect(WIRE_VARINT);
    return this.low >>> 0;
  }

  sint32(): number {
    this.#expect(WIRE_VARINT);
    return (this.low >>> 1) ^ -(this.low & 1);
  }

  /** As the nearest number; `low` and `high` are exact. */
  int64(): number {
    this.#expect(WIRE_VARINT);
    return (this.high | 0) * TWO_32 + this.low;
  }

  /** As the nearest number; `low` and `high` are exact. */
  uint64(): number {
    this.#expect(WIRE_VARINT);
    return this.high * TWO_32 + this.low;
  }

  /** As the nearest number. */
  sint64(): number {
    this.#expect(WIRE_VARINT);
    return zigzag(this.low, this.high);
  }

  fixed32(): number {
    this.#expect(WIRE_32);
    return this.low;
  }

  sfixed32(): number {
    this.#expect(WIRE_32);
    return this.low | 0;
  }

  /** As the nearest number; `low` and `high` are exact. */
  fixed64(): number {
    this.#expect(WIRE_64);
    return this.high * TWO_32 + this.low;
  }

  /** As the nearest number; `low` and `high` are exact. */
  sfixed64(): number {
    this.#expect(WIRE_64);
    return (this.high | 0) * TWO_32 + this.low;
  }

  float(): number {
    this.#expect(WIRE_32);
    return this.#view().getFloat32(this.start, true);
  }

  /** A NaN may lose its payload; `low` and `high` are exact. */
  double(): number {
    this.#expect(WIRE_64);
    return this.#view().getFloat64(this.start, true);
  }

  /** Throws for what is no UTF-8. A cache makes short texts that come again faster. */
  string(texts?: TextCache): string {
    this.#expect(WIRE_LENGTH);
    if (texts !== undefined) return texts.decode(this.bytes, this.start, this.end);
    return decodeText(this.bytes, this.start, this.end);
  }

  /** A view, not a copy. */
  view(): Uint8Array {
    this.#expect(WIRE_LENGTH);
    return this.bytes.subarray(this.start, this.end);
  }

  /** A cursor over the fields of a message within. */
  message(): ProtobufReader {
    this.#expect(WIRE_LENGTH);
    return new ProtobufReader(this.bytes, this.start, this.end);
  }

  /** Adds the values of a repeated field, packed or not. */
  doubles(target: number[]): void {
    this.#repeated(WIRE_64, () => target.push(this.#view().getFloat64(this.start, true)));
  }

  /** Adds the values of a repeated field, packed or not, as the nearest numbers. */
  uint64s(target: number[]): void {
    this.#repeated(WIRE_VARINT, () => target.push(this.high * TWO_32 + this.low));
  }

  /** Adds the values of a repeated field, packed or not; bits beyond 32 are dropped. */
  uint32s(target: number[]): void {
    this.#repeated(WIRE_VARINT, () => target.push(this.low));
  }

  /** Adds the values of a repeated field, packed or not, as the nearest numbers. */
  sint64s(target: number[]): void {
    this.#repeated(WIRE_VARINT, () => target.push(zigzag(this.low, this.high)));
  }

  /** Adds the values of a repeated field, packed or not, as the nearest numbers. */
  fixed64s(target: number[]): void {
    this.#repeated(WIRE_64, () => target.push(this.high * TWO_32 + this.low));
  }

  #repeated(wireType: number, add: () => void): void {
    if (this.wireType !== WIRE_LENGTH) {
      this.#expect(wireType);
      add();
      return;
    }
    const { start, end } = this;
    this.#at = start;
    while (this.#at < end) {
      this.#readValue(wireType);
      if (this.#at > end) throw malformed('a packed value is cut short');
      add();
    }
    this.start = start;
    this.end = end;
  }

  #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.#floats ??= new DataView(buffer, byteOffset, byteLength);
    return this.#floats;
  }

  #expect(wireType: number): void {
    if (this.wireType === wireType) return;
    throw malformed(`field ${this.field} has the wire type ${this.wireType}, not ${wireType}`);
  }

  #locate(): void {
    this.#readVarint();
    if (this.high !== 0 || this.low > this.#limit - this.#at) {
      throw malformed(`field ${this.field} is longer than what holds it`);
    }
    this.start = this.#at;
    this.end = this.start + this.low;
    this.#at = this.end;
  }

  #readValue(wireType: number): void {
    this.start = this.#at;
    if (wireType === WIRE_VARINT) {
      this.#readVarint();
    } else if (wireType === WIRE_64 || wireType === WIRE_32) {
      const size = wireType === WIRE_64 ? 8 : 4;
      if (size > this.#limit - this.#at) throw malformed(`field ${this.field} is cut short`);
      this.low = wordAt(this.bytes, this.#at);
      this.high = size === 8 ? wordAt(this.bytes, this.#at + 4) : 0;
      this.#at += size;
    } else {
      throw malformed(`field ${this.field} has the wire type ${wireType}, which does not exist`);
    }
    this.end = this.#at;
  }

  #readVarint(): void {
    const { bytes } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#limit) throw malformed('a varint is cut short');
      const byte = bytes[this.#at++];
      const part = byte & 0x7f;
      if (shift < 32) low |= part << shift;
      if (shift === 28) high |= part >>> 4;
      else if (shift > 28) high |= part << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw malformed('a varint has more than ten bytes');
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  return word >>> 0;
}

/** The signed value behind a zigzag encoded one, as the nearest number. */
function zigzag(low: number, high: number): number {
  const half = (high >>> 1) * TWO_32 + (((high << 31) | (low >>> 1)) >>> 0);
  return (low & 1) === 0 ? half : -half - 1;
}

function malformed(what: string): TytoError {
  return new TytoError('bad_data', `malformed protobuf message: ${what}`);
}
