/**
 * rate, increase and delta of native histograms over anchored and smoothed windows: the twin of
 * windows/extended.ts, with histograms in the place of numbers.
 */
import type { FloatHistogram } from '@tyto/model';
import { messages } from '../annotations.ts';
import {
  addHistograms,
  compatible,
  detectReset,
  scaleHistogram,
  withHint,
} from '../histograms/arithmetic.ts';
import type { MixedTarget, MixedWindow } from './rangeHistograms.ts';

/** The samples that an extended window looks at, both ends included; undefined for none. */
export function extendedWindow(
  window: MixedWindow,
  lookbackMs: number,
  isSmoothed: boolean,
): MixedWindow | undefined {
  const { samples, beginMs, endMs } = window;
  const { timestamps, length } = samples;
  let { from, to } = window;
  if (isSmoothed) {
    if (from > 0 && timestamps[from - 1] > beginMs - lookbackMs) from--;
    const reachesEnd = to > from && timestamps[to - 1] === endMs;
    if (!reachesEnd && to < length && timestamps[to] < endMs + lookbackMs) to++;
  }
  const empty = from >= to || timestamps[to - 1] <= beginMs || timestamps[from] > endMs;
  return empty ? undefined : { ...window, from, to };
}

/** The difference of the window's ends; undefined where the histograms do not go together. */
export function extendedDifference(
  window: MixedWindow,
  histograms: readonly FloatHistogram[],
  isSmoothed: boolean,
  isCounter: boolean,
  { name, span, evaluation: { annotations } }: MixedTarget,
): FloatHistogram | undefined {
  const { samples, from, to, beginMs, endMs } = window;
  const { timestamps } = samples;
  const lastIndex = histograms.length - 1;
  const isGauge = ({ counterResetHint }: FloatHistogram) => counterResetHint === 'gauge';
  if (isCounter && histograms.some(isGauge)) annotations.warn(messages.notCounter(name), span);
  if (!isCounter && !(isGauge(histograms[0]) && isGauge(histograms[lastIndex]))) {
    annotations.warn(messages.notGauge(name), span);
  }
  if (histograms.some((one) => !compatible(one, histograms[lastIndex]))) {
    annotations.warn(messages.mixedSchemas(name), span);
    return undefined;
  }
  const cut = (index: number, atMs: number) => {
    const startMs = timestamps[from + index];
    const share = (atMs - startMs) / (timestamps[from + index + 1] - startMs);
    return between(histograms[index], histograms[index + 1], share, isCounter);
  };
  const cutsLeft = isSmoothed && timestamps[from] < beginMs && lastIndex > 0;
  const cutsRight = isSmoothed && timestamps[to - 1] > endMs && lastIndex > 0;
  const left = cutsLeft ? cut(0, beginMs) : histograms[0];
  const right = cutsRight ? cut(lastIndex - 1, endMs) : histograms[lastIndex];
  let difference = addHistograms(right, left, -1);
  for (let i = 1; isCounter && i <= lastIndex; i++) {
    // A left end that was cut behind a reset counts from zero already.
    if ((i === 1 && cutsLeft) || !detectReset(histograms[i], histograms[i - 1])) continue;
    difference = addHistograms(difference, histograms[i - 1], 1);
  }
  return withHint(difference, 'gauge');
}

/** The histogram at a share of the way between two; after a counter reset from nothing. */
export function between(
  first: FloatHistogram,
  second: FloatHistogram,
  share: number,
  isCounter: boolean,
): FloatHistogram {
  const reached = scaleHistogram(second, share);
  if (isCounter && detectReset(second, first)) return withHint(reached, 'unknown');
  return withHint(addHistograms(scaleHistogram(first, 1 - share), reached, 1), 'unknown');
}
