/**
 * histogram_quantile and histogram_fraction over classic histograms: series with an `le` label,
 * one per bucket, whose counts include those of all smaller buckets.
 */
import { type Labels, METRIC_NAME } from '@tyto/model';
import { type Call, formatNumber, parseNumber } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { ABSENT, type Column, emptyColumn, FLOAT, type Grid, hasAny } from '../column.ts';
import type { Evaluation } from '../evaluator.ts';
import {
  type BucketColumns,
  bucketFraction,
  Buckets,
  bucketQuantile,
} from '../histograms/classic.ts';
import { warnOfQuantiles } from './rangeVector.ts';
import type { VectorFunction } from './registry.ts';

const BUCKET_LABELS: ReadonlySet<string> = new Set(['le', METRIC_NAME]);

/** The buckets of one histogram; `name` is that of its first series. */
interface Histogram {
  readonly labels: Labels;
  readonly name: string;
  readonly bounds: number[];
  readonly columns: Column[];
}

const histogramQuantile: VectorFunction = async (call, grid, evaluation) => {
  const quantiles = await evaluation.scalar(call.args[0], grid);
  const columns = await evaluation.vector(call.args[1], grid);
  if (columns.length > 0) warnOfQuantiles(quantiles, call.args[0].span, evaluation);
  const histograms = groupBuckets(columns, call, 1, evaluation);
  return evaluateHistograms(histograms, grid, (buckets, step, histogram) => {
    const value = bucketQuantile(quantiles[step], buckets);
    if (buckets.forcedMonotonic) {
      const details = monotonicityDetails(buckets, grid.startMs + step * grid.stepMs);
      const message = messages.forcedMonotonicity(histogram.name, details);
      evaluation.annotations.info(message, call.args[1].span);
    }
    return value;
  });
};

const histogramFraction: VectorFunction = async (call, grid, evaluation) => {
  const lower = await evaluation.scalar(call.args[0], grid);
  const upper = await evaluation.scalar(call.args[1], grid);
  const columns = await evaluation.vector(call.args[2], grid);
  const histograms = groupBuckets(columns, call, 2, evaluation);
  return evaluateHistograms(histograms, grid, (buckets, step) =>
    bucketFraction(lower[step], upper[step], buckets),
  );
};

const histogramQuantiles: VectorFunction = async (call, grid, evaluation) => {
  const label = evaluation.text(call.args[1]);
  const columns = await evaluation.vector(call.args[0], grid);
  const histograms = groupBuckets(columns, call, 0, evaluation);
  const results: Column[] = [];
  for (const arg of call.args.slice(2)) {
    const quantiles = await evaluation.scalar(arg, grid);
    warnOfQuantiles(quantiles, arg.span, evaluation);
    const values = evaluateHistograms(histograms, grid, (buckets, step, histogram) => {
      const value = bucketQuantile(quantiles[step], buckets);
      if (buckets.forcedMonotonic) {
        const details = monotonicityDetails(buckets, grid.startMs + step * grid.stepMs);
        const message = messages.forcedMonotonicity(histogram.name, details);
        evaluation.annotations.info(message, call.args[0].span);
      }
      return value;
    });
    for (const column of values) {
      const labels = column.labels.with(label, formatNumber(quantiles[0]));
      results.push({ ...column, labels });
    }
  }
  return results;
};

/** Gathers the float series of each histogram; series without a usable `le` are told of. */
function groupBuckets(
  columns: readonly Column[],
  call: Call,
  argIndex: number,
  evaluation: Evaluation,
): Histogram[] {
  const histograms = new Map<string, Histogram>();
  for (const column of columns) {
    const { labels } = column;
    if (!column.present.includes(FLOAT)) continue;
    const le = labels.get('le');
    const bound = parseBound(le);
    if (bound === undefined) {
      const message = messages.badBucketLabel(labels.metricName, le);
      evaluation.annotations.warn(message, call.args[argIndex].span);
      continue;
    }
    const base = labels.without(BUCKET_LABELS);
    let histogram = histograms.get(base.key);
    if (histogram === undefined) {
      histogram = { labels: base, name: labels.metricName, bounds: [], columns: [] };
      histograms.set(base.key, histogram);
    }
    histogram.bounds.push(bound);
    histogram.columns.push(column);
  }
  return [...histograms.values()];
}

function parseBound(le: string): number | undefined {
  const negative = le.startsWith('-');
  const magnitude = parseNumber(/^[-+]/.test(le) ? le.slice(1) : le);
  return magnitude === undefined ? undefined : negative ? -magnitude : magnitude;
}

/** Computes one value per histogram and step at which the histogram has any bucket. */
function evaluateHistograms(
  histograms: readonly Histogram[],
  grid: Grid,
  compute: (buckets: Buckets, step: number, histogram: Histogram) => number,
): Column[] {
  const results: Column[] = [];
  for (const histogram of histograms) {
    const out = emptyColumn(histogram.labels, false, grid.count);
    const sorted = sortedColumns(histogram);
    for (let step = 0; step < grid.count; step++) {
      const buckets = new Buckets(sorted, step);
      if (buckets.size === 0) continue;
      out.values[step] = compute(buckets, step, histogram);
      out.present[step] = FLOAT;
    }
    if (hasAny(out.present)) results.push(out);
  }
  return results;
}

function sortedColumns({ bounds, columns }: Histogram): BucketColumns {
  const order = bounds.map((_, index) => index).sort((a, b) => compareBounds(bounds[a], bounds[b]));
  return {
    bounds: order.map((index) => bounds[index]),
    values: order.map((index) => columns[index].values),
    present: order.map((index) =>
      columns[index].present.map((mark) => (mark === FLOAT ? 1 : ABSENT)),
    ),
  };
}

function compareBounds(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function monotonicityDetails(buckets: Buckets, timeMs: number): string {
  const { forcedFrom, forcedTo, forcedDifference } = buckets;
  const time = new Date(timeMs).toISOString();
  const range = `from buckets ${formatNumber(forcedFrom)} to ${formatNumber(forcedTo)}`;
  const difference = `with a max diff of ${Number(forcedDifference.toPrecision(2))}`;
  return `, ${range}, ${difference}, over 1 samples from ${time} to ${time}`;
}

export const classicHistogramFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['histogram_quantile', histogramQuantile],
  ['histogram_quantiles', histogramQuantiles],
  ['histogram_fraction', histogramFraction],
];
