/** The counter reset hints that a store gives to the histograms of a series. */
import type { FloatHistogram } from '@tyto/model';
import { detectReset, withHint } from '../histograms/arithmetic.ts';
import type { NotedValue } from './seriesNotation.ts';

/** Stores note on each histogram whether there was a counter reset before it. */
export function withResetHints(values: readonly NotedValue[]): NotedValue[] {
  let previous: FloatHistogram | undefined;
  return values.map((value) => {
    if (value.kind === 'gap') return value;
    const before = previous;
    previous = value.kind === 'histogram' ? value.histogram : undefined;
    if (value.kind !== 'histogram' || value.histogram.counterResetHint === 'gauge') return value;
    return { ...value, histogram: withHint(value.histogram, resetHint(value.histogram, before)) };
  });
}

function resetHint(
  histogram: FloatHistogram,
  previous: FloatHistogram | undefined,
): FloatHistogram['counterResetHint'] {
  if (histogram.counterResetHint === 'reset') return 'unknown';
  if (previous === undefined || previous.counterResetHint === 'gauge') return 'unknown';
  // After a reset a store says nothing, because what came before may be gone when it is read.
  return detectReset(withHint(histogram, 'unknown'), previous) ? 'unknown' : 'not_reset';
}
