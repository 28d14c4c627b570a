/** Copying and merging of samples. */
import { bitsOf, SampleColumns } from '@tyto/model';
import { HIGH, isStaleWords, LOW } from './floatBits.ts';
import type { Interval } from './tombstones.ts';

/** Appends the samples of [minTimeMs, maxTimeMs] that are in no deleted interval. */
export function appendRange(
  from: SampleColumns,
  minTimeMs: number,
  maxTimeMs: number,
  deleted: readonly Interval[],
  target: SampleColumns,
): void {
  for (let i = 0; i < from.length; i++) {
    const time = from.timestamps[i];
    if (time < minTimeMs || time > maxTimeMs) continue;
    if (deleted.some((gap) => time >= gap.minTimeMs && time <= gap.maxTimeMs)) continue;
    appendSample(from, i, target);
  }
}

function appendSample(from: SampleColumns, index: number, target: SampleColumns): void {
  const time = from.timestamps[index];
  const histogram = from.histograms?.[index];
  if (histogram !== undefined) target.pushHistogram(time, histogram);
  else appendWords(target, time, wordAt(from, index, HIGH), wordAt(from, index, LOW));
  if (from.startTimes !== null) target.setStartTime(target.length - 1, from.startTimes[index]);
}

/** Appends a float by its bits. */
export function appendWords(
  target: SampleColumns,
  timestampMs: number,
  high: number,
  low: number,
): void {
  if (isStaleWords(high, low)) {
    target.pushStale(timestampMs);
    return;
  }
  target.push(timestampMs, 0);
  const words = wordsOf(target.values);
  words[2 * (target.length - 1) + HIGH] = high;
  words[2 * (target.length - 1) + LOW] = low;
}

/** Brings samples of several sources into rising time; of equal times the first one stays. */
export function sortByTime(columns: SampleColumns): SampleColumns {
  const { timestamps, length } = columns;
  let isRising = true;
  for (let i = 1; i < length && isRising; i++) isRising = timestamps[i] > timestamps[i - 1];
  if (isRising) return columns;
  const order = Uint32Array.from({ length }, (_, i) => i);
  order.sort((a, b) => timestamps[a] - timestamps[b] || a - b);
  const sorted = new SampleColumns(length);
  for (const index of order) {
    const isFirst = sorted.length === 0;
    if (isFirst || timestamps[index] > sorted.timestamps[sorted.length - 1]) {
      appendSample(columns, index, sorted);
    }
  }
  return sorted;
}

function wordAt(columns: SampleColumns, index: number, word: number): number {
  return wordsOf(columns.values)[2 * index + word];
}

let viewed: Float64Array | undefined;
let view = new Uint32Array(0);

/** The words of a column; the newest view is kept, because neighbours ask for the same. */
function wordsOf(values: Float64Array): Uint32Array {
  if (viewed !== values) {
    viewed = values;
    view = bitsOf(values) as Uint32Array<ArrayBuffer>;
  }
  return view;
}
