/** One column with another: floats by the loops of arithmetic.ts, the rest step by step. */
import type { FloatHistogram } from '@tyto/model';
import { type Binary, type BinaryOperator, isComparison } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { ABSENT, type Column, FLOAT, HISTOGRAM } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import {
  addHistograms,
  type AdditionNotes,
  compatible,
  divideHistogram,
  equalHistograms,
  scaleHistogram,
  withHint,
} from '../histograms/arithmetic.ts';
import { trimHistogram } from '../histograms/trim.ts';
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
  evaluation: Evaluation,
): void {
  const { operator, returnBool } = node;
  if (isComparison(operator)) {
    compareColumns(
      operator,
      left.values,
      left.present,
      right.values,
      right.present,
      returnBool,
      kept.values,
      out.values,
      out.present,
    );
  } else {
    arithmeticColumns(
      operator,
      left.values,
      left.present,
      right.values,
      right.present,
      out.values,
      out.present,
    );
  }
  const floatsCannot = operator === '</' || operator === '>/';
  if (left.histograms !== null || right.histograms !== null || floatsCannot) {
    combineHistograms(node, left, right, kept, out, evaluation);
  }
}

/** The steps at which at least one side is a histogram. */
function combineHistograms(
  node: Binary,
  left: Column,
  right: Column,
  kept: Column,
  out: Column,
  evaluation: Evaluation,
): void {
  const floatsCannot = node.operator === '</' || node.operator === '>/';
  for (let step = 0; step < out.values.length; step++) {
    const leftKind = left.present[step];
    const rightKind = right.present[step];
    if (leftKind === ABSENT || rightKind === ABSENT) continue;
    if (leftKind === FLOAT && rightKind === FLOAT) {
      if (!floatsCannot) continue;
      out.present[step] = ABSENT;
      tellIncompatible(node, 'float', 'float', evaluation);
      continue;
    }
    const a = leftKind === HISTOGRAM ? left.histograms?.[step] : undefined;
    const b = rightKind === HISTOGRAM ? right.histograms?.[step] : undefined;
    const result = isComparison(node.operator)
      ? compared(node, a, b, evaluation)
      : combined(node, a ?? left.values[step], b ?? right.values[step], evaluation);
    if (result === undefined) continue;
    if (typeof result === 'boolean') {
      keepCompared(node, result, step, kept, out);
    } else {
      out.present[step] = HISTOGRAM;
      if (out.histograms !== null) out.histograms[step] = result;
    }
  }
}

function keepCompared(node: Binary, holds: boolean, step: number, kept: Column, out: Column): void {
  if (node.returnBool) {
    out.values[step] = holds ? 1 : 0;
    out.present[step] = FLOAT;
  } else if (holds) {
    out.present[step] = HISTOGRAM;
    if (out.histograms !== null) out.histograms[step] = kept.histograms?.[step];
  }
}

function compared(
  node: Binary,
  left: FloatHistogram | undefined,
  right: FloatHistogram | undefined,
  evaluation: Evaluation,
): boolean | undefined {
  const equality = node.operator === '==' || node.operator === '!=';
  if (left !== undefined && right !== undefined && equality) {
    return equalHistograms(left, right) === (node.operator === '==');
  }
  const kind = (side: FloatHistogram | undefined) => (side === undefined ? 'float' : 'histogram');
  tellIncompatible(node, kind(left), kind(right), evaluation);
  return undefined;
}

function combined(
  node: Binary,
  left: FloatHistogram | number,
  right: FloatHistogram | number,
  evaluation: Evaluation,
): FloatHistogram | undefined {
  const { operator } = node;
  if (typeof left === 'number') {
    if (typeof right !== 'number' && operator === '*') return scaleHistogram(right, left);
  } else if (typeof right === 'number') {
    if (operator === '*') return scaleHistogram(left, right);
    if (operator === '/') return divideHistogram(left, right);
    if (operator === '</' || operator === '>/') {
      return trimHistogram(left, right, operator === '</');
    }
  } else if (operator === '+' || operator === '-') {
    return added(node, left, right, evaluation);
  }
  const kind = (side: FloatHistogram | number) =>
    typeof side === 'number' ? 'float' : 'histogram';
  tellIncompatible(node, kind(left), kind(right), evaluation);
  return undefined;
}

function added(
  node: Binary,
  left: FloatHistogram,
  right: FloatHistogram,
  { annotations }: Evaluation,
): FloatHistogram | undefined {
  const isSum = node.operator === '+';
  if (!compatible(left, right)) {
    annotations.warn(messages.incompatibleBuckets(node.operator), node.span);
    return undefined;
  }
  const notes: AdditionNotes = {};
  const sum = addHistograms(left, right, isSum ? 1 : -1, notes);
  const word = isSum ? 'addition' : 'subtraction';
  if (notes.conflictingResets) annotations.warn(messages.conflictingResets(word), node.span);
  if (notes.reconciledBounds) annotations.info(messages.reconciledBounds(word), node.span);
  return isSum ? sum : withHint(sum, 'gauge');
}

function tellIncompatible(
  node: { readonly operator: BinaryOperator; readonly span: Binary['span'] },
  left: string,
  right: string,
  { annotations }: Evaluation,
): void {
  annotations.info(messages.incompatibleTypes(node.operator, left, right), node.span);
}
