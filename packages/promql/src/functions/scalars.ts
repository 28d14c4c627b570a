/** Functions that yield scalars, and the ways between scalars, times and vectors. */
import { Labels } from '@tyto/model';
import { unwrapParens } from '@tyto/syntax';
import { ABSENT, emptyColumn, FLOAT } from '../column.ts';
import { evaluateSelectorTimes } from '../selectors.ts';
import { evaluationTimes } from './dates.ts';
import { larger, mapFloats, smaller } from './math.ts';
import type { ScalarFunction, VectorFunction } from './registry.ts';

/** The value of a vector's only element; NaN where it has none or several. */
const scalar: ScalarFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const out = new Float64Array(grid.count).fill(Number.NaN);
  const found = new Uint8Array(grid.count);
  for (const { present, values } of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    for (let step = 0; step < grid.count; step++) {
      if (present[step] !== FLOAT) continue;
      out[step] = found[step] === 0 ? values[step] : Number.NaN;
      found[step] = 1;
    }
  }
  return out;
};

function constant(of: (times: { startMs: number; endMs: number; stepMs: number }) => number) {
  const evaluate: ScalarFunction = async (_call, grid, evaluation) =>
    new Float64Array(grid.count).fill(of(evaluation.times.options));
  return evaluate;
}

function ofTwo(choose: (a: number, b: number) => number): ScalarFunction {
  return async (call, grid, evaluation) => {
    const left = await evaluation.scalar(call.args[0], grid);
    const right = await evaluation.scalar(call.args[1], grid);
    return left.map((value, step) => choose(value, right[step]));
  };
}

export const scalarFunctions: readonly (readonly [string, ScalarFunction])[] = [
  ['pi', constant(() => Math.PI)],
  ['time', async (_call, grid) => evaluationTimes(grid).values],
  ['scalar', scalar],
  ['start', constant(({ startMs }) => startMs / 1000)],
  ['end', constant(({ endMs }) => endMs / 1000)],
  ['step', constant(({ stepMs }) => stepMs / 1000)],
  ['range', constant(({ startMs, endMs }) => (endMs - startMs) / 1000)],
  ['max_of', ofTwo(larger)],
  ['min_of', ofTwo(smaller)],
];

const vector: VectorFunction = async (call, grid, evaluation) => {
  const column = emptyColumn(Labels.empty, false, grid.count);
  column.values.set(await evaluation.scalar(call.args[0], grid));
  column.present.fill(FLOAT);
  return [column];
};

/** The times of samples where a selector stands, of the evaluation everywhere else. */
const timestamp: VectorFunction = async (call, grid, evaluation) => {
  const arg = unwrapParens(call.args[0]);
  if (arg.kind === 'vector') {
    const times = await evaluateSelectorTimes(arg, grid, evaluation);
    return times.map((column) => ({ ...column, dropName: true }));
  }
  const columns = await evaluation.vector(arg, grid);
  for (const { present } of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    for (let step = 0; step < present.length; step++) {
      if (present[step] !== ABSENT) present[step] = FLOAT;
    }
  }
  const { values } = evaluationTimes(grid);
  return mapFloats(columns, evaluation, (_value, step) => values[step]);
};

export const scalarToVectorFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['vector', vector],
  ['timestamp', timestamp],
];
