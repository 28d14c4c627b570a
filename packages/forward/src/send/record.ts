/**
 * Records of a queue, as docs/formats/remote-write-queue.md draws them: a type, a byte that says
 * whether the rest is packed with Snappy, and the rest.
 *
 * Samples are columns: differences of series, differences of times, and the floats' first bytes,
 * second bytes and so on, which lets Snappy find what repeats. A series is a number; the labels
 * with which it is sent are in an earlier record of the same segment, as the protobuf fields they
 * will be.
 */
import { bitsOf } from '@tyto/model';
import { decodeSnappy, encodeSnappy } from '@tyto/kernels';
import { PACKED_BYTES_MIN, RECORD_BYTES_MAX } from '../limits.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

export const SERIES = 1;
export const SAMPLES = 2;
/** Samples that came later than newer ones of their series. */
export const LATE_SAMPLES = 3;
/** Histograms and exemplars. */
export const EXTRAS = 4;
export const LATE_EXTRAS = 5;

export const HISTOGRAM = 0;
export const EXEMPLAR = 1;

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The samples of one record; arrays are used again, `count` of them is meant. */
export class SampleBatch {
  ids = new Float64Array(2048);
  timestamps = new Float64Array(2048);
  values = new Float64Array(2048);
  bits = bitsOf(this.values);
  count = 0;

  reserve(count: number): void {
    if (count <= this.ids.length) return;
    this.ids = new Float64Array(count);
    this.timestamps = new Float64Array(count);
    this.values = new Float64Array(count);
    this.bits = bitsOf(this.values);
  }
}

const scratch = new ByteWriter();

export function encodeSeries(
  series: readonly { readonly id: number; readonly labels: Uint8Array }[],
): Uint8Array {
  scratch.length = 0;
  scratch.varint(series.length);
  for (const { id, labels } of series) {
    scratch.varint(id);
    scratch.varint(labels.length);
    scratch.raw(labels);
  }
  return finish(SERIES);
}

export function decodeSeries(body: Uint8Array): { id: number; labels: Uint8Array }[] {
  const reader = new ByteReader(body);
  const series: { id: number; labels: Uint8Array }[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const id = reader.varint();
    series.push({ id, labels: reader.raw(reader.varint()) });
  }
  return series;
}

export function encodeSamples(batch: SampleBatch, isLate: boolean): Uint8Array {
  const { ids, timestamps, values, count } = batch;
  scratch.length = 0;
  scratch.varint(count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    scratch.signed(ids[i] - before);
    before = ids[i];
  }
  before = 0;
  for (let i = 0; i < count; i++) {
    scratch.signed(timestamps[i] - before);
    before = timestamps[i];
  }
  scratch.reserve(count * 8);
  const source = new Uint8Array(values.buffer, values.byteOffset, count * 8);
  const { bytes } = scratch;
  let at = scratch.length;
  for (let plane = 0; plane < 8; plane++) {
    const first = LITTLE_ENDIAN ? plane : 7 - plane;
    for (let i = first; i < source.length; i += 8) bytes[at++] = source[i];
  }
  scratch.length = at;
  return finish(isLate ? LATE_SAMPLES : SAMPLES);
}

/** Throws TytoError `io` for what ends too soon. */
export function decodeSamples(body: Uint8Array, batch: SampleBatch): void {
  const reader = new ByteReader(body);
  const count = Math.min(reader.varint(), body.length);
  batch.reserve(count);
  const { ids, timestamps, values } = batch;
  let before = 0;
  for (let i = 0; i < count; i++) {
    before += reader.signed();
    ids[i] = before;
  }
  before = 0;
  for (let i = 0; i < count; i++) {
    before += reader.signed();
    timestamps[i] = before;
  }
  const source = reader.raw(count * 8);
  const target = new Uint8Array(values.buffer, values.byteOffset, count * 8);
  let at = 0;
  for (let plane = 0; plane < 8; plane++) {
    const first = LITTLE_ENDIAN ? plane : 7 - plane;
    for (let i = first; i < target.length; i += 8) target[i] = source[at++];
  }
  batch.count = count;
}

/** A histogram or an exemplar, as the protobuf field of a TimeSeries (1.0) that it will be. */
export interface Extra {
  readonly id: number;
  readonly timestampMs: number;
  readonly kind: typeof HISTOGRAM | typeof EXEMPLAR;
  readonly field: Uint8Array;
}

export function encodeExtras(extras: readonly Extra[], isLate: boolean): Uint8Array {
  scratch.length = 0;
  scratch.varint(extras.length);
  for (const { id, timestampMs, kind, field } of extras) {
    scratch.varint(id);
    scratch.signed(timestampMs);
    scratch.varint(kind);
    scratch.varint(field.length);
    scratch.raw(field);
  }
  return finish(isLate ? LATE_EXTRAS : EXTRAS);
}

export function decodeExtras(body: Uint8Array): Extra[] {
  const reader = new ByteReader(body);
  const extras: Extra[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const id = reader.varint();
    const timestampMs = reader.signed();
    const kind = reader.varint() === HISTOGRAM ? HISTOGRAM : EXEMPLAR;
    extras.push({ id, timestampMs, kind, field: reader.raw(reader.varint()) });
  }
  return extras;
}

function finish(type: number): Uint8Array {
  const plain = scratch.finish();
  const isPacked = plain.length >= PACKED_BYTES_MIN;
  const body = isPacked ? encodeSnappy(plain) : plain;
  const payload = new Uint8Array(2 + body.length);
  payload[0] = type;
  payload[1] = isPacked ? 1 : 0;
  payload.set(body, 2);
  return payload;
}

/** The type and the unpacked rest, which is the caller's. */
export function openPayload(payload: Uint8Array): { type: number; body: Uint8Array } {
  const rest = payload.subarray(2);
  const body = payload[1] === 1 ? decodeSnappy(rest, RECORD_BYTES_MAX * 8) : rest.slice();
  return { type: payload[0], body };
}
