// Value streams: the smallest of constant, decimal delta, decimal delta-of-delta, XOR and raw.
// See docs/formats/chunk.md for the bytes. Lossless for every bit pattern.
import { packIntegers, unpackIntegers } from './integers';

export const CONSTANT: u8 = 0;
export const DELTA: u8 = 1;
export const DELTA_OF_DELTA: u8 = 2;
export const XOR: u8 = 3;
export const RAW: u8 = 4;

/** Powers of ten that are exact as doubles and useful for decimals of at most 2^53. */
const EXPONENT_MAX: i32 = 15;
const POWERS: StaticArray<f64> = [
  1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];
const MANTISSA_MAX: f64 = 9007199254740991.0;

/**
 * Encodes `count` >= 1 values. `scratch` holds 3 x count i64 and room for two more encodings of
 * up to 16 x count + 64 bytes. Returns the bytes written.
 */
export function encodeValues(source: usize, count: i32, out: usize, scratch: usize): i32 {
  if (isConstant(source, count)) {
    store<u8>(out, CONSTANT);
    store<u64>(out + 1, load<u64>(source));
    return 9;
  }
  const mantissas = scratch;
  const deltas = mantissas + (<usize>count << 3);
  const sorted = deltas + (<usize>count << 3);
  const candidate = sorted + (<usize>count << 3);
  let best = encodeXor(source, count, out);
  const exponent = commonExponent(source, count);
  if (exponent >= 0) {
    const specials = toMantissas(source, count, exponent, mantissas);
    if (specials <= 0xffff && specials * 4 <= count) {
      for (let order = 1; order <= 2; order++) {
        const size = encodeDecimal(source, count, exponent, order, specials, mantissas, deltas, sorted, candidate);
        if (size < best) {
          memory.copy(out, candidate, size);
          best = size;
        }
      }
    }
  }
  const rawBytes = 1 + (count << 3);
  if (best >= rawBytes) {
    store<u8>(out, RAW);
    memory.copy(out + 1, source, <usize>count << 3);
    best = rawBytes;
  }
  return best;
}

/** Decodes `count` values from [source, end). Returns the bytes read, or -1 when corrupt. */
export function decodeValues(source: usize, end: usize, count: i32, out: usize): i32 {
  if (source + 9 > end) return -1;
  const kind = load<u8>(source);
  if (kind == CONSTANT) {
    const bits = load<u64>(source + 1);
    for (let i = 0; i < count; i++) store<u64>(out + (<usize>i << 3), bits);
    return 9;
  }
  if (kind == RAW) {
    const size = 1 + (<usize>count << 3);
    if (source + size > end) return -1;
    memory.copy(out, source + 1, <usize>count << 3);
    return <i32>size;
  }
  if (kind == XOR) return decodeXor(source, end, count, out);
  if (kind == DELTA || kind == DELTA_OF_DELTA) return decodeDecimal(source, end, count, out, kind);
  return -1;
}

function isConstant(source: usize, count: i32): bool {
  const first = load<u64>(source);
  for (let i = 1; i < count; i++) {
    if (load<u64>(source + (<usize>i << 3)) != first) return false;
  }
  return true;
}

/** The smallest exponent with which all finite values are whole, or -1 when there is none. */
function commonExponent(source: usize, count: i32): i32 {
  let exponent = 0;
  let misses = 0;
  for (let i = 0; i < count; i++) {
    const value = load<f64>(source + (<usize>i << 3));
    if (!isFinite(value)) continue;
    let candidate = exponent;
    while (candidate <= EXPONENT_MAX && !isDecimal(value, candidate)) candidate++;
    if (candidate <= EXPONENT_MAX) exponent = candidate;
    else if (++misses * 4 > count) return -1;
  }
  return exponent;
}

function isDecimal(value: f64, exponent: i32): bool {
  const power = unchecked(POWERS[exponent]);
  const mantissa = nearest(value * power);
  if (!(abs(mantissa) <= MANTISSA_MAX)) return false;
  // Through the integer, so that -0 is told from 0.
  return reinterpret<u64>(<f64>(<i64>mantissa) / power) == reinterpret<u64>(value);
}

/** Fills `mantissas`; a value that is no decimal repeats its predecessor's. Returns how many. */
function toMantissas(source: usize, count: i32, exponent: i32, mantissas: usize): i32 {
  const power = unchecked(POWERS[exponent]);
  let specials = 0;
  let previous: i64 = 0;
  for (let i = 0; i < count; i++) {
    const value = load<f64>(source + (<usize>i << 3));
    if (isDecimal(value, exponent)) previous = <i64>nearest(value * power);
    else specials++;
    store<i64>(mantissas + (<usize>i << 3), previous);
  }
  return specials;
}

