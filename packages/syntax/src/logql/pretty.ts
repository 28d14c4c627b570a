/** A LogQL expression over several lines, a stage or an operand on each, where one is too long. */
import { quoteString } from '../literals.ts';
import type { LogPipeline, LogqlExpr, LogqlMetric } from './ast.ts';
import {
  formatGrouping,
  formatLogql,
  formatSelector,
  formatStage,
  formatUnwrap,
  formatWindow,
} from './printer.ts';

/** Loki's own width. */
const LINE_LENGTH_MAX = 100;
const INDENT = '  ';

/** As Loki's `format_query` answers. */
export function prettyLogql(expr: LogqlExpr): string {
  return pretty(expr, 0);
}

function pretty(expr: LogqlExpr, level: number): string {
  const indent = INDENT.repeat(level);
  const text = formatLogql(expr);
  if (indent.length + text.length <= LINE_LENGTH_MAX) return indent + text;
  return expr.kind === 'pipeline' ? prettyPipeline(expr, level) : prettyMetric(expr, level);
}

function prettyPipeline(expr: LogPipeline, level: number): string {
  const indent = INDENT.repeat(level);
  const stages = expr.stages.map((stage) => `\n${indent}${INDENT}${formatStage(stage)}`);
  return indent + formatSelector(expr) + stages.join('');
}

function prettyMetric(expr: LogqlMetric, level: number): string {
  const indent = INDENT.repeat(level);
  switch (expr.kind) {
    case 'number':
    case 'vector':
      return indent + formatLogql(expr);
    case 'range': {
      const inner = `${indent}${INDENT}`;
      const parameter = expr.parameter === undefined ? '' : `${inner}${expr.parameter},\n`;
      const unwrap =
        expr.unwrap === undefined ? '' : `\n${inner}${INDENT}${formatUnwrap(expr.unwrap)}`;
      const body = prettyPipeline(expr.pipeline, level + 1) + unwrap;
      const end = `\n${inner}${formatWindow(expr)}\n${indent})`;
      const grouping = formatGrouping(expr.grouping).trimEnd();
      return `${indent}${expr.operator}(\n${parameter}${body}${end}${grouping}`;
    }
    case 'aggregation': {
      const parameter =
        expr.parameter === undefined ? '' : `${indent}${INDENT}${expr.parameter},\n`;
      const head = indent + expr.operator + formatGrouping(expr.grouping);
      return `${head}(\n${parameter}${pretty(expr.inner, level + 1)}\n${indent})`;
    }
    case 'label_replace': {
      const texts = [expr.target, expr.replacement, expr.source, expr.pattern];
      const shown = texts.map((text) => `,\n${indent}${INDENT}${quoteString(text)}`).join('');
      return `${indent}label_replace(\n${pretty(expr.inner, level + 1)}${shown}\n${indent})`;
    }
    case 'binary':
      return prettyBinary(expr, level);
  }
}

function prettyBinary(expr: LogqlMetric & { kind: 'binary' }, level: number): string {
  const indent = INDENT.repeat(level);
  // The sign with its matching, as the line of the whole has it.
  const bare = { kind: 'vector', value: 0, span: expr.span } as const;
  const sign = formatLogql({ ...expr, left: bare, right: bare }).slice(10, -10);
  const side = (node: LogqlMetric) =>
    node.kind === 'binary'
      ? `${indent}${INDENT}(\n${pretty(node, level + 2)}\n${indent}${INDENT})`
      : pretty(node, level + 1);
  return `${side(expr.left)}\n${indent}${sign}\n${side(expr.right)}`;
}
