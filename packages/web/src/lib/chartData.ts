/**
 * Range results as columns for the chart: one shared, regular time axis and one column of values
 * per series. A step without a sample is null, which the chart draws as a gap, so a target that was
 * away looks away. Not-a-number and infinities have no place on a scale and are gaps too.
 */

import { type MatrixSeriesJson, parseSampleValue } from '@tyto/api';

/** Series beyond this are not drawn; more lines than colours or pixels help nobody. */
export const SERIES_DRAWN_MAX = 200;

export type Column = (number | null)[];

export interface Columns {
  /** Seconds, rising by `step`. */
  readonly times: number[];
  readonly values: readonly Column[];
}

/** Columns over `start..end` (seconds, inclusive) at `step`; samples off the grid are left out. */
export function toColumns(
  series: readonly MatrixSeriesJson[],
  start: number,
  end: number,
  step: number,
): Columns {
  const stepCount = Math.max(0, Math.floor((end - start) / step + 1e-6)) + 1;
  const times: number[] = new Array(stepCount);
  for (let i = 0; i < stepCount; i++) times[i] = start + i * step;
  return { times, values: series.map((one) => toColumn(one, start, step, stepCount)) };
}

function toColumn(
  series: MatrixSeriesJson,
  start: number,
  step: number,
  stepCount: number,
): Column {
  const column: Column = new Array(stepCount).fill(null);
  for (const [time, text] of series.values ?? []) {
    const index = Math.round((time - start) / step);
    const value = parseSampleValue(text);
    if (index >= 0 && index < stepCount && Number.isFinite(value)) column[index] = value;
  }
  for (const [time, histogram] of series.histograms ?? []) {
    const index = Math.round((time - start) / step);
    const average = parseSampleValue(histogram.sum) / parseSampleValue(histogram.count);
    if (index >= 0 && index < stepCount && Number.isFinite(average)) column[index] = average;
  }
  return column;
}

/**
 * Each visible column added to those below it; hidden ones (false in `isShown`) are all null. A gap
 * stays a gap of its own series and counts as nothing for the ones above.
 */
export function stackColumns(columns: readonly Column[], isShown: readonly boolean[]): Column[] {
  const stepCount = columns[0]?.length ?? 0;
  const total: number[] = new Array(stepCount).fill(0);
  return columns.map((column, index) => {
    if (isShown[index] === false) return new Array<number | null>(stepCount).fill(null);
    return column.map((value, step) => {
      if (value === null) return null;
      const sum = (total[step] ?? 0) + value;
      total[step] = sum;
      return sum;
    });
  });
}

/** The last value that is there, or undefined. */
export function lastValue(column: Column): number | undefined {
  for (let i = column.length - 1; i >= 0; i--) {
    const value = column[i];
    if (value !== null && value !== undefined) return value;
  }
  return undefined;
}
