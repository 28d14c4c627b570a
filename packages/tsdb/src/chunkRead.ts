/** Decoding a chunk straight into the columns that a reader brought, cut to a time range. */
import { chunkSampleCount, decodeChunk } from '@tyto/kernels';
import { bitsOf, type SampleColumns } from '@tyto/model';
import { decodeHistogramChunk, histogramOf, isFloatChunk } from './histogramChunk.ts';
import { dropSamples } from './intervals.ts';
import type { DecodedRun } from './readers/readPlan.ts';
import { hasStartTimes, startTimesOf, withoutStartTimes } from './startTimeChunk.ts';

/** Appends the samples of `chunk` within [minTimeMs, maxTimeMs]. Throws TytoError `io`. */
export function appendChunk(
  chunk: Uint8Array,
  minTimeMs: number,
  maxTimeMs: number,
  target: SampleColumns,
): void {
  if (!isFloatChunk(chunk)) {
    const append = hasStartTimes(chunk) ? appendStarted : appendHistograms;
    append(chunk, minTimeMs, maxTimeMs, target);
    return;
  }
  target.reserve(chunkSampleCount(chunk));
  const start = target.length;
  const count = decodeChunk(chunk, target.timestamps, target.values, start);
  appendRange(target, start, count, minTimeMs, maxTimeMs);
}

function appendStarted(
  chunk: Uint8Array,
  minTimeMs: number,
  maxTimeMs: number,
  target: SampleColumns,
): void {
  const startTimes = startTimesOf(chunk);
  const start = target.length;
  appendChunk(withoutStartTimes(chunk), -Infinity, Infinity, target);
  for (let i = 0; i < startTimes.length; i++) target.setStartTime(start + i, startTimes[i]);
  dropSamples(target, start, [-Infinity, minTimeMs - 1, maxTimeMs + 1, Infinity]);
}

function appendHistograms(
  chunk: Uint8Array,
  minTimeMs: number,
  maxTimeMs: number,
  target: SampleColumns,
): void {
  const { layout, timestamps, rows } = decodeHistogramChunk(chunk);
  for (let i = 0; i < rows.length; i++) {
    if (timestamps[i] < minTimeMs || timestamps[i] > maxTimeMs) continue;
    target.pushHistogram(timestamps[i], histogramOf(layout, rows[i]));
  }
}

/** Keeps, of `count` samples written behind the columns' end, those within the time range. */
export function appendRange(
  target: SampleColumns,
  start: number,
  count: number,
  minTimeMs: number,
  maxTimeMs: number,
): void {
  const { timestamps, values } = target;
  target.extend(cutToRange(timestamps, values, start, count, minTimeMs, maxTimeMs));
}

/** Moves, of samples [start, start + count), those within the range to `start`; how many. */
export function cutToRange(
  timestamps: Float64Array,
  values: Float64Array,
  start: number,
  count: number,
  minTimeMs: number,
  maxTimeMs: number,
): number {
  let from = start;
  let to = start + count;
  if (timestamps[from] < minTimeMs) from = lowerBound(timestamps, from, to, minTimeMs);
  if (from < to && timestamps[to - 1] > maxTimeMs) {
    to = lowerBound(timestamps, from, to, maxTimeMs + 1);
  }
  if (from > start) {
    timestamps.copyWithin(start, from, to);
    values.copyWithin(start, from, to);
  }
  return to - from;
}

/** Appends what another thread decoded. */
export function appendDecoded(run: DecodedRun, target: SampleColumns): void {
  const { from, count } = run;
  target.reserve(count);
  target.timestamps.set(run.timestamps.subarray(from, from + count), target.length);
  // Bits are copied, not numbers, so that stale markers survive.
  const bits = bitsOf(run.values).subarray(2 * from, 2 * (from + count));
  bitsOf(target.values).set(bits, 2 * target.length);
  target.extend(count, run.staleCount);
}

/** The first index in [from, to) whose timestamp is at least `timeMs`, or `to`. */
export function lowerBound(
  timestamps: Float64Array,
  from: number,
  to: number,
  timeMs: number,
): number {
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (timestamps[middle] < timeMs) from = middle + 1;
    else to = middle;
  }
  return from;
}
