/**
 * rate, increase and irate of counters whose samples have start times. These tell of a reset that
 * the values do not show, and since when the first sample of a window has been counting. Floats
 * are computed step by step here, as histograms are; without start times the kernels do it.
 */
import type { FloatHistogram } from '@tyto/model';
import { messages } from '../annotations.ts';
import {
  addHistograms,
  type AdditionNotes,
  compatible,
  detectReset,
  divideHistogram,
  scaleHistogram,
  withHint,
} from '../histograms/arithmetic.ts';
import { extrapolation, extrapolationFromZero } from '../windows/rate.ts';
import { overlapsPrevious, startsAnew, zeroWithin } from '../windows/startTimes.ts';
import {
  histogramDifference,
  histogramsOf,
  isGauge,
  mixedLastPair,
  mixedRate,
  type MixedFunction,
  type MixedTarget,
  type MixedWindow,
  purity,
  setFloat,
  setHistogram,
} from './rangeHistograms.ts';

/** rate, or increase. */
export function startedRate(isRate: boolean): MixedFunction {
  const withoutStartTimes = mixedRate(true, isRate);
  const step: MixedFunction = (window, target) => {
    const { selector } = target.source;
    const isExtended = selector?.anchored === true || selector?.smoothed === true;
    if (window.samples.startTimes === null || isExtended) return withoutStartTimes(window, target);
    const kind = purity(window, target);
    if (kind === 'mixed') return false;
    warnOfOverlap(window, target);
    const seconds = isRate ? target.source.rangeMs / 1000 : 1;
    if (kind === 'floats') addFloatRate(window, target, seconds);
    else addHistogramRate(window, target, seconds);
    return false;
  };
  return Object.assign(step, { usesStartTimes: true });
}

function addFloatRate(window: MixedWindow, target: MixedTarget, seconds: number): void {
  const { samples, from, to, beginMs } = window;
  const { values } = samples;
  let difference = values[to - 1] - values[from];
  for (let i = from + 1; i < to; i++) {
    if (values[i] < values[i - 1] || startsAnew(samples, i)) difference += values[i - 1];
  }
  if (zeroWithin(samples, from, beginMs) !== undefined) difference += values[from];
  const factor = factorOf(window, values[from], difference);
  if (factor !== undefined) setFloat(target, difference * (factor / seconds));
}

function addHistogramRate(window: MixedWindow, target: MixedTarget, seconds: number): void {
  const { samples, from, beginMs } = window;
  const histograms = histogramsOf(window);
  const [first] = histograms;
  const isReset = (current: FloatHistogram, previous: FloatHistogram, index: number) =>
    startsAnew(samples, from + index) || detectReset(current, previous);
  let increase: FloatHistogram | undefined;
  if (histograms.length > 1) {
    increase = histogramDifference(histograms, true, target, isReset);
    if (increase === undefined) return;
  }
  if (zeroWithin(samples, from, beginMs) !== undefined) {
    increase = increase === undefined ? first : sumOf(increase, first, target);
  }
  if (increase === undefined) return;
  const factor = factorOf(window, first.count, increase.count);
  if (factor === undefined) return;
  setHistogram(target, withHint(scaleHistogram(increase, factor / seconds), 'gauge'));
}

/** Undefined, and told of, where the two do not go together. */
function sumOf(
  increase: FloatHistogram,
  first: FloatHistogram,
  { name, span, evaluation: { annotations } }: MixedTarget,
): FloatHistogram | undefined {
  if (!compatible(increase, first)) {
    annotations.warn(messages.mixedSchemas(name), span);
    return undefined;
  }
  const notes: AdditionNotes = {};
  const sum = addHistograms(increase, first, 1, notes);
  if (notes.reconciledBounds) annotations.info(messages.reconciledBounds('addition'), span);
  return sum;
}

/** By what an increase is to be multiplied to cover the window; undefined where it is unknown. */
function factorOf(
  { samples, from, to, beginMs, endMs }: MixedWindow,
  firstValue: number,
  increase: number,
): number | undefined {
  const firstMs = samples.timestamps[from];
  const lastMs = samples.timestamps[to - 1];
  const gapCount = to - from - 1;
  const zeroMs = zeroWithin(samples, from, beginMs);
  if (zeroMs !== undefined) return extrapolationFromZero(zeroMs, firstMs, lastMs, gapCount, endMs);
  if (gapCount === 0) return undefined;
  return extrapolation(firstMs, lastMs, gapCount, beginMs, endMs, true, firstValue, increase);
}

function warnOfOverlap({ samples, from, to }: MixedWindow, target: MixedTarget): void {
  for (let i = from + 1; i < to; i++) {
    if (!overlapsPrevious(samples, i)) continue;
    const { name, span, evaluation } = target;
    evaluation.annotations.warn(messages.startTimeOverlap(name), span);
    return;
  }
}

const lastPairWithoutStartTimes = mixedLastPair(true);

const lastPair: MixedFunction = (window, target) => {
  const { samples, from, to } = window;
  const last = to - 1;
  if (to - from < 2 || !startsAnew(samples, last)) return lastPairWithoutStartTimes(window, target);
  // What is there now has all come since the sample before.
  const pair = { ...window, from: to - 2 };
  const kind = purity(pair, target);
  const seconds = (samples.timestamps[last] - samples.timestamps[last - 1]) / 1000;
  if (kind === 'floats') setFloat(target, samples.values[last] / seconds);
  if (kind !== 'histograms') return false;
  const [previous, current] = histogramsOf(pair);
  if (isGauge(previous) || isGauge(current)) {
    target.evaluation.annotations.warn(messages.notCounter(target.name), target.span);
  }
  setHistogram(target, withHint(divideHistogram(current, seconds), 'gauge'));
  return false;
};

/** irate. */
export const startedLastPair: MixedFunction = Object.assign(lastPair, { usesStartTimes: true });
