/** absent and absent_over_time: something where nothing is. */
import { Labels, type Matcher, METRIC_NAME } from '@tyto/model';
import type { Expr } from '@tyto/syntax';
import { ABSENT, type Column, emptyColumn, FLOAT, type Grid } from '../column.ts';
import { windowBounds } from '../windows/bounds.ts';
import type { VectorFunction } from './registry.ts';

const absent: VectorFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const seen = new Uint8Array(grid.count);
  for (const { present } of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    for (let step = 0; step < grid.count; step++) {
      if (present[step] !== ABSENT) seen[step] = 1;
    }
  }
  return absence(call.args[0], grid, seen);
};

const absentOverTime: VectorFunction = async (call, grid, evaluation) => {
  const windows = await evaluation.windows(call.args[0], grid);
  const { ends, rangeMs } = windows;
  const seen = new Uint8Array(grid.count);
  const from = new Int32Array(grid.count);
  const to = new Int32Array(grid.count);
  for (let index = 0; index < windows.size; index++) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const prepared = windows.prepare(index);
    if (prepared !== undefined) await evaluation.budget.wait(prepared);
    const { timestamps, length } = windows.samples(index);
    windowBounds(timestamps, length, ends.startMs, ends.stepMs, ends.count, rangeMs, from, to);
    for (let step = 0; step < grid.count; step++) {
      if (to[step] > from[step]) seen[step] = 1;
    }
  }
  return absence(call.args[0], grid, seen);
};

function absence(expr: Expr, grid: Grid, seen: Uint8Array): Column[] {
  const column = emptyColumn(labelsOfMatchers(expr), false, grid.count);
  for (let step = 0; step < grid.count; step++) {
    if (seen[step] === 1) continue;
    column.values[step] = 1;
    column.present[step] = FLOAT;
  }
  return [column];
}

/** The labels that an absent series would surely have. */
function labelsOfMatchers(expr: Expr): Labels {
  const matchers: readonly Matcher[] =
    expr.kind === 'vector' ? expr.matchers : expr.kind === 'matrix' ? expr.selector.matchers : [];
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, type, value } of matchers) {
    if (name === METRIC_NAME) continue;
    // A label that is matched twice is no label to be sure of.
    if (type === '=' && !seen.has(name)) values.set(name, value);
    else values.delete(name);
    if (type === '=') seen.add(name);
  }
  return Labels.fromEntries(values);
}

export const absentFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['absent', absent],
  ['absent_over_time', absentOverTime],
];
