/**
 * Records of the log. See docs/formats/log.md for the bytes:
 *
 *   u32 marker · u32 length · u32 crc32(payload) · payload (u8 type, body)
 *
 * Little-endian throughout. A reader that meets damage looks for the next marker whose checksum
 * holds, so damage costs the records that it touches and no others.
 */
import { crc32 } from 'node:zlib';
import { assert, copyBytes } from '@tyto/base';
import { bitsOf, Labels } from '@tyto/model';
import { LOG_RECORD_BYTES_MAX } from '../limits.ts';

export const SEGMENT_MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x4c, 0x4f, 0x47, 0x31]);
const MARKER = 0xc3545952;
export const FRAME_BYTES = 12;

const SERIES = 1;
const SAMPLES = 2;

/** Samples in one record at most, so that a record stays below its limit. */
export const RECORD_SAMPLES_MAX = 1_000_000;

export interface SeriesDefinition {
  readonly id: number;
  readonly labels: Labels;
}

export interface RecordVisitor {
  series(id: number, labels: Labels): void;
  /** `bits` views the value column. The arrays are the visitor's to read during the call. */
  samples(ids: Uint32Array, timestamps: Float64Array, bits: Uint32Array): void;
}

/** body: u32 count, then per series u32 id, u16 pairs, and per pair twice (u32 length, UTF-8). */
export function encodeSeries(definitions: readonly SeriesDefinition[]): Uint8Array {
  let sizeMax = 4;
  for (const { labels } of definitions) {
    sizeMax += 6;
    // A UTF-16 code unit takes three bytes of UTF-8 at most.
    for (const text of labels.pairs) sizeMax += 4 + 3 * text.length;
  }
  // One buffer for all texts: one for each would cost more than everything else here.
  const record = Buffer.allocUnsafe(FRAME_BYTES + 1 + sizeMax);
  record[FRAME_BYTES] = SERIES;
  let at = record.writeUInt32LE(definitions.length, FRAME_BYTES + 1);
  for (const { id, labels } of definitions) {
    at = record.writeUInt32LE(id, at);
    at = record.writeUInt16LE(labels.size, at);
    for (const text of labels.pairs) {
      const length = record.write(text, at + 4);
      record.writeUInt32LE(length, at);
      at += 4 + length;
    }
  }
  return seal(copyBytes(record.subarray(0, at)));
}

/** body: u32 count, u8 kind (1: one timestamp for all), ids, timestamps, values as columns. */
export function encodeSamples(
  ids: Uint32Array,
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  count: number,
): Uint8Array {
  assert(count <= RECORD_SAMPLES_MAX, 'a record holds RECORD_SAMPLES_MAX samples at most');
  let same = true;
  for (let i = 1; i < count && same; i++) same = timestamps[from + i] === timestamps[from];
  const times = same ? 1 : count;
  const record = frame(SAMPLES, 5 + count * 12 + times * 8);
  const view = new DataView(record.buffer);
  let at = FRAME_BYTES + 1;
  view.setUint32(at, count, true);
  view.setUint8(at + 4, same ? 1 : 0);
  at += 5;
  const put = (array: Uint32Array | Float64Array, length: number) => {
    const width = array.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(array.buffer, array.byteOffset + from * width, length * width);
    record.set(bytes, at);
    at += bytes.length;
  };
  put(ids, count);
  put(timestamps, times);
  put(values, count);
  return seal(record);
}

function frame(type: number, bodyBytes: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(FRAME_BYTES + 1 + bodyBytes);
  record[FRAME_BYTES] = type;
  return record;
}

function seal(record: Uint8Array<ArrayBuffer>): Uint8Array {
  assert(record.length - FRAME_BYTES <= LOG_RECORD_BYTES_MAX, 'a record is below its limit');
  const view = new DataView(record.buffer);
  view.setUint32(0, MARKER, true);
  view.setUint32(4, record.length - FRAME_BYTES, true);
  view.setUint32(8, crc32(record.subarray(FRAME_BYTES)), true);
  return record;
}

