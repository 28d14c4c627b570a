/**
 * The record of native histograms. See docs/formats/log.md for the bytes.
 *
 * body: u32 count, then per sample u32 id, f64 timestamp, u32 length, its layout and its numbers
 */
import { copyBytes } from '@tyto/base';
import type { FloatHistogram } from '@tyto/model';
import { decodeLayout, encodeLayout, histogramOf, rowOf } from '../histogramChunk.ts';
import { FRAME_BYTES, frameRecord, HISTOGRAMS, sealRecord } from './frame.ts';

const ENTRY_HEADER_BYTES = 16;
/** A record is ended behind this many bytes. */
const BYTES_MAX = 4 * 1024 * 1024;

export interface LoggedHistogram {
  readonly id: number;
  readonly timestampMs: number;
  readonly histogram: FloatHistogram;
}

export function encodeHistograms(samples: readonly LoggedHistogram[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  let entries: { readonly sample: LoggedHistogram; readonly body: Uint8Array }[] = [];
  let bytes = 0;
  for (const sample of samples) {
    const row = rowOf(sample.histogram);
    const body = Buffer.concat([encodeLayout(sample.histogram), new Uint8Array(row.buffer)]);
    entries.push({ sample, body });
    bytes += ENTRY_HEADER_BYTES + body.length;
    if (bytes < BYTES_MAX) continue;
    records.push(encodeEntries(entries, bytes));
    entries = [];
    bytes = 0;
  }
  if (entries.length > 0) records.push(encodeEntries(entries, bytes));
  return records;
}

function encodeEntries(
  entries: readonly { readonly sample: LoggedHistogram; readonly body: Uint8Array }[],
  bytes: number,
): Uint8Array {
  const record = frameRecord(HISTOGRAMS, 4 + bytes);
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
  return sealRecord(record);
}

/** False when the payload is no such record. Throws TytoError `io` for a damaged histogram. */
export function decodeHistograms(
  payload: Uint8Array,
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
    visit({ id, timestampMs, histogram: histogramOf(layout, row) });
    at = end;
  }
  return at === payload.length;
}
