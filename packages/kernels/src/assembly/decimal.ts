// Numbers as text: the shortest decimal that reads back as the same double, found with one
// multiplication by a power of ten (R. Giulietti, "The Schubfach way to render doubles"), written
// as JSON's readers of Prometheus expect it: 1e+21 and 1e-07 beyond [1e-6, 1e21), NaN, +Inf, -Inf.

const HIDDEN_BIT: u64 = 1 << 52;
const FRACTION: u64 = HIDDEN_BIT - 1;
const BIAS: i32 = 1075;
const POWER_MIN: i32 = -292;
/** Longest text of a number: a sign, 17 digits, a point, five zeros, an exponent. */
export const NUMBER_BYTES_MAX: i32 = 28;

/** 128 bits for each power of ten from 10^-292 to 10^324, the low half first. */
let powers: usize = 0;

let digits: u64 = 0;
let exponent: i32 = 0;

/** Says where the powers of ten lie; the table is the caller's to fill. */
export function setPowersOfTen(at: usize): void {
  powers = at;
}

/** Writes a number; returns where the text ends. */
export function writeNumber(at: usize, value: f64): usize {
  if (value != value) return writeText(at, 0x4e614e, 3);
  let place = at;
  const bits = reinterpret<u64>(value);
  const isNegative = bits >> 63 != 0;
  const magnitude = abs(value);
  if (magnitude == Infinity) {
    store<u8>(place, isNegative ? 0x2d : 0x2b);
    return writeText(place + 1, 0x666e49, 3);
  }
  if (isNegative) store<u8>(place++, 0x2d);
  if (magnitude == 0) {
    store<u8>(place, 0x30);
    return place + 1;
  }
  shorten(bits & FRACTION, <i32>((bits >> 52) & 0x7ff));
  const count = countDigits(digits);
  const point = count + exponent;
  if (point > 21 || point <= -6) return writeWithExponent(place, count, point - 1);
  if (exponent >= 0) {
    writeDigits(place, digits, count);
    for (let i = 0; i < exponent; i++) store<u8>(place + count + i, 0x30);
    return place + count + exponent;
  }
  if (point > 0) {
    // Written one place to the right of where they belong, then moved before the point.
    writeDigits(place + 1, digits, count);
    for (let i = 0; i < point; i++) store<u8>(place + i, load<u8>(place + i + 1));
    store<u8>(place + point, 0x2e);
    return place + count + 1;
  }
  store<u16>(place, 0x2e30);
  place += 2;
  for (; point < 0 && place < at + 2 + <usize>isNegative - <usize>(<isize>point); place++) {
    store<u8>(place, 0x30);
  }
  writeDigits(place, digits, count);
  return place + count;
}

/** Writes a whole number that is not negative; returns where it ends. */
export function writeWhole(at: usize, value: u64): usize {
  const count = countDigits(value);
  writeDigits(at, value, count);
  return at + count;
}

function writeText(at: usize, text: u32, length: i32): usize {
  store<u32>(at, text);
  return at + length;
}

function writeWithExponent(at: usize, count: i32, power: i32): usize {
  let place = at;
  if (count == 1) {
    store<u8>(place++, <u8>(0x30 + digits));
  } else {
    writeDigits(place + 1, digits, count);
    store<u8>(place, load<u8>(place + 1));
    store<u8>(place + 1, 0x2e);
    place += count + 1;
  }
  store<u8>(place++, 0x65);
  store<u8>(place++, power < 0 ? 0x2d : 0x2b);
  const size = <u64>abs(power);
  if (size < 10) store<u8>(place++, 0x30);
  return writeWhole(place, size);
}

/** The shortest digits, without zeros at their end, and their exponent. */
function shorten(fraction: u64, biased: i32): void {
  let c = fraction;
  let q = 1 - BIAS;
  if (biased != 0) {
    c |= HIDDEN_BIT;
    q = biased - BIAS;
    if (q <= 0 && q > -53 && (c & (((<u64>1) << -q) - 1)) == 0) {
      digits = c >> -q;
      exponent = 0;
      // Whole numbers are shown with their zeros; only beyond 10^21 it matters, and never here.
      return;
    }
  }
  const isOdd = <u64>(c & 1);
  const isCloser = fraction == 0 && biased > 1;
  const k = isCloser ? (q * 1262611 - 524031) >> 22 : (q * 1262611) >> 22;
  const h = q + ((-k * 1741647) >> 19) + 1;
  const power = powers + (<usize>(-k - POWER_MIN) << 4);
  const low = load<u64>(power);
  const high = load<u64>(power, 8);
  const below = roundToOdd(low, high, (4 * c - 2 + u64(isCloser)) << h) + isOdd;
  const middle = roundToOdd(low, high, (4 * c) << h);
  const above = roundToOdd(low, high, (4 * c + 2) << h) - isOdd;
  const s = middle >> 2;
  exponent = k;
  if (s >= 10) {
    const tens = s / 10;
    const isLowerIn = below <= 40 * tens;
    const isUpperIn = 40 * tens + 40 <= above;
    if (isLowerIn != isUpperIn) {
      digits = tens + u64(isUpperIn);
      exponent = k + 1;
      dropZeros();
      return;
    }
  }
  const isLowerIn = below <= 4 * s;
  const isUpperIn = 4 * s + 4 <= above;
  if (isLowerIn != isUpperIn) {
    digits = s + u64(isUpperIn);
  } else {
    const half = 4 * s + 2;
    digits = s + u64(middle > half || (middle == half && (s & 1) != 0));
  }
  dropZeros();
}

function dropZeros(): void {
  while (digits % 10000 == 0) {
    digits /= 10000;
    exponent += 4;
  }
  while (digits % 10 == 0) {
    digits /= 10;
    exponent++;
  }
}

/** The upper 64 of the 192 bits of g * c, with a sticky last bit. */
// @ts-ignore: decorator
@inline
function roundToOdd(low: u64, high: u64, c: u64): u64 {
  const carry = multiplyHigh(low, c);
  const lower = high * c + carry;
  const upper = multiplyHigh(high, c) + u64(lower < carry);
  return upper | u64(lower > 1);
}

function multiplyHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const cross = a1 * b0 + ((a0 * b0) >> 32);
  const other = a0 * b1 + (cross & 0xffffffff);
  return a1 * b1 + (cross >> 32) + (other >> 32);
}

function countDigits(value: u64): i32 {
  let count = 1;
  let limit: u64 = 10;
  while (value >= limit) {
    count++;
    if (count == 20) break;
    limit *= 10;
  }
  return count;
}

function writeDigits(at: usize, value: u64, count: i32): void {
  let place = at + count;
  let left = value;
  // Division of 32-bit numbers is much quicker.
  while (left >= 100000000) {
    let part = <u32>(left % 100000000);
    left /= 100000000;
    for (let i = 0; i < 8; i++) {
      store<u8>(--place, <u8>(0x30 + (part % 10)));
      part /= 10;
    }
  }
  let part = <u32>left;
  do {
    store<u8>(--place, <u8>(0x30 + (part % 10)));
    part /= 10;
  } while (place > at);
}
