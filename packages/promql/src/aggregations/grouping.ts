/** Which group each series of an aggregation belongs to; decided once for all steps. */
import { type Labels, METRIC_NAME } from '@tyto/model';
import type { Aggregation } from '@tyto/syntax';
import type { Column } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';

export interface Group {
  readonly labels: Labels;
  /** A group drops its name when any of its series does. */
  dropName: boolean;
  readonly members: Column[];
}

export async function groupColumns(
  node: Aggregation,
  columns: readonly Column[],
  { budget }: Evaluation,
): Promise<Group[]> {
  const labelsOf = groupLabels(node);
  const groups = new Map<string, Group>();
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const labels = labelsOf(column.labels);
    let group = groups.get(labels.key);
    if (group === undefined) {
      group = { labels, dropName: false, members: [] };
      groups.set(labels.key, group);
    }
    group.dropName ||= column.dropName;
    group.members.push(column);
  }
  return [...groups.values()];
}

function groupLabels({ grouping, without }: Aggregation): (labels: Labels) => Labels {
  if (without) {
    const names = new Set([...grouping, METRIC_NAME]);
    return (labels) => labels.without(names);
  }
  const names = new Set(grouping);
  return (labels) => labels.keep(names);
}
