/** Records of samples, chunks and exemplars, and reading a segment. See docs/formats/log.md. */
import { assert, copyBytes, TytoError } from '@tyto/base';
import { bitsOf, type Exemplar, Labels } from '@tyto/model';
import { LOG_RECORD_BYTES_MAX } from '../limits.ts';
import {
  CHUNKS,
  DELETIONS,
  EXEMPLARS,
  expandPayload,
  FRAME_BYTES,
  frameRecord,
  HISTOGRAMS,
  LATE_HISTOGRAMS,
  LATE_SAMPLES,
  nextMarker,
  READ_DAYS,
  recordEnd,
  SAMPLES,
  SERIES,
  sealRecord,
  STARTED,
} from './frame.ts';
import { decodeDeletions, type LoggedDeletion } from './deletionRecord.ts';
import { decodeHistograms, type LoggedHistogram } from './histogramRecord.ts';
import { decodeReadDays } from './readDaysRecord.ts';
import { decodeSeries, type SeriesDefinitions } from './seriesRecord.ts';
import { decodeStarted } from './startedRecord.ts';

/** Samples in one record at most, so that a record stays below its limit. */
export const RECORD_SAMPLES_MAX = 1_000_000;
/** In a record of chunks: this one is the series' tail, which takes further samples. */
const TAIL_FLAG = 0x80000000;

export interface LoggedChunk {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Whether these are the newest samples, which were not sealed yet. */
  readonly isTail: boolean;
}

export interface LoggedExemplar {
  readonly series: Labels;
  readonly exemplar: Exemplar;
}

/** Floats as columns, which are the visitor's to read during the call. */
export interface LoggedSamples {
  readonly ids: Uint32Array;
  readonly timestamps: Float64Array;
  /** Views the value column. */
  readonly bits: Uint32Array;
  /** 0 for an unknown one; null when all are. */
  readonly startTimes: Float64Array | null;
}

export interface RecordVisitor {
  series(definitions: SeriesDefinitions): void;
  samples(samples: LoggedSamples): void;
  chunk(chunk: LoggedChunk): void;
  exemplar(logged: LoggedExemplar): void;
  histogram(logged: LoggedHistogram): void;
  /** Samples that were older than the newest of their series. */
  lateSamples(samples: LoggedSamples): void;
  lateHistogram(logged: LoggedHistogram): void;
  deletion(logged: LoggedDeletion): void;
  /** Since when a series is watched, and when it was last read, in days. */
  readDays(id: number, sinceDay: number, readDay: number): void;
}

/** body: u32 count, u8 kind (1: one timestamp for all), ids, timestamps, values as columns. */
export function encodeSamples(
  ids: Uint32Array,
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  count: number,
  type: typeof SAMPLES | typeof LATE_SAMPLES = SAMPLES,
): Uint8Array {
  assert(count <= RECORD_SAMPLES_MAX, 'a record holds RECORD_SAMPLES_MAX samples at most');
  let same = true;
  for (let i = 1; i < count && same; i++) same = timestamps[from + i] === timestamps[from];
  const times = same ? 1 : count;
  const record = frameRecord(type, 5 + count * 12 + times * 8);
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
  return sealRecord(record);
}

/** body: u32 count, then u32 ids, u32 lengths, f64 first and f64 last times, and all bytes. */
export function encodeChunks(chunks: readonly LoggedChunk[]): Uint8Array {
  const count = chunks.length;
  const total = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const record = frameRecord(CHUNKS, 4 + count * 24 + total);
  const view = new DataView(record.buffer);
  const start = FRAME_BYTES + 1;
  view.setUint32(start, count, true);
  let at = start + 4 + count * 24;
  chunks.forEach(({ id, bytes, minTimeMs, maxTimeMs, isTail }, i) => {
    view.setUint32(start + 4 + i * 4, id, true);
    const length = isTail ? bytes.length + TAIL_FLAG : bytes.length;
    view.setUint32(start + 4 + count * 4 + i * 4, length, true);
    view.setFloat64(start + 4 + count * 8 + i * 8, minTimeMs, true);
    view.setFloat64(start + 4 + count * 16 + i * 8, maxTimeMs, true);
    record.set(bytes, at);
    at += bytes.length;
  });
  return sealRecord(record);
}

/** body: JSON, an array of [series labels, exemplar labels, value, timestamp]; value as text. */
export function encodeExemplars(exemplars: readonly LoggedExemplar[]): Uint8Array {
  const rows = exemplars.map(({ series, exemplar: { labels, value, timestampMs } }) => [
    series.pairs,
    labels.pairs,
    Object.is(value, -0) ? '-0' : String(value),
    timestampMs,
  ]);
  const text = new TextEncoder().encode(JSON.stringify(rows));
  const record = frameRecord(EXEMPLARS, text.length);
  record.set(text, FRAME_BYTES + 1);
  return sealRecord(record);
}

