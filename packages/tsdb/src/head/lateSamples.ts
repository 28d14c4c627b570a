/**
 * Samples that came late: older than the newest one of their series, and within the window in which
 * that is allowed. They are few, so each series that has some keeps them sorted in columns of its
 * own until they become a block.
 */
import { must } from '@tyto/base';
import {
  APPENDED,
  type AppendResult,
  bitsOf,
  DUPLICATE,
  type FloatHistogram,
  isStaleBits,
  REPEATED,
  SampleColumns,
} from '@tyto/model';
import { lowerBound } from '../chunkRead.ts';
import { sameHistogram } from '../histogramChunk.ts';

/** One sample as a writer brings it: the bits of a float, or a native histogram. */
export interface LateSample {
  readonly timestampMs: number;
  readonly low: number;
  readonly high: number;
  readonly histogram: FloatHistogram | undefined;
  /** 0 where it is unknown. */
  readonly startTimeMs: number;
}

export class LateSamples {
  #series = new Map<number, SampleColumns>();
  #sampleCount = 0;
  #minTimeMs = Infinity;
  #maxTimeMs = -Infinity;

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Infinity when there are none. */
  get minTimeMs(): number {
    return this.#minTimeMs;
  }

  get maxTimeMs(): number {
    return this.#maxTimeMs;
  }

  /** Ids of the series that have some. */
  ids(): IterableIterator<number> {
    return this.#series.keys();
  }

  has(id: number): boolean {
    return this.#series.has(id);
  }