export interface ReadReport {
  readonly records: number;
  /** Bytes that are part of no good record. */
  readonly damagedBytes: number;
  /** Where the last good record ends: what follows was cut short or damaged. */
  readonly goodEnd: number;
}

/** Visits the good records of a segment, whatever lies between them. */
export function readSegment(segment: Uint8Array, visitor: RecordVisitor): ReadReport {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  let at = hasMagic(segment) ? SEGMENT_MAGIC.length : 0;
  let records = 0;
  let damagedBytes = 0;
  let goodEnd = at;
  while (at < segment.length) {
    const end = recordEnd(segment, view, at);
    if (end > 0 && visitRecord(segment.subarray(at + FRAME_BYTES, end), visitor)) {
      records++;
      at = end;
      goodEnd = end;
      continue;
    }
    const next = nextMarker(segment, view, at + 1);
    damagedBytes += next - at;
    at = next;
  }
  return { records, damagedBytes, goodEnd };
}

function hasMagic(segment: Uint8Array): boolean {
  return SEGMENT_MAGIC.every((byte, i) => segment[i] === byte);
}

/** The end of the record that begins at `at`, or 0 when there is no good one. */
function recordEnd(segment: Uint8Array, view: DataView, at: number): number {
  if (at + FRAME_BYTES > segment.length || view.getUint32(at, true) !== MARKER) return 0;
  const length = view.getUint32(at + 4, true);
  const end = at + FRAME_BYTES + length;
  if (length < 1 || length > LOG_RECORD_BYTES_MAX || end > segment.length) return 0;
  return crc32(segment.subarray(at + FRAME_BYTES, end)) === view.getUint32(at + 8, true) ? end : 0;
}

function nextMarker(segment: Uint8Array, view: DataView, from: number): number {
  const first = MARKER & 0xff;
  for (let at = segment.indexOf(first, from); at >= 0; at = segment.indexOf(first, at + 1)) {
    if (at + 4 > segment.length) break;
    if (view.getUint32(at, true) === MARKER) return at;
  }
  return segment.length;
}

/** False for a payload of a kind or shape that this version does not know. */
function visitRecord(payload: Uint8Array, visitor: RecordVisitor): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    if (payload[0] === SERIES) return visitSeries(payload, view, visitor);
    if (payload[0] === SAMPLES) return visitSamples(payload, view, visitor);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return false;
}

function visitSeries(payload: Uint8Array, view: DataView, visitor: RecordVisitor): boolean {
  // Quicker than a TextDecoder for short texts, and it keeps a byte order mark.
  const texts = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const count = view.getUint32(1, true);
  let at = 5;
  for (let i = 0; i < count; i++) {
    const id = view.getUint32(at, true);
    const textCount = view.getUint16(at + 4, true) * 2;
    at += 6;
    const pairs: string[] = [];
    for (let t = 0; t < textCount; t++) {
      const length = view.getUint32(at, true);
      if (at + 4 + length > payload.length) return false;
      pairs.push(texts.toString('utf8', at + 4, at + 4 + length));
      at += 4 + length;
    }
    if (pairs.length > 0) visitor.series(id, Labels.fromSorted(pairs));
  }
  return true;
}

function visitSamples(payload: Uint8Array, view: DataView, visitor: RecordVisitor): boolean {
  const count = view.getUint32(1, true);
  const same = view.getUint8(5) === 1;
  const times = same ? 1 : count;
  if (payload.length !== 6 + count * 12 + times * 8 || count === 0) return false;
  let at = 6;
  // Copied out because typed arrays need aligned offsets.
  const take = (bytes: number): ArrayBuffer => {
    const copy = copyBytes(payload.subarray(at, at + bytes));
    at += bytes;
    return copy.buffer;
  };
  const ids = new Uint32Array(take(count * 4));
  const read = new Float64Array(take(times * 8));
  const values = new Float64Array(take(count * 8));
  const timestamps = same ? new Float64Array(count).fill(read[0]) : read;
  visitor.samples(ids, timestamps, bitsOf(values));
  return true;
}
