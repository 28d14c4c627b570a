/** The type check: what kind of value each expression has, and whether its parts fit together. */
import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  isComparison,
  isSetOperator,
  type Span,
  type ValueType,
  type VectorSelector,
} from './ast.ts';
import { functionSignatures } from './functions.ts';
import { ParseError } from './problems.ts';

const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  string: 'string',
  vector: 'instant vector',
  matrix: 'range vector',
};

/** The type of value that an expression yields. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vector':
    case 'aggregation':
      return 'vector';
    case 'matrix':
    case 'subquery':
      return 'matrix';
    case 'call':
      return functionSignatures.get(expr.name)?.returnType ?? 'vector';
    case 'unary':
      return typeOf(expr.operand);
    case 'paren':
      return typeOf(expr.inner);
    case 'binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar'
        ? 'scalar'
        : 'vector';
  }
}

/** Parts of the language that Prometheus has behind feature flags. */
export interface ExperimentalSyntax {
  /** Functions and aggregations that are marked as experimental. */
  readonly functions: boolean;
  /** `anchored` and `smoothed`. */
  readonly extendedSelectors: boolean;
  /** `fill`, `fill_left` and `fill_right`. */
  readonly fillModifiers: boolean;
}

const ALL_EXPERIMENTS = { functions: true, extendedSelectors: true, fillModifiers: true };
const NO_EXPERIMENTS = { functions: false, extendedSelectors: false, fillModifiers: false };

/** Throws ParseError where types do not fit, in Prometheus' words. */
export function checkTypes(text: string, root: Expr, given: boolean | ExperimentalSyntax): void {
  const some = given === true ? ALL_EXPERIMENTS : NO_EXPERIMENTS;
  const experimental: ExperimentalSyntax = typeof given === 'boolean' ? some : given;
  const fail = (span: Span, reason: string): never => {
    throw new ParseError(text, span, reason);
  };
  const expectType = (expr: Expr, wanted: ValueType, where: string) => {
    const got = typeOf(expr);
    if (got === wanted) return;
    fail(expr.span, `expected type ${DOCUMENTED[wanted]} in ${where}, got ${DOCUMENTED[got]}`);
  };
  const visit = (expr: Expr): void => {
    switch (expr.kind) {
      case 'number':
      case 'string':
        break;
      case 'vector':
        checkSelector(expr, expr.span, experimental, fail);
        break;
      case 'matrix':
        checkSelector(expr.selector, expr.span, experimental, fail);
        break;
      case 'paren':
        visit(expr.inner);
        break;
      case 'subquery': {
        visit(expr.inner);
        const type = typeOf(expr.inner);
        if (type !== 'vector') {
          const message = 'subquery is only allowed on instant vector, got';
          fail(expr.span, `${message} ${type} instead`);
        }
        break;
      }
      case 'unary': {
        visit(expr.operand);
        const type = typeOf(expr.operand);
        if (type === 'scalar' || type === 'vector') break;
        const message = 'unary expression only allowed on expressions of type scalar or instant';
        fail(expr.span, `${message} vector, got "${DOCUMENTED[type]}"`);
        break;
      }
      case 'binary':
        visit(expr.left);
        visit(expr.right);
        checkBinary(expr, experimental, fail);
        break;
      case 'aggregation':
        visit(expr.inner);
        if (expr.parameter !== undefined) visit(expr.parameter);
        checkAggregation(expr, experimental, expectType, fail);
        break;
      case 'call':
        // The second argument of info() is no selector of its own but a list of matchers.
        for (const arg of expr.name === 'info' ? expr.args.slice(0, 1) : expr.args) visit(arg);
        checkCall(expr, experimental, expectType, fail);
        break;
    }
  };
  visit(root);
}

type Fail = (span: Span, reason: string) => never;
type ExpectType = (expr: Expr, wanted: ValueType, where: string) => void;