  /** The newest late sample's time of a series that has some. */
  lastTimeMs(id: number): number {
    const columns = must(this.#series.get(id), 'the series has late samples');
    return columns.timestamps[columns.length - 1];
  }

  /** Whether the series has late samples in the range. */
  mayHaveSamples(id: number, minTimeMs: number, maxTimeMs: number): boolean {
    const columns = this.#series.get(id);
    if (columns === undefined) return false;
    const first = columns.timestamps[0];
    const last = columns.timestamps[columns.length - 1];
    return first <= maxTimeMs && last >= minTimeMs;
  }

  /** APPENDED when there is no other of this time. */
  judge(id: number, sample: LateSample): AppendResult {
    const columns = this.#series.get(id);
    if (columns === undefined) return APPENDED;
    const at = placeOf(columns, sample.timestampMs);
    if (at === columns.length || columns.timestamps[at] !== sample.timestampMs) return APPENDED;
    const histogram = columns.histograms?.[at];
    if (histogram !== undefined || sample.histogram !== undefined) {
      return sameHistogram(histogram, sample.histogram) ? REPEATED : DUPLICATE;
    }
    const bits = bitsOf(columns.values);
    const same = bits[2 * at] === sample.low && bits[2 * at + 1] === sample.high;
    return same ? REPEATED : DUPLICATE;
  }

  /** Puts a sample that `judge` let pass in its place. */
  insert(id: number, sample: LateSample): void {
    const columns = this.#series.get(id) ?? new SampleColumns(4);
    this.#series.set(id, columns);
    const { timestampMs, histogram } = sample;
    const at = placeOf(columns, timestampMs);
    if (histogram !== undefined) columns.pushHistogram(timestampMs, histogram);
    else pushBits(columns, timestampMs, sample.low, sample.high);
    columns.setStartTime(columns.length - 1, sample.startTimeMs);
    moveLastTo(columns, at);
    this.#sampleCount++;
    this.#minTimeMs = Math.min(this.#minTimeMs, timestampMs);
    this.#maxTimeMs = Math.max(this.#maxTimeMs, timestampMs);
  }

  /** Removes the samples of these times, which rise. */
  remove(id: number, timestamps: Float64Array): void {
    const columns = this.#series.get(id);
    if (columns === undefined) return;
    const left = new SampleColumns(Math.max(4, columns.length - timestamps.length));
    let fromMs = -Infinity;
    for (const timeMs of timestamps) {
      this.readInto(id, fromMs, timeMs - 1, left);
      fromMs = timeMs + 1;
    }
    this.readInto(id, fromMs, Infinity, left);
    this.#sampleCount -= columns.length - left.length;
    if (left.length > 0) this.#series.set(id, left);
    else this.#series.delete(id);
  }

  /** Removes the samples of a range; both ends are included. */
  removeRange(id: number, minTimeMs: number, maxTimeMs: number): void {
    const gone = new SampleColumns();
    this.readInto(id, minTimeMs, maxTimeMs, gone);
    if (gone.length > 0) this.remove(id, gone.timestamps.subarray(0, gone.length));
  }

  /** After removals: finds the oldest and the newest time anew. */
  findLimits(): void {
    this.#minTimeMs = Infinity;
    this.#maxTimeMs = -Infinity;
    for (const { timestamps, length } of this.#series.values()) {
      this.#minTimeMs = Math.min(this.#minTimeMs, timestamps[0]);
      this.#maxTimeMs = Math.max(this.#maxTimeMs, timestamps[length - 1]);
    }
  }

  /** All late samples of a series, oldest first. */
  *samplesOf(id: number): IterableIterator<LateSample> {
    const columns = this.#series.get(id);
    if (columns === undefined) return;
    const bits = bitsOf(columns.values);
    for (let i = 0; i < columns.length; i++) {
      const histogram = columns.histograms?.[i];
      const timestampMs = columns.timestamps[i];
      const startTimeMs = columns.startTimes?.[i] ?? 0;
      yield { timestampMs, low: bits[2 * i], high: bits[2 * i + 1], histogram, startTimeMs };
    }
  }

  /** Appends the samples within the range, oldest first. */
  readInto(id: number, minTimeMs: number, maxTimeMs: number, target: SampleColumns): void {
    const columns = this.#series.get(id);
    if (columns === undefined) return;
    const bits = bitsOf(columns.values);
    for (let i = placeOf(columns, minTimeMs); i < columns.length; i++) {
      const timestampMs = columns.timestamps[i];
      if (timestampMs > maxTimeMs) break;
      const histogram = columns.histograms?.[i];
      if (histogram !== undefined) target.pushHistogram(timestampMs, histogram);
      else pushBits(target, timestampMs, bits[2 * i], bits[2 * i + 1]);
      target.setStartTime(target.length - 1, columns.startTimes?.[i] ?? 0);
    }
  }
}

function placeOf(columns: SampleColumns, timestampMs: number): number {
  return lowerBound(columns.timestamps, 0, columns.length, timestampMs);
}

function pushBits(columns: SampleColumns, timestampMs: number, low: number, high: number): void {
  const pair = Uint32Array.of(low, high);
  if (isStaleBits(pair, 0)) {
    columns.pushStale(timestampMs);
    return;
  }
  columns.push(timestampMs, 0);
  bitsOf(columns.values).set(pair, 2 * (columns.length - 1));
}

/** Moves the last sample to `to`, and those from there on one further. */
function moveLastTo(columns: SampleColumns, to: number): void {
  const last = columns.length - 1;
  if (to === last) return;
  const bits = bitsOf(columns.values);
  const timestampMs = columns.timestamps[last];
  const pair = bits.slice(2 * last, 2 * last + 2);
  columns.timestamps.copyWithin(to + 1, to, last);
  bits.copyWithin(2 * to + 2, 2 * to, 2 * last);
  columns.timestamps[to] = timestampMs;
  bits.set(pair, 2 * to);
  const { histograms, startTimes } = columns;
  if (histograms !== null) histograms.splice(to, 0, histograms.pop());
  if (startTimes !== null) {
    const startTimeMs = startTimes[last];
    startTimes.copyWithin(to + 1, to, last);
    startTimes[to] = startTimeMs;
  }
}
