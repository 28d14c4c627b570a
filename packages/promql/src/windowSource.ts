/** Range vectors: series with their samples, and the windows over them, one per step. */
import { type FloatHistogram, type Labels, SampleColumns } from '@tyto/model';
import type { Expr, MatrixSelector, Subquery, VectorSelector } from '@tyto/syntax';
import { ABSENT, type Column, type Grid } from './column.ts';
import type { Evaluation } from './evaluation.ts';
import { withHint } from './histograms/arithmetic.ts';
import type { QueryTimes } from './plan.ts';
import type { SeriesSource } from './source.ts';

export interface WindowSource {
  readonly size: number;
  labels(index: number): Labels;
  dropName(index: number): boolean;
  /** As a SeriesSelection's. */
  prepare(index: number): Promise<void> | undefined;
  /** Samples without stale markers; valid until the next call. Not to be changed. */
  samples(index: number): SampleColumns;
  /** The ends of the windows. */
  readonly ends: Grid;
  readonly rangeMs: number;
  readonly lookbackMs: number;
  /** What is selected, for messages and for absent_over_time. */
  readonly expr: Expr;
  /** The selector, where the windows are over stored series, and where these are read. */
  readonly selector: VectorSelector | undefined;
  readonly stored: SeriesSource | undefined;
}

export function matrixWindows(
  node: MatrixSelector,
  grid: Grid,
  evaluation: Evaluation,
): WindowSource {
  const source: SeriesSource = evaluation.sources.of(node.selector);
  const scratch = new SampleColumns(16);
  return {
    size: source.size,
    labels: (index) => source.labels(index),
    dropName: (index) => source.dropName(index),
    prepare: (index) => source.prepare(index),
    samples: (index) => withoutStale(source.samples(index), scratch),
    ends: evaluation.times.shifted(node.selector, grid),
    rangeMs: evaluation.times.range(node.range),
    lookbackMs: evaluation.times.options.lookbackMs,
    expr: node,
    selector: node.selector,
    stored: source,
  };
}

export function subqueryWindows(
  node: Subquery,
  columns: readonly Column[],
  innerGrid: Grid,
  ends: Grid,
  times: QueryTimes,
): WindowSource {
  const scratch = new SampleColumns(16);
  return {
    size: columns.length,
    labels: (index) => columns[index].labels,
    dropName: (index) => columns[index].dropName,
    prepare: () => undefined,
    samples: (index) => samplesOf(columns[index], innerGrid, scratch),
    ends,
    rangeMs: times.range(node.range),
    lookbackMs: times.options.lookbackMs,
    expr: node,
    selector: undefined,
    stored: undefined,
  };
}

function withoutStale(samples: SampleColumns, scratch: SampleColumns): SampleColumns {
  if (samples.staleCount === 0) return samples;
  scratch.clear();
  scratch.reserve(samples.length);
  for (let i = 0; i < samples.length; i++) {
    if (samples.isStale(i)) continue;
    const histogram = samples.histograms?.[i];
    if (histogram !== undefined) scratch.pushHistogram(samples.timestamps[i], histogram);
    else scratch.push(samples.timestamps[i], samples.values[i]);
    if (samples.startTimes !== null)
      scratch.setStartTime(scratch.length - 1, samples.startTimes[i]);
  }
  return scratch;
}

/** A hint is about the sample before it in the store, which a subquery may have skipped. */
function withoutResetHint(histogram: FloatHistogram): FloatHistogram {
  return histogram.counterResetHint === 'gauge' ? histogram : withHint(histogram, 'unknown');
}

/** The steps of a column at which it has something, as samples. */
function samplesOf(column: Column, grid: Grid, scratch: SampleColumns): SampleColumns {
  scratch.clear();
  scratch.reserve(grid.count);
  for (let step = 0; step < grid.count; step++) {
    if (column.present[step] === ABSENT) continue;
    const timeMs = grid.startMs + step * grid.stepMs;
    const histogram = column.histograms?.[step];
    if (histogram !== undefined) scratch.pushHistogram(timeMs, withoutResetHint(histogram));
    else scratch.push(timeMs, column.values[step]);
  }
  return scratch;
}
