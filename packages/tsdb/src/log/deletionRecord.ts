/**
 * The record of samples that were deleted from the head. See docs/formats/log.md for the bytes.
 *
 * body: u32 count, u32 ids, f64 first and f64 last times, as columns
 */
import { FRAME_BYTES, DELETIONS, frameRecord, sealRecord } from './frame.ts';

const ENTRY_BYTES = 20;
/** Deletions in one record at most, so that a record stays below its limit. */
const COUNT_MAX = 100_000;

/** In the place of an id: all series. The head begins behind the last time. */
export const ALL_SERIES = 0xffffffff;

/** Samples of a series with minTimeMs <= t <= maxTimeMs, of those that were there by then. */
export interface LoggedDeletion {
  readonly id: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export function encodeDeletions(deletions: readonly LoggedDeletion[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let from = 0; from < deletions.length; from += COUNT_MAX) {
    const slice = deletions.slice(from, from + COUNT_MAX);
    const record = frameRecord(DELETIONS, 4 + slice.length * ENTRY_BYTES);
    const view = new DataView(record.buffer);
    const ids = FRAME_BYTES + 1 + 4;
    const firsts = ids + slice.length * 4;
    const lasts = firsts + slice.length * 8;
    view.setUint32(ids - 4, slice.length, true);
    slice.forEach(({ id, minTimeMs, maxTimeMs }, i) => {
      view.setUint32(ids + i * 4, id, true);
      view.setFloat64(firsts + i * 8, minTimeMs, true);
      view.setFloat64(lasts + i * 8, maxTimeMs, true);
    });
    records.push(sealRecord(record));
  }
  return records;
}

/** False when the payload is no such record. */
export function decodeDeletions(
  payload: Uint8Array,
  visit: (deletion: LoggedDeletion) => void,
): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(1, true);
  if (payload.length !== 5 + count * ENTRY_BYTES) return false;
  for (let i = 0; i < count; i++) {
    visit({
      id: view.getUint32(5 + i * 4, true),
      minTimeMs: view.getFloat64(5 + count * 4 + i * 8, true),
      maxTimeMs: view.getFloat64(5 + count * 12 + i * 8, true),
    });
  }
  return true;
}
