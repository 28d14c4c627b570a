/**
 * What start times tell of the samples of a counter: that it began anew between two of them, and
 * that it was zero somewhere within a window.
 */
import type { SampleColumns } from '@tyto/model';

/**
 * Whether windows that begin at `beginMs` or later have other values than without start times. A
 * counter that runs since before has not, so a kernel can compute it.
 */
export function startTimesMatter(samples: SampleColumns, beginMs: number): boolean {
  if (samples.startTimes === null) return false;
  for (let i = 0; i < samples.length; i++) {
    if (zeroWithin(samples, i, beginMs) !== undefined) return true;
    if (i > 0 && (startsAnew(samples, i) || overlapsPrevious(samples, i))) return true;
  }
  return false;
}

/**
 * Whether the counter began anew between sample `index - 1` and sample `index`, as the start times
 * have it. A sample that starts where the one before it lies is a delta, or the second one of a
 * counter whose start nobody knows: then the first has no start time, its own, or a senseless one.
 */
export function startsAnew({ timestamps, startTimes }: SampleColumns, index: number): boolean {
  if (startTimes === null) return false;
  const startMs = startTimes[index];
  const previousMs = timestamps[index - 1];
  if (startMs === 0 || startMs >= timestamps[index] || startMs < previousMs) return false;
  if (startMs > previousMs) return true;
  const previousStartMs = startTimes[index - 1];
  return previousStartMs !== 0 && previousStartMs < previousMs;
}

/** Whether sample `index` claims a time that sample `index - 1` covers, and not the same start. */
export function overlapsPrevious(
  { timestamps, startTimes }: SampleColumns,
  index: number,
): boolean {
  if (startTimes === null) return false;
  const startMs = startTimes[index];
  return startMs !== 0 && startMs < timestamps[index - 1] && startMs !== startTimes[index - 1];
}

/** When the counter was zero before its first sample in a window; undefined where none tells. */
export function zeroWithin(
  { timestamps, startTimes }: SampleColumns,
  first: number,
  beginMs: number,
): number | undefined {
  const startMs = startTimes?.[first] ?? 0;
  const isWithin = startMs !== 0 && startMs > beginMs && startMs < timestamps[first];
  return isWithin ? startMs : undefined;
}
