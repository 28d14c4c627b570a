// Decimal numbers as doubles, correctly rounded: Clinger's fast path, and behind it the algorithm of
// Eisel and Lemire ("Number parsing at a gigabyte per second", 2021), whose powers of five are made
// by the caller. What neither decides is left to the caller.

/** 10^0 to 10^22, which doubles hold exactly. */
const EXACT_POWERS: StaticArray<f64> = [
  1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
];
/** More digits do not fit 64 bits. */
const DIGITS_MAX: i32 = 19;
const MANTISSA_EXACT_MAX: u64 = 0x20000000000000;
const FRACTION_BITS: i32 = 52;
const FRACTION_MASK: u64 = 0xfffffffffffff;
const EXPONENT_BIAS: i32 = 1023;

/** The number that was read last. */
export let parsedFloat: f64 = 0;

/**
 * Reads the number at `at`: digits with an optional sign, point and exponent; NaN, +Inf, -Inf. The
 * powers of five for exponents -powersMax to powersMax are at `powers`, 16 bytes each, high half
 * first. Returns where it ends, 0 for what the caller must read.
 */
export function parseFloat(at: usize, end: usize, powers: usize, powersMax: i32): usize {
  const first = load<u8>(at);
  const isNegative = first == 0x2d;
  let p = isNegative || first == 0x2b ? at + 1 : at;
  let mantissa: u64 = 0;
  let digits = 0;
  let isThere = false;
  let exponent = 0;
  let isFraction = false;
  for (; p < end; p++) {
    const byte = load<u8>(p);
    const digit = byte - 48;
    if (digit <= 9) {
      isThere = true;
      mantissa = mantissa * 10 + digit;
      if (mantissa != 0 && ++digits > DIGITS_MAX) return 0;
      if (isFraction) exponent--;
    } else if (byte == 0x2e && !isFraction) {
      isFraction = true;
    } else break;
  }
  if (!isThere) return parseWord(at, end);
  if (p < end && (load<u8>(p) | 32) == 0x65) {
    p++;
    const sign = p < end ? load<u8>(p) : 0;
    if (sign == 0x2b || sign == 0x2d) p++;
    let written = 0;
    const start = p;
    for (; p < end && p < start + 4; p++) {
      const digit = load<u8>(p) - 48;
      if (digit > 9) break;
      written = written * 10 + digit;
    }
    if (p == start || p == start + 4) return 0;
    exponent += sign == 0x2d ? -written : written;
  }
  const isExact = mantissa <= MANTISSA_EXACT_MAX && exponent >= -22 && exponent <= 22;
  let value: f64 = <f64>mantissa;
  if (mantissa != 0 && isExact) {
    if (exponent < 0) value /= unchecked(EXACT_POWERS[-exponent]);
    else value *= unchecked(EXACT_POWERS[exponent]);
  } else if (mantissa != 0) {
    if (exponent < -powersMax || exponent > powersMax) return 0;
    value = round(mantissa, exponent, powers + (<usize>(exponent + powersMax) << 4));
    if (value == 0) return 0;
  }
  parsedFloat = isNegative ? -value : value;
  return p;
}

/** NaN, +Inf and -Inf as Go writes them. */
function parseWord(at: usize, end: usize): usize {
  if (at + 3 > end) return 0;
  const word = <u32>load<u16>(at) | (<u32>load<u8>(at + 2) << 16);
  if (word == 0x4e614e) {
    parsedFloat = NaN;
    return at + 3;
  }
  if (at + 4 > end) return 0;
  const signed = load<u32>(at);
  if (signed != 0x666e492b && signed != 0x666e492d) return 0;
  parsedFloat = signed == 0x666e492b ? Infinity : -Infinity;
  return at + 4;
}

/** mantissa * 10^exponent to the nearest double, ties to even; 0 where it is not certain. */
function round(mantissa: u64, exponent: i32, power: usize): f64 {
  const zeros = <i32>clz(mantissa);
  const shifted = mantissa << zeros;
  const factor = load<u64>(power);
  let low = shifted * factor;
  let high = multiplyHigh(shifted, factor);
  if ((high & 0x1ff) == 0x1ff) {
    // The rest of the power may carry into the bits that count.
    const rest = multiplyHigh(shifted, load<u64>(power + 8));
    low += rest;
    if (low < rest) high++;
  }
  if (low == u64.MAX_VALUE && (exponent < -27 || exponent > 55)) return 0;
  const upper = <i32>(high >> 63);
  const shift = upper + 9;
  let bits = high >> shift;
  let binary = ((217706 * exponent) >> 16) + 63 + upper - zeros + EXPONENT_BIAS;
  if (binary <= 0) return 0;
  const isTie = low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1;
  if (isTie && bits << shift == high) bits &= ~1;
  bits = (bits + (bits & 1)) >> 1;
  if (bits >= <u64>2 << FRACTION_BITS) {
    bits = <u64>1 << FRACTION_BITS;
    binary++;
  }
  if (binary >= 0x7ff) return 0;
  return reinterpret<f64>((bits & FRACTION_MASK) | (<u64>binary << FRACTION_BITS));
}

/** The upper half of a product. */
// @ts-ignore: decorator
@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}
