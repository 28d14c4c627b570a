/**
 * Chunks of native histograms. Whole numbers are stored as differences of differences, and a
 * bucket as the difference to the bucket before it; floats by XOR. A stale histogram has no buckets
 * and is a stale marker here.
 */
import type { FloatHistogram, SampleColumns } from '@tyto/model';
import { BitReader, BitWriter } from './bits.ts';
import { floatOf, highWord, isStaleWords, lowWord } from './floatBits.ts';
import {
  bucketCount,
  type HistogramLayout,
  readLayout,
  sameLayout,
  writeLayout,
} from './histogramLayout.ts';
import { XorReader, XorWriter } from './xorStream.ts';

const HEADER_BYTES = 3;
const RESET = 0b10;
const NOT_RESET = 0b01;
const GAUGE = 0b11;

/** Differences of differences stay exact as long as counts are below this. */
const EXACT_MAX = 2 ** 50;

/** Appends the samples of a chunk's data, all or, where it throws TytoError `io`, none. */
export function decodeHistogramChunk(
  data: Uint8Array,
  count: number,
  isInteger: boolean,
  target: SampleColumns,
): void {
  if (count === 0) return;
  const reader = new BitReader(data, HEADER_BYTES);
  const layout = readLayout(reader);
  const positives = bucketCount(layout.positiveSpans, reader.left);
  const negatives = bucketCount(layout.negativeSpans, reader.left - positives);
  const fields = isInteger
    ? new IntegerFields(positives, negatives)
    : new FloatFields(positives, negatives);
  const read: { time: number; histogram: FloatHistogram | undefined }[] = [];
  let time = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    delta += reader.signed();
    time = i === 0 ? delta : time + delta;
    if (i === 0) delta = 0;
    const histogram = fields.read(reader, i, layout, hintOf(data[2] >>> 6, i));
    read.push({ time, histogram });
  }
  for (const { time, histogram } of read) {
    if (histogram === undefined) target.pushStale(time);
    else target.pushHistogram(time, histogram);
  }
}

function hintOf(flags: number, index: number): FloatHistogram['counterResetHint'] {
  if (flags === GAUGE) return 'gauge';
  if (index > 0) return 'not_reset';
  // Even where the header says that there was no reset: the chunk before may be gone.
  return flags === RESET ? 'reset' : 'unknown';
}

interface Fields {
  /** Undefined for a stale histogram. */
  read(
    reader: BitReader,
    index: number,
    layout: HistogramLayout,
    hint: FloatHistogram['counterResetHint'],
  ): FloatHistogram | undefined;
}

class IntegerFields implements Fields {
  /** Count, zero count, positive buckets, negative buckets: values and their last differences. */
  readonly #values: Float64Array;
  readonly #deltas: Float64Array;
  readonly #positives: number;
  readonly #sum = new XorReader();

  constructor(positives: number, negatives: number) {
    this.#positives = positives;
    this.#values = new Float64Array(2 + positives + negatives);
    this.#deltas = new Float64Array(2 + positives + negatives);
  }