function encodeDecimal(
  source: usize,
  count: i32,
  exponent: i32,
  order: i32,
  specials: i32,
  mantissas: usize,
  deltas: usize,
  sorted: usize,
  out: usize,
): i32 {
  let previous: i64 = 0;
  let previousDelta: i64 = 0;
  for (let i = 0; i < count; i++) {
    const mantissa = load<i64>(mantissas + (<usize>i << 3));
    const delta = mantissa - previous;
    store<i64>(deltas + (<usize>i << 3), order == 1 ? delta : delta - previousDelta);
    previous = mantissa;
    previousDelta = delta;
  }
  store<u8>(out, order == 1 ? DELTA : DELTA_OF_DELTA);
  store<u8>(out + 1, <u8>exponent);
  store<u16>(out + 2, <u16>specials);
  let size = 4 + packIntegers(deltas, count, out + 4, sorted);
  if (specials == 0) return size;
  for (let i = 0; i < count; i++) {
    if (isDecimal(load<f64>(source + (<usize>i << 3)), exponent)) continue;
    store<u16>(out + size, <u16>i);
    store<u64>(out + size + 2, load<u64>(source + (<usize>i << 3)));
    size += 10;
  }
  return size;
}

function decodeDecimal(source: usize, end: usize, count: i32, out: usize, kind: u8): i32 {
  const exponent = <i32>load<u8>(source + 1);
  const specials = <i32>load<u16>(source + 2);
  if (exponent > EXPONENT_MAX) return -1;
  const packed = unpackIntegers(source + 4, end, count, out);
  if (packed < 0) return -1;
  const size = 4 + packed + specials * 10;
  if (source + size > end) return -1;
  const power = unchecked(POWERS[exponent]);
  let mantissa: i64 = 0;
  if (kind == DELTA) {
    for (let i = 0; i < count; i++) {
      mantissa += load<i64>(out + (<usize>i << 3));
      store<f64>(out + (<usize>i << 3), <f64>mantissa / power);
    }
  } else {
    let delta: i64 = 0;
    for (let i = 0; i < count; i++) {
      delta += load<i64>(out + (<usize>i << 3));
      mantissa += delta;
      store<f64>(out + (<usize>i << 3), <f64>mantissa / power);
    }
  }
  let special = source + 4 + packed;
  for (let i = 0; i < specials; i++) {
    const index = <i32>load<u16>(special);
    if (index >= count) return -1;
    store<u64>(out + (<usize>index << 3), load<u64>(special + 2));
    special += 10;
  }
  return size;
}

/**
 * XOR with the predecessor, byte-aligned: per value a byte of (trailing zero bytes << 4 | length)
 * and then the bytes in between; full-mantissa data gains nothing from finer alignment.
 */
function encodeXor(source: usize, count: i32, out: usize): i32 {
  store<u8>(out, XOR);
  let size = 1;
  let previous: u64 = 0;
  for (let i = 0; i < count; i++) {
    const bits = load<u64>(source + (<usize>i << 3));
    const difference = bits ^ previous;
    previous = bits;
    if (difference == 0) {
      store<u8>(out + size, 0);
      size++;
      continue;
    }
    const trailing = <i32>(ctz(difference) >> 3);
    const length = 8 - <i32>(clz(difference) >> 3) - trailing;
    store<u8>(out + size, <u8>((trailing << 4) | length));
    store<u64>(out + size + 1, difference >> (trailing << 3));
    size += 1 + length;
  }
  for (; size < 9; size++) store<u8>(out + size, 0);
  return size;
}

function decodeXor(source: usize, end: usize, count: i32, out: usize): i32 {
  let at = source + 1;
  let bits: u64 = 0;
  for (let i = 0; i < count; i++) {
    if (at >= end) return -1;
    const control = <i32>load<u8>(at);
    const length = control & 15;
    const trailing = control >> 4;
    if (length + trailing > 8 || at + 1 + length > end) return -1;
    if (length > 0) {
      const mask: u64 = length == 8 ? u64.MAX_VALUE : ((<u64>1) << (length << 3)) - 1;
      bits ^= (load<u64>(at + 1) & mask) << (trailing << 3);
    }
    store<u64>(out + (<usize>i << 3), bits);
    at += 1 + length;
  }
  return max(<i32>(at - source), 9);
}
