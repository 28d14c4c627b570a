/** and, or, unless: which elements stay, by whether the other side has their like at that step. */
import { must } from '@tyto/base';
import type { Binary } from '@tyto/syntax';
import { ABSENT, type Column, type Grid, hasAny, mergeEqual } from '../column.ts';
import { groupBySignature, type SignatureOf, signatureFunction } from './signature.ts';

export function evaluateSets(
  node: Binary,
  left: readonly Column[],
  right: readonly Column[],
  grid: Grid,
): Column[] {
  const matching = must(node.matching, 'set operators have a matching');
  const signatureOf = signatureFunction(matching);
  if (node.operator === 'or') {
    const masks = presenceBySignature(left, signatureOf, grid.count);
    const added = masked(right, signatureOf, masks, false);
    return mergeEqual([...left, ...added]);
  }
  const masks = presenceBySignature(right, signatureOf, grid.count);
  return masked(left, signatureOf, masks, node.operator === 'and');
}

/** For each signature the steps at which any of its series has something. */
function presenceBySignature(
  columns: readonly Column[],
  signatureOf: SignatureOf,
  count: number,
): Map<string, Uint8Array> {
  const masks = new Map<string, Uint8Array>();
  for (const [key, group] of groupBySignature(columns, signatureOf)) {
    const mask = new Uint8Array(count);
    for (const { present } of group) {
      for (let step = 0; step < count; step++) {
        if (present[step] !== ABSENT) mask[step] = 1;
      }
    }
    masks.set(key, mask);
  }
  return masks;
}

/** The columns with only the steps at which their signature is there, or is not there. */
function masked(
  columns: readonly Column[],
  signatureOf: SignatureOf,
  masks: ReadonlyMap<string, Uint8Array>,
  wanted: boolean,
): Column[] {
  const kept: Column[] = [];
  for (const column of columns) {
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
