/** Binary operators: between scalars, between a vector and a scalar, and onwards to vectors. */
import { type Binary, isComparison, isSetOperator, typeOf } from '@tyto/syntax';
import {
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  type Grid,
  hasAny,
  sizeOf,
} from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { arithmetic, compare } from './arithmetic.ts';
import { combineColumns } from './combine.ts';
import { evaluateMatching } from './matching.ts';
import { evaluateSets } from './sets.ts';

export async function evaluateScalarBinary(
  node: Binary,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Float64Array> {
  const left = await evaluation.scalar(node.left, grid);
  const right = await evaluation.scalar(node.right, grid);
  const { operator } = node;
  if (isComparison(operator)) {
    return left.map((value, step) => (compare(operator, value, right[step]) ? 1 : 0));
  }
  return left.map((value, step) => arithmetic(operator, value, right[step]));
}

export async function evaluateBinary(
  node: Binary,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  const leftIsScalar = typeOf(node.left) === 'scalar';
  if (leftIsScalar || typeOf(node.right) === 'scalar') {
    return withScalar(node, grid, evaluation, leftIsScalar);
  }
  const left = await evaluation.vector(node.left, grid);
  const right = await evaluation.vector(node.right, grid);
  if (isSetOperator(node.operator)) {
    return evaluateSets(node, left, right, grid, evaluation);
  }
  return evaluateMatching(node, left, right, grid, evaluation);
}

async function withScalar(
  node: Binary,
  grid: Grid,
  evaluation: Evaluation,
  leftIsScalar: boolean,
): Promise<Column[]> {
  const { left, right, operator, returnBool } = node;
  const scalar = await evaluation.scalar(leftIsScalar ? left : right, grid);
  const columns = await evaluation.vector(leftIsScalar ? right : left, grid);
  const present = new Uint8Array(grid.count).fill(FLOAT);
  const isTrim = operator === '</' || operator === '>/';
  const dropsName = returnBool || (!isComparison(operator) && !isTrim);
  const out: Column[] = [];
  for (const column of columns) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const scalarColumn: Column = { ...column, values: scalar, present, histograms: null };
    const make = column.histograms === null ? emptyColumn : emptyHistogramColumn;
    const result = make(column.labels, column.dropName || dropsName, grid.count);
    const [a, b] = leftIsScalar ? [scalarColumn, column] : [column, scalarColumn];
    combineColumns(node, a, b, column, result, evaluation);
    if (!hasAny(result.present)) continue;
    evaluation.budget.acquire(sizeOf(1, grid.count));
    out.push(result);
  }
  return out;
}
