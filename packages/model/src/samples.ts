/**
 * Samples as columns. A stale marker is a NaN with a bit pattern of its own; JavaScript may lose
 * that pattern when such a NaN travels as a plain number, so it is only ever written and tested
 * through the bits, here.
 */
import { assert } from '@tyto/base';
import type { FloatHistogram } from './histogram.ts';

/** Prometheus' stale marker: 0x7ff0000000000002. */
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 0x00000002;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const HIGH = 1 - LOW;

/** Whether the value at `index` is a stale marker; `bits` views the bytes of the value column. */
export function isStaleBits(bits: Uint32Array, index: number): boolean {
  return bits[2 * index + HIGH] === STALE_HIGH && bits[2 * index + LOW] === STALE_LOW;
}

/** How many of the values [from, to) are stale markers. */
export function countStaleBits(bits: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (isStaleBits(bits, i)) count++;
  return count;
}

/** Writes a stale marker at `index` of the column that `bits` views. */
export function writeStaleBits(bits: Uint32Array, index: number): void {
  bits[2 * index + HIGH] = STALE_HIGH;
  bits[2 * index + LOW] = STALE_LOW;
}

/** A view of a value column's bits, for the two functions above. */
export function bitsOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

/**
 * Timestamps (milliseconds since the epoch, whole numbers, strictly rising) and values of one
 * series; `length` of each is used, the arrays may be longer. Made to be filled again and again.
 */
export class SampleColumns {
  timestamps: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  /** The histogram at an index, where the sample is one; null when the series has none at all. */
  histograms: (FloatHistogram | undefined)[] | null = null;
  /**
   * When what a sample counts began, in milliseconds since the epoch; 0 where that is unknown.
   * Null when it is for all of them, as it mostly is.
   */
  startTimes: Float64Array<ArrayBuffer> | null = null;
  length = 0;
  /** How many of the samples are stale markers. */
  staleCount = 0;
  #bits: Uint32Array;

  constructor(capacity = 128) {
    this.timestamps = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.#bits = bitsOf(this.values);
  }

  clear(): void {
    this.length = 0;
    this.staleCount = 0;
    this.histograms = null;
    this.startTimes = null;
  }

  /** Makes room for `count` more samples; the arrays may be replaced. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.timestamps.length) return;
    const capacity = Math.max(needed, this.timestamps.length * 2);
    const timestamps = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    timestamps.set(this.timestamps.subarray(0, this.length));
    // Bits are copied, not numbers, so that stale markers survive.
    const bits = bitsOf(values);
    bits.set(this.#bits.subarray(0, this.length * 2));
    if (this.startTimes !== null) {
      const startTimes = new Float64Array(capacity);
      startTimes.set(this.startTimes.subarray(0, this.length));
      this.startTimes = startTimes;
    }
    this.timestamps = timestamps;
    this.values = values;
    this.#bits = bits;
  }

  push(timestampMs: number, value: number): void {
    this.reserve(1);
    this.timestamps[this.length] = timestampMs;
    this.values[this.length] = value;
    this.histograms?.push(undefined);
    if (this.startTimes !== null) this.startTimes[this.length] = 0;
    this.length++;
  }

  pushStale(timestampMs: number): void {
    this.reserve(1);
    this.timestamps[this.length] = timestampMs;
    writeStaleBits(this.#bits, this.length);
    this.histograms?.push(undefined);
    if (this.startTimes !== null) this.startTimes[this.length] = 0;
    this.length++;
    this.staleCount++;
  }

  pushHistogram(timestampMs: number, histogram: FloatHistogram): void {
    this.push(timestampMs, histogram.count);
    this.histograms ??= new Array<FloatHistogram | undefined>(this.length).fill(undefined);
    this.histograms[this.length - 1] = histogram;
  }

  /** Notes the start time of a sample that is there; 0 for an unknown one. */
  setStartTime(index: number, startTimeMs: number): void {
    if (this.startTimes === null && startTimeMs !== 0) {
      this.startTimes = new Float64Array(this.timestamps.length);
    }
    if (this.startTimes !== null) this.startTimes[index] = startTimeMs;
  }

  isStale(index: number): boolean {
    return this.staleCount > 0 && isStaleBits(this.#bits, index);
  }

  /**
   * Declares `count` samples, written straight into the reserved arrays behind `length`, as part
   * of the columns; counts the stale markers among them unless the caller has.
   */
  extend(count: number, staleCount?: number): void {
    const end = this.length + count;
    assert(end <= this.values.length, 'extend needs a reserve before it');
    this.staleCount += staleCount ?? countStaleBits(this.#bits, this.length, end);
    if (this.histograms !== null) {
      for (let i = 0; i < count; i++) this.histograms.push(undefined);
    }
    this.startTimes?.fill(0, this.length, end);
    this.length = end;
  }
}
