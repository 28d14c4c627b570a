/** Writes Prometheus' log for tests, from its description: records, fragments, pages. */
import type { FloatHistogram, Labels, SampleColumns } from '@tyto/model';
import { ByteSink } from '../byteSink.ts';
import { encodeChunks } from '../chunk.ts';
import { crc32c } from '../crc32c.ts';

const PAGE_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const SNAPPY = 0b1000;

export type PackedRecord = { readonly bytes: Uint8Array; readonly isPacked: boolean };

export function seriesRecord(series: readonly (readonly [ref: number, labels: Labels])[]) {
  const sink = new ByteSink();
  sink.byte(1);
  for (const [ref, labels] of series) {
    sink.uint64(ref);
    sink.uvarint(labels.size);
    for (const text of labels.pairs) sink.text(text);
  }
  return sink.written.slice();
}

export function samplesRecord(samples: readonly (readonly [number, number, number])[]) {
  const sink = new ByteSink();
  sink.byte(2);
  const [[ref, time]] = samples;
  sink.uint64(ref);
  sink.uint64(time);
  for (const [oneRef, oneTime, value] of samples) {
    sink.varint(oneRef - ref);
    sink.varint(oneTime - time);
    sink.float64(new Uint32Array(Float64Array.of(value).buffer));
  }
  return sink.written.slice();
}

/** A float histogram of custom buckets, type 10. */
export function customHistogramRecord(ref: number, time: number, histogram: FloatHistogram) {
  const sink = new ByteSink();
  const float = (value: number) => sink.float64(new Uint32Array(Float64Array.of(value).buffer));
  const list = (values: readonly number[]) => {
    sink.uvarint(values.length);
    for (const value of values) float(value);
  };
  sink.byte(10);
  sink.uint64(ref);
  sink.uint64(time);
  sink.varint(0);
  sink.varint(0);
  sink.byte(['unknown', 'reset', 'not_reset', 'gauge'].indexOf(histogram.counterResetHint));
  sink.varint(histogram.schema);
  for (const value of [histogram.zeroThreshold, histogram.zeroCount, histogram.count]) float(value);
  float(histogram.sum);
  for (const spans of [histogram.positiveSpans, histogram.negativeSpans]) {
    sink.uvarint(spans.length);
    for (const { offset, length } of spans) {
      sink.varint(offset);
      sink.uvarint(length);
    }
  }
  list(histogram.positiveBuckets);
  list(histogram.negativeBuckets);
  list(histogram.customValues);
  return sink.written.slice();
}

/** A file of `chunks_head/` with one series' samples. */
export function headChunksFile(ref: number, columns: SampleColumns, isOutOfOrder: boolean) {
  const sink = new ByteSink();
  sink.uint32(0x0130bc91);
  sink.byte(1);
  sink.pad(8);
  for (const { encoding, data, minTimeMs, maxTimeMs } of encodeChunks(columns)) {
    const start = sink.length;
    for (const value of [ref, minTimeMs, maxTimeMs]) sink.uint64(value);
    sink.byte(encoding | (isOutOfOrder ? 0x80 : 0));
    sink.uvarint(data.length);
    sink.raw(data);
    sink.uint32(crc32c(sink.written, start));
  }
  // The file has been made larger than what is in it yet.
  for (let i = 0; i < 100; i++) sink.byte(0);
  return sink.written.slice();
}

/** A segment of records, each packed with Snappy or plain. */
export function encodeSegment(records: readonly PackedRecord[]): Uint8Array<ArrayBuffer> {
  const sink = new ByteSink();
  for (const { bytes, isPacked } of records) {
    const whole = isPacked ? packSnappy(bytes) : bytes;
    let at = 0;
    do {
      const room = PAGE_BYTES - (sink.length % PAGE_BYTES);
      if (room <= HEADER_BYTES) {
        sink.pad(PAGE_BYTES);
        continue;
      }
      const part = whole.subarray(at, at + room - HEADER_BYTES);
      const isLast = at + part.length === whole.length;
      const type = at === 0 ? (isLast ? 1 : 2) : isLast ? 4 : 3;
      sink.byte(type | (isPacked ? SNAPPY : 0));
      sink.byte(part.length >>> 8);
      sink.byte(part.length & 255);
      sink.uint32(crc32c(part));
      sink.raw(part);
      at += part.length;
      if (isLast) break;
    } while (at <= whole.length);
  }
  return sink.written.slice();
}

/** Snappy with literals, and a copy wherever the last four bytes repeat. */
export function packSnappy(bytes: Uint8Array): Uint8Array {
  const sink = new ByteSink();
  sink.uvarint(bytes.length);
  let at = 0;
  while (at < bytes.length) {
    const repeats = at >= 4 && at + 4 <= bytes.length && sameBytes(bytes, at - 4, at);
    if (repeats) {
      sink.byte(1 | ((4 - 4) << 2));
      sink.byte(4);
      at += 4;
    } else {
      const length = Math.min(60, bytes.length - at, 4);
      sink.byte((length - 1) << 2);
      sink.raw(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return sink.written.slice();
}

function sameBytes(bytes: Uint8Array, a: number, b: number): boolean {
  return [0, 1, 2, 3].every((i) => bytes[a + i] === bytes[b + i]);
}
