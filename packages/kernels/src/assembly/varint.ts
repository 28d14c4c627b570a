// LEB128 varints, signed ones in zigzag order. See docs/formats/chunk.md.

/** Where the last read ended, or 0 when the bytes were no varint. */
export let readEnd: usize = 0;

/** Writes an unsigned varint; returns the bytes written, 10 at most. */
export function writeVarint(at: usize, number: u64): i32 {
  let value = number;
  let size = 0;
  while (value >= 0x80) {
    store<u8>(at + size, <u8>(value | 0x80));
    value >>= 7;
    size++;
  }
  store<u8>(at + size, <u8>value);
  return size + 1;
}

export function writeSigned(at: usize, number: i64): i32 {
  return writeVarint(at, zigzag(number));
}

// @ts-ignore: decorator
@inline
export function zigzag(number: i64): u64 {
  return <u64>((number << 1) ^ (number >> 63));
}

/** Reads an unsigned varint from [at, end); `readEnd` says where it ended. */
export function readVarint(at: usize, end: usize): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  let place = at;
  while (place < end && shift < 70) {
    const byte = <u64>load<u8>(place);
    place++;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      // The tenth byte holds the 64th bit and nothing else.
      readEnd = shift == 63 && byte > 1 ? 0 : place;
      return value;
    }
    shift += 7;
  }
  readEnd = 0;
  return 0;
}

export function readSigned(at: usize, end: usize): i64 {
  const value = readVarint(at, end);
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}
