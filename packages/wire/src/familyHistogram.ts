/** The message `io.prometheus.client.Histogram`: a classic histogram, a native one, or both. */
import { TytoError } from '@tyto/base';
import type { FloatHistogram, HistogramSpan } from '@tyto/model';
import type { Exemplar } from './expositionReader.ts';
import { checkHistogram, decodeSpan, summed } from './histogramMessage.ts';
import { customOfClassic } from './nativeHistogram.ts';
import { ProtobufReader } from './protobufReader.ts';
import { labelsOfPairs } from './remoteWrite.ts';
import type { TextCache } from './textCache.ts';

/** Where a message is in the exposition. */
export interface MessageRange {
  readonly start: number;
  readonly end: number;
}

export interface ClassicBucket {
  readonly bound: number;
  /** Cumulative. */
  readonly count: number;
  readonly exemplar: MessageRange | undefined;
}

interface Side {
  readonly spans: HistogramSpan[];
  readonly deltas: number[];
  readonly counts: number[];
}

export class FamilyHistogram {
  sum = 0;
  /** 0 where it is unknown. */
  startTimeMs = 0;
  readonly buckets: ClassicBucket[] = [];
  readonly #body: Uint8Array;
  readonly #isGauge: boolean;
  readonly #readsNative: boolean;
  #count = 0;
  #countFloat = 0;
  #schema = 0;
  #zeroThreshold = 0;
  #zeroCount = 0;
  #zeroCountFloat = 0;
  readonly #positive: Side = { spans: [], deltas: [], counts: [] };
  readonly #negative: Side = { spans: [], deltas: [], counts: [] };
  readonly #exemplars: MessageRange[] = [];

  /** Reads it; one that is missing is empty. Throws TytoError `bad_data`. */
  constructor(
    body: Uint8Array,
    reader: ProtobufReader | undefined,
    isGauge: boolean,
    readsNative: boolean,
  ) {
    this.#body = body;
    this.#isGauge = isGauge;
    this.#readsNative = readsNative;
    while (reader?.next()) this.#readField(reader);
  }

  get count(): number {
    return this.#countFloat > 0 ? this.#countFloat : this.#count;
  }

