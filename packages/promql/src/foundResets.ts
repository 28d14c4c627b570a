/**
 * Counter resets that are found while samples are read. What a store says of a histogram is whether
 * it follows the one before without a reset, or nothing. Where only the counts and sums of
 * histograms are asked for, the rest is found by comparing, so that sums of series of which one
 * was reset tell of it. Subqueries skip samples, and other functions look at buckets: not there.
 */
import { type FloatHistogram, SampleColumns } from '@tyto/model';
import { childrenOf, type Expr, type VectorSelector } from '@tyto/syntax';
import { detectReset, withHint } from './histograms/arithmetic.ts';
import type { SeriesSource } from './source.ts';

const OF_STATISTICS: ReadonlySet<string> = new Set([
  'histogram_avg',
  'histogram_count',
  'histogram_sum',
]);
const OF_BUCKETS: ReadonlySet<string> = new Set([
  'histogram_fraction',
  'histogram_quantile',
  'histogram_quantiles',
]);

/** The selectors of an expression of whose histograms only counts and sums are used. */
export function statisticsSelectors(root: Expr): ReadonlySet<VectorSelector> {
  const found = new Set<VectorSelector>();
  const visit = (expr: Expr, isInside: boolean): void => {
    if (expr.kind === 'vector' && isInside) found.add(expr);
    if (looksFurther(expr)) return;
    const isStatistics = expr.kind === 'call' && OF_STATISTICS.has(expr.name);
    for (const child of childrenOf(expr)) visit(child, isInside || isStatistics);
  };
  visit(root, false);
  return found;
}

/** Whether more than the counts and sums of what is inside is needed, or other samples of it. */
function looksFurther(expr: Expr): boolean {
  if (expr.kind === 'subquery') return true;
  if (expr.kind === 'binary') return expr.operator === '</' || expr.operator === '>/';
  return expr.kind === 'call' && OF_BUCKETS.has(expr.name);
}

/** The same series; their histograms say of every reset what the samples before them show. */
export function withFoundResets(source: SeriesSource): SeriesSource {
  const scratch = new SampleColumns(16);
  return {
    get size() {
      return source.size;
    },
    labels: (index) => source.labels(index),
    dropName: (index) => source.dropName(index),
    prepare: (index) => source.prepare(index),
    samples: (index) => findResets(source.samples(index), scratch),
    // Only floats are computed by stores, and resets are found in histograms.
    columns: (request) => source.columns(request),
    groupBy: (names) => source.groupBy(names),
  };
}

function findResets(samples: SampleColumns, scratch: SampleColumns): SampleColumns {
  const { histograms, timestamps, values, length, startTimes } = samples;
  if (histograms === null) return samples;
  let previous: FloatHistogram | undefined;
  scratch.clear();
  scratch.reserve(length);
  for (let i = 0; i < length; i++) {
    const histogram = histograms[i];
    if (histogram !== undefined) {
      scratch.pushHistogram(timestamps[i], withFoundHint(histogram, previous));
      previous = histogram;
    } else if (samples.isStale(i)) {
      scratch.pushStale(timestamps[i]);
    } else {
      scratch.push(timestamps[i], values[i]);
    }
    if (startTimes !== null) scratch.setStartTime(i, startTimes[i]);
  }
  return scratch;
}

function withFoundHint(
  histogram: FloatHistogram,
  previous: FloatHistogram | undefined,
): FloatHistogram {
  if (histogram.counterResetHint !== 'unknown' || previous === undefined) return histogram;
  return withHint(histogram, detectReset(histogram, previous) ? 'reset' : 'not_reset');
}
