/**
 * The shape in which the engine computes: one column per series, with a value for every step of
 * the query. `present` says what stands at a step: nothing, a float, or a histogram.
 */
import { TytoError } from '@tyto/base';
import type { FloatHistogram, Labels } from '@tyto/model';
import type { QueryBudget } from './budget.ts';
import { SERIES_SAMPLES } from './limits.ts';

export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** The times at which an expression is evaluated: startMs, startMs + stepMs, … */
export interface Grid {
  readonly startMs: number;
  /** 0 where every evaluation is at the same time. */
  readonly stepMs: number;
  readonly count: number;
}

export interface Column {
  readonly labels: Labels;
  /** The metric name goes away at the end; until then label functions may still use it. */
  readonly dropName: boolean;
  /** Owned by whoever got the column from `vector()`; may be written to. */
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** The histogram at a step, where `present` says so; null where there is none at all. */
  readonly histograms: (FloatHistogram | undefined)[] | null;
}

export const DUPLICATE_LABELS = 'vector cannot contain metrics with the same labelset';

export function emptyColumn(labels: Labels, dropName: boolean, count: number): Column {
  return {
    labels,
    dropName,
    values: new Float64Array(count),
    present: new Uint8Array(count),
    histograms: null,
  };
}

/** A column with room for histograms. */
export function emptyHistogramColumn(labels: Labels, dropName: boolean, count: number): Column {
  const column = emptyColumn(labels, dropName, count);
  return { ...column, histograms: new Array<FloatHistogram | undefined>(count).fill(undefined) };
}

/** What columns of so many steps count in a budget, with their labels. */
export function sizeOf(columnCount: number, stepCount: number): number {
  return columnCount * (stepCount + SERIES_SAMPLES);
}

/** The same values under other labels. */
export function relabeled(column: Column, labels: Labels, dropName = column.dropName): Column {
  return { ...column, labels, dropName };
}

export function hasAny(present: Uint8Array): boolean {
  for (let i = 0; i < present.length; i++) {
    if (present[i] !== ABSENT) return true;
  }
  return false;
}

/** Only the columns that have something at some step. */
export function withoutEmpty(columns: readonly Column[]): Column[] {
  return columns.filter((column) => hasAny(column.present));
}

/**
 * Joins columns of equal labels that have nothing at the same steps. Throws `execution` where two
 * have. The first of several gives the order and whether the name is dropped.
 */
export async function mergeEqual(
  columns: readonly Column[],
  budget: QueryBudget,
  problem = DUPLICATE_LABELS,
): Promise<Column[]> {
  const byKey = new Map<string, number>();
  const merged: Column[] = [];
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const index = byKey.get(column.labels.key);
    if (index === undefined) {
      byKey.set(column.labels.key, merged.length);
      merged.push(column);
    } else {
      merged[index] = joined(merged[index], column, problem);
    }
  }
  return merged;
}

function joined(first: Column, second: Column, problem: string): Column {
  const count = first.present.length;
  const values = first.values.slice();
  const present = first.present.slice();
  const withHistograms = first.histograms !== null || second.histograms !== null;
  const histograms = withHistograms
    ? Array.from({ length: count }, (_, i) => first.histograms?.[i] ?? second.histograms?.[i])
    : null;
  for (let i = 0; i < count; i++) {
    if (second.present[i] === ABSENT) continue;
    if (present[i] !== ABSENT) throw new TytoError('execution', problem);
    present[i] = second.present[i];
    values[i] = second.values[i];
  }
  return { ...first, values, present, histograms };
}

/** A one-step column at every step of a longer grid. */
export function broadcast(column: Column, count: number): Column {
  const [histogram] = column.histograms ?? [undefined];
  return {
    ...column,
    values: new Float64Array(count).fill(column.values[0]),
    present: new Uint8Array(count).fill(column.present[0]),
    histograms: histogram === undefined ? null : new Array(count).fill(histogram),
  };
}
