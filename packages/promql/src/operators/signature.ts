/** Which series belong together: the labels that must agree, as one string. */
import { type Labels, METRIC_NAME } from '@tyto/model';
import type { VectorMatching } from '@tyto/syntax';
import type { QueryBudget } from '../budget.ts';
import type { Column } from '../column.ts';

export type SignatureOf = (labels: Labels) => Labels;

/** The labels by which series of two sides are matched. */
export function signatureFunction(matching: VectorMatching): SignatureOf {
  if (matching.on) {
    const names = new Set(matching.labels);
    return (labels) => labels.keep(names);
  }
  const names = new Set([...matching.labels, METRIC_NAME]);
  return (labels) => labels.without(names);
}

/** The columns of each signature, in the order of their first. */
export async function groupBySignature(
  columns: readonly Column[],
  signatureOf: SignatureOf,
  budget: QueryBudget,
): Promise<Map<string, Column[]>> {
  const groups = new Map<string, Column[]>();
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const { key } = signatureOf(column.labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [column]);
    else group.push(column);
  }
  return groups;
}
