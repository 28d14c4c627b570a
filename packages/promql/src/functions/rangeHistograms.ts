/**
 * Range functions over windows with native histograms, step by step. Histograms are rare next to
 * floats and costly each, so there are no kernels here.
 */
import type { FloatHistogram, SampleColumns } from '@tyto/model';
import type { Span } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { type Column, FLOAT, HISTOGRAM } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import {
  addHistograms,
  type AdditionNotes,
  compatible,
  detectReset,
  divideHistogram,
  equalHistograms,
  scaleHistogram,
  withHint,
} from '../histograms/arithmetic.ts';
import { usesCustomBuckets } from '../histograms/sparse.ts';
import { HistogramSum } from '../histograms/sum.ts';
import { extendedDifference, extendedWindow } from './extendedHistograms.ts';
import { extrapolation } from '../windows/rate.ts';
import { startsAnew } from '../windows/startTimes.ts';
import type { WindowSource } from '../windowSource.ts';

/** One window of a series that has histograms somewhere. */
export interface MixedWindow {
  readonly samples: SampleColumns;
  readonly from: number;
  readonly to: number;
  readonly beginMs: number;
  readonly endMs: number;
}

/** Where results and messages of a step go. */
export interface MixedTarget {
  readonly column: Column;
  readonly step: number;
  readonly source: WindowSource;
  readonly name: string;
  readonly span: Span;
  readonly evaluation: Evaluation;
}

/** Computes a step; returns true where the floats alone decide and their kernel's value holds. */
export interface MixedFunction {
  (window: MixedWindow, target: MixedTarget): boolean;
  /** Whether it computes the steps of floats too where they have start times. */
  readonly usesStartTimes?: boolean;
}

export function histogramCount({ samples, from, to }: MixedWindow): number {
  let count = 0;
  for (let i = from; i < to; i++) if (samples.histograms?.[i] !== undefined) count++;
  return count;
}

export function histogramsOf({ samples, from, to }: MixedWindow): FloatHistogram[] {
  const found: FloatHistogram[] = [];
  for (let i = from; i < to; i++) {
    const histogram = samples.histograms?.[i];
    if (histogram !== undefined) found.push(histogram);
  }
  return found;
}

export function setHistogram({ column, step }: MixedTarget, histogram: FloatHistogram): void {
  column.present[step] = HISTOGRAM;
  if (column.histograms !== null) column.histograms[step] = histogram;
}

export function setFloat({ column, step }: MixedTarget, value: number): void {
  column.present[step] = FLOAT;
  column.values[step] = value;
}

/** The kind of a window: of floats or histograms only; a mixture is told of. */
export function purity(
  window: MixedWindow,
  target: MixedTarget,
): 'floats' | 'histograms' | 'mixed' {
  const count = histogramCount(window);
  if (count === 0) return 'floats';
  if (count === window.to - window.from) return 'histograms';
  const message = messages.mixedFloatsHistograms(target.name);
  target.evaluation.annotations.warn(message, target.span);
  return 'mixed';
}

/** The same for anchored and smoothed selectors, which extrapolate nothing. */
function mixedExtendedRate(
  given: MixedWindow,
  target: MixedTarget,
  isCounter: boolean,
  isRate: boolean,
): boolean {
  const isSmoothed = target.source.selector?.smoothed === true;
  const window = extendedWindow(given, target.source.lookbackMs, isSmoothed);
  if (window === undefined) return false;
  const kind = purity(window, target);
  if (kind !== 'histograms') return kind === 'floats';
  const histograms = histogramsOf(window);
  const difference = extendedDifference(window, histograms, isSmoothed, isCounter, target);
  if (difference === undefined) return false;
  const seconds = isRate ? target.source.rangeMs / 1000 : 1;
  setHistogram(target, divideHistogram(difference, seconds));
  return false;
}

export function mixedRate(isCounter: boolean, isRate: boolean): MixedFunction {
  return (window, target) => {
    const { selector } = target.source;
    if (selector?.anchored === true || selector?.smoothed === true) {
      return mixedExtendedRate(window, target, isCounter, isRate);
    }
    if (window.to - window.from < 2) return true;
    const kind = purity(window, target);
    if (kind !== 'histograms') return kind === 'floats';
    const histograms = histogramsOf(window);
    const difference = histogramDifference(histograms, isCounter, target, detectReset);
    if (difference === undefined) return false;
    const { timestamps } = window.samples;
    const factor = extrapolation(
      timestamps[window.from],
      timestamps[window.to - 1],
      histograms.length - 1,
      window.beginMs,
      window.endMs,
      isCounter,
      histograms[0].count,
      difference.count,
    );
    const seconds = isRate ? target.source.rangeMs / 1000 : 1;
    setHistogram(target, withHint(scaleHistogram(difference, factor / seconds), 'gauge'));
    return false;
  };
}

