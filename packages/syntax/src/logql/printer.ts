/**
 * The canonical text of a LogQL expression, on one line. It parses back to the same tree:
 * parentheses that a tree needs are added.
 */
import { unreachable } from '@tyto/base';
import { formatNumber, quoteString } from '../literals.ts';
import { formatMatching } from '../printer.ts';
import type {
  LabelExtraction,
  LabelFilter,
  LogPipeline,
  LogqlExpr,
  LogqlGrouping,
  LogqlMetric,
  LogqlStage,
  RangeAggregation,
  Unwrap,
} from './ast.ts';
import { formatBytes, formatNanoseconds } from './units.ts';
import { PRECEDENCE } from '../precedence.ts';

const OPERAND_PRECEDENCE = 7;

export function formatLogql(expr: LogqlExpr): string {
  return expr.kind === 'pipeline' ? formatPipeline(expr) : formatMetric(expr);
}

function formatPipeline(pipeline: LogPipeline): string {
  return [formatSelector(pipeline), ...pipeline.stages.map(formatStage)].join(' ');
}

export function formatSelector({ matchers }: LogPipeline): string {
  const shown = matchers.map(({ name, type, value }) => `${name}${type}${quoteString(value)}`);
  return `{${shown.join(', ')}}`;
}

export function formatStage(stage: LogqlStage): string {
  switch (stage.kind) {
    case 'line_filter': {
      const shown = stage.alternatives.map(({ value, isIp }) =>
        isIp ? `ip(${quoteString(value)})` : quoteString(value),
      );
      return `${stage.operator} ${shown.join(' or ')}`;
    }
    case 'json':
      return `| json${formatExtractions(stage.extractions)}`;
    case 'logfmt': {
      const flags = (stage.strict ? ' --strict' : '') + (stage.keepEmpty ? ' --keep-empty' : '');
      return `| logfmt${flags}${formatExtractions(stage.extractions)}`;
    }
    case 'regexp':
    case 'pattern':
      return `| ${stage.kind} ${quoteString(stage.pattern)}`;
    case 'unpack':
    case 'decolorize':
      return `| ${stage.kind}`;
    case 'label_filter':
      return `| ${formatLabelFilter(stage.filter)}`;
    case 'line_format':
      return `| line_format ${quoteString(stage.template)}`;
    case 'label_format': {
      const shown = stage.formats.map(({ label, from }) =>
        'label' in from ? `${label}=${from.label}` : `${label}=${quoteString(from.template)}`,
      );
      return `| label_format ${shown.join(', ')}`;
    }
    case 'drop':
    case 'keep': {
      const shown = stage.labels.map(({ name, matcher }) =>
        matcher === undefined ? name : `${name}${matcher.type}${quoteString(matcher.value)}`,
      );
      return `| ${stage.kind} ${shown.join(', ')}`;
    }
    default:
      return unreachable(stage);
  }
}

function formatExtractions(extractions: readonly LabelExtraction[]): string {
  const shown = extractions.map(({ label, expression }) => `${label}=${quoteString(expression)}`);
  return shown.length === 0 ? '' : ` ${shown.join(', ')}`;
}

/** A filter in the place of an operand stands in parentheses where it is a combination. */
function formatLabelFilter(filter: LabelFilter, isOperand = false): string {
  switch (filter.kind) {
    case 'string': {
      const { name, type, value } = filter.matcher;
      return `${name}${type}${quoteString(value)}`;
    }
    case 'number':
      return `${filter.label}${filter.operator}${formatNumber(filter.value)}`;
    case 'duration':
      return `${filter.label}${filter.operator}${formatNanoseconds(filter.value)}`;
    case 'bytes':
      return `${filter.label}${filter.operator}${formatBytes(filter.value)}`;
    case 'ip':
      return `${filter.label}${filter.negated ? '!=' : '='}ip(${quoteString(filter.value)})`;
    default: {
      const left = formatLabelFilter(filter.left, filter.left.kind !== filter.kind);
      const text = `${left} ${filter.kind} ${formatLabelFilter(filter.right, true)}`;
      return isOperand ? `(${text})` : text;
    }
  }
}

function formatMetric(expr: LogqlMetric): string {
  switch (expr.kind) {
    case 'number':
      return formatNumber(expr.value);
    case 'vector':
      return `vector(${formatNumber(expr.value)})`;
    case 'range':
      return formatRange(expr);
    case 'aggregation': {
      const parameter = expr.parameter === undefined ? '' : `${expr.parameter}, `;
      const head = expr.operator + formatGrouping(expr.grouping);
      return `${head}(${parameter}${formatMetric(expr.inner)})`;
    }
    case 'label_replace': {
      const texts = [expr.target, expr.replacement, expr.source, expr.pattern].map(quoteString);
      return `label_replace(${formatMetric(expr.inner)}, ${texts.join(', ')})`;
    }
    case 'binary': {
      const { operator, left, right, returnBool, matching } = expr;
      const precedence = PRECEDENCE[operator];
      const isPower = operator === '^';
      const before = operandText(left, precedence + (isPower ? 1 : 0));
      const after = operandText(right, precedence + (isPower ? 0 : 1));
      const bool = returnBool ? ' bool' : '';
      return `${before} ${operator}${bool}${formatMatching(matching)} ${after}`;
    }
    default:
      return unreachable(expr);
  }
}

function operandText(expr: LogqlMetric, precedence: number): string {
  const text = formatMetric(expr);
  const binding = expr.kind === 'binary' ? PRECEDENCE[expr.operator] : OPERAND_PRECEDENCE;
  return binding < precedence ? `(${text})` : text;
}

export function formatGrouping(grouping: LogqlGrouping | undefined): string {
  if (grouping === undefined) return '';
  return ` ${grouping.without ? 'without' : 'by'} (${grouping.labels.join(', ')}) `;
}

function formatRange(expr: RangeAggregation): string {
  const parameter = expr.parameter === undefined ? '' : `${formatNumber(expr.parameter)}, `;
  const unwrap = expr.unwrap === undefined ? '' : ` ${formatUnwrap(expr.unwrap)}`;
  const body = `${formatPipeline(expr.pipeline)}${unwrap} ${formatWindow(expr)}`;
  return `${expr.operator}(${parameter}${body})${formatGrouping(expr.grouping).trimEnd()}`;
}

/** `[5m] offset 1h` */
export function formatWindow({ rangeMs, offsetMs }: RangeAggregation): string {
  const range = `[${formatNanoseconds(Math.round(rangeMs * 1e6))}]`;
  if (offsetMs === 0) return range;
  return `${range} offset ${formatNanoseconds(Math.round(offsetMs * 1e6))}`;
}

export function formatUnwrap({ label, conversion, filters }: Unwrap): string {
  const inside = conversion === undefined ? label : `${conversion}(${label})`;
  return [`| unwrap ${inside}`, ...filters.map((filter) => `| ${formatLabelFilter(filter)}`)].join(
    ' ',
  );
}
