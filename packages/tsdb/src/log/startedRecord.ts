/**
 * The record of samples with start times: another record of samples and, before it, a start time
 * for each of them. See docs/formats/log.md for the bytes.
 *
 * body: u32 count, f64 start times, then the payload (u8 type, body) of the other record
 */
import { copyBytes } from '@tyto/base';
import { isAnyKnown } from '../startTimeChunk.ts';
import { FRAME_BYTES, frameRecord, sealRecord, STARTED } from './frame.ts';

/**
 * A record with the start times [from, from + count) of its samples; the record itself where all
 * are 0, or there are none.
 */
export function startedRecord(
  record: Uint8Array,
  startTimes: Float64Array | null,
  from: number,
  count: number,
): Uint8Array {
  if (startTimes === null || !isAnyKnown(startTimes, from, count)) return record;
  const payload = record.subarray(FRAME_BYTES);
  const started = frameRecord(STARTED, 4 + count * 8 + payload.length);
  const start = FRAME_BYTES + 1;
  new DataView(started.buffer).setUint32(start, count, true);
  const own = startTimes.slice(from, from + count);
  started.set(new Uint8Array(own.buffer), start + 4);
  started.set(payload, start + 4 + count * 8);
  return sealRecord(started);
}

/** The other record's payload, and the start times; undefined when the payload is no such one. */
export function decodeStarted(
  payload: Uint8Array,
): { readonly inner: Uint8Array; readonly startTimes: Float64Array } | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(1, true);
  const end = 5 + count * 8;
  if (end >= payload.length) return undefined;
  const startTimes = new Float64Array(copyBytes(payload.subarray(5, end)).buffer, 0, count);
  return { inner: payload.subarray(end), startTimes };
}
