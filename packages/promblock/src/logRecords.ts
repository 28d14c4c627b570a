/** The records of Prometheus' logs (wal.md of the format's description), handed to a visitor. */
import {
  CUSTOM_SCHEMA,
  type Exemplar,
  type FloatHistogram,
  type HistogramSpan,
  type Labels,
} from '@tyto/model';
import type { ByteCursor } from './byteCursor.ts';
import { damaged } from './damage.ts';
import { labelsOf } from './indexReader.ts';

export interface LogVisitor {
  series(ref: number, labels: Labels): void;
  /** A float, by its bits. */
  sample(ref: number, timestampMs: number, high: number, low: number): void;
  histogram(ref: number, timestampMs: number, histogram: FloatHistogram): void;
  tombstone(ref: number, minTimeMs: number, maxTimeMs: number): void;
  exemplar(ref: number, exemplar: Exemplar): void;
}

const SERIES = 1;
const SAMPLES = 2;
const TOMBSTONES = 3;
const EXEMPLARS = 4;
const MAPPED_MARKERS = 5;
const METADATA = 6;
const HISTOGRAMS = 7;
const FLOAT_HISTOGRAMS = 8;
const CUSTOM_HISTOGRAMS = 9;
const CUSTOM_FLOAT_HISTOGRAMS = 10;
const HINTS = ['unknown', 'reset', 'not_reset', 'gauge'] as const;

/** Visits what a record holds. Throws TytoError `io` for a damaged or unknown one. */
export function visitRecord(cursor: ByteCursor, visitor: LogVisitor): void {
  const type = cursor.byte();
  switch (type) {
    case SERIES:
      while (cursor.left > 0) visitor.series(cursor.uint64(), readLabels(cursor));
      break;
    case SAMPLES:
      readDeltas(cursor, (ref, time) => {
        cursor.words();
        visitor.sample(ref, time, cursor.high, cursor.low);
      });
      break;
    case TOMBSTONES:
      while (cursor.left > 0) {
        visitor.tombstone(cursor.uint64(), cursor.varint(), cursor.varint());
      }
      break;
    case EXEMPLARS:
      readDeltas(cursor, (ref, timestampMs) => {
        const value = cursor.float64();
        visitor.exemplar(ref, { timestampMs, value, labels: readLabels(cursor) });
      });
      break;
    case MAPPED_MARKERS:
      // Which out-of-order samples are in chunks as well; reading both does no harm.
      while (cursor.left > 0) {
        cursor.words();
        cursor.words();
      }
      break;
    case METADATA:
      while (cursor.left > 0) skipMetadata(cursor);
      break;
    case HISTOGRAMS:
    case CUSTOM_HISTOGRAMS:
      readDeltas(cursor, (ref, time) => visitor.histogram(ref, time, readIntegers(cursor)));
      break;
    case FLOAT_HISTOGRAMS:
    case CUSTOM_FLOAT_HISTOGRAMS:
      readDeltas(cursor, (ref, time) => visitor.histogram(ref, time, readFloats(cursor)));
      break;
    default:
      throw damaged(`records of type ${type} are not known`);
  }
}

/** Series and time of each sample as the difference to the first; what follows is `read`'s. */
function readDeltas(cursor: ByteCursor, read: (ref: number, timestampMs: number) => void): void {
  if (cursor.left === 0) return;
  const ref = cursor.uint64();
  const time = cursor.int64();
  while (cursor.left > 0) read(ref + cursor.varint(), time + cursor.varint());
}

function readLabels(cursor: ByteCursor): Labels {
  const pairs: string[] = [];
  for (let i = cursor.count(cursor.left, 'the number of labels'); i > 0; i--) {
    pairs.push(cursor.text(), cursor.text());
  }
  return labelsOf(pairs);
}

function skipMetadata(cursor: ByteCursor): void {
  cursor.uvarint();
  cursor.byte();
  for (let i = cursor.count(cursor.left, 'the number of fields'); i > 0; i--) {
    cursor.text();
    cursor.text();
  }
}

function readIntegers(cursor: ByteCursor): FloatHistogram {
  const head = readHead(cursor);
  const zeroCount = cursor.uvarint();
  const count = cursor.uvarint();
  const sum = cursor.float64();
  const positiveSpans = readSpans(cursor);
  const negativeSpans = readSpans(cursor);
  const positiveBuckets = readBuckets(cursor, positiveSpans, true);
  const negativeBuckets = readBuckets(cursor, negativeSpans, true);
  const customValues = head.schema === CUSTOM_SCHEMA ? readNumbers(cursor) : [];
  const spans = { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets };
  return { isInteger: true, ...head, zeroCount, count, sum, ...spans, customValues };
}

function readFloats(cursor: ByteCursor): FloatHistogram {
  const head = readHead(cursor);
  const zeroCount = cursor.float64();
  const count = cursor.float64();
  const sum = cursor.float64();
  const positiveSpans = readSpans(cursor);
  const negativeSpans = readSpans(cursor);
  const positiveBuckets = readBuckets(cursor, positiveSpans, false);
  const negativeBuckets = readBuckets(cursor, negativeSpans, false);
  const customValues = head.schema === CUSTOM_SCHEMA ? readNumbers(cursor) : [];
  const spans = { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets };
  return { ...head, zeroCount, count, sum, ...spans, customValues };
}

function readHead(cursor: ByteCursor) {
  const counterResetHint = HINTS[cursor.byte()] ?? 'unknown';
  return { counterResetHint, schema: cursor.varint(), zeroThreshold: cursor.float64() };
}

function readSpans(cursor: ByteCursor): HistogramSpan[] {
  const spans: HistogramSpan[] = [];
  for (let i = cursor.count(cursor.left, 'the number of spans'); i > 0; i--) {
    spans.push({ offset: cursor.varint(), length: cursor.uvarint() });
  }
  return spans;
}

function readBuckets(
  cursor: ByteCursor,
  spans: readonly HistogramSpan[],
  isInteger: boolean,
): number[] {
  const buckets = isInteger ? readRunningSums(cursor) : readNumbers(cursor);
  const wanted = spans.reduce((sum, { length }) => sum + length, 0);
  if (buckets.length !== wanted) {
    throw damaged(`a histogram has ${buckets.length} buckets and spans for ${wanted}`);
  }
  return buckets;
}

function readRunningSums(cursor: ByteCursor): number[] {
  const sums: number[] = [];
  let sum = 0;
  for (let i = cursor.count(cursor.left, 'the number of buckets'); i > 0; i--) {
    sum += cursor.varint();
    sums.push(sum);
  }
  return sums;
}

function readNumbers(cursor: ByteCursor): number[] {
  const numbers: number[] = [];
  for (let i = cursor.count(cursor.left, 'the number of values'); i > 0; i--) {
    numbers.push(cursor.float64());
  }
  return numbers;
}
