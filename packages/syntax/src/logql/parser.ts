/**
 * The parser of LogQL: recursive descent with precedence climbing, over the grammar of the newest
 * Loki. A sign belongs to a number only. The first problem throws ParseError, in Loki's words.
 */
import { compileAnchored, errorMessage } from '@tyto/base';
import type { Matcher } from '@tyto/model';
import { DEFAULT_MATCHING, parseLabelList, parseMatching } from '../matching.ts';
import type {
  LogPipeline,
  LogqlAggregation,
  LogqlAggregationOperator,
  LogqlBinary,
  LogqlBinaryOperator,
  LogqlExpr,
  LogqlGrouping,
  LogqlMetric,
  LogqlStage,
  RangeAggregation,
  RangeOperator,
  Unwrap,
} from './ast.ts';
import { checkAggregation, checkBinary, checkRange } from './check.ts';
import { LogqlCursor } from './cursor.ts';
import { parseLabelFilter } from './labelFilters.ts';
import { wholeProblem } from './problems.ts';
import { parseMatchers, parseStage, PatternBudget } from './stages.ts';
import { PRECEDENCE } from '../precedence.ts';

/** Longer than what dashboards make of lists with thousands of names. */
const TEXT_LENGTH_MAX = 128 * 1024;

const POWER_PRECEDENCE = 6;

export const RANGE_OPERATORS: ReadonlySet<string> = new Set<RangeOperator>([
  'rate',
  'rate_counter',
  'count_over_time',
  'bytes_rate',
  'bytes_over_time',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'first_over_time',
  'last_over_time',
  'stdvar_over_time',
  'stddev_over_time',
  'quantile_over_time',
  'absent_over_time',
]);

export const LOGQL_AGGREGATORS: ReadonlySet<string> = new Set<LogqlAggregationOperator>([
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'approx_topk',
  'sort',
  'sort_desc',
]);

/** Parses and checks a LogQL query. Throws ParseError, a TytoError `bad_data`. */
export function parseLogql(text: string): LogqlExpr {
  return parserOf(text).parse();
}

/** Parses a query that gives log lines: a selector with its stages. Throws ParseError. */
export function parseLogPipeline(text: string): LogPipeline {
  const expr = parseLogql(text);
  if (expr.kind === 'pipeline') return expr;
  throw wholeProblem(text, expr.span, 'only log selector is supported');
}

/** Parses a stream selector, `{a="b"}`, into its matchers. Throws ParseError. */
export function parseLogSelector(text: string): readonly Matcher[] {
  const pipeline = parseLogPipeline(text);
  if (pipeline.stages.length === 0) return pipeline.matchers;
  throw wholeProblem(text, pipeline.span, 'only label matchers are supported');
}

function parserOf(text: string): Parser {
  if (text.length > TEXT_LENGTH_MAX) {
    const reason = `input size too long (${text.length} > ${TEXT_LENGTH_MAX})`;
    throw wholeProblem('', { start: 0, end: 0 }, reason);
  }
  return new Parser(text);
}

/** What stands in the parentheses of a range aggregation, as far as it was read. */
interface LogRange {
  readonly start: number;
  matchers: readonly Matcher[];
  readonly stages: LogqlStage[];
  unwrap: Unwrap | undefined;
  rangeMs: number | undefined;
  offsetMs: number;
}

class Parser extends LogqlCursor {
  readonly #budget = new PatternBudget();

  parse(): LogqlExpr {
    const expr = this.#query();
    if (this.peek().type !== 'eof') throw this.unexpected();
    return expr;
  }