/** The last of the histograms minus the first; undefined where they do not go together. */
export function histogramDifference(
  histograms: readonly FloatHistogram[],
  isCounter: boolean,
  { name, span, evaluation: { annotations } }: MixedTarget,
  isReset: (current: FloatHistogram, previous: FloatHistogram, index: number) => boolean,
): FloatHistogram | undefined {
  const first = histograms[0];
  const last = histograms[histograms.length - 1];
  if (isCounter && histograms.some(isGauge)) annotations.warn(messages.notCounter(name), span);
  if (!isCounter && !(isGauge(first) && isGauge(last))) {
    annotations.warn(messages.notGauge(name), span);
  }
  // A first sample before a reset takes no part, so its buckets may be of any kind.
  const startsReset = isCounter && isReset(histograms[1], first, 1);
  const relevant = startsReset ? histograms.slice(1) : histograms;
  const checked = isCounter ? relevant : [relevant[0], last];
  if (checked.some((one) => !compatible(one, last))) {
    annotations.warn(messages.mixedSchemas(name), span);
    return undefined;
  }
  const notes: AdditionNotes = {};
  let difference = startsReset ? last : addHistograms(last, first, -1, notes);
  if (notes.reconciledBounds) annotations.info(messages.reconciledBounds('subtraction'), span);
  if (isCounter) {
    for (let i = startsReset ? 2 : 1; i < histograms.length; i++) {
      if (!isReset(histograms[i], histograms[i - 1], i)) continue;
      const addNotes: AdditionNotes = {};
      difference = addHistograms(difference, histograms[i - 1], 1, addNotes);
      if (addNotes.reconciledBounds) annotations.info(messages.reconciledBounds('addition'), span);
    }
  }
  return withHint(difference, 'gauge');
}

export function isGauge({ counterResetHint }: FloatHistogram): boolean {
  return counterResetHint === 'gauge';
}

export function mixedLastPair(isRate: boolean): MixedFunction {
  return (window, target) => {
    if (window.to - window.from < 2) return false;
    const pair = { ...window, from: window.to - 2 };
    const kind = purity(pair, target);
    const { name, span, evaluation } = target;
    const { annotations } = evaluation;
    const { timestamps, values } = window.samples;
    const last = window.to - 1;
    const seconds = (timestamps[last] - timestamps[last - 1]) / 1000;
    if (kind === 'floats') {
      const fell = isRate && values[last] < values[last - 1];
      const difference = fell ? values[last] : values[last] - values[last - 1];
      setFloat(target, isRate ? difference / seconds : difference);
    }
    if (kind !== 'histograms') return false;
    const [previous, current] = histogramsOf(pair);
    if (isRate && (isGauge(previous) || isGauge(current))) {
      annotations.warn(messages.notCounter(name), span);
    }
    if (!isRate && !(isGauge(previous) && isGauge(current))) {
      annotations.warn(messages.notGauge(name), span);
    }
    let difference = current;
    if (!isRate || !detectReset(current, previous)) {
      if (!compatible(current, previous)) {
        annotations.warn(messages.mixedSchemas(name), span);
        return false;
      }
      const notes: AdditionNotes = {};
      difference = addHistograms(current, previous, -1, notes);
      if (notes.reconciledBounds) annotations.info(messages.reconciledBounds('subtraction'), span);
    }
    if (isRate) difference = divideHistogram(difference, seconds);
    setHistogram(target, withHint(difference, 'gauge'));
    return false;
  };
}

export function mixedSum(isAverage: boolean): MixedFunction {
  return (window, target) => {
    const kind = purity(window, target);
    if (kind !== 'histograms') return kind === 'floats';
    const total = new HistogramSum();
    for (const histogram of histogramsOf(window)) total.add(histogram);
    const { annotations } = target.evaluation;
    const result = isAverage ? total.average() : total.sum();
    if (total.incompatible) annotations.warn(messages.mixedSchemas(target.name), target.span);
    if (total.conflictingResets) {
      annotations.warn(messages.conflictingResets('aggregation'), target.span);
    }
    if (total.reconciled) annotations.info(messages.reconciledBounds('aggregation'), target.span);
    if (result !== undefined) setHistogram(target, result);
    return false;
  };
}

export function mixedPick(isLast: boolean): MixedFunction {
  return ({ samples, from, to }, target) => {
    const index = isLast ? to - 1 : from;
    const histogram = samples.histograms?.[index];
    if (histogram === undefined) setFloat(target, samples.values[index]);
    else setHistogram(target, histogram);
    return false;
  };
}

/** changes and resets; a change of the kind of sample counts as either. */
export function mixedSteps(isReset: boolean): MixedFunction {
  const step: MixedFunction = ({ samples, from, to }, target) => {
    let count = 0;
    for (let i = from + 1; i < to; i++) {
      if (isReset && startsAnew(samples, i)) {
        count++;
        continue;
      }
      const previous = samples.histograms?.[i - 1];
      const current = samples.histograms?.[i];
      if (previous !== undefined && current !== undefined) {
        const counts = isReset
          ? detectReset(current, previous)
          : !equalHistograms(current, previous) ||
            usesCustomBuckets(current) !== usesCustomBuckets(previous);
        if (counts) count++;
      } else if (previous !== current) {
        count++;
      } else if (isReset) {
        if (samples.values[i] < samples.values[i - 1]) count++;
      } else if (!Object.is(samples.values[i] + 0, samples.values[i - 1] + 0)) {
        count++;
      }
    }
    setFloat(target, count);
    return false;
  };
  return Object.assign(step, { usesStartTimes: isReset });
}

/** Functions of floats pass over histograms, and say so where a window has both. */
export const ignoreHistograms: MixedFunction = (window, target) => {
  const count = histogramCount(window);
  if (count > 0 && count < window.to - window.from) {
    const message = messages.histogramIgnoredInMixed(target.name);
    target.evaluation.annotations.info(message, target.span);
  }
  return true;
};

/** The function does not look at values at all. */
export const countEverything: MixedFunction = () => true;
