/** limitk and limit_ratio: some series of each group, the same ones whenever possible. */
import { TytoError } from '@tyto/base';
import type { Labels } from '@tyto/model';
import { type Aggregation, formatNumber } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { ABSENT, type Column, withoutEmpty } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import type { Group } from './grouping.ts';
import { checkSizes } from './ranking.ts';

/** The first k series of each group that are there at a step. */
export async function limitGroups(
  groups: readonly Group[],
  sizes: Float64Array,
  { budget }: Evaluation,
): Promise<Column[]> {
  checkSizes(sizes);
  const kept: Column[] = [];
  for (const { members } of groups) {
    for (let step = 0; step < sizes.length; step++) {
      if (budget.due()) await budget.pause();
      let left = Math.max(0, Math.trunc(sizes[step]));
      for (const { present } of members) {
        if (present[step] === ABSENT) continue;
        if (left > 0) left--;
        else present[step] = ABSENT;
      }
    }
    for (const column of members) kept.push(column);
  }
  return withoutEmpty(kept);
}

/**
 * About this share of the series, chosen by their labels: those whose offset in [0, 1) is below
 * the ratio; for a negative ratio -r the complement of 1 - r.
 */
export async function limitRatio(
  node: Aggregation,
  groups: readonly Group[],
  ratios: Float64Array,
  evaluation: Evaluation,
): Promise<Column[]> {
  const capped = ratios.map((ratio) => {
    if (Number.isNaN(ratio)) throw new TytoError('execution', 'Ratio value is NaN');
    const inside = Math.max(-1, Math.min(1, ratio));
    if (inside !== ratio && groups.length > 0 && node.parameter !== undefined) {
      const message = messages.invalidRatio(formatNumber(ratio), formatNumber(inside));
      evaluation.annotations.warn(message, node.parameter.span);
    }
    return inside;
  });
  const columns = groups.flatMap(({ members }) => members);
  for (const { labels, present } of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const offset = offsetOf(labels);
    for (let step = 0; step < capped.length; step++) {
      const ratio = capped[step];
      const chosen = ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
      if (!chosen) present[step] = ABSENT;
    }
  }
  return withoutEmpty(columns);
}

/** A number in [0, 1) that depends on nothing but the labels: FNV-1a, finally mixed. */
function offsetOf(labels: Labels): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < labels.key.length; i++) {
    hash = Math.imul(hash ^ labels.key.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
