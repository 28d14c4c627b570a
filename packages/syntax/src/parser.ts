/**
 * The parser: recursive descent with precedence climbing over the grammar of Prometheus 3.
 * Postfix modifiers bind tighter than any operator, `^` is right-associative, and a sign binds
 * like `*`, so that `-1 ^ 2` is `-(1 ^ 2)`. The first problem throws ParseError.
 */
import { createMatcher, type Matcher, type MatchType, METRIC_NAME } from '@tyto/model';
import { errorMessage } from '@tyto/base';
import {
  type AggregationOperator,
  type AtModifier,
  type BinaryOperator,
  type Duration,
  type Expr,
  isSetOperator,
  NO_OFFSET,
  type Span,
  type VectorSelector,
} from './ast.ts';
import { checkTypes, type ExperimentalSyntax, typeOf } from './check.ts';
import { parseBracketDuration, parseOffsetDuration } from './durations.ts';
import { functionSignatures } from './functions.ts';
import { parseDurationSeconds, parseNumber } from './literals.ts';
import {
  DEFAULT_MATCHING,
  type MatchingClause,
  parseLabelList,
  parseMatching,
} from './matching.ts';
import { ParseError } from './problems.ts';
import { TokenCursor } from './tokenCursor.ts';
import { PROMQL_PRECEDENCE } from './precedence.ts';

export interface ParseOptions {
  /** Which experimental parts may be used; true, the default, for all, false for none. */
  readonly experimental?: boolean | ExperimentalSyntax;
}

const POWER_PRECEDENCE = 6;

/** Longer than what dashboards make of lists with thousands of names. */
const TEXT_LENGTH_MAX = 1024 * 1024;
/** Matchers of one selector: each goes through all series, some hundred thousand of them. */
const MATCHER_COUNT_MAX = 1000;
/** Of all regular expressions that are no lists of names: a second or so to compile them. */
const PATTERN_LENGTH_MAX = 128 * 1024;
/** What the shortest pattern costs beside its length. */
const PATTERN_LENGTH_MIN = 64;

/** Parses and checks a PromQL expression. Throws ParseError, a TytoError `bad_data`. */
export function parseExpr(text: string, options: ParseOptions = {}): Expr {
  if (text.length > TEXT_LENGTH_MAX) {
    const start = { start: 0, end: 0 };
    throw new ParseError('', start, `the query is longer than ${TEXT_LENGTH_MAX} characters`);
  }
  const expr = new Parser(text).parse();
  checkTypes(text, expr, options.experimental ?? true);
  return expr;
}

/** Parses a selector without offset or range, as `match[]` has it, into its matchers. */
export function parseSelector(text: string): readonly Matcher[] {
  const expr = parseExpr(text);
  if (expr.kind === 'vector' && expr.at === undefined && expr.offset === NO_OFFSET) {
    return expr.matchers;
  }
  throw new TokenCursor(text).problem({ start: 0, end: text.length }, 'expected a series selector');
}

class Parser extends TokenCursor {
  #patternLength = 0;

  parse(): Expr {
    if (this.peek().type === 'eof') throw this.problem(this.peek(), 'no expression found in input');
    const expr = this.#expr(1);
    if (this.peek().type !== 'eof') throw this.unexpected();
    return expr;
  }

