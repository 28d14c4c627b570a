/** A query's syntax tree as Prometheus' `parse_query` answers it. */
import type { Matcher } from '@tyto/model';
import {
  type AtModifier,
  type Binary,
  type Duration,
  type Expr,
  type FunctionSignature,
  functionSignatures,
  type TimeModifiers,
  type VectorSelector,
} from '@tyto/syntax';

type Json = Readonly<Record<string, unknown>>;

export function parsedQuery(expr: Expr): Json {
  switch (expr.kind) {
    case 'aggregation':
      return {
        type: 'aggregation',
        op: expr.operator,
        expr: parsedQuery(expr.inner),
        param: expr.parameter === undefined ? null : parsedQuery(expr.parameter),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expr.operator,
        lhs: parsedQuery(expr.left),
        rhs: parsedQuery(expr.right),
        matching: matchingJson(expr),
        bool: expr.returnBool,
      };
    case 'call': {
      const { name, args } = expr;
      return { type: 'call', func: functionJson(name), args: args.map(parsedQuery) };
    }
    case 'matrix': {
      const selector = selectorJson(expr.selector);
      return { type: 'matrixSelector', ...selector, range: fixedMs(expr.range) };
    }
    case 'subquery':
      return {
        type: 'subquery',
        expr: parsedQuery(expr.inner),
        range: fixedMs(expr.range),
        step: expr.step === undefined ? 0 : fixedMs(expr.step),
        ...timeJson(expr),
      };
    case 'number':
      return { type: 'numberLiteral', val: plainDecimal(expr.value) };
    case 'paren':
      return { type: 'parenExpr', expr: parsedQuery(expr.inner) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'unary':
      return { type: 'unaryExpr', op: expr.operator, expr: parsedQuery(expr.operand) };
    case 'vector':
      return { type: 'vectorSelector', ...selectorJson(expr) };
  }
}

function matchingJson({ matching }: Binary): Json | null {
  if (matching === undefined) return null;
  const { cardinality, labels, on, include, fillLeft = null, fillRight = null } = matching;
  const fillValues = { lhs: fillLeft, rhs: fillRight };
  return { card: cardinality, labels, on, include, fillValues };
}

function functionJson(name: string): Json {
  const { argTypes, returnType, ...counts } = functionSignatures.get(name) as FunctionSignature;
  return { name, argTypes, variadic: variadicOf(counts), returnType };
}

/** How many arguments may come or go at the end; -1 for any number. */
function variadicOf(counts: Pick<FunctionSignature, 'optionalCount' | 'repeatCount'>): number {
  const { optionalCount, repeatCount } = counts;
  return repeatCount === Infinity ? -1 : optionalCount + repeatCount;
}

function selectorJson(selector: VectorSelector): Json {
  const { name, matchers, anchored, smoothed } = selector;
  return { name, matchers: matchers.map(matcherJson), ...timeJson(selector), anchored, smoothed };
}

function matcherJson({ name, value, type }: Matcher): Json {
  return { name, value, type };
}

function timeJson({ offset, at }: TimeModifiers): Json {
  return { offset: fixedMs(offset), ...atJson(at) };
}

function atJson(at: AtModifier | undefined): Json {
  if (at === undefined) return { timestamp: null, startOrEnd: null };
  if (at.type === 'time') return { timestamp: at.timeMs, startOrEnd: null };
  return { timestamp: null, startOrEnd: at.type };
}

/** What is only known when the query runs counts as 0, as in Prometheus. */
function fixedMs(duration: Duration): number {
  return duration.kind === 'fixed' ? duration.ms : 0;
}

/** The shortest digits that tell the number, never with an exponent. */
export function plainDecimal(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [digits, exponentText] = Math.abs(value).toExponential().split('e');
  const [whole, fraction = ''] = digits.split('.');
  const all = whole + fraction;
  const point = 1 + Number(exponentText);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${all}`;
  if (point >= all.length) return sign + all + '0'.repeat(point - all.length);
  return `${sign}${all.slice(0, point)}.${all.slice(point)}`;
}
