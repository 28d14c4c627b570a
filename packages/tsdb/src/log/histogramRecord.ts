/**
 * The record of native histograms. See docs/formats/log.md for the bytes.
 *
 * body: u32 count, then per sample u32 id, f64 timestamp, u32 length, its layout and its numbers
 */
import { copyBytes } from '@tyto/base';
import type { FloatHistogram } from '@tyto/model';
import { decodeLayout, encodeLayout, histogramOf, rowOf } from '../histogramChunk.ts';
import { FRAME_BYTES, frameRecord, HISTOGRAMS, type LATE_HISTOGRAMS, sealRecord } from './frame.ts';
import { startedRecord } from './startedRecord.ts';

const ENTRY_HEADER_BYTES = 16;
/** A record is ended behind this many bytes. */
const BYTES_MAX = 4 * 1024 * 1024;

export interface LoggedHistogram {
  readonly id: number;
  readonly timestampMs: number;
  readonly histogram: FloatHistogram;
  /** 0 where it is unknown. */
  readonly startTimeMs: number;
}

type RecordType = typeof HISTOGRAMS | typeof LATE_HISTOGRAMS;

export function encodeHistograms(
  samples: readonly LoggedHistogram[],
  type: RecordType = HISTOGRAMS,
): Uint8Array[] {
  const records: Uint8Array[] = [];
  let entries: { readonly sample: LoggedHistogram; readonly body: Uint8Array }[] = [];
  let bytes = 0;
  for (const sample of samples) {
    const row = rowOf(sample.histogram);
    const body = Buffer.concat([encodeLayout(sample.histogram), new Uint8Array(row.buffer)]);
    entries.push({ sample, body });
    bytes += ENTRY_HEADER_BYTES + body.length;
    if (bytes < BYTES_MAX) continue;
    records.push(encodeEntries(type, entries, bytes));
    entries = [];
    bytes = 0;
  }
  if (entries.length > 0) records.push(encodeEntries(type, entries, bytes));
  return records;
}

function encodeEntries(
  type: RecordType,
  entries: readonly { readonly sample: LoggedHistogram; readonly body: Uint8Array }[],
  bytes: number,
): Uint8Array {
  const record = frameRecord(type, 4 + bytes);
  const view = new DataView(record.buffer);
  let at = FRAME_BYTES + 1;
  view.setUint32(at, entries.length, true);
  at += 4;
  for (const { sample, body } of entries) {
    view.setUint32(at, sample.id, true);
    view.setFloat64(at + 4, sample.timestampMs, true);
    view.setUint32(at + 12, body.length, true);
    record.set(body, at + ENTRY_HEADER_BYTES);
    at += ENTRY_HEADER_BYTES + body.length;
  }
  const startTimes = Float64Array.from(entries, ({ sample }) => sample.startTimeMs);
  return startedRecord(sealRecord(record), startTimes, 0, entries.length);
}

/** False when the payload is no such record. Throws TytoError `io` for a damaged histogram. */
export function decodeHistograms(
  payload: Uint8Array,
  startTimes: Float64Array | null,
  visit: (sample: LoggedHistogram) => void,
): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(1, true);
  let at = 5;
  for (let i = 0; i < count; i++) {
    const id = view.getUint32(at, true);
    const timestampMs = view.getFloat64(at + 4, true);
    const start = at + ENTRY_HEADER_BYTES;
    const end = start + view.getUint32(at + 12, true);
    if (end > payload.length) return false;
    const { layout, end: rowStart } = decodeLayout(payload.subarray(0, end), start);
    if ((end - rowStart) % 8 !== 0) return false;
    const row = new Float64Array(copyBytes(payload.subarray(rowStart, end)).buffer);
    const startTimeMs = startTimes?.[i] ?? 0;
    visit({ id, timestampMs, histogram: histogramOf(layout, row), startTimeMs });
    at = end;
  }
  return at === payload.length;
}
