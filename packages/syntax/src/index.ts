export {
  type Aggregation,
  type AggregationOperator,
  type ArithmeticOperator,
  type AtModifier,
  type Binary,
  type BinaryOperator,
  type Call,
  type Cardinality,
  type ComparisonOperator,
  type Duration,
  type DurationExpr,
  type DurationOperator,
  type Expr,
  isComparison,
  isSetOperator,
  type MatrixSelector,
  NO_OFFSET,
  type NumberLiteral,
  type Paren,
  type SetOperator,
  type Span,
  type StringLiteral,
  type Subquery,
  type TimeModifiers,
  type Unary,
  type ValueType,
  type VectorMatching,
  type VectorSelector,
} from './ast.ts';
export { type ExperimentalSyntax, typeOf } from './check.ts';
export { type DurationContext, durationMs } from './durations.ts';
export { type FunctionSignature, functionSignatures } from './functions.ts';
export { AGGREGATORS, describeToken, type Token, type TokenType, tokenize } from './lexer.ts';
export {
  formatNumber,
  parseDurationSeconds,
  parseNumber,
  quoteInvalid,
  quoteString,
  unquote,
} from './literals.ts';
export { parseExpr, type ParseOptions, parseSelector } from './parser.ts';
export { prettyExpr } from './pretty.ts';
export { formatExpr } from './printer.ts';
export { lineAndColumn, ParseError } from './problems.ts';
export { childrenOf, mapSelectors, unwrapParens, walkExpr } from './walk.ts';
export type {
  LabelChoice,
  LabelExtraction,
  LabelFilter,
  LabelFormat,
  LineFilter,
  LogPipeline,
  LogqlAggregation,
  LogqlAggregationOperator,
  LogqlBinary,
  LogqlBinaryOperator,
  LogqlExpr,
  LogqlGrouping,
  LogqlMetric,
  LogqlStage,
  NumberLabelFilter,
  RangeAggregation,
  RangeOperator,
  Unwrap,
} from './logql/ast.ts';
export { parseJsonPath } from './logql/jsonPaths.ts';
export { tokenizeLogql } from './logql/lexer.ts';
export {
  LOGQL_AGGREGATORS,
  parseLogPipeline,
  parseLogql,
  parseLogSelector,
  RANGE_OPERATORS,
} from './logql/parser.ts';
export { parseLinePattern, parsePattern, type PatternPart } from './logql/patterns.ts';
export { prettyLogql } from './logql/pretty.ts';
export { formatLogql } from './logql/printer.ts';
export { parseBytes, parseGoDuration } from './logql/units.ts';
export { pipelinesOf } from './logql/walk.ts';
