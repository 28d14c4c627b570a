// A chunk: count · first timestamp · timestamp stream · value stream. See docs/formats/chunk.md.
import { choosePacking, packIntegers, unpackSums } from './integers';
import { decodeValues, encodeValues } from './values';
import { readEnd, readSigned, readVarint, writeSigned, writeVarint } from './varint';

/** Encodes `count` samples (timestamps and values as f64). Returns the bytes written. */
export function encodeChunk(timestamps: usize, values: usize, count: i32, out: usize, scratch: usize): i32 {
  let size = writeVarint(out, count);
  const first = <i64>load<f64>(timestamps);
  size += writeSigned(out + size, first);
  let previous = first;
  for (let i = 1; i < count; i++) {
    const timestamp = <i64>load<f64>(timestamps + (<usize>i << 3));
    store<i64>(scratch + (<usize>(i - 1) << 3), timestamp - previous);
    previous = timestamp;
  }
  choosePacking(scratch, count - 1);
  size += packIntegers(scratch, count - 1, out + size);
  return size + encodeValues(values, count, out + size, scratch);
}

/** Decodes a chunk into two f64 arrays. Returns the count of samples, or -1 when it is corrupt. */
export function decodeChunk(source: usize, length: i32, timestamps: usize, values: usize, capacity: i32): i32 {
  const end = source + <usize>length;
  const claimed = readVarint(source, end);
  if (readEnd == 0 || claimed == 0 || claimed > <u64>capacity) return -1;
  const count = <i32>claimed;
  const first = readSigned(readEnd, end);
  if (readEnd == 0) return -1;
  const stream = readEnd;
  store<f64>(timestamps, <f64>first);
  const packed = unpackSums(stream, end, count - 1, false, 0, first, timestamps + 8);
  if (packed < 0) return -1;
  const read = decodeValues(stream + packed, end, count, values);
  return read < 0 || stream + packed + read != end ? -1 : count;
}
