/** and, or, unless: which elements stay, by whether the other side has their like at that step. */
import { must } from '@tyto/base';
import type { Binary } from '@tyto/syntax';
import type { QueryBudget } from '../budget.ts';
import { ABSENT, type Column, type Grid, hasAny, mergeEqual } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { groupBySignature, type SignatureOf, signatureFunction } from './signature.ts';

export async function evaluateSets(
  node: Binary,
  left: readonly Column[],
  right: readonly Column[],
  grid: Grid,
  { budget }: Evaluation,
): Promise<Column[]> {
  const matching = must(node.matching, 'set operators have a matching');
  const signatureOf = signatureFunction(matching);
  if (node.operator === 'or') {
    const masks = await presenceBySignature(left, signatureOf, grid.count, budget);
    const added = await masked(right, signatureOf, masks, false, budget);
    return mergeEqual([...left, ...added], budget);
  }
  const masks = await presenceBySignature(right, signatureOf, grid.count, budget);
  return masked(left, signatureOf, masks, node.operator === 'and', budget);
}

/** For each signature the steps at which any of its series has something. */
async function presenceBySignature(
  columns: readonly Column[],
  signatureOf: SignatureOf,
  count: number,
  budget: QueryBudget,
): Promise<Map<string, Uint8Array>> {
  const masks = new Map<string, Uint8Array>();
  for (const [key, group] of await groupBySignature(columns, signatureOf, budget)) {
    const mask = new Uint8Array(count);
    for (const { present } of group) {
      if (budget.due()) await budget.pause();
      for (let step = 0; step < count; step++) {
        if (present[step] !== ABSENT) mask[step] = 1;
      }
    }
    masks.set(key, mask);
  }
  return masks;
}

/** The columns with only the steps at which their signature is there, or is not there. */
async function masked(
  columns: readonly Column[],
  signatureOf: SignatureOf,
  masks: ReadonlyMap<string, Uint8Array>,
  wanted: boolean,
  budget: QueryBudget,
): Promise<Column[]> {
  const kept: Column[] = [];
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const mask = masks.get(signatureOf(column.labels).key);
    if (mask === undefined) {
      if (!wanted) kept.push(column);
      continue;
    }
    const { present } = column;
    for (let step = 0; step < present.length; step++) {
      if ((mask[step] === 1) !== wanted) present[step] = ABSENT;
    }
    if (hasAny(present)) kept.push(column);
  }
  return kept;
}
