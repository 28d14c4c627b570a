/**
 * Durations as expressions: `[5m * 2]`, `offset (step() + 1s)`. What is known at parse time is
 * computed at once; the rest waits for the query's range and step.
 */
import type { Duration, DurationExpr, DurationOperator, Span } from './ast.ts';
import { parseDurationSeconds, parseNumber } from './literals.ts';
import type { ParseError } from './problems.ts';
import type { TokenCursor } from './tokenCursor.ts';

/** 2^63 nanoseconds in seconds. */
const DURATION_S_MAX = 9_223_372_036;

const PRECEDENCE: Readonly<Record<string, number>> = {
  '+': 1,
  '-': 1,
  '*': 2,
  '/': 2,
  '%': 2,
  '^': 3,
};

/** What `step()` and `range()` stand for, in seconds. */
export interface DurationContext {
  readonly stepS: number;
  readonly rangeS: number;
}

/** Between brackets any expression goes; `positive` is demanded of ranges and steps. */
export function parseBracketDuration(cursor: TokenCursor, positive: boolean): Duration {
  const start = cursor.peek().start;
  const expr = parseBinary(cursor, 1);
  return settled(cursor, expr, { start, end: cursor.previousEnd }, positive);
}

/** After `offset` only one term is taken; more than that needs parentheses. */
export function parseOffsetDuration(cursor: TokenCursor): Duration {
  const start = cursor.peek().start;
  const expr = parseTerm(cursor, 'offset', true);
  return settled(cursor, expr, { start, end: cursor.previousEnd }, false);
}

function settled(cursor: TokenCursor, expr: DurationExpr, span: Span, positive: boolean): Duration {
  const seconds = evaluateDuration(expr, undefined, (at, reason) => cursor.problem(at, reason));
  if (seconds === undefined) return { kind: 'computed', expr };
  const isPlain =
    expr.kind === 'number' || (expr.kind === 'unary' && expr.operand.kind === 'number');
  // Of computed durations the sign is checked when the query runs, as in Prometheus.
  if (positive && isPlain && !(seconds > 0)) {
    throw cursor.problem(span, 'duration must be greater than 0');
  }
  if (!(Math.abs(seconds) <= DURATION_S_MAX)) {
    throw cursor.problem(span, 'duration out of range');
  }
  const ms = Math.round(seconds * 1000);
  return isPlain ? { kind: 'fixed', ms } : { kind: 'computed', expr };
}

/** Milliseconds of a duration, once the query's range and step are known. */
export function durationMs(duration: Duration, context: DurationContext): number {
  if (duration.kind === 'fixed') return duration.ms;
  return Math.round((evaluateDuration(duration.expr, context) ?? 0) * 1000);
}

/** Seconds, or undefined where the context is needed and not given. */
function evaluateDuration(
  expr: DurationExpr,
  context: DurationContext | undefined,
  problem?: (span: Span, reason: string) => ParseError,
): number | undefined {
  switch (expr.kind) {
    case 'number':
      return expr.value;
    case 'paren':
      return evaluateDuration(expr.inner, context, problem);
    case 'unary': {
      const value = evaluateDuration(expr.operand, context, problem);
      return value === undefined || expr.operator === '+' ? value : -value;
    }
    case 'call': {
      if (expr.name === 'step') return context?.stepS;
      if (expr.name === 'range') return context?.rangeS;
      const [a, b] = expr.args.map((arg) => evaluateDuration(arg, context, problem));
      if (a === undefined || b === undefined) return undefined;
      return expr.name === 'min_of' ? Math.min(a, b) : Math.max(a, b);
    }
    case 'binary': {
      const left = evaluateDuration(expr.left, context, problem);
      const right = evaluateDuration(expr.right, context, problem);
      const divides = expr.operator === '/' || expr.operator === '%';
      if (divides && right === 0 && problem !== undefined) {
        const word = expr.operator === '/' ? 'division' : 'modulo';
        throw problem(expr.span, `${word} by zero`);
      }
      if (left === undefined || right === undefined) return undefined;
      return compute(expr.operator, left, right);
    }
  }
}

function compute(operator: DurationOperator, left: number, right: number): number {
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
      return left ** right;
  }
}

function parseBinary(cursor: TokenCursor, precedenceMin: number): DurationExpr {
  let left = parseTerm(cursor, 'duration', false);
  for (;;) {
    const token = cursor.peek();
    const precedence = token.type === 'operator' ? (PRECEDENCE[token.text] ?? 0) : 0;
    if (precedence < precedenceMin || precedence === 0) return left;
    cursor.next();
    cursor.countOperator(token);
    const right = parseBinary(cursor, precedence === 3 ? precedence : precedence + 1);
    const operator = token.text as DurationOperator;
    const span = { start: token.start, end: token.end };
    left = { kind: 'binary', operator, left, right, span };
  }
}

function parseTerm(cursor: TokenCursor, context: string, tight: boolean): DurationExpr {
  cursor.descend();
  const term = parseInside(cursor, context, tight);
  cursor.ascend();
  return term;
}

function parseInside(cursor: TokenCursor, context: string, tight: boolean): DurationExpr {
  const token = cursor.peek();
  if (token.type === 'operator' && (token.text === '-' || token.text === '+')) {
    cursor.next();
    const operand = tight ? parseTerm(cursor, context, true) : parseBinary(cursor, 3);
    return { kind: 'unary', operator: token.text, operand };
  }
  if (token.type === 'number' || token.type === 'duration') {
    cursor.next();
    const isDuration = token.type === 'duration';
    const value = isDuration ? parseDurationSeconds(token.text) : parseNumber(token.text);
    if (value === undefined) {
      throw cursor.problem(token, `not a valid duration string: "${token.text}"`);
    }
    return { kind: 'number', value, isDuration };
  }
  if (token.text === '(' && token.type === 'punctuation') {
    cursor.next();
    const inner = parseBinary(cursor, 1);
    cursor.expect(')');
    return { kind: 'paren', inner };
  }
  const name = token.text.toLowerCase();
  if (cursor.peek(1).text === '(') {
    if (name === 'step' || name === 'range') return parseCall(cursor, name, 0);
    if (name === 'min_of' || name === 'max_of') return parseCall(cursor, name, 2);
  }
  const place = context === 'offset' ? 'offset' : 'subquery or range selector';
  throw cursor.unexpected(place, 'number, duration, step(), or range()');
}

function parseCall(
  cursor: TokenCursor,
  name: 'step' | 'range' | 'min_of' | 'max_of',
  argCount: number,
): DurationExpr {
  cursor.next();
  cursor.expect('(');
  const args: DurationExpr[] = [];
  for (let i = 0; i < argCount; i++) {
    if (i > 0) cursor.expect(',');
    args.push(parseBinary(cursor, 1));
  }
  cursor.expect(')');
  return { kind: 'call', name, args };
}
