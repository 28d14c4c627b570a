/**
 * The record of the days on which series were last read. See docs/formats/log.md for the bytes.
 *
 * body: u32 count, u32 ids, u16 first days, u16 days of the last read, as columns
 */
import type { ReadDays } from '../readDays.ts';
import { FRAME_BYTES, frameRecord, READ_DAYS, sealRecord } from './frame.ts';

const ENTRY_BYTES = 8;
/** Series in one record at most, so that a record stays below its limit. */
const COUNT_MAX = 1_000_000;

export function encodeReadDays(ids: Uint32Array, days: ReadDays): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let from = 0; from < ids.length; from += COUNT_MAX) {
    const slice = ids.subarray(from, from + COUNT_MAX);
    const record = frameRecord(READ_DAYS, 4 + slice.length * ENTRY_BYTES);
    const view = new DataView(record.buffer);
    const start = FRAME_BYTES + 1 + 4;
    view.setUint32(start - 4, slice.length, true);
    slice.forEach((id, i) => {
      view.setUint32(start + i * 4, id, true);
      view.setUint16(start + slice.length * 4 + i * 2, days.since(id), true);
      view.setUint16(start + slice.length * 6 + i * 2, days.lastRead(id), true);
    });
    records.push(sealRecord(record));
  }
  return records;
}

/** False when the payload is no such record. */
export function decodeReadDays(
  payload: Uint8Array,
  visit: (id: number, sinceDay: number, readDay: number) => void,
): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(1, true);
  if (payload.length !== 5 + count * ENTRY_BYTES) return false;
  for (let i = 0; i < count; i++) {
    visit(
      view.getUint32(5 + i * 4, true),
      view.getUint16(5 + count * 4 + i * 2, true),
      view.getUint16(5 + count * 6 + i * 2, true),
    );
  }
  return true;
}
