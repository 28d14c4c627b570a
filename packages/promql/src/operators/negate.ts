/** The sign in front of a vector. */
import { type Column, HISTOGRAM } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { scaleHistogram } from '../histograms/arithmetic.ts';

export async function negated(
  columns: readonly Column[],
  { budget }: Evaluation,
): Promise<Column[]> {
  const results: Column[] = [];
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const { values, present } = column;
    for (let step = 0; step < values.length; step++) values[step] = -values[step];
    const histograms =
      column.histograms?.map((histogram, step) =>
        histogram !== undefined && present[step] === HISTOGRAM
          ? scaleHistogram(histogram, -1)
          : undefined,
      ) ?? null;
    results.push({ ...column, dropName: true, histograms });
  }
  return results;
}
