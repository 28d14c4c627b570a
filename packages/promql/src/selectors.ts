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
import { readColumns } from './storedColumns.ts';
import { latestIndexes } from './windows/bounds.ts';

/** Called for each series; `latest` says per step which sample is meant, -1 for none. */
type Fill = (samples: SampleColumns, latest: Int32Array, column: Column) => void;

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

async function selectLatest(
  node: VectorSelector,
  grid: Grid,
  evaluation: Evaluation,
  fill: Fill,
): Promise<Column[]> {
  const { budget, times, sources } = evaluation;
  const source = sources.of(node);
  const seen = times.shifted(node, grid);
  const { lookbackMs } = times.options;
  const latest = new Int32Array(grid.count);
  const columnOf = (index: number) => {
    const samples = source.samples(index);
    const { timestamps, length } = samples;
    latestIndexes(timestamps, length, seen.startMs, seen.stepMs, seen.count, lookbackMs, latest);
    const make = samples.histograms === null ? emptyColumn : emptyHistogramColumn;
    const column = make(source.labels(index), source.dropName(index), grid.count);
    if (node.smoothed) fillSmoothed(node, samples, seen, column, evaluation);
    else fill(samples, latest, column);
    return hasAny(column.present) ? column : undefined;
  };
  if (fill === fillValues && !node.smoothed) {
    const reader = source.columns(latestRequest(seen, lookbackMs));
    if (reader !== undefined) {
      return readColumns(source, reader, grid.count, false, evaluation, columnOf);
    }
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

/** What an instant selector is to a store; `seen` is the grid with its offset. */
export function latestRequest({ startMs, stepMs, count }: Grid, lookbackMs: number): WindowRequest {
  return { name: 'last', startMs, stepMs, count, rangeMs: lookbackMs };
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
