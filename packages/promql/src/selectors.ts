/** Instant selectors: at each step the newest sample of the lookback, if it is not stale. */
import type { SampleColumns, WindowRequest } from '@tyto/model';
import type { VectorSelector } from '@tyto/syntax';
import {
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  type Grid,
  hasAny,
  HISTOGRAM,
} from './column.ts';
import type { Evaluation } from './evaluation.ts';
import { fillSmoothed } from './smoothedSelector.ts';
import { readColumns, type ReadOne } from './storedColumns.ts';
import { latestIndexes } from './windows/bounds.ts';

/** Called for each series; `latest` says per step which sample is meant, -1 for none. */
export type Fill = (samples: SampleColumns, latest: Int32Array, column: Column) => void;

export function evaluateSelector(
  node: VectorSelector,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  return selectLatest(node, grid, evaluation, fillValues);
}

/** The times of the samples that the selector picks, in seconds. */
export function evaluateSelectorTimes(
  node: VectorSelector,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  return selectLatest(node, grid, evaluation, fillTimes);
}

/** A column a series; `fill` says what it has at each step. Smoothed selectors fill themselves. */
export async function selectLatest(
  node: VectorSelector,
  grid: Grid,
  evaluation: Evaluation,
  fill: Fill,
): Promise<Column[]> {
  const { budget, sources } = evaluation;
  const source = sources.of(node);
  const columnOf = latestColumnOf(node, grid, evaluation, fill);
  const request = fill === fillValues ? latestRequest(node, grid, evaluation) : undefined;
  const reader = request === undefined ? undefined : source.columns(request);
  if (reader !== undefined) {
    return readColumns(source, reader, grid.count, false, evaluation, columnOf);
  }
  const columns: Column[] = [];
  for (let index = 0; index < source.size; index++) {
    if (budget.due()) await budget.pause();
    const prepared = source.prepare(index);
    if (prepared !== undefined) await budget.wait(prepared);
    const column = columnOf(index);
    if (column === undefined) continue;
    budget.acquire(grid.count);
    columns.push(column);
  }
  return columns;
}

/** Computes the column of one series here; undefined where it has nothing at any step. */
export function latestColumnOf(
  node: VectorSelector,
  grid: Grid,
  evaluation: Evaluation,
  fill: Fill = fillValues,
): ReadOne {
  const { times, sources } = evaluation;
  const source = sources.of(node);
  const seen = times.shifted(node, grid);
  const { startMs, stepMs, count } = seen;
  const { lookbackMs } = times.options;
  const latest = new Int32Array(count);
  return (index) => {
    const samples = source.samples(index);
    const { timestamps, length } = samples;
    latestIndexes(timestamps, length, startMs, stepMs, count, lookbackMs, latest);
    const make = samples.histograms === null ? emptyColumn : emptyHistogramColumn;
    const column = make(source.labels(index), source.dropName(index), count);
    if (node.smoothed) fillSmoothed(node, samples, seen, column, evaluation);
    else fill(samples, latest, column);
    return hasAny(column.present) ? column : undefined;
  };
}

/** What an instant selector is to a store; undefined where it has to be computed here. */
export function latestRequest(
  node: VectorSelector,
  grid: Grid,
  { times }: Evaluation,
): WindowRequest | undefined {
  if (node.smoothed) return undefined;
  const { startMs, stepMs, count } = times.shifted(node, grid);
  return { name: 'last', startMs, stepMs, count, rangeMs: times.options.lookbackMs };
}

function fillValues(samples: SampleColumns, latest: Int32Array, column: Column): void {
  for (let step = 0; step < latest.length; step++) {
    const index = latest[step];
    if (index < 0 || samples.isStale(index)) continue;
    const histogram = samples.histograms?.[index];
    column.values[step] = samples.values[index];
    column.present[step] = histogram === undefined ? FLOAT : HISTOGRAM;
    if (histogram !== undefined && column.histograms !== null) {
      column.histograms[step] = histogram;
    }
  }
}

function fillTimes(samples: SampleColumns, latest: Int32Array, column: Column): void {
  for (let step = 0; step < latest.length; step++) {
    const index = latest[step];
    if (index < 0 || samples.isStale(index)) continue;
    column.values[step] = samples.timestamps[index] / 1000;
    column.present[step] = FLOAT;
  }
}