  /** Whether it is to be read as a native histogram: it has any of their parts. */
  get isNative(): boolean {
    if (!this.#readsNative) return false;
    const spans = this.#positive.spans.length + this.#negative.spans.length;
    return spans > 0 || this.#zeroThreshold > 0 || this.#zeroCount > 0 || this.#zeroCountFloat > 0;
  }

  /** Whether it has classic buckets besides that of +Inf. */
  get hasClassic(): boolean {
    return this.buckets.some(({ bound }) => bound !== Infinity);
  }

  /** The native histogram, or one with the classic buckets as custom ones. */
  native(): FloatHistogram {
    const histogram = this.isNative ? this.#exponential() : this.#custom();
    checkHistogram(histogram);
    return histogram;
  }

  /** Those of the native histogram, or of its buckets; only such with a time, oldest first. */
  exemplars(): Exemplar[] {
    const own = this.#exemplars.length > 0 && this.isNative;
    const ranges = own ? this.#exemplars : this.buckets.map(({ exemplar }) => exemplar);
    return ranges
      .filter((range) => range !== undefined)
      .map((range) => decodeFamilyExemplar(this.#body, range))
      .filter(({ timestampMs }) => timestampMs !== undefined)
      .sort((a, b) => (a.timestampMs ?? 0) - (b.timestampMs ?? 0));
  }

  #exponential(): FloatHistogram {
    const isFloat = this.#countFloat > 0 || this.#zeroCountFloat > 0;
    const countsOf = ({ deltas, counts }: Side) => (isFloat ? counts : summed(deltas));
    return {
      isInteger: !isFloat,
      counterResetHint: this.#isGauge ? 'gauge' : 'unknown',
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: isFloat ? this.#zeroCountFloat : this.#zeroCount,
      count: isFloat ? this.#countFloat : this.#count,
      sum: this.sum,
      positiveSpans: withoutEmptySpans(this.#positive.spans),
      negativeSpans: withoutEmptySpans(this.#negative.spans),
      positiveBuckets: countsOf(this.#positive),
      negativeBuckets: countsOf(this.#negative),
      customValues: [],
    };
  }

  #custom(): FloatHistogram {
    const buckets = new Map(this.buckets.map(({ bound, count }) => [bound, count]));
    const histogram = customOfClassic(buckets, this.count, this.sum);
    if (histogram === undefined) {
      throw new TytoError('bad_data', 'the counts of the classic buckets do not rise to the count');
    }
    return this.#isGauge ? { ...histogram, counterResetHint: 'gauge' } : histogram;
  }

  #readField(reader: ProtobufReader): void {
    switch (reader.field) {
      case 1:
        this.#count = reader.uint64();
        break;
      case 2:
        this.sum = reader.double();
        break;
      case 3:
        this.buckets.push(readBucket(reader.message()));
        break;
      case 4:
        this.#countFloat = reader.double();
        break;
      case 5:
        this.#schema = reader.sint32();
        break;
      case 6:
        this.#zeroThreshold = reader.double();
        break;
      case 7:
        this.#zeroCount = reader.uint64();
        break;
      case 8:
        this.#zeroCountFloat = reader.double();
        break;
      case 15:
        this.startTimeMs = readTimestamp(reader.message());
        break;
      case 16:
        this.#exemplars.push(rangeOf(reader));
        break;
      default:
        readSide(reader, 9, this.#negative);
        readSide(reader, 12, this.#positive);
    }
  }
}

/** Spans, deltas and counts have three fields in a row. */
function readSide(reader: ProtobufReader, field: number, side: Side): void {
  if (reader.field === field) side.spans.push(decodeSpan(reader.message()));
  else if (reader.field === field + 1) reader.sint64s(side.deltas);
  else if (reader.field === field + 2) reader.doubles(side.counts);
}

function readBucket(reader: ProtobufReader): ClassicBucket {
  let count = 0;
  let countFloat = 0;
  let bound = 0;
  let exemplar: MessageRange | undefined;
  while (reader.next()) {
    if (reader.field === 1) count = reader.uint64();
    else if (reader.field === 2) bound = reader.double();
    else if (reader.field === 3) exemplar = rangeOf(reader);
    else if (reader.field === 4) countFloat = reader.double();
  }
  return { bound, count: countFloat > 0 ? countFloat : count, exemplar };
}

/** The no-op span says only that a histogram is native. */
function withoutEmptySpans(spans: readonly HistogramSpan[]): HistogramSpan[] {
  const kept: HistogramSpan[] = [];
  let gap = 0;
  for (const { offset, length } of spans) {
    gap += offset;
    if (length === 0) continue;
    kept.push({ offset: gap, length });
    gap = 0;
  }
  return kept;
}

/** The message that the reader stands on. */
export function rangeOf(reader: ProtobufReader): MessageRange {
  // Refuses what is no message.
  reader.message();
  return { start: reader.start, end: reader.end };
}

/** The message Exemplar. Throws TytoError `bad_data`. */
export function decodeFamilyExemplar(body: Uint8Array, range: MessageRange): Exemplar {
  const reader = new ProtobufReader(body, range.start, range.end);
  const pairs: string[] = [];
  let value = 0;
  let timestampMs: number | undefined;
  while (reader.next()) {
    if (reader.field === 1) readPair(reader.message(), pairs);
    else if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) timestampMs = readTimestamp(reader.message());
  }
  return { labels: labelsOfPairs(pairs), value, timestampMs };
}

/** A LabelPair, added to names and values by turns. */
export function readPair(reader: ProtobufReader, pairs: string[], texts?: TextCache): void {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.string(texts);
    else if (reader.field === 2) value = reader.string(texts);
  }
  pairs.push(name, value);
}

/** google.protobuf.Timestamp in milliseconds. */
export function readTimestamp(reader: ProtobufReader): number {
  let seconds = 0;
  let nanos = 0;
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.int64();
    else if (reader.field === 2) nanos = reader.int32();
  }
  return seconds * 1000 + Math.floor(nanos / 1e6);
}
