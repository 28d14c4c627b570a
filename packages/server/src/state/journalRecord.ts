/**
 * Records of the state's journal:
 *
 *   u32 marker · u32 length · u32 crc32(payload) · payload
 *   payload: u8 type (1 put, 2 remove) · u32 length of the key · key · value
 *
 * Little-endian; keys are UTF-8, values JSON in UTF-8. `length` is that of the payload.
 */
import { crc32 } from 'node:zlib';

export const JOURNAL_MAGIC = new TextEncoder().encode('TYTOSTJ1');
export const FRAME_BYTES = 12;
/** Of a whole record. */
export const RECORD_BYTES_MAX = 32 * 1024 * 1024;
const MARKER = 0xd3545953;
const MARKER_BYTES = Buffer.from(Uint32Array.of(MARKER).buffer);
const HEAD_BYTES = 5;
const PUT = 1;
const REMOVE = 2;

/** Without a value it removes the key. */
export interface JournalEntry {
  readonly key: string;
  readonly value: string | undefined;
}

/** Records one after the other, and how long each is. */
export interface Records {
  readonly bytes: Uint8Array;
  readonly lengths: readonly number[];
}

export function encodeRecords(entries: readonly JournalEntry[]): Records {
  const lengths = entries.map(({ key, value = '' }) => {
    return FRAME_BYTES + HEAD_BYTES + Buffer.byteLength(key) + Buffer.byteLength(value);
  });
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  entries.forEach(({ key, value }, i) => {
    const end = at + lengths[i];
    const keyAt = at + FRAME_BYTES + HEAD_BYTES;
    const keyBytes = bytes.write(key, keyAt);
    if (value !== undefined) bytes.write(value, keyAt + keyBytes);
    bytes.writeUInt32LE(MARKER, at);
    bytes.writeUInt32LE(lengths[i] - FRAME_BYTES, at + 4);
    bytes.writeUInt8(value === undefined ? REMOVE : PUT, at + FRAME_BYTES);
    bytes.writeUInt32LE(keyBytes, at + FRAME_BYTES + 1);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + FRAME_BYTES, end)), at + 8);
    at = end;
  });
  return { bytes, lengths };
}

/** Of a whole and sound record; the value of a removal is undefined. */
export function decodeRecord(bytes: Uint8Array): { key: string; value: string | undefined } {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const valueAt = FRAME_BYTES + HEAD_BYTES + record.readUInt32LE(FRAME_BYTES + 1);
  const key = record.toString('utf8', FRAME_BYTES + HEAD_BYTES, valueAt);
  const isPut = record[FRAME_BYTES] === PUT;
  return { key, value: isPut ? record.toString('utf8', valueAt) : undefined };
}

/** The length of the record at the beginning of `bytes`; 0 for what cannot be one. */
export function frameLength(bytes: Uint8Array): number {
  if (bytes.length < FRAME_BYTES) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_BYTES);
  if (view.getUint32(0, true) !== MARKER) return 0;
  const length = FRAME_BYTES + view.getUint32(4, true);
  return length < FRAME_BYTES + HEAD_BYTES || length > RECORD_BYTES_MAX ? 0 : length;
}

/** Whether the record of this length at the beginning of `bytes` is as it was written. */
export function isSound(bytes: Uint8Array, length: number): boolean {
  if (bytes.length < length || frameLength(bytes) !== length) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (crc32(bytes.subarray(FRAME_BYTES, length)) !== view.getUint32(8, true)) return false;
  const type = bytes[FRAME_BYTES];
  const keyBytes = view.getUint32(FRAME_BYTES + 1, true);
  return (type === PUT || type === REMOVE) && keyBytes <= length - FRAME_BYTES - HEAD_BYTES;
}

/** Where the next record may begin; -1 where none does. */
export function nextMarker(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(MARKER_BYTES);
}
