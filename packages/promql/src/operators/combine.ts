/** One column with another: floats by the loops of arithmetic.ts, the rest step by step. */
import { type Binary, isComparison } from '@tyto/syntax';
import type { Column } from '../column.ts';
import type { Evaluation } from '../evaluator.ts';
import { arithmeticColumns, compareColumns } from './arithmetic.ts';

/**
 * Writes `left operator right` to `out`. A comparison without bool keeps the values of `kept`,
 * which is one of the two.
 */
export function combineColumns(
  node: Binary,
  left: Column,
  right: Column,
  kept: Column,
  out: Column,
  _evaluation: Evaluation,
): void {
  const { operator, returnBool } = node;
  const { values, present } = out;
  if (isComparison(operator)) {
    compareColumns(
      operator,
      left.values,
      left.present,
      right.values,
      right.present,
      returnBool,
      kept.values,
      values,
      present,
    );
  } else {
    arithmeticColumns(
      operator,
      left.values,
      left.present,
      right.values,
      right.present,
      values,
      present,
    );
  }
}
