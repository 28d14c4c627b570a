/** topk and bottomk: the series with the k greatest or least values of each group and step. */
import { TytoError } from '@tyto/base';
import type { Aggregation } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { ABSENT, type Column, FLOAT, hasAny } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { sortPaced } from '../paced.ts';
import type { Group } from './grouping.ts';
import { hasHistogram } from './reduce.ts';

export async function rankGroups(
  node: Aggregation,
  groups: readonly Group[],
  sizes: Float64Array,
  evaluation: Evaluation,
): Promise<Column[]> {
  checkSizes(sizes);
  const isTop = node.operator === 'topk';
  const results: Column[] = [];
  for (const { members } of groups) {
    if (members.some(hasHistogram)) {
      const message = messages.histogramIgnoredIn(`${node.operator} aggregation`);
      evaluation.annotations.info(message, node.inner.span);
    }
    const order = await rankMembers(members, sizes, isTop, evaluation);
    const kept = members.filter(({ present }) => hasAny(present));
    // At a single moment the order of the answer is that of the values.
    for (const column of evaluation.isRange || sizes.length > 1 ? kept : order)
      results.push(column);
  }
  return results;
}

/** The size of a selection must be a number. Throws `execution`. */
export function checkSizes(sizes: Float64Array): void {
  for (const size of sizes) {
    if (Number.isNaN(size)) throw new TytoError('execution', 'Parameter value is NaN');
    if (size > 2 ** 63 || size < -(2 ** 63)) {
      throw new TytoError('execution', `Scalar value ${size} overflows int64`);
    }
  }
}

/** Blanks what is not among the best at its step; returns the order at the last step. */
async function rankMembers(
  members: readonly Column[],
  sizes: Float64Array,
  isTop: boolean,
  { budget }: Evaluation,
): Promise<Column[]> {
  let ranked: Column[] = [];
  for (let step = 0; step < sizes.length; step++) {
    if (budget.due()) await budget.pause();
    const size = Math.max(0, Math.trunc(sizes[step]));
    ranked = [];
    for (const column of members) {
      if (column.present[step] === FLOAT) ranked.push(column);
      else column.present[step] = ABSENT;
    }
    const compare = (a: Column, b: Column) => compareNaNLast(a.values[step], b.values[step], isTop);
    ranked = await sortPaced(ranked, compare, budget);
    for (let i = size; i < ranked.length; i++) ranked[i].present[step] = ABSENT;
    ranked.length = Math.min(ranked.length, size);
  }
  return ranked;
}

function compareNaNLast(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return descending ? b - a || 0 : a - b || 0;
}
