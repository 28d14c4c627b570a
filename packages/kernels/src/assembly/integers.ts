// Integer streams: patched frame of reference. See docs/formats/chunk.md for the bytes.
//
//   u8 width (+ 0x80 with exceptions) · signed base · [count of exceptions] · packed bits
//   · exceptions (distance of index, signed value)
//
// A value within [base, base + 2^width) is stored as its distance from base in `width` bits; any
// other one is an exception, so a counter reset or a missed scrape does not widen its neighbours.
import { readEnd, readSigned, readVarint, writeSigned, writeVarint, zigzag } from './varint';

/** Wider than this is stored in 64 bits, so that one unaligned load reads any packed value. */
const WIDTH_MAX: i32 = 57;
const EXCEPTIONS_FLAG: u8 = 0x80;
/** Values that the middle is guessed from. */
const GUESS_COUNT: i32 = 15;
const BIT_LENGTHS: i32 = 65;

/** What `choosePacking` chose; the cost is in bytes, close to the truth. */
export let packingCost: i32 = 0;
let chosenWidth: i32 = 0;
let chosenBase: i64 = 0;

/** Static memory: an array made at the start would lie in the heap that callers lay out. */
const guess: usize = memory.data(GUESS_COUNT * 8, 8);
const counts: usize = memory.data(BIT_LENGTHS * 4, 4);

/** The stream that is being unpacked: its packed bits, and what is said before them. */
let streamWidth: i32 = 0;
let streamBase: i64 = 0;
let streamExceptions: i32 = 0;
let streamBits: usize = 0;
/** Where the sums have got to. */
let sumTotal: i64 = 0;
let sumDelta: i64 = 0;

