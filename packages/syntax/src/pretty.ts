/**
 * An expression over several lines, as Prometheus' format_query lays it out: what is longer than
 * a line is split at its outermost operator, call or parenthesis, and its parts are indented.
 */
import type { Binary, Expr } from './ast.ts';
import { formatAggregationHead, formatExpr, formatMatching } from './printer.ts';

const WIDTH = 100;

/** The text of `expr` in lines of about `width` characters; it parses back to the same tree. */
export function prettyExpr(expr: Expr, width = WIDTH): string {
  return pretty(expr, 0, width);
}

function pretty(expr: Expr, level: number, width: number): string {
  const indent = '  '.repeat(level);
  const text = formatExpr(expr);
  // A sign belongs to what follows it, however long that is.
  if (expr.kind === 'unary' && expr.operand.kind !== 'binary') {
    return `${indent}${expr.operator}${pretty(expr.operand, level, width).trimStart()}`;
  }
  if (text.length <= width) return indent + text;
  const inner = (part: Expr) => pretty(part, level + 1, width);
  switch (expr.kind) {
    case 'aggregation': {
      const parameter = expr.parameter === undefined ? '' : `${inner(expr.parameter)},\n`;
      const head = formatAggregationHead(expr);
      return `${indent}${head}(\n${parameter}${inner(expr.inner)}\n${indent})`;
    }
    case 'binary': {
      const bool = expr.returnBool ? ' bool' : '';
      const operator = `${expr.operator}${bool}${formatMatching(expr.matching)}`;
      if (!keepsGrouping(expr)) return indent + text;
      return `${inner(expr.left)}\n${indent}${operator}\n${inner(expr.right)}`;
    }
    case 'call':
      if (expr.args.length === 0) return indent + text;
      return `${indent}${expr.name}(\n${expr.args.map(inner).join(',\n')}\n${indent})`;
    case 'paren':
      return `${indent}(\n${inner(expr.inner)}\n${indent})`;
    case 'subquery': {
      const whole = formatExpr(expr.inner);
      if (!text.startsWith(whole)) return indent + text;
      return pretty(expr.inner, level, width) + text.slice(whole.length);
    }
    default:
      return indent + text;
  }
}

/** Whether the operands stand in the text as they are, without parentheses of the printer's. */
function keepsGrouping(expr: Binary): boolean {
  const text = formatExpr(expr);
  return text.startsWith(formatExpr(expr.left)) && text.endsWith(formatExpr(expr.right));
}