  #query(): LogqlExpr {
    // Parentheses may be around a pipeline as well, so it is looked for behind them.
    let ahead = 0;
    while (this.at('(', ahead)) ahead++;
    return this.at('{', ahead) ? this.#pipeline() : this.#metric(1);
  }

  #pipeline(): LogPipeline {
    this.descend();
    const start = this.peek();
    let pipeline: LogPipeline;
    if (this.takeText('(')) {
      pipeline = this.#pipeline();
      this.expectText(')');
    } else {
      const matchers = parseMatchers(this, this.#budget);
      const stages = this.#stages([]);
      pipeline = { kind: 'pipeline', matchers, stages, span: this.#spanFrom(start.start) };
    }
    this.ascend();
    return pipeline;
  }

  #stages(stages: LogqlStage[]): LogqlStage[] {
    for (;;) {
      const stage = parseStage(this, stages.length, this.#budget);
      if (stage === undefined) return stages;
      stages.push(stage);
    }
  }

  #spanFrom(start: number) {
    return { start, end: this.previousEnd };
  }

  #metric(precedenceMin: number): LogqlMetric {
    this.descend();
    let left = this.#operand();
    for (;;) {
      const token = this.peek();
      const precedence = token.type === 'operator' ? (PRECEDENCE[token.text] ?? 0) : 0;
      if (precedence < precedenceMin || precedence === 0) break;
      this.next();
      this.countOperator(token);
      const { returnBool, matching = DEFAULT_MATCHING } = parseMatching(this);
      const right = this.#metric(precedence === POWER_PRECEDENCE ? precedence : precedence + 1);
      const operator = token.text as LogqlBinaryOperator;
      const span = { start: left.span.start, end: right.span.end };
      const isSet = operator === 'and' || operator === 'or' || operator === 'unless';
      const cardinality =
        isSet && matching.cardinality === 'one-to-one' ? 'many-to-many' : matching.cardinality;
      const node: LogqlBinary = {
        kind: 'binary',
        operator,
        left,
        right,
        returnBool,
        matching: { ...matching, cardinality },
        span,
      };
      checkBinary(this.text, node);
      left = node;
    }
    this.ascend();
    return left;
  }

  #operand(): LogqlMetric {
    const token = this.peek();
    if (token.type === 'number' || token.text === '-' || token.text === '+') {
      const value = this.number();
      return { kind: 'number', value, span: this.#spanFrom(token.start) };
    }
    if (this.takeText('(')) {
      const inner = this.#metric(1);
      this.expectText(')');
      return inner;
    }
    if (token.type !== 'identifier') throw this.unexpected();
    if (RANGE_OPERATORS.has(token.text)) return this.#rangeAggregation();
    if (LOGQL_AGGREGATORS.has(token.text)) return this.#aggregation();
    if (token.text === 'label_replace') return this.#labelReplace();
    if (token.text === 'vector' && this.at('(', 1)) {
      this.next();
      this.next();
      const value = this.number();
      this.expectText(')');
      return { kind: 'vector', value, span: this.#spanFrom(token.start) };
    }
    throw this.unexpected();
  }

  #grouping(): LogqlGrouping | undefined {
    const without = this.at('without');
    if (!without && !this.at('by')) return undefined;
    this.next();
    return { without, labels: parseLabelList(this) };
  }

  #aggregation(): LogqlMetric {
    const token = this.next();
    const operator = token.text as LogqlAggregationOperator;
    let grouping = this.#grouping();
    this.expectText('(');
    let parameter: string | undefined;
    if (this.peek().type === 'number' && this.at(',', 1)) {
      parameter = this.next().text;
      this.next();
    }
    const inner = this.#metric(1);
    this.expectText(')');
    grouping ??= this.#grouping();
    const span = this.#spanFrom(token.start);
    const value = checkAggregation(this.text, { operator, grouping, parameter, span });
    const node: LogqlAggregation = {
      kind: 'aggregation',
      operator,
      parameter: value,
      inner,
      grouping,
      span,
    };
    return node;
  }

  #rangeAggregation(): LogqlMetric {
    const token = this.next();
    const operator = token.text as RangeOperator;
    let grouping = this.#grouping();
    this.expectText('(');
    let parameter: number | undefined;
    if (this.peek().type === 'number' || this.at('-') || this.at('+')) {
      parameter = this.number();
      this.expectText(',');
    }
    const range = this.#logRange();
    const { matchers, stages, unwrap, rangeMs, offsetMs, start } = range;
    if (rangeMs === undefined) throw this.unexpected();
    this.expectText(')');
    grouping ??= this.#grouping();
    const node: RangeAggregation = {
      kind: 'range',
      operator,
      parameter,
      pipeline: { kind: 'pipeline', matchers, stages, span: this.#spanFrom(start) },
      unwrap,
      rangeMs,
      offsetMs,
      grouping,
      span: this.#spanFrom(token.start),
    };
    checkRange(this.text, node);
    return node;
  }

  /** Selector, stages, unwrap, range and offset, whose order is free to some degree. */
  #logRange(): LogRange {
    this.descend();
    const start = this.peek();
    let range: LogRange;
    if (this.takeText('(')) {
      range = this.#logRange();
      this.expectText(')');
    } else {
      const matchers = parseMatchers(this, this.#budget);
      const { start: at } = start;
      range = {
        start: at,
        matchers,
        stages: [],
        unwrap: undefined,
        rangeMs: undefined,
        offsetMs: 0,
      };
    }
    for (;;) {
      if (this.peek().type === 'range' && range.rangeMs === undefined) {
        this.#rangeAndOffset(range);
      } else if (this.at('|') && this.at('unwrap', 1) && range.unwrap === undefined) {
        range.unwrap = this.#unwrap();
      } else if (range.unwrap === undefined) {
        const stageCount = range.stages.length;
        this.#stages(range.stages);
        if (range.stages.length === stageCount) break;
      } else {
        break;
      }
    }
    if (range.rangeMs === undefined && !this.at(')')) throw this.unexpected();
    this.ascend();
    return range;
  }

  #rangeAndOffset(range: LogRange): void {
    const token = this.next();
    range.rangeMs = this.durationMs(token);
    if (range.rangeMs <= 0) throw this.problem(token, 'duration must be greater than 0');
    if (!this.takeText('offset')) return;
    const sign = this.takeText('-') ? -1 : 1;
    if (this.peek().type !== 'duration') throw this.unexpected('', 'DURATION');
    range.offsetMs = sign * this.durationMs(this.next());
  }

  #unwrap(): Unwrap {
    this.next();
    this.next();
    const word = this.labelName();
    const conversion = /^(?:bytes|duration|duration_seconds)$/.test(word) ? word : undefined;
    let label = word;
    const converts = conversion !== undefined && this.takeText('(');
    if (converts) {
      label = this.labelName();
      this.expectText(')');
    }
    const filters = [];
    while (this.at('|')) {
      this.countOperator(this.next());
      filters.push(parseLabelFilter(this));
    }
    return {
      label,
      conversion: converts ? (conversion as Unwrap['conversion']) : undefined,
      filters,
    };
  }

  #labelReplace(): LogqlMetric {
    const token = this.next();
    this.expectText('(');
    const inner = this.#metric(1);
    const texts: string[] = [];
    for (let i = 0; i < 4; i++) {
      this.expectText(',');
      texts.push(this.stringText());
    }
    this.expectText(')');
    const span = this.#spanFrom(token.start);
    const [target, replacement, source, pattern] = texts;
    try {
      this.#budget.spend(this, pattern);
      compileAnchored(pattern);
    } catch (error) {
      throw this.wholeProblem(span, `invalid regex in label_replace: ${errorMessage(error)}`);
    }
    return { kind: 'label_replace', inner, target, replacement, source, pattern, span };
  }
}
