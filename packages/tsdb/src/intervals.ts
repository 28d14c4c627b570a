/**
 * Sets of time as flat lists: first, last, first, last …; both ends belong to them, they rise and
 * do not touch. What is deleted is kept so.
 */
import { bitsOf, isStaleBits, type SampleColumns } from '@tyto/model';

export type Intervals = readonly number[];

/** The set with [minTimeMs, maxTimeMs] added. */
export function addInterval(intervals: Intervals, minTimeMs: number, maxTimeMs: number): number[] {
  const out: number[] = [];
  let [min, max] = [minTimeMs, maxTimeMs];
  let isPlaced = false;
  for (let i = 0; i < intervals.length; i += 2) {
    const [from, to] = [intervals[i], intervals[i + 1]];
    if (to < min - 1) {
      out.push(from, to);
    } else if (from > max + 1) {
      if (!isPlaced) out.push(min, max);
      isPlaced = true;
      out.push(from, to);
    } else {
      min = Math.min(min, from);
      max = Math.max(max, to);
    }
  }
  if (!isPlaced) out.push(min, max);
  return out;
}

/** Whether one interval covers all of [minTimeMs, maxTimeMs]. */
export function covers(intervals: Intervals, minTimeMs: number, maxTimeMs: number): boolean {
  for (let i = 0; i < intervals.length; i += 2) {
    if (intervals[i] <= minTimeMs && maxTimeMs <= intervals[i + 1]) return true;
  }
  return false;
}

/** Takes the samples from index `from` on that lie in the set out of the columns. */
export function dropSamples(columns: SampleColumns, from: number, intervals: Intervals): void {
  const { timestamps, histograms, startTimes, length } = columns;
  const bits = bitsOf(columns.values);
  let to = from;
  let at = 0;
  for (let i = from; i < length; i++) {
    while (at < intervals.length && intervals[at + 1] < timestamps[i]) at += 2;
    if (at < intervals.length && intervals[at] <= timestamps[i]) {
      if (isStaleBits(bits, i)) columns.staleCount--;
      continue;
    }
    if (to !== i) {
      timestamps[to] = timestamps[i];
      bits[2 * to] = bits[2 * i];
      bits[2 * to + 1] = bits[2 * i + 1];
      if (histograms !== null) histograms[to] = histograms[i];
      if (startTimes !== null) startTimes[to] = startTimes[i];
    }
    to++;
  }
  columns.length = to;
  if (histograms !== null) histograms.length = to;
}
