/** count_values: how many series of a group have each value; the value becomes a label. */
import { TytoError } from '@tyto/base';
import { type Labels, METRIC_NAME } from '@tyto/model';
import { type Aggregation, formatNumber, quoteString, unwrapParens } from '@tyto/syntax';
import { ABSENT, type Column, emptyColumn, FLOAT, type Grid, HISTOGRAM } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { formatHistogram } from '../histograms/format.ts';

export async function countValues(
  node: Aggregation,
  label: string,
  columns: readonly Column[],
  grid: Grid,
  { budget }: Evaluation,
): Promise<Column[]> {
  const parameter = node.parameter === undefined ? undefined : unwrapParens(node.parameter);
  const invalid = parameter?.kind === 'string' ? parameter.invalid : undefined;
  if (label === '' || invalid !== undefined) {
    throw new TytoError('execution', `invalid label name ${invalid ?? quoteString(label)}`);
  }
  const results = new Map<string, Column>();
  for (const column of columns) {
    const base = baseLabels(node, column.labels);
    for (let step = 0; step < grid.count; step++) {
      if (budget.due()) await budget.pause();
      if (column.present[step] === ABSENT) continue;
      const labels = base.with(label, shownValue(column, step));
      let out = results.get(labels.key);
      if (out === undefined) {
        budget.acquire(grid.count);
        out = emptyColumn(labels, column.dropName, grid.count);
        results.set(labels.key, out);
      }
      out.values[step]++;
      out.present[step] = FLOAT;
    }
  }
  return [...results.values()];
}

function baseLabels({ grouping, without }: Aggregation, labels: Labels): Labels {
  return without
    ? labels.without(new Set([...grouping, METRIC_NAME]))
    : labels.keep(new Set(grouping));
}

function shownValue(column: Column, step: number): string {
  const histogram = column.present[step] === HISTOGRAM ? column.histograms?.[step] : undefined;
  return histogram === undefined ? formatNumber(column.values[step]) : formatHistogram(histogram);
}