  #expr(precedenceMin: number): Expr {
    this.descend();
    let left = this.#unary();
    for (;;) {
      const token = this.peek();
      const precedence = token.type === 'operator' ? (PROMQL_PRECEDENCE[token.text] ?? 0) : 0;
      if (precedence < precedenceMin || precedence === 0) break;
      this.next();
      this.countOperator(token);
      const clause = parseMatching(this);
      const right = this.#expr(precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
      left = this.#binary(token.text as BinaryOperator, left, right, clause);
    }
    this.ascend();
    return left;
  }

  #binary(operator: BinaryOperator, left: Expr, right: Expr, clause: MatchingClause): Expr {
    const span = { start: left.span.start, end: right.span.end };
    const { returnBool } = clause;
    const bothVectors = typeOf(left) === 'vector' && typeOf(right) === 'vector';
    let matching = clause.matching ?? (bothVectors ? DEFAULT_MATCHING : undefined);
    if (matching?.cardinality === 'one-to-one' && isSetOperator(operator)) {
      matching = { ...matching, cardinality: 'many-to-many' };
    }
    // An empty list of labels says nothing, so it is forgiven between scalars.
    if (!bothVectors && matching?.labels.length === 0) matching = undefined;
    return { kind: 'binary', operator, left, right, returnBool, matching, span };
  }

  #unary(): Expr {
    const token = this.peek();
    if (token.type !== 'operator' || (token.text !== '-' && token.text !== '+')) {
      return this.#postfix(this.#primary());
    }
    this.next();
    const operand = this.#expr(POWER_PRECEDENCE);
    const span = { start: token.start, end: operand.span.end };
    if (operand.kind === 'number') {
      return { ...operand, value: token.text === '-' ? -operand.value : operand.value, span };
    }
    return { kind: 'unary', operator: token.text, operand, span };
  }

  #primary(): Expr {
    const token = this.peek();
    const span = { start: token.start, end: token.end };
    switch (token.type) {
      case 'number':
        this.next();
        return { kind: 'number', value: parseNumber(token.text) ?? NaN, isDuration: false, span };
      case 'duration': {
        this.next();
        const value = parseDurationSeconds(token.text);
        if (value === undefined) {
          throw this.problem(span, `not a valid duration string: "${token.text}"`);
        }
        return { kind: 'number', value, isDuration: true, span };
      }
      case 'string':
        return { kind: 'string', ...this.stringLiteral(), span };
      case 'aggregator':
        if (this.#startsAggregation()) return this.#aggregation();
        return this.#selector();
      case 'identifier':
      case 'keyword':
        if (this.peek(1).text === '(' && isCallable(token.type, token.text)) return this.#call();
        return this.#selector();
      case 'operator':
        if (!/^[a-z]/.test(token.text)) throw this.unexpected();
        return this.#selector();
      case 'metric':
        return this.#selector();
      default:
        break;
    }
    if (token.text === '{') return this.#selector();
    if (token.text !== '(') throw this.unexpected();
    this.next();
    const inner = this.#expr(1);
    const close = this.expect(')');
    return { kind: 'paren', inner, span: { start: token.start, end: close.end } };
  }

  #startsAggregation(): boolean {
    const next = this.peek(1);
    if (next.text === '(') return true;
    return next.type === 'keyword' && (next.text === 'by' || next.text === 'without');
  }

  #call(): Expr {
    const token = this.next();
    // Function names are written in small letters; keywords among them are taken in any case.
    const name = token.type === 'keyword' ? token.text : this.textOf(token);
    const args = this.#arguments();
    const span = { start: token.start, end: this.previousEnd };
    if (!functionSignatures.has(name)) {
      throw this.problem(span, `unknown function with name "${name}"`);
    }
    return { kind: 'call', name, args, span };
  }

  #arguments(): Expr[] {
    this.expect('(');
    const args: Expr[] = [];
    if (this.take(')')) return args;
    for (;;) {
      args.push(this.#expr(1));
      if (this.take(')')) return args;
      const comma = this.expect(',');
      if (this.peek().text === ')') {
        throw this.problem(comma, 'trailing commas not allowed in function call args');
      }
    }
  }

  #aggregation(): Expr {
    const token = this.next();
    let grouping: string[] | undefined;
    let without = false;
    const modifier = () => {
      const keyword = this.peek();
      if (keyword.type !== 'keyword' || !/^(by|without)$/.test(keyword.text)) return;
      this.next();
      without = keyword.text === 'without';
      grouping = parseLabelList(this);
    };
    modifier();
    const args = this.#arguments();
    if (grouping === undefined) modifier();
    const span = { start: token.start, end: this.previousEnd };
    const operator = token.text as AggregationOperator;
    if (args.length === 0) {
      throw this.problem(span, 'no arguments for aggregate expression provided');
    }
    const wanted = PARAMETRIC.has(operator) ? 2 : 1;
    if (args.length !== wanted) {
      const message = 'wrong number of arguments for aggregate expression provided';
      throw this.problem(span, `${message}, expected ${wanted}, got ${args.length}`);
    }
    const inner = args[wanted - 1];
    const parameter = wanted === 2 ? args[0] : undefined;
    return {
      kind: 'aggregation',
      operator,
      inner,
      parameter,
      grouping: grouping ?? [],
      without,
      span,
    };
  }

  #selector(): VectorSelector {
    const start = this.peek();
    const matchers: Matcher[] = [];
    let name = '';
    if (start.text !== '{' || start.type !== 'punctuation') {
      name = this.textOf(this.next());
      matchers.push(createMatcher('=', METRIC_NAME, name));
    }
    if (this.peek().text === '{' && this.peek().type === 'punctuation') {
      name = this.#labelMatchers(name, start.start, matchers);
    }
    const span = { start: start.start, end: this.previousEnd };
    const modifiers = { offset: NO_OFFSET, at: undefined, anchored: false, smoothed: false };
    return { kind: 'vector', name, matchers, ...modifiers, span };
  }

  /** Reads `{…}` into `matchers`; returns the metric name, which may be quoted inside. */
  #labelMatchers(outerName: string, start: number, matchers: Matcher[]): string {
    let name = outerName;
    this.expect('{');
    while (!this.take('}')) {
      const token = this.peek();
      if (token.type !== 'identifier' && token.type !== 'string') {
        throw this.unexpected('label matching', 'identifier or "}"');
      }
      const label = token.type === 'string' ? this.stringValue() : this.next().text;
      const operator = this.peek();
      if (!/^(=|!=|=~|!~)$/.test(operator.text) || operator.type !== 'punctuation') {
        if (token.type !== 'string') {
          throw this.unexpected('label matching', 'label matching operator');
        }
        name = this.#quotedName(name, label, start, token);
        matchers.push(createMatcher('=', METRIC_NAME, label));
      } else {
        this.next();
        matchers.push(this.#matcher(label, operator.text as MatchType));
      }
      if (matchers.length > MATCHER_COUNT_MAX) {
        throw this.problem(token, `a selector has more than ${MATCHER_COUNT_MAX} matchers`);
      }
      if (this.take('}')) break;
      if (!this.take(',')) throw this.unexpected('label matching', '"," or "}"');
    }
    this.#refuseSecondName(outerName, start, matchers);
    return name;
  }

  #quotedName(name: string, label: string, start: number, token: Span): string {
    if (name === '') return label;
    const span = { start, end: token.end };
    throw this.problem(span, `metric name must not be set twice: "${name}" or "${label}"`);
  }

  #refuseSecondName(name: string, start: number, matchers: readonly Matcher[]): void {
    if (name === '') return;
    const second = matchers.slice(1).find((matcher) => matcher.name === METRIC_NAME);
    if (second === undefined || second.type !== '=') return;
    const span = { start, end: this.previousEnd };
    throw this.problem(span, `metric name must not be set twice: "${name}" or "${second.value}"`);
  }

  #matcher(label: string, type: MatchType): Matcher {
    const token = this.peek();
    if (token.type !== 'string') throw this.unexpected('label matching', 'string');
    const value = this.stringValue();
    try {
      const matcher = createMatcher(type, label, value);
      this.#countPattern(matcher, token);
      return matcher;
    } catch (error) {
      if (error instanceof ParseError) throw error;
      throw this.problem(token, errorMessage(error));
    }
  }

  #countPattern({ regexp, value }: Matcher, token: Span): void {
    if (regexp === undefined || regexp.literals !== undefined) return;
    this.#patternLength += value.length + PATTERN_LENGTH_MIN;
    if (this.#patternLength <= PATTERN_LENGTH_MAX) return;
    const reason = 'the regular expressions of the query are too many, or too long together';
    throw this.problem(token, reason);
  }

  /** Applies `[…]`, `offset`, `@`, `anchored` and `smoothed` as often as they come. */
  #postfix(primary: Expr): Expr {
    let expr = primary;
    for (;;) {
      const token = this.peek();
      if (token.type === 'punctuation' && token.text === '[') expr = this.#brackets(expr);
      else if (token.type === 'punctuation' && token.text === '@') expr = this.#at(expr);
      else if (token.type === 'keyword' && token.text === 'offset') expr = this.#offset(expr);
      else if (token.type === 'keyword' && /^(anchored|smoothed)$/.test(token.text)) {
        this.next();
        expr = this.#extended(expr, token.text as 'anchored' | 'smoothed');
      } else return expr;
    }
  }

  #brackets(expr: Expr): Expr {
    const open = this.next();
    if (this.peek().text === ']') {
      const expected = 'number, duration, step(), or range()';
      throw this.unexpected('subquery or range selector', expected);
    }
    const range = parseBracketDuration(this, true);
    if (this.take(':')) {
      // Subqueries of subqueries are refused by their types, which are looked at from inside.
      this.countOperator(open);
      const step = this.peek().text === ']' ? undefined : parseBracketDuration(this, true);
      const close = this.expect(']', 'subquery selector');
      const span = { start: expr.span.start, end: close.end };
      const modifiers = { offset: NO_OFFSET, at: undefined };
      return { kind: 'subquery', inner: expr, range, step, ...modifiers, span };
    }
    const close = this.expect(']', 'subquery or range', '":" or "]"');
    const brackets = { start: open.start, end: close.end };
    if (expr.kind !== 'vector') {
      throw this.problem(brackets, 'ranges only allowed for vector selectors');
    }
    if (expr.at !== undefined) {
      throw this.problem(brackets, 'no @ modifiers allowed before range');
    }
    if (expr.offset !== NO_OFFSET) {
      throw this.problem(brackets, 'no offset modifiers allowed before range');
    }
    const span = { start: expr.span.start, end: close.end };
    return { kind: 'matrix', selector: expr, range, span };
  }

  #offset(expr: Expr): Expr {
    this.next();
    const offset = parseOffsetDuration(this);
    return this.#modified(expr, 'offset', (old) => {
      if (old.offset !== NO_OFFSET) {
        throw this.problem(expr.span, 'offset may not be set multiple times');
      }
      return { offset };
    });
  }

  #at(expr: Expr): Expr {
    this.next();
    const at = this.#atValue(expr);
    return this.#modified(expr, '@', (old) => {
      if (old.at !== undefined) {
        throw this.problem(expr.span, '@ <timestamp> may not be set multiple times');
      }
      return { at };
    });
  }

  #atValue(expr: Expr): AtModifier {
    const token = this.peek();
    if (token.type === 'keyword' && (token.text === 'start' || token.text === 'end')) {
      this.next();
      this.expect('(', '@');
      this.expect(')', '@');
      return { type: token.text };
    }
    let sign = 1;
    if (token.type === 'operator' && (token.text === '-' || token.text === '+')) {
      this.next();
      if (token.text === '-') sign = -1;
    }
    const number = this.peek();
    if (number.type !== 'number' && number.type !== 'duration') {
      throw this.unexpected('@', 'timestamp');
    }
    this.next();
    const parse = number.type === 'number' ? parseNumber : parseDurationSeconds;
    const seconds = sign * (parse(number.text) ?? NaN);
    if (!Number.isFinite(seconds) || Math.abs(seconds) > TIME_S_MAX) {
      const shown = Number.isNaN(seconds) ? 'NaN' : formatBound(seconds);
      throw this.problem(expr.span, `timestamp out of bounds for @ modifier: ${shown}`);
    }
    return { type: 'time', timeMs: Math.round(seconds * 1000) };
  }

  #modified(
    expr: Expr,
    name: string,
    change: (old: { offset: Duration; at: AtModifier | undefined }) => object,
  ): Expr {
    const span = { start: expr.span.start, end: this.previousEnd };
    if (expr.kind === 'vector' || expr.kind === 'subquery') {
      return { ...expr, ...change(expr), span };
    }
    if (expr.kind === 'matrix') {
      return { ...expr, selector: { ...expr.selector, ...change(expr.selector) }, span };
    }
    const subject = name === 'offset' ? 'offset modifier' : '@ modifier';
    throw this.problem(
      expr.span,
      `${subject} must be preceded by an instant vector selector or range vector selector or a ` +
        `subquery, but follows a ${expr.kind} instead`,
    );
  }

  #extended(expr: Expr, word: 'anchored' | 'smoothed'): Expr {
    const span = { start: expr.span.start, end: this.previousEnd };
    if (expr.kind === 'vector') return { ...expr, [word]: true, span };
    if (expr.kind === 'matrix') {
      return { ...expr, selector: { ...expr.selector, [word]: true }, span };
    }
    throw this.problem(expr.span, `${word} modifier not implemented for ${expr.kind}`);
  }
}

/** Beyond these the milliseconds leave 64 bits. */
const TIME_S_MAX = 2 ** 63 / 1000;

const PARAMETRIC: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);

function isCallable(type: string, text: string): boolean {
  return type === 'identifier' || /^(start|end|step|range)$/.test(text);
}

function formatBound(seconds: number): string {
  if (Number.isFinite(seconds)) return String(seconds);
  return seconds > 0 ? '+Inf' : '-Inf';
}
