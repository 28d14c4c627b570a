/**
 * Chunks of native histograms: one layout (schema, spans, thresholds) and the numbers of every
 * sample as columns, each column a chunk of its own. See docs/formats/chunk.md for the bytes.
 *
 * A chunk of floats begins with its count, which is never 0; every other chunk with a 0.
 */
import { TytoError } from '@tyto/base';
import { chunkSampleCount, decodeChunk, encodeChunk } from '@tyto/kernels';
import type { FloatHistogram, HistogramSpan } from '@tyto/model';

/** What all histograms of a chunk have in common. */
export type HistogramLayout = Omit<
  FloatHistogram,
  'count' | 'sum' | 'zeroCount' | 'positiveBuckets' | 'negativeBuckets'
>;

const HINTS = ['unknown', 'reset', 'not_reset', 'gauge'] as const;
const INTEGER_FLAG = 4;
/** count, sum and zero count come before the buckets. */
const FIXED_COLUMNS = 3;
/** Buckets and spans of one histogram; more is damage, or somebody's joke. */
const HISTOGRAM_BUCKETS_MAX = 65_536;
/** Numbers in one chunk; a chunk that claims more is damaged. */
const CHUNK_NUMBERS_MAX = 16 * 1024 * 1024;

/** Whether a chunk is one of floats alone, which a kernel decodes. */
export function isFloatChunk(chunk: Uint8Array): boolean {
  return chunk[0] !== 0;
}

/** The numbers of a histogram in the order of a chunk's columns. */
export function rowOf(histogram: FloatHistogram): Float64Array {
  const { count, sum, zeroCount, positiveBuckets, negativeBuckets } = histogram;
  return Float64Array.of(count, sum, zeroCount, ...positiveBuckets, ...negativeBuckets);
}

/** The histogram with this layout and these numbers. */
export function histogramOf(layout: HistogramLayout, row: Float64Array): FloatHistogram {
  const positives = bucketCount(layout.positiveSpans);
  const firstNegative = FIXED_COLUMNS + positives;
  return {
    ...layout,
    count: row[0],
    sum: row[1],
    zeroCount: row[2],
    positiveBuckets: Array.from(row.subarray(FIXED_COLUMNS, firstNegative)),
    negativeBuckets: Array.from(row.subarray(firstNegative)),
  };
}

/** Whether both are histograms, of one layout and with the same numbers. */
export function sameHistogram(
  a: FloatHistogram | undefined,
  b: FloatHistogram | undefined,
): boolean {
  if (a === undefined || b === undefined) return false;
  if (Buffer.compare(encodeLayout(a), encodeLayout(b)) !== 0) return false;
  const row = rowOf(b);
  return rowOf(a).every((value, i) => Object.is(value, row[i]));
}

/** Equal bytes for equal layouts. */
export function encodeLayout(histogram: HistogramLayout): Uint8Array {
  const out: number[] = [];
  const { schema, zeroThreshold, customValues, isInteger, counterResetHint } = histogram;
  out.push(HINTS.indexOf(counterResetHint) + (isInteger ? INTEGER_FLAG : 0));
  out.push(schema + 128);
  putDouble(out, zeroThreshold);
  for (const spans of [histogram.positiveSpans, histogram.negativeSpans]) {
    putVarint(out, spans.length);
    for (const { offset, length } of spans) {
      putVarint(out, offset >= 0 ? offset * 2 : -offset * 2 - 1);
      putVarint(out, length);
    }
  }
  putVarint(out, customValues.length);
  for (const value of customValues) putDouble(out, value);
  return Uint8Array.from(out);
}

/** Reads a layout that begins at `at`. Throws TytoError `io` when there is none. */
export function decodeLayout(
  bytes: Uint8Array,
  at: number,
): { readonly layout: HistogramLayout; readonly end: number } {
  const reader = new ByteReader(bytes, at);
  const flags = reader.byte();
  const schema = reader.byte() - 128;
  const zeroThreshold = reader.double();
  const [positiveSpans, negativeSpans] = [readSpans(reader), readSpans(reader)];
  const customValues = Array.from({ length: reader.count() }, () => reader.double());
  const layout: HistogramLayout = {
    ...(flags & INTEGER_FLAG ? { isInteger: true } : {}),
    counterResetHint: HINTS[flags & 3],
    schema,
    zeroThreshold,
    positiveSpans,
    negativeSpans,
    customValues,
  };
  return { layout, end: reader.at };
}

/** How many numbers a histogram of a layout has. */
function rowLength(layout: HistogramLayout): number {
  return FIXED_COLUMNS + bucketCount(layout.positiveSpans) + bucketCount(layout.negativeSpans);
}

