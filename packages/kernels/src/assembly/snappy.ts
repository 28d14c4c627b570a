// Snappy's block format, as in its format_description.txt: a varint of the decompressed size, then
// elements whose tag says literal (0) or copy (1, 2, 3: an offset of 11, 16 or 32 bits).
//
// Copies are done in words that may overshoot by up to 15 bytes: callers leave that much room
// behind input and output. No byte outside of these is touched, whatever the input claims.

const HASH_BITS: u32 = 14;
const HASH_MULTIPLIER: u32 = 0x1e35a7bd;
/** Matches farther back would need four bytes for their offset and are hardly ever found. */
const OFFSET_MAX: usize = 0xffff;
/** The last bytes become a literal, so that the matcher may load whole words. */
const TAIL_BYTES: usize = 16;

/** The decompressed size that a block claims, at most 2^32 - 1; -1 for no valid preamble. */
export function snappySize(source: usize, length: i32): f64 {
  let size: u64 = 0;
  for (let i = 0; i < 5 && i < length; i++) {
    const byte = <u64>load<u8>(source + i);
    size |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return size > 0xffffffff ? -1 : <f64>size;
  }
  return -1;
}

/** Decodes a block into exactly the `size` bytes that it claims. 1 when it does, else 0. */
export function snappyDecode(source: usize, length: i32, out: usize, size: u32): i32 {
  const end = source + length;
  const outEnd = out + size;
  let at = source;
  while (load<u8>(at) >= 0x80) at++;
  at++;
  let to = out;
  while (at < end) {
    const tag = <usize>load<u8>(at++);
    if ((tag & 3) == 0) {
      // One less than the length, so that 2^32 does not become 0.
      let rest = tag >> 2;
      if (rest >= 60) {
        const bytes = rest - 59;
        if (bytes > end - at) return 0;
        rest = load<u32>(at) & (<u32>0xffffffff >> <u32>(32 - (bytes << 3)));
        at += bytes;
      }
      if (rest >= end - at || rest >= outEnd - to) return 0;
      copyFar(to, at, rest + 1);
      to += rest + 1;
      at += rest + 1;
      continue;
    }
    let count: usize;
    let offset: usize;
    if ((tag & 3) == 1) {
      if (at >= end) return 0;
      count = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | <usize>load<u8>(at);
      at++;
    } else if ((tag & 3) == 2) {
      if (end - at < 2) return 0;
      count = (tag >> 2) + 1;
      offset = <usize>load<u16>(at);
      at += 2;
    } else {
      if (end - at < 4) return 0;
      count = (tag >> 2) + 1;
      offset = <usize>load<u32>(at);
      at += 4;
    }
    if (offset == 0 || offset > to - out || count > outEnd - to) return 0;
    if (offset >= 16) {
      copyFar(to, to - offset, count);
    } else if (offset >= 8) {
      for (let i: usize = 0; i < count; i += 8) store<u64>(to + i, load<u64>(to - offset + i));
    } else {
      for (let i: usize = 0; i < count; i++) store<u8>(to + i, load<u8>(to - offset + i));
    }
    to += count;
  }
  return to == outEnd ? 1 : 0;
}

/**
 * Encodes `length` bytes. `out` has room for length + length / 6 + 64 bytes, `table` for 2^14 u32.
 * Returns the bytes written.
 */
export function snappyEncode(source: usize, length: i32, out: usize, table: usize): i32 {
  let to = writeSize(out, <u32>length);
  const end = source + length;
  let pending = source;
  if (<usize>length > TAIL_BYTES) {
    memory.fill(table, 0, <usize>4 << HASH_BITS);
    const limit = end - TAIL_BYTES;
    let at = source + 1;
    // Steps grow while nothing matches: what does not compress is passed quickly.
    let misses: usize = 32;
    while (at < limit) {
      const word = load<u32>(at);
      const slot = table + (<usize>((word * HASH_MULTIPLIER) >> (32 - HASH_BITS)) << 2);
      const candidate = source + load<u32>(slot);
      store<u32>(slot, <u32>(at - source));
      if (at - candidate > OFFSET_MAX || load<u32>(candidate) != word) {
        at += misses++ >> 5;
        continue;
      }
      misses = 32;
      to = writeLiteral(to, pending, at - pending);
      const count = matchLength(candidate, at, end);
      to = writeCopies(to, at - candidate, count);
      at += count;
      pending = at;
    }
  }
  to = writeLiteral(to, pending, end - pending);
  return <i32>(to - out);
}

/** Copies in words of 16 bytes; source and target are at least that far apart. */
// @ts-ignore: decorator
@inline
function copyFar(to: usize, from: usize, count: usize): void {
  if (count > 256) {
    memory.copy(to, from, count);
    return;
  }
  for (let i: usize = 0; i < count; i += 16) v128.store(to + i, v128.load(from + i));
}

function matchLength(candidate: usize, at: usize, end: usize): usize {
  let count: usize = 4;
  while (at + count + 8 <= end) {
    const difference = load<u64>(candidate + count) ^ load<u64>(at + count);
    if (difference != 0) return count + <usize>(ctz(difference) >> 3);
    count += 8;
  }
  while (at + count < end && load<u8>(candidate + count) == load<u8>(at + count)) count++;
  return count;
}

function writeSize(out: usize, size: u32): usize {
  let rest = size;
  let to = out;
  while (rest >= 0x80) {
    store<u8>(to++, <u8>(rest | 0x80));
    rest >>= 7;
  }
  store<u8>(to++, <u8>rest);
  return to;
}

function writeLiteral(out: usize, from: usize, count: usize): usize {
  if (count == 0) return out;
  let to = out;
  const rest = count - 1;
  if (rest < 60) {
    store<u8>(to++, <u8>(rest << 2));
  } else {
    const bytes: usize = rest < 0x100 ? 1 : rest < 0x10000 ? 2 : rest < 0x1000000 ? 3 : 4;
    store<u8>(to, <u8>((59 + bytes) << 2));
    store<u32>(to + 1, <u32>rest);
    to += 1 + bytes;
  }
  copyFar(to, from, count);
  return to + count;
}

function writeCopies(out: usize, offset: usize, length: usize): usize {
  let to = out;
  let count = length;
  while (count > 0) {
    if (count >= 4 && count <= 11 && offset < 2048) {
      store<u8>(to, <u8>(1 | ((count - 4) << 2) | ((offset >> 8) << 5)));
      store<u8>(to + 1, <u8>offset);
      return to + 2;
    }
    const part: usize = count > 64 ? 64 : count;
    store<u8>(to, <u8>(2 | ((part - 1) << 2)));
    store<u16>(to + 1, <u16>offset);
    to += 3;
    count -= part;
  }
  return to;
}