function checkSelector(
  selector: VectorSelector,
  span: Span,
  { extendedSelectors }: ExperimentalSyntax,
  fail: Fail,
): void {
  if (!extendedSelectors && (selector.anchored || selector.smoothed)) {
    const word = selector.anchored ? 'anchored' : 'smoothed';
    fail(span, `${word} modifier is experimental and not enabled`);
  }
  if (selector.matchers.every((matcher) => matcher.matches(''))) {
    fail(selector.span, 'vector selector must contain at least one non-empty matcher');
  }
}

function checkBinary(expr: Binary, { fillModifiers }: ExperimentalSyntax, fail: Fail): void {
  const { operator, matching, span } = expr;
  const fills = matching?.fillLeft !== undefined || matching?.fillRight !== undefined;
  if (fills && !fillModifiers) fail(span, 'binop fill modifiers are experimental and not enabled');
  const left = typeOf(expr.left);
  const right = typeOf(expr.right);
  if (expr.returnBool && !isComparison(operator)) {
    fail(span, 'bool modifier can only be used on comparison operators');
  }
  if (isComparison(operator) && !expr.returnBool && left === 'scalar' && right === 'scalar') {
    fail(span, 'comparisons between scalars must use BOOL modifier');
  }
  if (matching?.on === true) {
    const twice = matching.labels.find((label) => matching.include.includes(label));
    if (twice !== undefined) {
      fail(span, `label "${twice}" must not occur in ON and GROUP clause at once`);
    }
  }
  const onlyThese = 'binary expression must contain only scalar and instant vector types';
  if (left !== 'scalar' && left !== 'vector') fail(expr.left.span, onlyThese);
  if (right !== 'scalar' && right !== 'vector') fail(expr.right.span, onlyThese);
  const bothVectors = left === 'vector' && right === 'vector';
  if (!bothVectors && matching !== undefined) {
    fail(span, 'vector matching only allowed between instant vectors');
  }
  if (!isSetOperator(operator)) return;
  if (!bothVectors) {
    fail(span, `set operator "${operator}" not allowed in binary scalar expression`);
  }
  if (matching?.cardinality !== 'many-to-many') {
    fail(span, `no grouping allowed for "${operator}" operation`);
  }
  if (fills) {
    fail(span, 'filling in missing series not allowed for set operators');
  }
}

function checkAggregation(
  expr: Aggregation,
  experimental: ExperimentalSyntax,
  expectType: ExpectType,
  fail: Fail,
): void {
  const { operator, parameter } = expr;
  if (!experimental.functions && (operator === 'limitk' || operator === 'limit_ratio')) {
    const flag = '--enable-feature=promql-experimental-functions';
    fail(expr.span, `${operator}() is experimental and must be enabled with ${flag}`);
  }
  expectType(expr.inner, 'vector', 'aggregation expression');
  if (parameter === undefined) return;
  const wanted = operator === 'count_values' ? 'string' : 'scalar';
  expectType(parameter, wanted, 'aggregation parameter');
}

function checkCall(
  expr: Call,
  experimental: ExperimentalSyntax,
  expectType: ExpectType,
  fail: Fail,
): void {
  const signature = functionSignatures.get(expr.name);
  if (signature === undefined) {
    fail(expr.span, `unknown function with name "${expr.name}"`);
    return;
  }
  const { name, argTypes, optionalCount, repeatCount } = signature;
  if (signature.experimental && !experimental.functions) {
    fail(expr.span, `function "${name}" is not enabled`);
  }
  const countMin = argTypes.length - optionalCount;
  const countMax = argTypes.length + repeatCount;
  const count = expr.args.length;
  const exact = countMin === countMax;
  const problem = (words: string, wanted: number) =>
    fail(expr.span, `expected ${words}${wanted} argument(s) in call to "${name}", got ${count}`);
  if (exact && count !== countMin) problem('', countMin);
  if (count < countMin) problem('at least ', countMin);
  if (count > countMax) problem('at most ', countMax);
  for (let i = 0; i < count; i++) {
    const wanted = argTypes[Math.min(i, argTypes.length - 1)];
    expectType(expr.args[i], wanted, `call to function "${name}"`);
  }
  if (name === 'info' && count > 1) {
    const selector = expr.args[1];
    const plain = selector.kind === 'vector' && selector.name === '';
    if (!plain) fail(selector.span, 'expected label selectors only');
  }
}