/** Samples in rising time, rows of one layout. */
export function encodeHistogramChunk(
  layout: Uint8Array,
  timestamps: Float64Array,
  rows: readonly Float64Array[],
): Uint8Array {
  const count = rows.length;
  const column = new Float64Array(count);
  const indices = Float64Array.from({ length: count }, (_, i) => i);
  const parts: Uint8Array[] = [Uint8Array.of(0), layout];
  for (let c = 0; c < rows[0].length; c++) {
    for (let i = 0; i < count; i++) column[i] = rows[i][c];
    const chunk = encodeChunk(c === 0 ? timestamps : indices, column, 0, count);
    const length: number[] = [];
    putVarint(length, chunk.length);
    parts.push(Uint8Array.from(length), chunk);
  }
  return Buffer.concat(parts);
}

/** What is in a chunk of histograms. Throws TytoError `io` when it is damaged. */
export function decodeHistogramChunk(chunk: Uint8Array): {
  readonly layout: HistogramLayout;
  readonly timestamps: Float64Array;
  readonly rows: readonly Float64Array[];
} {
  const { layout, end } = decodeLayout(chunk, 1);
  const reader = new ByteReader(chunk, end);
  const width = rowLength(layout);
  let timestamps: Float64Array | undefined;
  let rows: Float64Array[] = [];
  for (let c = 0; c < width; c++) {
    const column = reader.bytes(reader.count());
    const count = chunkSampleCount(column);
    const times = new Float64Array(count);
    const values = new Float64Array(count);
    decodeChunk(column, times, values, 0);
    if (timestamps === undefined) {
      if (count * width > CHUNK_NUMBERS_MAX) throw damaged();
      timestamps = times;
      rows = Array.from({ length: count }, () => new Float64Array(width));
    }
    if (count !== rows.length) throw damaged();
    for (let i = 0; i < count; i++) rows[i][c] = values[i];
  }
  if (timestamps === undefined || reader.at !== chunk.length) throw damaged();
  return { layout, timestamps, rows };
}

/** How many histograms a chunk of them has. Throws TytoError `io` when it is damaged. */
export function histogramCount(chunk: Uint8Array): number {
  const reader = new ByteReader(chunk, decodeLayout(chunk, 1).end);
  return chunkSampleCount(reader.bytes(reader.count()));
}

/** What hinders a histogram from being stored, or undefined. */
export function histogramProblem(histogram: FloatHistogram): string | undefined {
  const { positiveSpans, negativeSpans, schema } = histogram;
  if (!Number.isInteger(schema) || (schema !== -53 && (schema < -9 || schema > 52))) {
    return `a native histogram has schema ${schema}`;
  }
  if (!areSpans(positiveSpans) || !areSpans(negativeSpans)) {
    return 'the spans of a native histogram are out of order';
  }
  const positives = bucketCount(positiveSpans);
  const negatives = bucketCount(negativeSpans);
  if (positives + negatives > HISTOGRAM_BUCKETS_MAX) {
    return `a native histogram has more than ${HISTOGRAM_BUCKETS_MAX} buckets`;
  }
  const same =
    positives === histogram.positiveBuckets.length &&
    negatives === histogram.negativeBuckets.length;
  return same ? undefined : 'the spans of a native histogram are not those of its buckets';
}

function areSpans(spans: readonly HistogramSpan[]): boolean {
  return spans.every(
    ({ offset, length }, i) =>
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      length >= 0 &&
      Math.abs(offset) < 2 ** 31 &&
      (i === 0 || offset >= 0),
  );
}

function bucketCount(spans: readonly HistogramSpan[]): number {
  return spans.reduce((sum, { length }) => sum + length, 0);
}

function readSpans(reader: ByteReader): HistogramSpan[] {
  const spans = Array.from({ length: reader.count() }, () => {
    const code = reader.varint();
    const offset = code % 2 === 0 ? code / 2 : -(code + 1) / 2;
    return { offset, length: reader.varint() };
  });
  if (bucketCount(spans) > HISTOGRAM_BUCKETS_MAX) throw damaged();
  return spans;
}

function putVarint(out: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) + 0x80);
  out.push(rest);
}

function putDouble(out: number[], value: number): void {
  out.push(...new Uint8Array(Float64Array.of(value).buffer));
}

class ByteReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  byte(): number {
    if (this.at >= this.#bytes.length) throw damaged();
    return this.#bytes[this.at++];
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 42; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw damaged();
  }

  /** A number of things that follow, each of at least a byte. */
  count(): number {
    const count = this.varint();
    if (count > this.#bytes.length - this.at) throw damaged();
    return count;
  }

  double(): number {
    if (this.at + 8 > this.#bytes.length) throw damaged();
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  bytes(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return bytes;
  }
}

function damaged(): TytoError {
  return new TytoError('io', 'corrupt chunk: its histograms do not decode');
}
