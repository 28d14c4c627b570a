/**
 * The canonical text of an expression, on one line. It parses back to the same tree: parentheses
 * that a tree needs and does not have are added. Matchers are printed in sorted order.
 */
import { formatDuration } from '@tyto/base';
import { isClassicLabelName, isClassicMetricName, type Matcher, METRIC_NAME } from '@tyto/model';
import type {
  Aggregation,
  Binary,
  Duration,
  DurationExpr,
  Expr,
  TimeModifiers,
  VectorMatching,
  VectorSelector,
} from './ast.ts';
import { formatNumber, quoteString } from './literals.ts';
import { PROMQL_PRECEDENCE } from './precedence.ts';

const SIGN_PRECEDENCE = 5;
const POSTFIX_PRECEDENCE = 7;

export function formatExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return formatNumberLiteral(expr.value, expr.isDuration);
    case 'string':
      return quoteString(expr.value);
    case 'paren':
      return `(${formatExpr(expr.inner)})`;
    case 'vector':
      return formatSelector(expr) + extension(expr) + formatModifiers(expr);
    case 'matrix': {
      const range = formatDurationOf(expr.range);
      const { selector } = expr;
      const text = `${formatSelector(selector)}[${range}]`;
      return text + extension(selector) + formatModifiers(selector);
    }
    case 'subquery': {
      const step = expr.step === undefined ? '' : formatDurationOf(expr.step);
      const inner = operandText(expr.inner, POSTFIX_PRECEDENCE);
      return `${inner}[${formatDurationOf(expr.range)}:${step}]${formatModifiers(expr)}`;
    }
    case 'call':
      return `${expr.name}(${expr.args.map(formatExpr).join(', ')})`;
    case 'aggregation':
      return formatAggregation(expr);
    case 'unary':
      return expr.operator + operandText(expr.operand, SIGN_PRECEDENCE + 1);
    case 'binary':
      return formatBinary(expr);
  }
}

function formatNumberLiteral(value: number, isDuration: boolean): string {
  if (!isDuration) return formatNumber(value);
  const text = formatDuration(Math.abs(value) * 1000);
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** The text of an operand, in parentheses where it binds looser than its place demands. */
function operandText(expr: Expr, precedence: number): string {
  const text = formatExpr(expr);
  return bindingOf(expr) < precedence ? `(${text})` : text;
}

function bindingOf(expr: Expr): number {
  if (expr.kind === 'binary') return PROMQL_PRECEDENCE[expr.operator];
  if (expr.kind === 'unary') return SIGN_PRECEDENCE;
  // A negative literal is read as a sign and a number.
  if (expr.kind === 'number' && (expr.value < 0 || Object.is(expr.value, -0))) {
    return SIGN_PRECEDENCE;
  }
  if (expr.kind === 'number' && expr.value === Number.POSITIVE_INFINITY) return SIGN_PRECEDENCE;
  return POSTFIX_PRECEDENCE;
}

function formatBinary(expr: Binary): string {
  const precedence = PROMQL_PRECEDENCE[expr.operator];
  const rightAssociative = expr.operator === '^';
  const left = operandText(expr.left, precedence + (rightAssociative ? 1 : 0));
  const right = operandText(expr.right, precedence + (rightAssociative ? 0 : 1));
  const bool = expr.returnBool ? ' bool' : '';
  return `${left} ${expr.operator}${bool}${formatMatching(expr.matching)} ${right}`;
}

/** ` on (…) group_left (…)`, '' for the default matching. */
export function formatMatching(matching: VectorMatching | undefined): string {
  if (matching === undefined) return '';
  const { labels, on, cardinality, include, fillLeft, fillRight } = matching;
  const grouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  let text = '';
  if (on || labels.length > 0 || grouped) {
    text += ` ${on ? 'on' : 'ignoring'} (${formatLabels(labels)})`;
  }
  if (grouped) {
    const side = cardinality === 'many-to-one' ? 'group_left' : 'group_right';
    text += ` ${side} (${formatLabels(include)})`;
  }
  if (fillLeft !== undefined && Object.is(fillLeft, fillRight)) {
    return `${text} fill (${formatNumber(fillLeft)})`;
  }
  if (fillLeft !== undefined) text += ` fill_left (${formatNumber(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatNumber(fillRight)})`;
  return text;
}

function formatAggregation(expr: Aggregation): string {
  const parameter = expr.parameter === undefined ? '' : `${formatExpr(expr.parameter)}, `;
  const body = `(${parameter}${formatExpr(expr.inner)})`;
  return formatAggregationHead(expr) + body;
}

/** `sum by (a) `, or `sum` where nothing is grouped by. */
export function formatAggregationHead(expr: Aggregation): string {
  const { operator, grouping, without } = expr;
  if (without) return `${operator} without (${formatLabels(grouping)}) `;
  return grouping.length === 0 ? operator : `${operator} by (${formatLabels(grouping)}) `;
}

function formatLabels(labels: readonly string[]): string {
  return labels.map(formatLabelName).join(', ');
}

function formatLabelName(name: string): string {
  return isClassicLabelName(name) ? name : quoteString(name);
}

/** Name and matchers, without modifiers. */
function formatSelector(selector: VectorSelector): string {
  const { name, matchers } = selector;
  const isName = (matcher: Matcher) =>
    matcher.name === METRIC_NAME && matcher.type === '=' && matcher.value === name;
  const nameIndex = name === '' ? -1 : matchers.findIndex(isName);
  const plain = isClassicMetricName(name);
  const inside = matchers
    .filter((_, index) => index !== nameIndex)
    .map(({ name: label, type, value }) => formatLabelName(label) + type + quoteString(value))
    .sort();
  if (name !== '' && !plain) inside.unshift(quoteString(name));
  if (inside.length === 0) return plain ? name : '{}';
  return `${plain ? name : ''}{${inside.join(',')}}`;
}

function extension(selector: VectorSelector): string {
  return (selector.anchored ? ' anchored' : '') + (selector.smoothed ? ' smoothed' : '');
}

function formatModifiers({ at, offset }: TimeModifiers): string {
  let text = '';
  if (at?.type === 'time') text += ` @ ${(at.timeMs / 1000).toFixed(3)}`;
  else if (at !== undefined) text += ` @ ${at.type}()`;
  if (offset.kind === 'computed' || offset.ms !== 0) text += ` offset ${formatDurationOf(offset)}`;
  return text;
}

function formatDurationOf(duration: Duration): string {
  return duration.kind === 'fixed'
    ? formatDuration(duration.ms)
    : formatDurationExpr(duration.expr);
}

function formatDurationExpr(expr: DurationExpr): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration ? formatDuration(expr.value * 1000) : formatNumber(expr.value);
    case 'unary':
      return expr.operator + formatDurationExpr(expr.operand);
    case 'paren':
      return `(${formatDurationExpr(expr.inner)})`;
    case 'call':
      return `${expr.name}(${expr.args.map(formatDurationExpr).join(', ')})`;
    case 'binary': {
      const left = formatDurationExpr(expr.left);
      return `${left} ${expr.operator} ${formatDurationExpr(expr.right)}`;
    }
  }
}