  read(
    reader: BitReader,
    index: number,
    layout: HistogramLayout,
    hint: FloatHistogram['counterResetHint'],
  ): FloatHistogram | undefined {
    const values = this.#values;
    const deltas = this.#deltas;
    if (index === 0) {
      values[0] = reader.unsigned();
      values[1] = reader.unsigned();
      this.#sum.first(reader);
      for (let i = 2; i < values.length; i++) values[i] = reader.signed();
    } else {
      for (let i = 0; i < 2; i++) values[i] += deltas[i] += reader.signed();
      this.#sum.next(reader);
      if (this.#isStale()) return undefined;
      for (let i = 2; i < values.length; i++) values[i] += deltas[i] += reader.signed();
    }
    if (this.#isStale()) return undefined;
    return {
      isInteger: true,
      counterResetHint: hint,
      ...layout,
      zeroCount: values[1],
      count: values[0],
      sum: floatOf(this.#sum.high, this.#sum.low),
      positiveBuckets: runningSums(values.subarray(2, 2 + this.#positives)),
      negativeBuckets: runningSums(values.subarray(2 + this.#positives)),
    };
  }

  #isStale(): boolean {
    return isStaleWords(this.#sum.high, this.#sum.low);
  }
}

class FloatFields implements Fields {
  /** Count, zero count, sum, positive buckets, negative buckets. */
  readonly #values: readonly XorReader[];
  readonly #positives: number;

  constructor(positives: number, negatives: number) {
    this.#positives = positives;
    this.#values = Array.from({ length: 3 + positives + negatives }, () => new XorReader());
  }

  read(
    reader: BitReader,
    index: number,
    layout: HistogramLayout,
    hint: FloatHistogram['counterResetHint'],
  ): FloatHistogram | undefined {
    const values = this.#values;
    const sum = values[2];
    for (let i = 0; i < values.length; i++) {
      if (i === 3 && index > 0 && isStaleWords(sum.high, sum.low)) return undefined;
      if (index === 0) values[i].first(reader);
      else values[i].next(reader);
    }
    if (isStaleWords(sum.high, sum.low)) return undefined;
    const numbers = values.map(({ high, low }) => floatOf(high, low));
    return {
      counterResetHint: hint,
      ...layout,
      zeroCount: numbers[1],
      count: numbers[0],
      sum: numbers[2],
      positiveBuckets: numbers.slice(3, 3 + this.#positives),
      negativeBuckets: numbers.slice(3 + this.#positives),
    };
  }
}

function runningSums(deltas: Float64Array): number[] {
  const sums = new Array<number>(deltas.length);
  let sum = 0;
  for (let i = 0; i < deltas.length; i++) {
    sum += deltas[i];
    sums[i] = sum;
  }
  return sums;
}

/** Whether a histogram can be stored as one of whole numbers without loss. */
export function isExactInteger(histogram: FloatHistogram): boolean {
  if (histogram.isInteger !== true) return false;
  const isExact = (value: number) => Number.isInteger(value) && Math.abs(value) < EXACT_MAX;
  return (
    isExact(histogram.count) &&
    histogram.count >= 0 &&
    isExact(histogram.zeroCount) &&
    histogram.zeroCount >= 0 &&
    histogram.positiveBuckets.every(isExact) &&
    histogram.negativeBuckets.every(isExact)
  );
}

/**
 * Whether `next` may follow `before` in a chunk: the same layout, and nothing that a reader would
 * have to take for a reset.
 */
export function mayFollow(before: FloatHistogram, next: FloatHistogram): boolean {
  const isGauge = before.counterResetHint === 'gauge';
  if (isGauge !== (next.counterResetHint === 'gauge') || !sameLayout(before, next)) return false;
  return isGauge || (next.counterResetHint !== 'reset' && !hasFallen(before, next));
}

/** Whether counting began anew between two neighbours; other layouts are left to readers. */
export function isResetBetween(before: FloatHistogram | undefined, next: FloatHistogram): boolean {
  if (next.counterResetHint === 'reset') return true;
  if (next.counterResetHint === 'gauge' || before === undefined) return false;
  return sameLayout(before, next) && hasFallen(before, next);
}

function hasFallen(before: FloatHistogram, next: FloatHistogram): boolean {
  return (
    !(next.count >= before.count) ||
    !(next.zeroCount >= before.zeroCount) ||
    before.positiveBuckets.some((count, i) => !(next.positiveBuckets[i] >= count)) ||
    before.negativeBuckets.some((count, i) => !(next.negativeBuckets[i] >= count))
  );
}

/** The data of a chunk of histograms that may follow each other. `isReset` marks the first one. */
export function encodeHistogramChunk(
  timestamps: Float64Array,
  histograms: readonly (FloatHistogram | undefined)[],
  from: number,
  count: number,
  isInteger: boolean,
  isReset: boolean,
): Uint8Array<ArrayBuffer> {
  const writer = new BitWriter();
  const first = histograms[from] as FloatHistogram;
  writer.bits(count, 16);
  writer.bits(flagsOf(first, isReset) << 6, 8);
  writeLayout(writer, first);
  const size = first.positiveBuckets.length + first.negativeBuckets.length;
  const write = isInteger ? integerWriter(size + 2) : floatWriter(size + 3);
  let before = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    const time = timestamps[from + i];
    writer.signed(time - before - delta);
    delta = i === 0 ? 0 : time - before;
    before = time;
    write(writer, i, histograms[from + i] as FloatHistogram);
  }
  return writer.take();
}

function flagsOf(first: FloatHistogram, isReset: boolean): number {
  if (first.counterResetHint === 'gauge') return GAUGE;
  if (isReset) return RESET;
  return first.counterResetHint === 'not_reset' ? NOT_RESET : 0;
}

type WriteHistogram = (writer: BitWriter, index: number, histogram: FloatHistogram) => void;

function integerWriter(size: number): WriteHistogram {
  const values = new Float64Array(size);
  const deltas = new Float64Array(size);
  const sum = new XorWriter();
  return (writer, index, histogram) => {
    const { count, zeroCount, positiveBuckets, negativeBuckets } = histogram;
    const writeSum = () => {
      const high = highWord(histogram.sum);
      if (index === 0) sum.first(writer, high, lowWord(histogram.sum));
      else sum.next(writer, high, lowWord(histogram.sum));
    };
    let at = 0;
    const put = (value: number) => {
      const delta = value - values[at];
      if (index > 0) writer.signed(delta - deltas[at]);
      else if (at < 2) writer.unsigned(value);
      else writer.signed(value);
      deltas[at] = index === 0 ? 0 : delta;
      values[at++] = value;
    };
    put(count);
    put(zeroCount);
    writeSum();
    for (const buckets of [positiveBuckets, negativeBuckets]) {
      for (let i = 0; i < buckets.length; i++) put(buckets[i] - (i === 0 ? 0 : buckets[i - 1]));
    }
  };
}

function floatWriter(size: number): WriteHistogram {
  const fields = Array.from({ length: size }, () => new XorWriter());
  return (writer, index, histogram) => {
    let at = 0;
    const put = (value: number) => {
      const high = highWord(value);
      if (index === 0) fields[at++].first(writer, high, lowWord(value));
      else fields[at++].next(writer, high, lowWord(value));
    };
    put(histogram.count);
    put(histogram.zeroCount);
    put(histogram.sum);
    for (const value of histogram.positiveBuckets) put(value);
    for (const value of histogram.negativeBuckets) put(value);
  };
}
