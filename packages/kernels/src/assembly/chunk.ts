// A chunk: u16 count · timestamp stream · value stream. See docs/formats/chunk.md.
import { packIntegers, unpackIntegers } from './integers';
import { decodeValues, encodeValues } from './values';

/** Encodes `count` samples (timestamps and values as f64). Returns the bytes written. */
export function encodeChunk(timestamps: usize, values: usize, count: i32, out: usize, scratch: usize): i32 {
  store<u16>(out, <u16>count);
  const deltas = scratch;
  const sorted = scratch + (<usize>count << 3);
  const first = <i64>load<f64>(timestamps);
  store<i64>(out + 2, first);
  let previous = first;
  for (let i = 1; i < count; i++) {
    const timestamp = <i64>load<f64>(timestamps + (<usize>i << 3));
    store<i64>(deltas + (<usize>(i - 1) << 3), timestamp - previous);
    previous = timestamp;
  }
  let size = 10 + packIntegers(deltas, count - 1, out + 10, sorted);
  size += encodeValues(values, count, out + size, scratch);
  return size;
}

/** Decodes a chunk into two f64 arrays. Returns the count of samples, or -1 when it is corrupt. */
export function decodeChunk(source: usize, length: i32, timestamps: usize, values: usize, capacity: i32): i32 {
  const end = source + <usize>length;
  if (length < 10) return -1;
  const count = <i32>load<u16>(source);
  if (count == 0 || count > capacity) return -1;
  const first = load<i64>(source + 2);
  const packed = unpackIntegers(source + 10, end, count - 1, timestamps + 8);
  if (packed < 0) return -1;
  let timestamp = first;
  store<f64>(timestamps, <f64>first);
  for (let i = 1; i < count; i++) {
    timestamp += load<i64>(timestamps + (<usize>i << 3));
    store<f64>(timestamps + (<usize>i << 3), <f64>timestamp);
  }
  const read = decodeValues(source + 10 + packed, end, count, values);
  return read < 0 || 10 + packed + read != length ? -1 : count;
}
