/**
 * The frame around every record of a queue. A segment is eight bytes of magic, the number of the
 * first sample in it since the queue began, as a float, and frames:
 *
 *   u32 length · u32 crc32(count, payload) · u32 samples · payload
 *
 * Little-endian throughout.
 */
import { crc32 } from 'node:zlib';
import { RECORD_BYTES_MAX } from '../limits.ts';

export const FRAME_BYTES = 12;
export const HEADER_BYTES = 16;
const MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x52, 0x57, 0x51, 0x31]);

export function segmentHeader(firstSample: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  new DataView(header.buffer).setFloat64(8, firstSample, true);
  return header;
}

/** The number of the first sample; undefined for what is no header. */
export function firstSampleOf(header: Uint8Array): number | undefined {
  if (header.length < HEADER_BYTES || MAGIC.some((byte, i) => header[i] !== byte)) return undefined;
  return new DataView(header.buffer, header.byteOffset).getFloat64(8, true);
}

export function frameRecord(payload: Uint8Array, samples: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(FRAME_BYTES + payload.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(8, samples, true);
  record.set(payload, FRAME_BYTES);
  view.setUint32(4, crc32(record.subarray(8)), true);
  return record;
}

/** The payload's length, -1 where the frame is damaged. */
export function payloadLength(view: DataView, at: number): number {
  const length = view.getUint32(at, true);
  return length > RECORD_BYTES_MAX ? -1 : length;
}

export function samplesOf(view: DataView, at: number): number {
  return view.getUint32(at + 8, true);
}

/** Whether the frame at `at`, which is whole, is as it was written. */
export function isSound(bytes: Uint8Array, view: DataView, at: number, length: number): boolean {
  const end = at + FRAME_BYTES + length;
  return crc32(bytes.subarray(at + 8, end)) === view.getUint32(at + 4, true);
}
