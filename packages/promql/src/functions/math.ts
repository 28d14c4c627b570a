/** Functions of one number, applied to every float of a vector, and their kin with bounds. */
import { ABSENT, type Column, FLOAT } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import type { VectorFunction } from './registry.ts';

const simple: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  sgn: Math.sign,
  sqrt: Math.sqrt,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  cos: Math.cos,
  cosh: Math.cosh,
  sin: Math.sin,
  sinh: Math.sinh,
  tan: Math.tan,
  tanh: Math.tanh,
  deg: (value) => (value * 180) / Math.PI,
  rad: (value) => (value * Math.PI) / 180,
};

/** Replaces every float by what `convert` makes of it; histograms vanish, names will. */
export async function mapFloats(
  columns: readonly Column[],
  { budget }: Evaluation,
  convert: (value: number, step: number) => number,
): Promise<Column[]> {
  const results: Column[] = [];
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const { values, present } = column;
    for (let step = 0; step < values.length; step++) {
      if (present[step] === FLOAT) values[step] = convert(values[step], step);
      else present[step] = ABSENT;
    }
    results.push({ ...column, dropName: true, histograms: null });
  }
  return results;
}

/** As in Go: infinity is larger than NaN, and otherwise NaN wins. */
export function larger(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

/** As in Go: minus infinity is smaller than NaN, and otherwise NaN wins. */
export function smaller(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

const clamp: VectorFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const low = await evaluation.scalar(call.args[1], grid);
  const high = await evaluation.scalar(call.args[2], grid);
  for (const { present } of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    for (let step = 0; step < present.length; step++) {
      if (low[step] > high[step]) present[step] = ABSENT;
    }
  }
  return mapFloats(columns, evaluation, (value, step) =>
    larger(low[step], smaller(high[step], value)),
  );
};

const clampMax: VectorFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const high = await evaluation.scalar(call.args[1], grid);
  return mapFloats(columns, evaluation, (value, step) => smaller(high[step], value));
};

const clampMin: VectorFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const low = await evaluation.scalar(call.args[1], grid);
  return mapFloats(columns, evaluation, (value, step) => larger(low[step], value));
};

/** Rounds to the nearest multiple; halves go up. */
const round: VectorFunction = async (call, grid, evaluation) => {
  const columns = await evaluation.vector(call.args[0], grid);
  const nearest =
    call.args.length > 1
      ? await evaluation.scalar(call.args[1], grid)
      : new Float64Array(grid.count).fill(1);
  return mapFloats(columns, evaluation, (value, step) => {
    // Multiplying by the inverse is what Prometheus does; the results differ in the last digit.
    const inverse = 1 / nearest[step];
    return Math.floor(value * inverse + 0.5) / inverse;
  });
};

export const mathFunctions: readonly (readonly [string, VectorFunction])[] = [
  ...Object.entries(simple).map(([name, convert]): readonly [string, VectorFunction] => [
    name,
    async (call, grid, evaluation) =>
      mapFloats(await evaluation.vector(call.args[0], grid), evaluation, convert),
  ]),
  ['clamp', clamp],
  ['clamp_max', clampMax],
  ['clamp_min', clampMin],
  ['round', round],
];
