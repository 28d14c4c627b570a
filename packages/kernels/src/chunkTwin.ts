/**
 * The slow, obvious twin of the chunk codec: docs/formats/chunk.md read aloud. It decodes every
 * chunk, and encodes an integer stream and a value stream in the plainest way that is allowed.
 * For tests; BigInt where the kernel has 64-bit integers.
 */
import { TytoError } from '@tyto/base';
import { CHUNK_SAMPLES_MAX } from './limits.ts';

const EXPONENT_MAX = 15;

class Reader {
  #at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (value >= 1n << 64n) break;
      return value;
    }
    throw new TytoError('io', 'a number is longer than 64 bits');
  }

  /** A varint in zigzag order. */
  signed(): bigint {
    const value = this.varint();
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  /** A varint that must be at most `max`. */
  count(max: number): number {
    const value = this.varint();
    if (value > BigInt(max)) throw new TytoError('io', `a count or index is beyond ${max}`);
    return Number(value);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** `bytes` bytes as one little-endian number. */
  word(bytes: number): bigint {
    let word = 0n;
    for (let i = 0; i < bytes; i++) word |= BigInt(this.u8()) << BigInt(8 * i);
    return word;
  }

  get done(): boolean {
    return this.#at === this.#view.byteLength;
  }

  #advance(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#view.byteLength) throw new TytoError('io', 'chunk is cut short');
    this.#at += bytes;
    return at;
  }
}

/** Timestamps as numbers, values as bit patterns. Throws TytoError `io` for what is no chunk. */
export function decodeChunkSlowly(chunk: Uint8Array): { timestamps: number[]; bits: bigint[] } {
  const reader = new Reader(chunk);
  const count = reader.count(CHUNK_SAMPLES_MAX);
  if (count === 0) throw new TytoError('io', 'a chunk has samples');
  let timestamp = reader.signed();
  const timestamps = [Number(timestamp)];
  for (const delta of readIntegers(reader, count - 1)) {
    timestamp = BigInt.asIntN(64, timestamp + delta);
    timestamps.push(Number(timestamp));
  }
  const bits = readValues(reader, count);
  if (!reader.done) throw new TytoError('io', 'bytes are left behind the chunk');
  return { timestamps, bits };
}

function readIntegers(reader: Reader, count: number): bigint[] {
  if (count === 0) return [];
  const head = reader.u8();
  const width = head & 0x7f;
  const hasExceptions = head >= 0x80;
  if (width > 57 && head !== 64) throw new TytoError('io', `no such width: ${head}`);
  const base = reader.signed();
  const exceptions = hasExceptions ? reader.count(count) : 0;
  if (hasExceptions && exceptions === 0) throw new TytoError('io', 'no exceptions, and a flag');
  const packed = reader.word(Math.ceil((width * count) / 8));
  const mask = (1n << BigInt(width)) - 1n;
  const values: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const distance = (packed >> BigInt(i * width)) & mask;
    values.push(BigInt.asIntN(64, width === 64 ? distance : base + distance));
  }
  let index = 0;
  for (let i = 0; i < exceptions; i++) {
    const distance = reader.count(count - 1 - index);
    if (i > 0 && distance === 0) throw new TytoError('io', 'two exceptions at one index');
    index += distance;
    values[index] = reader.signed();
  }
  return values;
}

function readValues(reader: Reader, count: number): bigint[] {
  const kind = reader.u8();
  if (kind === 0) return new Array<bigint>(count).fill(reader.u64());
  if (kind === 1 || kind === 2) return readDecimals(reader, count, kind);
  if (kind === 3) return readXor(reader, count);
  if (kind === 4) return Array.from({ length: count }, () => reader.u64());
  if (kind === 5) return readBitsDelta(reader, count);
  throw new TytoError('io', `no such value encoding: ${kind}`);
}

function readDecimals(reader: Reader, count: number, order: 1 | 2): bigint[] {
  const head = reader.u8();
  const exponent = head & 0x7f;
  if (exponent > EXPONENT_MAX) throw new TytoError('io', `no such exponent: ${exponent}`);
  const specials = head >= 0x80 ? reader.count(count) : 0;
  const mantissas = [reader.signed()];
  let delta = order === 2 ? reader.signed() : 0n;
  if (order === 2 && count > 1) mantissas.push(BigInt.asIntN(64, mantissas[0] + delta));
  for (const number of readIntegers(reader, count - mantissas.length)) {
    delta = order === 1 ? number : BigInt.asIntN(64, delta + number);
    mantissas.push(BigInt.asIntN(64, mantissas[mantissas.length - 1] + delta));
  }
  const bits = mantissas.map((mantissa) => bitsOfNumber(Number(mantissa) / 10 ** exponent));
  let index = 0;
  for (let i = 0; i < specials; i++) {
    index += reader.count(count - 1 - index);
    bits[index] = reader.u64();
  }
  return bits;
}

function readBitsDelta(reader: Reader, count: number): bigint[] {
  const bits = [reader.u64()];
  for (const delta of readIntegers(reader, count - 1)) {
    bits.push(BigInt.asUintN(64, bits[bits.length - 1] + delta));
  }
  return bits;
}

function readXor(reader: Reader, count: number): bigint[] {
  let previous = 0n;
  const bits: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const control = reader.u8();
    const length = control & 15;
    const trailing = control >> 4;
    if (length + trailing > 8) throw new TytoError('io', 'an XOR word is longer than 8 bytes');
    previous ^= reader.word(length) << BigInt(8 * trailing);
    bits.push(previous);
  }
  return bits;
}

function bitsOfNumber(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
