/**
 * histogram_quantile and histogram_fraction: over classic histograms, which are series with an
 * `le` label, one per bucket, whose counts include those of all smaller buckets; and over native
 * ones, which are single samples.
 */
import { type FloatHistogram, type Labels, METRIC_NAME } from '@tyto/model';
import { parseNumber, type Span } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import {
  ABSENT,
  type Column,
  emptyColumn,
  FLOAT,
  type Grid,
  hasAny,
  HISTOGRAM,
  mergeEqual,
  sizeOf,
} from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import {
  type BucketColumns,
  bucketFraction,
  Buckets,
  bucketQuantile,
} from '../histograms/classic.ts';
import { histogramFractionOf, histogramQuantileOf } from '../histograms/statistics.ts';
import { warnOfQuantiles } from './rangeVector.ts';
import type { VectorFunction } from './registry.ts';

const LE: ReadonlySet<string> = new Set(['le']);

/** The buckets of one histogram, and the native histogram of the same labels if there is one. */
interface Histogram {
  readonly labels: Labels;
  readonly bounds: number[];
  readonly columns: Column[];
  native: Column | undefined;
}

/** How the two kinds of histograms become a number at a step. */
interface Statistic {
  classic(buckets: Buckets, step: number, name: string): number;
  native(histogram: FloatHistogram, step: number, name: string): number;
}

const histogramQuantile: VectorFunction = async (call, grid, evaluation) => {
  const quantiles = await evaluation.scalar(call.args[0], grid);
  const columns = await evaluation.vector(call.args[1], grid);
  const { span } = call.args[1];
  warnOfQuantiles(quantiles, call.args[0].span, evaluation);
  const histograms = await groupBuckets(columns, span, evaluation);
  const statistic = quantileStatistic(quantiles, grid, span, evaluation);
  return evaluateHistograms(histograms, grid, span, evaluation, statistic);
};

/** One column per histogram and quantile, which becomes a label. */
const histogramQuantiles: VectorFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const label = evaluation.text(call.args[1]);
  const { span } = call.args[0];
  const histograms = await groupBuckets(columns, span, evaluation);
  const results: Column[] = [];
  for (const arg of call.args.slice(2)) {
    const quantiles = await evaluation.scalar(arg, grid);
    warnOfQuantiles(quantiles, arg.span, evaluation);
    const statistic = quantileStatistic(quantiles, grid, span, evaluation);
    for (const column of await evaluateHistograms(histograms, grid, span, evaluation, statistic)) {
      const labels = column.labels.with(label, formatBound(quantiles[0]));
      results.push({ ...column, labels });
    }
  }
  return mergeEqual(results, evaluation.budget);
};

const histogramFraction: VectorFunction = async (call, grid, evaluation) => {
  const lower = await evaluation.scalar(call.args[0], grid);
  const upper = await evaluation.scalar(call.args[1], grid);
  const columns = await evaluation.vector(call.args[2], grid);
  const { span } = call.args[2];
  const histograms = await groupBuckets(columns, span, evaluation);
  return evaluateHistograms(histograms, grid, span, evaluation, {
    classic: (buckets, step) => bucketFraction(lower[step], upper[step], buckets),
    native: (histogram, step, name) => {
      if (Number.isNaN(histogram.sum))
        evaluation.annotations.info(messages.nanFraction(name), span);
      return histogramFractionOf(lower[step], upper[step], histogram);
    },
  });
};

function quantileStatistic(
  quantiles: Float64Array,
  grid: Grid,
  span: Span,
  { annotations }: Evaluation,
): Statistic {
  return {
    classic(buckets, step, name) {
      const value = bucketQuantile(quantiles[step], buckets);
      if (buckets.forcedMonotonic) {
        const timeMs = grid.startMs + step * grid.stepMs;
        const seen = {
          fromBound: buckets.forcedFrom,
          toBound: buckets.forcedTo,
          differenceMax: buckets.forcedDifference,
          sampleCount: 1,
          startMs: timeMs,
          endMs: timeMs,
        };
        annotations.forcedMonotonicity(name, seen, span);
      }
      return value;
    },
    native(histogram, step, name) {
      const { value, note } = histogramQuantileOf(quantiles[step], histogram);
      if (note !== 'none') annotations.info(messages.nanQuantile(name, note), span);
      return value;
    },
  };
}

