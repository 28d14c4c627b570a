/** What the binary operators do to two floats. */
import type { BinaryOperator } from '@tyto/syntax';
import { ABSENT, FLOAT } from '../column.ts';

/** Go's power: 1 to anything is 1, and so is -1 to the infinite. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) return 1;
  return base ** exponent;
}

/** The value of an arithmetic operator; NaN for those that floats do not have. */
export function arithmetic(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return power(left, right);
    case 'atan2':
      return Math.atan2(left, right);
    default:
      return Number.NaN;
  }
}

export function compare(operator: BinaryOperator, left: number, right: number): boolean {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '>':
      return left > right;
    case '<':
      return left < right;
    case '>=':
      return left >= right;
    case '<=':
      return left <= right;
    default:
      return false;
  }
}

/**
 * Computes `left operator right` at the steps where both have a float. The common operators have
 * loops of their own, so that the step costs no call.
 */
export function arithmeticColumns(
  operator: BinaryOperator,
  left: Float64Array,
  leftPresent: Uint8Array,
  right: Float64Array,
  rightPresent: Uint8Array,
  out: Float64Array,
  present: Uint8Array,
): void {
  const count = out.length;
  for (let step = 0; step < count; step++) {
    present[step] = leftPresent[step] === FLOAT && rightPresent[step] === FLOAT ? FLOAT : ABSENT;
  }
  switch (operator) {
    case '+':
      for (let step = 0; step < count; step++) out[step] = left[step] + right[step];
      break;
    case '-':
      for (let step = 0; step < count; step++) out[step] = left[step] - right[step];
      break;
    case '*':
      for (let step = 0; step < count; step++) out[step] = left[step] * right[step];
      break;
    case '/':
      for (let step = 0; step < count; step++) out[step] = left[step] / right[step];
      break;
    default:
      for (let step = 0; step < count; step++) {
        out[step] = arithmetic(operator, left[step], right[step]);
      }
  }
}

/**
 * Compares at the steps where both have a float. With `asBool` the answer is 1 or 0, otherwise
 * `kept` where it is true and nothing where it is not.
 */
export function compareColumns(
  operator: BinaryOperator,
  left: Float64Array,
  leftPresent: Uint8Array,
  right: Float64Array,
  rightPresent: Uint8Array,
  asBool: boolean,
  kept: Float64Array,
  out: Float64Array,
  present: Uint8Array,
): void {
  for (let step = 0; step < out.length; step++) {
    if (leftPresent[step] !== FLOAT || rightPresent[step] !== FLOAT) continue;
    const holds = compare(operator, left[step], right[step]);
    if (asBool) out[step] = holds ? 1 : 0;
    else out[step] = kept[step];
    present[step] = asBool || holds ? FLOAT : ABSENT;
  }
}
