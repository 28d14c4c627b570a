/**
 * The message Histogram of remote write, which is the same in 1.0 (prometheus.Histogram) and 2.0
 * (io.prometheus.write.v2.Histogram): counts of buckets as deltas of whole numbers or as floats.
 */
import { TytoError } from '@tyto/base';
import type { FloatHistogram, HistogramSpan } from '@tyto/model';
import type { ProtobufReader } from './protobufReader.ts';
import type { ProtobufWriter } from './protobufWriter.ts';

const SCHEMA_CUSTOM = -53;
const SCHEMA_MIN = -4;
const SCHEMA_MAX = 8;
const RESET_HINTS = ['unknown', 'reset', 'not_reset', 'gauge'] as const;
/** The bits of a stale marker, which a series of histograms has as its sum. */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;

export interface HistogramSample {
  readonly timestampMs: number;
  /** Undefined for a stale marker. */
  readonly histogram: FloatHistogram | undefined;
  /** Absent or 0 where it is unknown; 1.0 has none. */
  readonly startTimeMs?: number;
}

interface Draft {
  timestampMs: number;
  startTimeMs: number;
  isFloat: boolean;
  isStale: boolean;
  hint: number;
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  count: number;
  sum: number;
  readonly spans: { positive: HistogramSpan[]; negative: HistogramSpan[] };
  readonly deltas: { positive: number[]; negative: number[] };
  readonly counts: { positive: number[]; negative: number[] };
  readonly customValues: number[];
}

/** Throws TytoError `bad_data` for a malformed message or an impossible histogram. */
export function decodeHistogram(reader: ProtobufReader): HistogramSample {
  const draft: Draft = {
    timestampMs: 0,
    startTimeMs: 0,
    isFloat: false,
    isStale: false,
    hint: 0,
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sum: 0,
    spans: { positive: [], negative: [] },
    deltas: { positive: [], negative: [] },
    counts: { positive: [], negative: [] },
    customValues: [],
  };
  while (reader.next()) readField(reader, draft);
  if (draft.isStale) return { timestampMs: draft.timestampMs, histogram: undefined };
  const histogram: FloatHistogram = {
    isInteger: !draft.isFloat,
    counterResetHint: RESET_HINTS[draft.hint] ?? 'unknown',
    schema: draft.schema,
    zeroThreshold: draft.zeroThreshold,
    zeroCount: draft.zeroCount,
    count: draft.count,
    sum: draft.sum,
    positiveSpans: draft.spans.positive,
    negativeSpans: draft.spans.negative,
    positiveBuckets: draft.isFloat ? draft.counts.positive : summed(draft.deltas.positive),
    negativeBuckets: draft.isFloat ? draft.counts.negative : summed(draft.deltas.negative),
    customValues: draft.customValues,
  };
  checkHistogram(histogram);
  const { timestampMs, startTimeMs } = draft;
  return startTimeMs === 0 ? { timestampMs, histogram } : { timestampMs, histogram, startTimeMs };
}

function readField(reader: ProtobufReader, draft: Draft): void {
  switch (reader.field) {
    case 1:
      draft.count = reader.uint64();
      draft.isFloat = false;
      break;
    case 2:
      draft.count = reader.double();
      draft.isFloat = true;
      break;
    case 3:
      draft.sum = reader.double();
      draft.isStale = reader.high === STALE_HIGH && reader.low === STALE_LOW;
      break;
    case 4:
      draft.schema = reader.sint32();
      break;
    case 5:
      draft.zeroThreshold = reader.double();
      break;
    case 6:
      draft.zeroCount = reader.uint64();
      break;
    case 7:
      draft.zeroCount = reader.double();
      break;
    case 14:
      draft.hint = reader.int32();
      break;
    case 15:
      draft.timestampMs = reader.int64();
      break;
    case 17:
      draft.startTimeMs = reader.int64();
      break;
    default:
      readBuckets(reader, draft);
  }
}

function readBuckets(reader: ProtobufReader, draft: Draft): void {
  switch (reader.field) {
    case 8:
      draft.spans.negative.push(decodeSpan(reader.message()));
      break;
    case 9:
      reader.sint64s(draft.deltas.negative);
      break;
    case 10:
      reader.doubles(draft.counts.negative);
      break;
    case 11:
      draft.spans.positive.push(decodeSpan(reader.message()));
      break;
    case 12:
      reader.sint64s(draft.deltas.positive);
      break;
    case 13:
      reader.doubles(draft.counts.positive);
      break;
    case 16:
      reader.doubles(draft.customValues);
      break;
  }
}

