// Value streams: the smallest of constant, decimal delta, decimal delta-of-delta, XOR, the delta of
// the bits, and raw.
// See docs/formats/chunk.md for the bytes. Lossless for every bit pattern.
import { choosePacking, packIntegers, packingCost, unpackIntegers, unpackSums } from './integers';
import { readEnd, readSigned, readVarint, writeSigned, writeVarint } from './varint';

const CONSTANT: u8 = 0;
const DELTA: u8 = 1;
const DELTA_OF_DELTA: u8 = 2;
const XOR: u8 = 3;
const RAW: u8 = 4;
const BITS_DELTA: u8 = 5;

/** Powers of ten that are exact as doubles and useful for decimals of at most 2^53. */
const EXPONENT_MAX: i32 = 15;
const POWERS: StaticArray<f64> = [
  1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];
const MANTISSA_MAX: f64 = 9007199254740991.0;
const SPECIALS_FLAG: u8 = 0x80;
/** An index and eight bytes. */
const SPECIAL_BYTES: i32 = 9;
/** Decimals of fewer bytes a value are hardly ever beaten by what looks at the bits. */
const DECIMAL_GOOD_BYTES: i32 = 4;

/** Encodes `count` >= 1 values; `scratch` holds 3 x count i64. Returns the bytes written. */
export function encodeValues(source: usize, count: i32, out: usize, scratch: usize): i32 {
  if (isConstant(source, count)) {
    store<u8>(out, CONSTANT);
    store<u64>(out + 1, load<u64>(source));
    return 9;
  }
  const mantissas = scratch;
  const deltas = mantissas + (<usize>count << 3);
  const deltas2 = deltas + (<usize>count << 3);
  const rawBytes = 1 + (count << 3);
  let order = 0;
  let specials = 0;
  let best = rawBytes;
  const exponent = commonExponent(source, count);
  if (exponent >= 0) {
    specials = toMantissas(source, count, exponent, mantissas);
    difference(mantissas, count, deltas);
    difference(deltas, count - 1, deltas2);
    const overhead = 12 + specials * SPECIAL_BYTES;
    choosePacking(deltas2, count - 2);
    const cost2 = packingCost + 3;
    choosePacking(deltas, count - 1);
    order = packingCost <= cost2 ? 1 : 2;
    best = min(packingCost, cost2) + overhead;
    if (best >= rawBytes) order = 0;
  }
  if (best > count * DECIMAL_GOOD_BYTES) {
    const xor = xorSize(source, count);
    difference(source, count, mantissas);
    choosePacking(mantissas, count - 1);
    const bitsDelta = packingCost + 9;
    if (bitsDelta < min(best, xor)) return encodeBitsDelta(source, count, mantissas, out);
    if (xor < best) return encodeXor(source, count, out);
    if (order > 0) toMantissas(source, count, exponent, mantissas);
    choosePacking(deltas, count - 1);
  }
  if (order == 0) {
    store<u8>(out, RAW);
    memory.copy(out + 1, source, <usize>count << 3);
    return rawBytes;
  }
  return encodeDecimal(source, count, exponent, order, specials, mantissas, deltas, deltas2, out);
}

/** Decodes `count` values from [source, end). Returns the bytes read, or -1 when corrupt. */
export function decodeValues(source: usize, end: usize, count: i32, out: usize): i32 {
  if (source >= end) return -1;
  const kind = load<u8>(source);
  if (kind == CONSTANT) {
    if (source + 9 > end) return -1;
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
  if (kind == BITS_DELTA) return decodeBitsDelta(source, end, count, out);
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
    if (isDecimal(value, exponent) || !isFinite(value)) continue;
    let candidate = exponent + 1;
    while (candidate <= EXPONENT_MAX && !isDecimal(value, candidate)) candidate++;
    if (candidate <= EXPONENT_MAX) exponent = candidate;
    else if (++misses * 4 > count) return -1;
  }
  return exponent;
}

