/**
 * The syntax tree of PromQL: plain data, a union over `kind`. Every node carries the half-open
 * range of UTF-16 offsets that it was parsed from. Durations are milliseconds, except in duration
 * expressions, which count in seconds as the language does.
 */
import type { Matcher } from '@tyto/model';

export interface Span {
  readonly start: number;
  readonly end: number;
}

export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix';

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | Unary
  | Binary
  | Paren;

export interface NumberLiteral {
  readonly kind: 'number';
  readonly value: number;
  /** Written as a duration, such as `5m`. */
  readonly isDuration: boolean;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  /** As Go quotes it, where its bytes are no UTF-8; `value` has U+FFFD in the place of those. */
  readonly invalid?: string;
  readonly span: Span;
}

/** Where `@` pins the evaluation time. */
export type AtModifier =
  | { readonly type: 'time'; readonly timeMs: number }
  | { readonly type: 'start' }
  | { readonly type: 'end' };

/** A fixed duration, or one that is known only when the query's range and step are. */
export type Duration =
  | { readonly kind: 'fixed'; readonly ms: number }
  | { readonly kind: 'computed'; readonly expr: DurationExpr };

export type DurationOperator = '+' | '-' | '*' | '/' | '%' | '^';

export type DurationExpr =
  | { readonly kind: 'number'; readonly value: number; readonly isDuration: boolean }
  | { readonly kind: 'unary'; readonly operator: '+' | '-'; readonly operand: DurationExpr }
  | {
      readonly kind: 'binary';
      readonly operator: DurationOperator;
      readonly left: DurationExpr;
      readonly right: DurationExpr;
      readonly span: Span;
    }
  | {
      readonly kind: 'call';
      readonly name: 'step' | 'range' | 'min_of' | 'max_of';
      readonly args: readonly DurationExpr[];
    }
  | { readonly kind: 'paren'; readonly inner: DurationExpr };

/** What `offset` and `@` say; an absent offset is a fixed 0. */
export interface TimeModifiers {
  readonly offset: Duration;
  readonly at: AtModifier | undefined;
}

export interface VectorSelector extends TimeModifiers {
  readonly kind: 'vector';
  /** The name written before the braces or quoted inside them, '' when there is none. */
  readonly name: string;
  /** All matchers, the one of the name among them. */
  readonly matchers: readonly Matcher[];
  readonly anchored: boolean;
  readonly smoothed: boolean;
  readonly span: Span;
}

export interface MatrixSelector {
  readonly kind: 'matrix';
  /** It carries the time modifiers of the whole. */
  readonly selector: VectorSelector;
  readonly range: Duration;
  readonly span: Span;
}

export interface Subquery extends TimeModifiers {
  readonly kind: 'subquery';
  readonly inner: Expr;
  readonly range: Duration;
  /** Undefined where the default resolution holds. */
  readonly step: Duration | undefined;
  readonly span: Span;
}

export interface Call {
  readonly kind: 'call';
  /** A name of the function table. */
  readonly name: string;
  readonly args: readonly Expr[];
  readonly span: Span;
}

export type AggregationOperator =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio';

export interface Aggregation {
  readonly kind: 'aggregation';
  readonly operator: AggregationOperator;
  readonly inner: Expr;
  readonly parameter: Expr | undefined;
  readonly grouping: readonly string[];
  readonly without: boolean;
  readonly span: Span;
}

export interface Unary {
  readonly kind: 'unary';
  readonly operator: '+' | '-';
  readonly operand: Expr;
  readonly span: Span;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2' | '</' | '>/';
export type ComparisonOperator = '==' | '!=' | '>' | '<' | '>=' | '<=';
export type SetOperator = 'and' | 'or' | 'unless';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;

export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

export interface VectorMatching {
  readonly cardinality: Cardinality;
  /** Whether `labels` are those that must agree; otherwise those that need not. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** The labels of group_left or group_right. */
  readonly include: readonly string[];
  /** What stands for a side without a partner. */
  readonly fillLeft: number | undefined;
  readonly fillRight: number | undefined;
}

export interface Binary {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly returnBool: boolean;
  /** Present where both sides are vectors. */
  readonly matching: VectorMatching | undefined;
  readonly span: Span;
}

export interface Paren {
  readonly kind: 'paren';
  readonly inner: Expr;
  readonly span: Span;
}

export const NO_OFFSET: Duration = { kind: 'fixed', ms: 0 };

export function isComparison(operator: BinaryOperator): operator is ComparisonOperator {
  return COMPARISONS.has(operator);
}

export function isSetOperator(operator: BinaryOperator): operator is SetOperator {
  return operator === 'and' || operator === 'or' || operator === 'unless';
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '>', '<', '>=', '<=']);