/** The message BucketSpan, which is the same in all of Prometheus' formats. */
export function decodeSpan(reader: ProtobufReader): HistogramSpan {
  let offset = 0;
  let length = 0;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.sint32();
    else if (reader.field === 2) length = reader.uint32();
  }
  return { offset, length };
}

/** The absolute counts behind deltas. */
export function summed(deltas: readonly number[]): number[] {
  let sum = 0;
  return deltas.map((delta) => {
    sum += delta;
    return sum;
  });
}

/** Throws TytoError `bad_data` for a histogram that cannot be. */
export function checkHistogram(histogram: FloatHistogram): void {
  const { schema, positiveSpans, negativeSpans, positiveBuckets, negativeBuckets } = histogram;
  const isCustom = schema === SCHEMA_CUSTOM;
  if (!isCustom && (schema < SCHEMA_MIN || schema > SCHEMA_MAX)) {
    throw invalid(`the schema ${schema} does not exist`);
  }
  checkSide('positive', positiveSpans, positiveBuckets);
  checkSide('negative', negativeSpans, negativeBuckets);
  for (const [name, value] of [
    ['count', histogram.count],
    ['zero count', histogram.zeroCount],
    ['zero threshold', histogram.zeroThreshold],
  ] as const) {
    if (!(value >= 0)) throw invalid(`its ${name} is ${value}`);
  }
  if (isCustom) checkCustom(histogram);
  else if (histogram.customValues.length > 0) throw invalid('only schema -53 has custom bounds');
}

function checkSide(
  side: string,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
): void {
  let length = 0;
  spans.forEach((span, i) => {
    if (i > 0 && span.offset < 0) throw invalid(`a ${side} span begins within the one before`);
    length += span.length;
  });
  if (length !== buckets.length) {
    throw invalid(`its ${side} spans have ${length} buckets, but there are ${buckets.length}`);
  }
  const bad = buckets.find((count) => !(count >= 0));
  if (bad !== undefined) throw invalid(`a ${side} bucket has the count ${bad}`);
}

function checkCustom({ customValues, ...histogram }: FloatHistogram): void {
  const rises = customValues.every((bound, i) => i === 0 || bound > customValues[i - 1]);
  if (!rises || customValues.some((bound) => !Number.isFinite(bound))) {
    throw invalid('its custom bounds do not rise');
  }
  if (histogram.negativeSpans.length > 0 || histogram.zeroCount !== 0) {
    throw invalid('custom buckets have neither negative nor zero buckets');
  }
  let end = 0;
  for (const { offset, length } of histogram.positiveSpans) end += offset + length;
  const first = histogram.positiveSpans.at(0)?.offset ?? 0;
  if (first < 0 || end > customValues.length + 1) throw invalid('a bucket has no custom bound');
}

function invalid(what: string): TytoError {
  return new TytoError('bad_data', `invalid histogram: ${what}`);
}

/** Writes the fields of the message. */
export function writeHistogram(writer: ProtobufWriter, sample: HistogramSample): void {
  const { histogram, timestampMs } = sample;
  if (histogram === undefined) {
    writer.uint32(1, 0);
    writer.doubleBits(3, STALE_LOW, STALE_HIGH);
    writer.int64(15, timestampMs);
    return;
  }
  const isInteger = histogram.isInteger === true;
  if (isInteger) writer.int64(1, histogram.count);
  else writer.double(2, histogram.count);
  writer.double(3, histogram.sum);
  writer.sint32(4, histogram.schema);
  writer.double(5, histogram.zeroThreshold);
  if (isInteger) writer.int64(6, histogram.zeroCount);
  else writer.double(7, histogram.zeroCount);
  writeSide(writer, 8, isInteger, histogram.negativeSpans, histogram.negativeBuckets);
  writeSide(writer, 11, isInteger, histogram.positiveSpans, histogram.positiveBuckets);
  writer.uint32(14, RESET_HINTS.indexOf(histogram.counterResetHint));
  writer.int64(15, timestampMs);
  writer.doubles(16, histogram.customValues);
}

/** Spans, and then deltas or counts, which have the two next field numbers. */
function writeSide(
  writer: ProtobufWriter,
  field: number,
  isInteger: boolean,
  spans: readonly HistogramSpan[],
  buckets: readonly number[],
): void {
  for (const { offset, length } of spans) {
    const span = writer.begin(field);
    writer.sint32(1, offset);
    writer.uint32(2, length);
    writer.end(span);
  }
  if (!isInteger) writer.doubles(field + 2, buckets);
  else
    writer.sint64s(
      field + 1,
      buckets.map((count, i) => count - (i === 0 ? 0 : buckets[i - 1])),
    );
}
