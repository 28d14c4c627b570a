/** What a metric expression must keep to beside the grammar, in Loki's words. */
import type { Span } from '../ast.ts';
import type {
  LogqlAggregationOperator,
  LogqlBinary,
  LogqlGrouping,
  RangeAggregation,
  RangeOperator,
} from './ast.ts';
import { wholeProblem } from './problems.ts';

const GROUPED: ReadonlySet<string> = new Set<RangeOperator>([
  'avg_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'quantile_over_time',
  'max_over_time',
  'min_over_time',
  'first_over_time',
  'last_over_time',
]);

const OF_LINES: ReadonlySet<string> = new Set<RangeOperator>([
  'bytes_over_time',
  'bytes_rate',
  'count_over_time',
  'rate',
  'absent_over_time',
]);

/** Of lines only: the number or the size of lines has no label. */
const NOT_OF_VALUES: ReadonlySet<string> = new Set<RangeOperator>([
  'bytes_over_time',
  'bytes_rate',
  'count_over_time',
]);

/** Throws ParseError. */
export function checkRange(text: string, node: RangeAggregation): void {
  const { operator, parameter, grouping, unwrap, span } = node;
  const problem = (reason: string) => wholeProblem(text, span, reason);
  const isQuantile = operator === 'quantile_over_time';
  if (isQuantile && parameter === undefined) {
    throw problem(`parameter required for operation ${operator}`);
  }
  if (!isQuantile && parameter !== undefined) {
    throw problem(`parameter ${parameter} not supported for operation ${operator}`);
  }
  if (grouping !== undefined && !GROUPED.has(operator)) {
    throw problem(`grouping not allowed for ${operator} aggregation`);
  }
  if (unwrap !== undefined && NOT_OF_VALUES.has(operator)) {
    throw problem(`invalid aggregation ${operator} with unwrap`);
  }
  if (unwrap === undefined && !OF_LINES.has(operator)) {
    throw problem(`invalid aggregation ${operator} without unwrap`);
  }
}

interface AggregationHead {
  readonly operator: LogqlAggregationOperator;
  readonly grouping: LogqlGrouping | undefined;
  /** As written. */
  readonly parameter: string | undefined;
  readonly span: Span;
}

/** The parameter of an aggregation. Throws ParseError. */
export function checkAggregation(
  text: string,
  { operator, grouping, parameter, span }: AggregationHead,
): number | undefined {
  const problem = (reason: string) => wholeProblem(text, span, reason);
  if (operator.startsWith('sort') && grouping !== undefined) {
    throw problem(`grouping not allowed for ${operator} aggregation`);
  }
  if (operator === 'approx_topk' && grouping !== undefined) {
    throw problem(`grouping not allowed for ${operator} aggregation`);
  }
  if (!/topk$|^bottomk$/.test(operator)) {
    if (parameter === undefined) return undefined;
    throw problem(`unsupported parameter for operation ${operator}(${parameter},`);
  }
  if (parameter === undefined) throw problem(`parameter required for operation ${operator}`);
  const value = Number(parameter);
  if (!Number.isSafeInteger(value)) throw problem(`invalid parameter ${operator}(${parameter},`);
  if (value > 0) return value;
  throw problem(`invalid parameter (must be greater than 0) ${operator}(${parameter}`);
}

/** Throws ParseError. */
export function checkBinary(text: string, { operator, left, right, span }: LogqlBinary): void {
  if (operator !== 'and' && operator !== 'or' && operator !== 'unless') return;
  for (const [side, node] of [
    ['left', left],
    ['right', right],
  ] as const) {
    if (node.kind !== 'number') continue;
    const reason = `unexpected literal for ${side} leg of logical/set binary operation`;
    throw wholeProblem(text, span, `${reason} (${operator}): ${node.value.toFixed(6)}`);
  }
}
