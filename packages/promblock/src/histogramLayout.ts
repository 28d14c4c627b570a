/**
 * The layout at the start of a histogram chunk, which all of its samples share: zero threshold,
 * schema, spans and custom boundaries (chunks.md of the format's description).
 */
import { CUSTOM_SCHEMA, type FloatHistogram, type HistogramSpan } from '@tyto/model';
import type { BitReader, BitWriter } from './bits.ts';
import { damaged } from './damage.ts';
import { floatOf, highWord, lowWord } from './floatBits.ts';

const SCHEMA_MIN = -4;
const SCHEMA_MAX = 8;

/** A power of two between 2^-243 and 2^10 is one byte: its exponent and this. */
const THRESHOLD_EXPONENT = 244;
const THRESHOLD_WHOLE = 255;

/** Thousandths up to this number are stored as whole numbers, of which 0 marks a float. */
const CUSTOM_THOUSANDTHS_MAX = 33554430;

export interface HistogramLayout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly HistogramSpan[];
  readonly negativeSpans: readonly HistogramSpan[];
  readonly customValues: readonly number[];
}

export function readLayout(reader: BitReader): HistogramLayout {
  const zeroThreshold = readThreshold(reader);
  const schema = reader.signed();
  const isKnown = schema === CUSTOM_SCHEMA || (schema >= SCHEMA_MIN && schema <= SCHEMA_MAX);
  if (!isKnown) throw damaged(`${schema} is no schema of a histogram`);
  const positiveSpans = readSpans(reader);
  const negativeSpans = readSpans(reader);
  const customValues = schema === CUSTOM_SCHEMA ? readCustomValues(reader) : [];
  return { schema, zeroThreshold, positiveSpans, negativeSpans, customValues };
}

export function writeLayout(writer: BitWriter, layout: HistogramLayout): void {
  writeThreshold(writer, layout.zeroThreshold);
  writer.signed(layout.schema);
  writeSpans(writer, layout.positiveSpans);
  writeSpans(writer, layout.negativeSpans);
  if (layout.schema !== CUSTOM_SCHEMA) return;
  writer.unsigned(layout.customValues.length);
  for (const value of layout.customValues) writeCustomValue(writer, value);
}

/** Whether two histograms may be in one chunk. */
export function sameLayout(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    a.customValues.length === b.customValues.length &&
    a.customValues.every((value, i) => value === b.customValues[i])
  );
}

/** Buckets that spans stand for; more than `max` is damage. */
export function bucketCount(spans: readonly HistogramSpan[], max: number): number {
  const count = spans.reduce((sum, { length }) => sum + length, 0);
  if (count > max) throw damaged(`a histogram has ${count} buckets, but no bytes for them`);
  return count;
}

function sameSpans(a: readonly HistogramSpan[], b: readonly HistogramSpan[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every(({ offset, length }, i) => offset === b[i].offset && length === b[i].length)
  );
}

function readThreshold(reader: BitReader): number {
  const code = reader.bits(8);
  if (code === 0) return 0;
  if (code !== THRESHOLD_WHOLE) return 2 ** (code - THRESHOLD_EXPONENT);
  reader.wide(64);
  return floatOf(reader.high, reader.low);
}

function writeThreshold(writer: BitWriter, threshold: number): void {
  const code = Math.log2(threshold) + THRESHOLD_EXPONENT;
  const isPower = Number.isInteger(code) && code >= 1 && code < THRESHOLD_WHOLE;
  if (threshold === 0) writer.bits(0, 8);
  else if (isPower && 2 ** (code - THRESHOLD_EXPONENT) === threshold) writer.bits(code, 8);
  else {
    writer.bits(THRESHOLD_WHOLE, 8);
    writer.wide(highWord(threshold), lowWord(threshold), 64);
  }
}

function readSpans(reader: BitReader): HistogramSpan[] {
  const count = reader.unsigned();
  if (count > reader.left) throw damaged(`a histogram has ${count} spans, but no bytes for them`);
  const spans: HistogramSpan[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.unsigned();
    spans.push({ length, offset: reader.signed() });
  }
  return spans;
}

function writeSpans(writer: BitWriter, spans: readonly HistogramSpan[]): void {
  writer.unsigned(spans.length);
  for (const { offset, length } of spans) {
    writer.unsigned(length);
    writer.signed(offset);
  }
}

function readCustomValues(reader: BitReader): number[] {
  const count = reader.unsigned();
  if (count > reader.left) throw damaged(`a histogram has ${count} boundaries, but no bytes`);
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    const thousandths = reader.unsigned();
    if (thousandths > 0) values.push((thousandths - 1) / 1000);
    else {
      reader.wide(64);
      values.push(floatOf(reader.high, reader.low));
    }
  }
  return values;
}

function writeCustomValue(writer: BitWriter, value: number): void {
  const thousandths = value * 1000;
  const isShort =
    thousandths >= 0 && thousandths <= CUSTOM_THOUSANDTHS_MAX && Number.isInteger(thousandths);
  // -0 would come back as 0, and a product that was rounded as a neighbour.
  if (isShort && !Object.is(value, -0) && thousandths / 1000 === value) {
    writer.unsigned(thousandths + 1);
  } else {
    writer.bits(0, 1);
    writer.wide(highWord(value), lowWord(value), 64);
  }
}
