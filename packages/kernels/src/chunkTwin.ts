/**
 * The slow, obvious twin of the chunk codec: docs/formats/chunk.md read aloud. It decodes every
 * chunk, and encodes an integer stream and a value stream in the plainest way that is allowed.
 * For tests; BigInt where the kernel has 64-bit integers.
 */
import { TytoError } from '@tyto/base';

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

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
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
  const count = reader.u16();
  if (count === 0) throw new TytoError('io', 'a chunk has samples');
  let timestamp = reader.i64();
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
  const width = reader.u8();
  if (width > 57 && width !== 64) throw new TytoError('io', `no such width: ${width}`);
  const base = reader.i64();
  const exceptions = reader.u16();
  const packed = reader.word(Math.ceil((width * count) / 8));
  const mask = (1n << BigInt(width)) - 1n;
  const values: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const distance = (packed >> BigInt(i * width)) & mask;
    values.push(BigInt.asIntN(64, width === 64 ? distance : base + distance));
  }
  for (let i = 0; i < exceptions; i++) {
    const index = reader.u16();
    if (index >= count) throw new TytoError('io', 'an exception lies outside of the stream');
    values[index] = reader.i64();
  }
  return values;
}

function readValues(reader: Reader, count: number): bigint[] {
  const kind = reader.u8();
  if (kind === 0) return new Array<bigint>(count).fill(reader.u64());
  if (kind === 1 || kind === 2) return readDecimals(reader, count, kind);
  if (kind === 3) return readXor(reader, count);
  if (kind === 4) return Array.from({ length: count }, () => reader.u64());
  throw new TytoError('io', `no such value encoding: ${kind}`);
}

function readDecimals(reader: Reader, count: number, order: 1 | 2): bigint[] {
  const exponent = reader.u8();
  if (exponent > EXPONENT_MAX) throw new TytoError('io', `no such exponent: ${exponent}`);
  const specials = reader.u16();
  let mantissa = 0n;
  let delta = 0n;
  const bits = readIntegers(reader, count).map((difference) => {
    delta = order === 1 ? difference : BigInt.asIntN(64, delta + difference);
    mantissa = BigInt.asIntN(64, mantissa + delta);
    return bitsOfNumber(Number(mantissa) / 10 ** exponent);
  });
  for (let i = 0; i < specials; i++) {
    const index = reader.u16();
    if (index >= count) throw new TytoError('io', 'a special value lies outside of the stream');
    bits[index] = reader.u64();
  }
  return bits;
}

function readXor(reader: Reader, count: number): bigint[] {
  let previous = 0n;
  let read = 1;
  const bits: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const control = reader.u8();
    const length = control & 15;
    const trailing = control >> 4;
    if (length + trailing > 8) throw new TytoError('io', 'an XOR word is longer than 8 bytes');
    previous ^= reader.word(length) << BigInt(8 * trailing);
    bits.push(previous);
    read += 1 + length;
  }
  // The stream is at least 9 bytes long, as every value stream.
  for (; read < 9; read++) reader.u8();
  return bits;
}

function bitsOfNumber(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
