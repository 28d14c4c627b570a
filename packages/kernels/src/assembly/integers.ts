// Integer streams: patched frame of reference. See docs/formats/chunk.md for the bytes.
//
//   u8 width · i64 base · u16 exceptionCount · packed bits · exceptions (u16 index, i64 value)
//
// A value within [base, base + 2^width) is stored as its distance from base in `width` bits;
// any other one is an exception. The window of values that costs least is found over the sorted
// values, so a counter reset or a missed scrape does not widen its neighbours.

export const HEADER_BYTES: i32 = 11;
export const EXCEPTION_BYTES: i32 = 10;
/** Wider than this is stored in 64 bits, so that one unaligned load reads any packed value. */
export const WIDTH_MAX: i32 = 57;

/** Packs `count` values; `scratch` holds as many i64. Returns the bytes written. */
export function packIntegers(source: usize, count: i32, out: usize, scratch: usize): i32 {
  if (count == 0) return write(source, 0, out, 0, 0);
  memory.copy(scratch, source, <usize>count << 3);
  sort(scratch, count);
  let bestCost: i64 = i64.MAX_VALUE;
  let bestWidth: i32 = 64;
  let bestBase: i64 = 0;
  const range = <u64>(at(scratch, count - 1) - at(scratch, 0));
  const fullWidth = 64 - <i32>clz(range);
  for (let width = 0; width <= min(fullWidth, WIDTH_MAX); width++) {
    const limit: u64 = ((<u64>1) << width) - 1;
    let low = 0;
    let most = 0;
    let mostLow = 0;
    for (let high = 0; high < count; high++) {
      while (<u64>(at(scratch, high) - at(scratch, low)) > limit) low++;
      if (high - low + 1 > most) {
        most = high - low + 1;
        mostLow = low;
      }
    }
    const cost = packedBytes(width, count) + <i64>(count - most) * EXCEPTION_BYTES;
    if (cost < bestCost && count - most <= 0xffff) {
      bestCost = cost;
      bestWidth = width;
      bestBase = at(scratch, mostLow);
    }
  }
  if (bestCost >= <i64>count << 3) {
    bestWidth = 64;
    bestBase = 0;
  }
  return write(source, count, out, bestWidth, bestBase);
}

function write(source: usize, count: i32, out: usize, width: i32, base: i64): i32 {
  const packed = <i32>packedBytes(width, count);
  memory.fill(out, 0, HEADER_BYTES + packed + 8);
  store<u8>(out, <u8>width);
  store<i64>(out + 1, base);
  const bits = out + HEADER_BYTES;
  const limit: u64 = width == 64 ? u64.MAX_VALUE : ((<u64>1) << width) - 1;
  let exceptionAt = bits + packed;
  let exceptions = 0;
  for (let i = 0; i < count; i++) {
    const value = at(source, i);
    if (width == 64) {
      store<i64>(bits + (<usize>i << 3), value);
      continue;
    }
    let distance = <u64>(value - base);
    if (value < base || distance > limit) {
      store<u16>(exceptionAt, <u16>i);
      store<i64>(exceptionAt + 2, value);
      exceptionAt += EXCEPTION_BYTES;
      exceptions++;
      distance = 0;
    }
    const bit = <usize>i * width;
    const byte = bits + (bit >> 3);
    // The last value's store may reach up to 7 bytes past the packed bits, into the exceptions:
    // those are written as whole words, so only or-ing into zeroed bits is safe before them.
    if (i * width + 64 <= packed * 8) {
      store<u64>(byte, load<u64>(byte) | (distance << (bit & 7)));
    } else {
      orBytes(byte, distance, <i32>(bit & 7), width);
    }
  }
  store<u16>(out + 9, <u16>exceptions);
  return <i32>(exceptionAt - out);
}

/** Writes `width` bits byte by byte, never past the last byte that they touch. */
function orBytes(start: usize, distance: u64, shift: i32, width: i32): void {
  let left = width;
  let value = distance;
  let offset = shift;
  let byte = start;
  while (left > 0) {
    store<u8>(byte, load<u8>(byte) | <u8>((value << offset) & 0xff));
    const taken = 8 - offset;
    value >>= taken;
    left -= taken;
    offset = 0;
    byte++;
  }
}

/**
 * Unpacks `count` values that lie within [source, end). Returns the bytes read, or -1 when the
 * bytes are no such stream. The memory behind `end` must be readable for 8 bytes.
 */
export function unpackIntegers(source: usize, end: usize, count: i32, out: usize): i32 {
  if (source + HEADER_BYTES > end) return -1;
  const width = <i32>load<u8>(source);
  if (width > WIDTH_MAX && width != 64) return -1;
  const base = load<i64>(source + 1);
  const exceptions = <i32>load<u16>(source + 9);
  const bits = source + HEADER_BYTES;
  const packed = <usize>packedBytes(width, count);
  const total = HEADER_BYTES + packed + <usize>exceptions * EXCEPTION_BYTES;
  if (source + total > end) return -1;
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
  let exceptionAt = bits + packed;
  for (let i = 0; i < exceptions; i++) {
    const index = <i32>load<u16>(exceptionAt);
    if (index >= count) return -1;
    store<i64>(out + (<usize>index << 3), load<i64>(exceptionAt + 2));
    exceptionAt += EXCEPTION_BYTES;
  }
  return <i32>total;
}

export function packedBytes(width: i32, count: i32): i64 {
  return (<i64>width * count + 7) >> 3;
}

// @ts-ignore: decorator
@inline
function at(base: usize, index: i32): i64 {
  return load<i64>(base + (<usize>index << 3));
}

/** Shell sort: small, in place, and quick on the nearly sorted data of counters. */
function sort(base: usize, count: i32): void {
  let gap = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < count; i++) {
      const value = at(base, i);
      let j = i;
      while (j >= gap && at(base, j - gap) > value) {
        store<i64>(base + (<usize>j << 3), at(base, j - gap));
        j -= gap;
      }
      store<i64>(base + (<usize>j << 3), value);
    }
  }
}
