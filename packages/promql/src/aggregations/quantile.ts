/** The quantile of each group at each step. */
import type { Aggregation } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { type Column, emptyColumn, FLOAT, type Grid, hasAny, sizeOf } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { warnOfQuantiles } from '../functions/rangeVector.ts';
import { quantileOf } from '../windows/quantiles.ts';
import type { Group } from './grouping.ts';
import { hasHistogram } from './reduce.ts';

export async function quantileGroups(
  node: Aggregation,
  groups: readonly Group[],
  quantiles: Float64Array,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  if (groups.length > 0 && node.parameter !== undefined) {
    warnOfQuantiles(quantiles, node.parameter.span, evaluation);
  }
  const results: Column[] = [];
  for (const { labels, dropName, members } of groups) {
    evaluation.budget.acquire(sizeOf(1, grid.count));
    const out = emptyColumn(labels, dropName, grid.count);
    const scratch = new Float64Array(members.length);
    for (let step = 0; step < grid.count; step++) {
      if (evaluation.budget.due()) await evaluation.budget.pause();
      let size = 0;
      for (const { present, values } of members) {
        if (present[step] === FLOAT) scratch[size++] = values[step];
      }
      if (size === 0) continue;
      out.values[step] = quantileOf(quantiles[step], scratch.subarray(0, size));
      out.present[step] = FLOAT;
    }
    if (members.some(hasHistogram)) {
      const message = messages.histogramIgnoredIn('quantile aggregation');
      evaluation.annotations.info(message, node.inner.span);
    }
    if (hasAny(out.present)) results.push(out);
  }
  return results;
}
