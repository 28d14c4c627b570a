/**
 * The frame around every record of the log. See docs/formats/log.md for the bytes:
 *
 *   u32 marker · u32 length · u32 crc32(payload) · payload (u8 type, body)
 *
 * Little-endian throughout. A reader that meets damage looks for the next marker whose checksum
 * holds, so damage costs the records that it touches and no others.
 */
import { crc32 } from 'node:zlib';
import { assert } from '@tyto/base';
import { decodeSnappy, encodeSnappy } from '@tyto/kernels';
import { LOG_RECORD_BYTES_MAX } from '../limits.ts';

export const SEGMENT_MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x4c, 0x4f, 0x47, 0x32]);
const MARKER = 0xc3545952;
export const FRAME_BYTES = 12;

/** Types of records. */
export const SERIES = 1;
export const SAMPLES = 2;
export const CHUNKS = 3;
export const EXEMPLARS = 4;
export const HISTOGRAMS = 5;
export const DELETIONS = 6;
/** The same as 2 and 5, for samples that came late. */
export const LATE_SAMPLES = 7;
export const LATE_HISTOGRAMS = 8;
export const READ_DAYS = 9;
/** One of 2, 5, 7 and 8 with the start times of its samples. */
export const STARTED = 10;
/** Set in the type of a record whose body is a snappy block of the body. */
const COMPRESSED = 0x80;
/** Smaller bodies gain nothing. */
const COMPRESSED_BYTES_MIN = 256;

/** A record with room for its body behind the type; to be filled and sealed. */
export function frameRecord(type: number, bodyBytes: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(FRAME_BYTES + 1 + bodyBytes);
  record[FRAME_BYTES] = type;
  return record;
}

export function sealRecord(record: Uint8Array<ArrayBuffer>): Uint8Array {
  assert(record.length - FRAME_BYTES <= LOG_RECORD_BYTES_MAX, 'a record is below its limit');
  const view = new DataView(record.buffer, record.byteOffset);
  view.setUint32(0, MARKER, true);
  view.setUint32(4, record.length - FRAME_BYTES, true);
  view.setUint32(8, crc32(record.subarray(FRAME_BYTES)), true);
  return record;
}

/** The record with its body compressed, or as it is where that gains less than an eighth. */
export function compressRecord(record: Uint8Array): Uint8Array {
  const body = record.subarray(FRAME_BYTES + 1);
  if (body.length < COMPRESSED_BYTES_MIN) return record;
  const block = encodeSnappy(body);
  if (block.length > (body.length / 8) * 7) return record;
  const compressed = frameRecord(record[FRAME_BYTES] | COMPRESSED, block.length);
  compressed.set(block, FRAME_BYTES + 1);
  return sealRecord(compressed);
}

/** The type and body of a payload, decompressed. Throws TytoError for a damaged block. */
export function expandPayload(payload: Uint8Array): Uint8Array {
  if ((payload[0] & COMPRESSED) === 0) return payload;
  const body = decodeSnappy(payload.subarray(1), LOG_RECORD_BYTES_MAX - 1);
  const expanded = new Uint8Array(1 + body.length);
  expanded[0] = payload[0] & ~COMPRESSED;
  expanded.set(body, 1);
  return expanded;
}

/** The end of the record that begins at `at`, or 0 when there is no good one. */
export function recordEnd(segment: Uint8Array, view: DataView, at: number): number {
  if (at + FRAME_BYTES > segment.length || view.getUint32(at, true) !== MARKER) return 0;
  const length = view.getUint32(at + 4, true);
  const end = at + FRAME_BYTES + length;
  if (length < 1 || length > LOG_RECORD_BYTES_MAX || end > segment.length) return 0;
  return crc32(segment.subarray(at + FRAME_BYTES, end)) === view.getUint32(at + 8, true) ? end : 0;
}

export function nextMarker(segment: Uint8Array, view: DataView, from: number): number {
  const first = MARKER & 0xff;
  for (let at = segment.indexOf(first, from); at >= 0; at = segment.indexOf(first, at + 1)) {
    if (at + 4 > segment.length) break;
    if (view.getUint32(at, true) === MARKER) return at;
  }
  return segment.length;
}