/** A float as Prometheus writes it into labels: whole numbers with a zero behind the point. */
function formatBound(value: number): string {
  if (Number.isInteger(value)) return `${value}.0`;
  return Number.isFinite(value) || Number.isNaN(value)
    ? String(value)
    : value > 0
      ? '+Inf'
      : '-Inf';
}

/** Gathers the series of each histogram; floats without a usable `le` are told of. */
async function groupBuckets(
  columns: readonly Column[],
  span: Span,
  evaluation: Evaluation,
): Promise<Histogram[]> {
  const histograms = new Map<string, Histogram>();
  const groupOf = (labels: Labels): Histogram => {
    const { key } = labels;
    const histogram = histograms.get(key) ?? newHistogram(labels);
    histograms.set(key, histogram);
    return histogram;
  };
  for (const column of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const { labels } = column;
    if (column.present.includes(HISTOGRAM)) {
      const group = groupOf(labels);
      group.native = column;
    }
    if (!column.present.includes(FLOAT)) continue;
    const le = labels.get('le');
    const bound = parseBound(le);
    if (bound === undefined) {
      evaluation.annotations.warn(messages.badBucketLabel(labels.metricName, le), span);
      continue;
    }
    const group = groupOf(labels.without(LE));
    group.bounds.push(bound);
    group.columns.push(column);
  }
  return [...histograms.values()];
}

function newHistogram(labels: Labels): Histogram {
  return { labels, bounds: [], columns: [], native: undefined };
}

function parseBound(le: string): number | undefined {
  const negative = le.startsWith('-');
  const magnitude = parseNumber(/^[-+]/.test(le) ? le.slice(1) : le);
  return magnitude === undefined ? undefined : negative ? -magnitude : magnitude;
}

/** Computes one value per histogram and step at which there is one of a single kind. */
async function evaluateHistograms(
  histograms: readonly Histogram[],
  grid: Grid,
  span: Span,
  evaluation: Evaluation,
  statistic: Statistic,
): Promise<Column[]> {
  const results: Column[] = [];
  for (const histogram of histograms) {
    const { labels, native } = histogram;
    const name = labels.get(METRIC_NAME);
    const out = emptyColumn(labels, true, grid.count);
    const sorted = sortedColumns(histogram);
    for (let step = 0; step < grid.count; step++) {
      if (evaluation.budget.due()) await evaluation.budget.pause();
      const buckets = new Buckets(sorted, step);
      const whole = native?.present[step] === HISTOGRAM ? native.histograms?.[step] : undefined;
      if (whole !== undefined && buckets.size > 0) {
        evaluation.annotations.warn(messages.mixedClassicNative(name), span);
        continue;
      }
      if (whole !== undefined) out.values[step] = statistic.native(whole, step, name);
      else if (buckets.size > 0) out.values[step] = statistic.classic(buckets, step, name);
      else continue;
      out.present[step] = FLOAT;
    }
    if (!hasAny(out.present)) continue;
    evaluation.budget.acquire(sizeOf(1, grid.count));
    results.push(out);
  }
  return results;
}

function sortedColumns({ bounds, columns }: Histogram): BucketColumns {
  const order = bounds.map((_, index) => index);
  order.sort((a, b) => (bounds[a] < bounds[b] ? -1 : bounds[a] > bounds[b] ? 1 : 0));
  return {
    bounds: order.map((index) => bounds[index]),
    values: order.map((index) => columns[index].values),
    present: order.map((index) =>
      columns[index].present.map((mark) => (mark === FLOAT ? 1 : ABSENT)),
    ),
  };
}

export const classicHistogramFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['histogram_quantile', histogramQuantile],
  ['histogram_quantiles', histogramQuantiles],
  ['histogram_fraction', histogramFraction],
];