export interface ReadReport {
  readonly records: number;
  /** Bytes that are part of no good record. */
  readonly damagedBytes: number;
  /** Where the last good record ends: what follows was cut short or damaged. */
  readonly goodEnd: number;
  /** Where reading stopped: the rest belongs to the next piece. */
  readonly consumed: number;
}

/**
 * Visits the good records of a piece of a segment, whatever lies between them. Before the last
 * piece, a record that may go on behind the end of this one is left for the next.
 */
export function readRecords(
  piece: Uint8Array,
  visitor: RecordVisitor,
  isLast: boolean,
): ReadReport {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const stop = isLast ? piece.length : piece.length - FRAME_BYTES - LOG_RECORD_BYTES_MAX;
  let at = 0;
  let records = 0;
  let damagedBytes = 0;
  let goodEnd = 0;
  while (at < stop) {
    const end = recordEnd(piece, view, at);
    if (end > 0 && visitRecord(piece.subarray(at + FRAME_BYTES, end), visitor)) {
      records++;
      at = end;
      goodEnd = end;
      continue;
    }
    const next = nextMarker(piece, view, at + 1);
    damagedBytes += next - at;
    at = next;
  }
  return { records, damagedBytes, goodEnd, consumed: at };
}

/** False for a payload of a kind or shape that this version does not know. */
function visitRecord(written: Uint8Array, visitor: RecordVisitor): boolean {
  try {
    const payload = expandPayload(written);
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    switch (payload[0]) {
      case SERIES:
        return visitSeries(payload, visitor);
      case SAMPLES:
      case LATE_SAMPLES:
      case HISTOGRAMS:
      case LATE_HISTOGRAMS:
        return visitSampleRecord(payload, null, visitor);
      case STARTED: {
        const started = decodeStarted(payload);
        if (started === undefined) return false;
        return visitSampleRecord(started.inner, started.startTimes, visitor);
      }
      case CHUNKS:
        return visitChunks(payload, view, visitor);
      case EXEMPLARS:
        return visitExemplars(payload, visitor);
      case DELETIONS:
        return decodeDeletions(payload, visitor.deletion);
      case READ_DAYS:
        return decodeReadDays(payload, visitor.readDays);
    }
  } catch (error) {
    if (
      !(error instanceof TytoError || error instanceof RangeError || error instanceof SyntaxError)
    )
      throw error;
  }
  return false;
}

function visitSeries(payload: Uint8Array, visitor: RecordVisitor): boolean {
  const definitions = decodeSeries(payload);
  if (definitions !== undefined) visitor.series(definitions);
  return definitions !== undefined;
}

function visitSampleRecord(
  payload: Uint8Array,
  startTimes: Float64Array | null,
  visitor: RecordVisitor,
): boolean {
  switch (payload[0]) {
    case SAMPLES:
      return visitSamples(payload, startTimes, visitor.samples);
    case LATE_SAMPLES:
      return visitSamples(payload, startTimes, visitor.lateSamples);
    case HISTOGRAMS:
      return decodeHistograms(payload, startTimes, visitor.histogram);
    case LATE_HISTOGRAMS:
      return decodeHistograms(payload, startTimes, visitor.lateHistogram);
    default:
      return false;
  }
}

function visitSamples(
  payload: Uint8Array,
  startTimes: Float64Array | null,
  visit: RecordVisitor['samples'],
): boolean {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(1, true);
  if (startTimes !== null && startTimes.length !== count) return false;
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
  visit({ ids, timestamps, bits: bitsOf(values), startTimes });
  return true;
}

function visitChunks(payload: Uint8Array, view: DataView, visitor: RecordVisitor): boolean {
  const count = view.getUint32(1, true);
  let at = 5 + count * 24;
  if (at > payload.length) return false;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(5 + count * 4 + i * 4, true);
    const end = at + (length & ~TAIL_FLAG);
    if (end > payload.length) return false;
    visitor.chunk({
      id: view.getUint32(5 + i * 4, true),
      bytes: payload.subarray(at, end),
      minTimeMs: view.getFloat64(5 + count * 8 + i * 8, true),
      maxTimeMs: view.getFloat64(5 + count * 16 + i * 8, true),
      isTail: length >= TAIL_FLAG,
    });
    at = end;
  }
  return true;
}

function visitExemplars(payload: Uint8Array, visitor: RecordVisitor): boolean {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload.subarray(1));
  const rows = JSON.parse(text) as [string[], string[], string, number][];
  for (const [series, labels, value, timestampMs] of rows) {
    const exemplar = { labels: Labels.fromSorted(labels), value: Number(value), timestampMs };
    visitor.exemplar({ series: Labels.fromSorted(series), exemplar });
  }
  return true;
}
