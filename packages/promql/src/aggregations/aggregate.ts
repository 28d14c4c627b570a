/** Aggregations: groups of series become one, or some of their series are chosen. */
import type { Aggregation } from '@tyto/syntax';
import { type Column, type Grid, hasAny } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { countValues } from './countValues.ts';
import { groupColumns } from './grouping.ts';
import { limitGroups, limitRatio } from './limit.ts';
import { quantileGroups } from './quantile.ts';
import { rankGroups } from './ranking.ts';
import { reduceGroup } from './reduce.ts';
import { aggregateStored } from './stored.ts';

export async function aggregate(
  node: Aggregation,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  const stored = await aggregateStored(node, grid, evaluation);
  if (stored !== undefined) return stored;
  const columns = await evaluation.vector(node.inner, grid);
  const { operator, parameter } = node;
  if (operator === 'count_values' && parameter !== undefined) {
    return countValues(node, evaluation.text(parameter), columns, grid, evaluation);
  }
  const groups = groupColumns(node, columns);
  if (parameter !== undefined) {
    const numbers = await evaluation.scalar(parameter, grid);
    if (operator === 'quantile') {
      return quantileGroups(node, groups, numbers, grid, evaluation);
    }
    if (operator === 'limitk') return limitGroups(groups, numbers, evaluation);
    if (operator === 'limit_ratio') return limitRatio(node, groups, numbers, evaluation);
    return rankGroups(node, groups, numbers, evaluation);
  }
  const results: Column[] = [];
  for (const group of groups) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const column = reduceGroup(node, group, grid.count, evaluation);
    if (hasAny(column.present)) results.push(column);
  }
  return results;
}