/** Chooses width and base for `count` values, without writing anything. */
export function choosePacking(source: usize, count: i32): void {
  if (count == 0) {
    packingCost = 0;
    return;
  }
  let low = at(source, 0);
  let high = low;
  for (let i = 1; i < count; i++) {
    const value = at(source, i);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const widest = bitLength(<u64>high - <u64>low);
  choose(widest, low, count);
  if (chosenWidth <= 1) return;
  // Around the middle first, which finds outliers on both sides; then upwards from the lowest
  // value that is left, which finds those of a lopsided distribution.
  const middle = guessMiddle(source, count);
  const reach = countLengths(source, count, middle, true, widest);
  let lowest = high;
  let highest = low;
  for (let i = 0; i < count; i++) {
    const value = at(source, i);
    if (bitLength(distance(value, middle)) > reach) continue;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const width = countLengths(source, count, lowest, false, widest);
  const cost = costOf(width, lowest, count, widest);
  if (cost < packingCost) {
    packingCost = cost;
    chosenWidth = width;
    chosenBase = lowest;
  }
}

function choose(width: i32, base: i64, count: i32): void {
  chosenWidth = width > WIDTH_MAX ? 64 : width;
  chosenBase = width > WIDTH_MAX ? 0 : base;
  packingCost = 1 + varintBytes(zigzag(chosenBase)) + packedBytes(chosenWidth, count);
}

/**
 * Counts the values by the bit length of their distance from `center`, or from below, and returns
 * the length beyond which it is cheaper to have exceptions. `counts` holds the counts afterwards.
 */
function countLengths(source: usize, count: i32, center: i64, bothSides: bool, widest: i32): i32 {
  // No distance is wider than the range; what lies below a one-sided center counts beyond it.
  const last = min(widest + 1, 64);
  memory.fill(counts, 0, <usize>(last + 1) << 2);
  for (let i = 0; i < count; i++) {
    const value = at(source, i);
    let length = last;
    if (value >= center) length = bitLength(<u64>value - <u64>center);
    else if (bothSides) length = bitLength(<u64>center - <u64>value);
    store<i32>(counts + (<usize>length << 2), countAt(length) + 1);
  }
  let best = last;
  let bestCost = <i32>i32.MAX_VALUE;
  let exceptions = 0;
  let exceptionBytes = 0;
  for (let length = last; length >= 0; length--) {
    const width = bothSides && length > 0 ? length + 1 : length;
    if (width <= WIDTH_MAX && exceptions <= 0xffff) {
      const cost = packedBytes(width, count) + exceptionBytes;
      if (cost <= bestCost) {
        bestCost = cost;
        best = length;
      }
    }
    exceptions += countAt(length);
    exceptionBytes += countAt(length) * exceptionSize(length);
  }
  return best;
}

/** What a packing costs, after `countLengths` upwards from its base. */
function costOf(width: i32, base: i64, count: i32, widest: i32): i32 {
  if (width > WIDTH_MAX) return i32.MAX_VALUE;
  let cost = 3 + varintBytes(zigzag(base)) + packedBytes(width, count);
  for (let length = width + 1; length <= min(widest + 1, 64); length++) {
    cost += countAt(length) * exceptionSize(length);
  }
  return cost;
}

// @ts-ignore: decorator
@inline
function countAt(length: i32): i32 {
  return load<i32>(counts + (<usize>length << 2));
}

// @ts-ignore: decorator
@inline
function exceptionSize(length: i32): i32 {
  return 2 + (length + 7) / 7;
}

/** The middle of some values from all over the stream. */
function guessMiddle(source: usize, count: i32): i64 {
  const taken = min(count, GUESS_COUNT);
  for (let i = 0; i < taken; i++) {
    const value = at(source, <i32>((<i64>i * count) / taken));
    let j = i;
    while (j > 0 && at(guess, j - 1) > value) {
      store<i64>(guess + (<usize>j << 3), at(guess, j - 1));
      j--;
    }
    store<i64>(guess + (<usize>j << 3), value);
  }
  return at(guess, taken >> 1);
}

/** Packs `count` values as `choosePacking` chose for them. Returns the bytes written. */
export function packIntegers(source: usize, count: i32, out: usize): i32 {
  if (count == 0) return 0;
  const width = chosenWidth;
  const base = chosenBase;
  let size = 1 + writeSigned(out + 1, base);
  if (width == 64) {
    store<u8>(out, 64);
    memory.copy(out + size, source, <usize>count << 3);
    return size + (count << 3);
  }
  const limit: u64 = ((<u64>1) << width) - 1;
  let exceptions = 0;
  for (let i = 0; i < count; i++) {
    if (isOutside(at(source, i), base, limit)) exceptions++;
  }
  store<u8>(out, <u8>width | (exceptions > 0 ? EXCEPTIONS_FLAG : 0));
  if (exceptions > 0) size += writeVarint(out + size, exceptions);
  if (width > 0) size += packBits(source, count, out + size, width, base, limit);
  let previous = 0;
  for (let i = 0; i < count && exceptions > 0; i++) {
    const value = at(source, i);
    if (!isOutside(value, base, limit)) continue;
    size += writeVarint(out + size, i - previous);
    size += writeSigned(out + size, value);
    previous = i;
    exceptions--;
  }
  return size;
}

function packBits(source: usize, count: i32, out: usize, width: i32, base: i64, limit: u64): i32 {
  const packed = packedBytes(width, count);
  let word: u64 = 0;
  let filled = 0;
  let place = out;
  for (let i = 0; i < count; i++) {
    const value = at(source, i);
    const bits = isOutside(value, base, limit) ? 0 : <u64>value - <u64>base;
    word |= bits << filled;
    filled += width;
    if (filled >= 64) {
      store<u64>(place, word);
      place += 8;
      filled -= 64;
      word = filled > 0 ? bits >> (width - filled) : 0;
    }
  }
  if (filled > 0) store<u64>(place, word);
  return packed;
}

/**
 * Unpacks `count` values that lie within [source, end) and writes as f64 what they add up to: the
 * running sum from `sum` on, or with `isSecondOrder` that of the running sum from `delta` on.
 * Returns the bytes read, or -1 when the bytes are no such stream. The memory behind `end` must be
 * readable for 8 bytes.
 */
export function unpackSums(
  source: usize,
  end: usize,
  count: i32,
  isSecondOrder: bool,
  delta: i64,
  sum: i64,
  out: usize,
): i32 {
  if (count == 0) return 0;
  if (!openStream(source, end, count)) return -1;
  const exceptionsEnd = streamBits + <usize>packedBytes(streamWidth, count);
  if (exceptionsEnd > end) return -1;
  sumDelta = isSecondOrder ? delta : 0;
  sumTotal = sum;
  let place = exceptionsEnd;
  let index = 0;
  for (let left = streamExceptions; left > 0; left--) {
    const distance = readVarint(place, end);
    if (readEnd == 0 || distance >= <u64>count) return -1;
    const next = <i32>distance + (left == streamExceptions ? 0 : index - 1);
    if (next < index || next >= count) return -1;
    const value = readSigned(readEnd, end);
    if (readEnd == 0) return -1;
    place = readEnd;
    sumRun(index, next, isSecondOrder, out);
    if (isSecondOrder) sumTotal += sumDelta += value;
    else sumTotal += value;
    store<f64>(out + (<usize>next << 3), <f64>sumTotal);
    index = next + 1;
  }
  sumRun(index, count, isSecondOrder, out);
  return <i32>(place - source);
}

/** Adds up the values [from, to), among which there are no exceptions. */
function sumRun(from: i32, to: i32, isSecondOrder: bool, out: usize): void {
  const width = <usize>streamWidth;
  const base = streamBase;
  const bits = streamBits;
  let total = sumTotal;
  let delta = sumDelta;
  if (width == 64) {
    for (let i = from; i < to; i++) {
      const value = load<i64>(bits + (<usize>i << 3));
      if (isSecondOrder) total += delta += value;
      else total += value;
      store<f64>(out + (<usize>i << 3), <f64>total);
    }
  } else if (width == 0 && !isSecondOrder) {
    for (let i = from; i < to; i++) {
      total += base;
      store<f64>(out + (<usize>i << 3), <f64>total);
    }
  } else {
    const mask: u64 = ((<u64>1) << width) - 1;
    let bit = <usize>from * width;
    if (isSecondOrder) {
      for (let i = from; i < to; i++) {
        delta += base + <i64>((load<u64>(bits + (bit >> 3)) >> (bit & 7)) & mask);
        total += delta;
        store<f64>(out + (<usize>i << 3), <f64>total);
        bit += width;
      }
    } else {
      for (let i = from; i < to; i++) {
        total += base + <i64>((load<u64>(bits + (bit >> 3)) >> (bit & 7)) & mask);
        store<f64>(out + (<usize>i << 3), <f64>total);
        bit += width;
      }
    }
  }
  sumTotal = total;
  sumDelta = delta;
}

/** Reads what comes before a stream's packed bits into the variables above; false for no stream. */
function openStream(source: usize, end: usize, count: i32): bool {
  if (source >= end) return false;
  const head = load<u8>(source);
  streamWidth = <i32>(head & 0x7f);
  if (streamWidth > WIDTH_MAX && head != 64) return false;
  streamBase = readSigned(source + 1, end);
  if (readEnd == 0) return false;
  streamExceptions = 0;
  if ((head & EXCEPTIONS_FLAG) != 0) {
    const claimed = readVarint(readEnd, end);
    if (readEnd == 0 || claimed == 0 || claimed > <u64>count) return false;
    streamExceptions = <i32>claimed;
  }
  streamBits = readEnd;
  return true;
}

/**
 * Unpacks `count` values that lie within [source, end). Returns the bytes read, or -1 when the
 * bytes are no such stream. The memory behind `end` must be readable for 8 bytes.
 */
export function unpackIntegers(source: usize, end: usize, count: i32, out: usize): i32 {
  if (count == 0) return 0;
  if (!openStream(source, end, count)) return -1;
  const bits = streamBits;
  const base = streamBase;
  const width = streamWidth;
  const exceptionsAt = bits + <usize>packedBytes(width, count);
  if (exceptionsAt > end) return -1;
  if (width == 64) {
    memory.copy(out, bits, <usize>count << 3);
  } else if (width == 0) {
    for (let i = 0; i < count; i++) store<i64>(out + (<usize>i << 3), base);
  } else {
    const mask: u64 = ((<u64>1) << width) - 1;
    let bit: usize = 0;
    for (let i = 0; i < count; i++) {
      const word = load<u64>(bits + (bit >> 3)) >> (bit & 7);
      store<i64>(out + (<usize>i << 3), base + <i64>(word & mask));
      bit += width;
    }
  }
  let place = exceptionsAt;
  let index: u64 = 0;
  for (let i = 0; i < streamExceptions; i++) {
    const distance = readVarint(place, end);
    if (readEnd == 0 || (i > 0 && distance == 0)) return -1;
    index += distance;
    if (index >= <u64>count) return -1;
    const value = readSigned(readEnd, end);
    if (readEnd == 0) return -1;
    place = readEnd;
    store<i64>(out + (<usize>index << 3), value);
  }
  return <i32>(place - source);
}

// @ts-ignore: decorator
@inline
function isOutside(value: i64, base: i64, limit: u64): bool {
  return value < base || <u64>value - <u64>base > limit;
}

// @ts-ignore: decorator
@inline
function distance(a: i64, b: i64): u64 {
  return a >= b ? <u64>a - <u64>b : <u64>b - <u64>a;
}

// @ts-ignore: decorator
@inline
function bitLength(value: u64): i32 {
  return 64 - <i32>clz(value);
}

function varintBytes(value: u64): i32 {
  return max(1, (bitLength(value) + 6) / 7);
}

function packedBytes(width: i32, count: i32): i32 {
  return <i32>((<i64>width * count + 7) >> 3);
}

// @ts-ignore: decorator
@inline
function at(base: usize, index: i32): i64 {
  return load<i64>(base + (<usize>index << 3));
}