// @ts-ignore: decorator
@inline
function isDecimal(value: f64, exponent: i32): bool {
  if (exponent == 0) {
    // Through the integer, so that -0 is told from 0.
    return abs(value) <= MANTISSA_MAX && reinterpret<u64>(<f64>(<i64>value)) == reinterpret<u64>(value);
  }
  const power = unchecked(POWERS[exponent]);
  const mantissa = nearest(value * power);
  if (!(abs(mantissa) <= MANTISSA_MAX)) return false;
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

/** The count - 1 differences of `count` numbers. */
function difference(source: usize, count: i32, out: usize): void {
  for (let i = 1; i < count; i++) {
    const place = source + (<usize>i << 3);
    store<i64>(out + (<usize>(i - 1) << 3), load<i64>(place) - load<i64>(place - 8));
  }
}

/** Writes decimals; the packing that was chosen last must be that of `deltas`. */
function encodeDecimal(
  source: usize,
  count: i32,
  exponent: i32,
  order: i32,
  specials: i32,
  mantissas: usize,
  deltas: usize,
  deltas2: usize,
  out: usize,
): i32 {
  store<u8>(out, order == 1 ? DELTA : DELTA_OF_DELTA);
  store<u8>(out + 1, <u8>exponent | (specials > 0 ? SPECIALS_FLAG : 0));
  let size = 2;
  if (specials > 0) size += writeVarint(out + size, specials);
  size += writeSigned(out + size, load<i64>(mantissas));
  if (order == 1) {
    size += packIntegers(deltas, count - 1, out + size);
  } else {
    size += writeSigned(out + size, load<i64>(deltas));
    choosePacking(deltas2, count - 2);
    size += packIntegers(deltas2, count - 2, out + size);
  }
  let previous = 0;
  for (let i = 0; i < count && specials > 0; i++) {
    const value = load<f64>(source + (<usize>i << 3));
    if (isDecimal(value, exponent)) continue;
    size += writeVarint(out + size, i - previous);
    store<u64>(out + size, reinterpret<u64>(value));
    size += 8;
    previous = i;
    specials--;
  }
  return size;
}

function decodeDecimal(source: usize, end: usize, count: i32, out: usize, kind: u8): i32 {
  if (source + 3 > end) return -1;
  const head = load<u8>(source + 1);
  const exponent = <i32>(head & 0x7f);
  if (exponent > EXPONENT_MAX) return -1;
  let place = source + 2;
  let specials = 0;
  if ((head & SPECIALS_FLAG) != 0) {
    const claimed = readVarint(place, end);
    if (readEnd == 0 || claimed > <u64>count) return -1;
    specials = <i32>claimed;
    place = readEnd;
  }
  let mantissa = readSigned(place, end);
  if (readEnd == 0) return -1;
  place = readEnd;
  let delta: i64 = 0;
  // The numbers that are unpacked are those of values `first` and later.
  const first = kind == DELTA ? 1 : min(2, count);
  if (kind == DELTA_OF_DELTA) {
    delta = readSigned(place, end);
    if (readEnd == 0) return -1;
    place = readEnd;
  }
  store<f64>(out, <f64>mantissa);
  if (first == 2) {
    mantissa += delta;
    store<f64>(out + 8, <f64>mantissa);
  }
  const rest = out + (<usize>first << 3);
  const isSecondOrder = kind == DELTA_OF_DELTA;
  const packed = unpackSums(place, end, count - first, isSecondOrder, delta, mantissa, rest);
  if (packed < 0) return -1;
  if (exponent > 0) divideAll(out, count, unchecked(POWERS[exponent]));
  const special = readSpecials(place + packed, end, specials, count, out);
  return special == 0 ? -1 : <i32>(special - source);
}

/** Divides in pairs, and so may write one number more. */
function divideAll(out: usize, count: i32, divisor: f64): void {
  const divisors = f64x2.splat(divisor);
  for (let i = 0; i < count; i += 2) {
    const place = out + (<usize>i << 3);
    v128.store(place, f64x2.div(v128.load(place), divisors));
  }
}

/** Puts the values that are no decimals in their places. Returns where they end, or 0. */
function readSpecials(source: usize, end: usize, specials: i32, count: i32, out: usize): usize {
  let place = source;
  let index: u64 = 0;
  for (let i = 0; i < specials; i++) {
    index += readVarint(place, end);
    if (readEnd == 0 || index >= <u64>count || readEnd + 8 > end) return 0;
    store<u64>(out + (<usize>index << 3), load<u64>(readEnd));
    place = readEnd + 8;
  }
  return place;
}

/**
 * The bits of the values as whole numbers, and their differences: neighbours of one exponent differ
 * by as many bits as their difference has, which counters of full mantissas keep small.
 */
function encodeBitsDelta(source: usize, count: i32, deltas: usize, out: usize): i32 {
  store<u8>(out, BITS_DELTA);
  store<u64>(out + 1, load<u64>(source));
  return 9 + packIntegers(deltas, count - 1, out + 9);
}

function decodeBitsDelta(source: usize, end: usize, count: i32, out: usize): i32 {
  if (source + 9 > end) return -1;
  let bits = load<i64>(source + 1);
  const packed = unpackIntegers(source + 9, end, count - 1, out + 8);
  if (packed < 0) return -1;
  store<i64>(out, bits);
  for (let i = 1; i < count; i++) {
    bits += load<i64>(out + (<usize>i << 3));
    store<i64>(out + (<usize>i << 3), bits);
  }
  return 9 + packed;
}

function xorSize(source: usize, count: i32): i32 {
  let size = 1 + count;
  let previous: u64 = 0;
  for (let i = 0; i < count; i++) {
    const bits = load<u64>(source + (<usize>i << 3));
    const changed = bits ^ previous;
    previous = bits;
    if (changed != 0) size += 8 - <i32>(clz(changed) >> 3) - <i32>(ctz(changed) >> 3);
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
    const changed = bits ^ previous;
    previous = bits;
    if (changed == 0) {
      store<u8>(out + size, 0);
      size++;
      continue;
    }
    const trailing = <i32>(ctz(changed) >> 3);
    const length = 8 - <i32>(clz(changed) >> 3) - trailing;
    store<u8>(out + size, <u8>((trailing << 4) | length));
    store<u64>(out + size + 1, changed >> (trailing << 3));
    size += 1 + length;
  }
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
  return <i32>(at - source);
}
