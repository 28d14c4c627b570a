/** The sign in front of a vector. */
import { type Column, HISTOGRAM } from '../column.ts';
import { scaleHistogram } from '../histograms/arithmetic.ts';

export function negated(columns: readonly Column[]): Column[] {
  return columns.map((column) => ({
    ...column,
    dropName: true,
    values: column.values.map((value) => -value),
    histograms:
      column.histograms?.map((histogram, step) =>
        histogram !== undefined && column.present[step] === HISTOGRAM
          ? scaleHistogram(histogram, -1)
          : undefined,
      ) ?? null,
  }));
}
