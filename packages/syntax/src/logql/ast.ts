/**
 * The syntax tree of LogQL: plain data, a union over `kind`. A query is either a pipeline, which
 * gives log lines, or a metric expression. Durations are milliseconds, which need not be whole.
 */
import type { Matcher } from '@tyto/model';
import type { Span, VectorMatching } from '../ast.ts';

export type LogqlExpr = LogPipeline | LogqlMetric;

/** A stream selector with its stages. */
export interface LogPipeline {
  readonly kind: 'pipeline';
  readonly matchers: readonly Matcher[];
  readonly stages: readonly LogqlStage[];
  readonly span: Span;
}

export type LineFilterOperator = '|=' | '!=' | '|~' | '!~' | '|>' | '!>';

/** Lines that contain any of the alternatives, or none of them where the operator negates. */
export interface LineFilter {
  readonly kind: 'line_filter';
  readonly operator: LineFilterOperator;
  readonly alternatives: readonly LineAlternative[];
}

export interface LineAlternative {
  readonly value: string;
  /** Written as `ip("…")`: an address, a range or a network. */
  readonly isIp: boolean;
}

/** `label="expression"` of json and logfmt. */
export interface LabelExtraction {
  readonly label: string;
  readonly expression: string;
}

export interface LabelFormat {
  readonly label: string;
  /** The label that is renamed, or the template that makes the value. */
  readonly from: { readonly label: string } | { readonly template: string };
}

/** A label to drop or keep, where there is a matcher only if that accepts its value. */
export interface LabelChoice {
  readonly name: string;
  readonly matcher: Matcher | undefined;
}

export type LogqlStage =
  | LineFilter
  | { readonly kind: 'json'; readonly extractions: readonly LabelExtraction[] }
  | {
      readonly kind: 'logfmt';
      readonly extractions: readonly LabelExtraction[];
      readonly strict: boolean;
      readonly keepEmpty: boolean;
    }
  | { readonly kind: 'regexp' | 'pattern'; readonly pattern: string }
  | { readonly kind: 'unpack' | 'decolorize' }
  | { readonly kind: 'label_filter'; readonly filter: LabelFilter }
  | { readonly kind: 'line_format'; readonly template: string }
  | { readonly kind: 'label_format'; readonly formats: readonly LabelFormat[] }
  | { readonly kind: 'drop' | 'keep'; readonly labels: readonly LabelChoice[] };

export type LabelComparison = '==' | '!=' | '>' | '>=' | '<' | '<=';

export type LabelFilter =
  | { readonly kind: 'string'; readonly matcher: Matcher }
  | NumberLabelFilter
  | {
      readonly kind: 'ip';
      readonly label: string;
      readonly negated: boolean;
      readonly value: string;
    }
  | { readonly kind: 'and' | 'or'; readonly left: LabelFilter; readonly right: LabelFilter };

export interface NumberLabelFilter {
  /** How the label is read; durations are nanoseconds. */
  readonly kind: 'number' | 'duration' | 'bytes';
  readonly label: string;
  readonly operator: LabelComparison;
  readonly value: number;
}

export type LogqlMetric =
  | RangeAggregation
  | LogqlAggregation
  | LogqlBinary
  | LogqlNumber
  | LogqlVector
  | LabelReplace;

export type RangeOperator =
  | 'rate'
  | 'rate_counter'
  | 'count_over_time'
  | 'bytes_rate'
  | 'bytes_over_time'
  | 'sum_over_time'
  | 'avg_over_time'
  | 'min_over_time'
  | 'max_over_time'
  | 'first_over_time'
  | 'last_over_time'
  | 'stdvar_over_time'
  | 'stddev_over_time'
  | 'quantile_over_time'
  | 'absent_over_time';

export interface LogqlGrouping {
  readonly without: boolean;
  readonly labels: readonly string[];
}

/** The label whose value is the sample. */
export interface Unwrap {
  readonly label: string;
  readonly conversion: 'bytes' | 'duration' | 'duration_seconds' | undefined;
  /** Applied after the conversion, so that its errors can be filtered. */
  readonly filters: readonly LabelFilter[];
}

export interface RangeAggregation {
  readonly kind: 'range';
  readonly operator: RangeOperator;
  readonly parameter: number | undefined;
  readonly pipeline: LogPipeline;
  readonly unwrap: Unwrap | undefined;
  readonly rangeMs: number;
  readonly offsetMs: number;
  readonly grouping: LogqlGrouping | undefined;
  readonly span: Span;
}

export type LogqlAggregationOperator =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'approx_topk'
  | 'sort'
  | 'sort_desc';

export interface LogqlAggregation {
  readonly kind: 'aggregation';
  readonly operator: LogqlAggregationOperator;
  readonly parameter: number | undefined;
  readonly inner: LogqlMetric;
  readonly grouping: LogqlGrouping | undefined;
  readonly span: Span;
}

export type LogqlBinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | '=='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'and'
  | 'or'
  | 'unless';

export interface LogqlBinary {
  readonly kind: 'binary';
  readonly operator: LogqlBinaryOperator;
  readonly left: LogqlMetric;
  readonly right: LogqlMetric;
  readonly returnBool: boolean;
  readonly matching: VectorMatching;
  readonly span: Span;
}

export interface LogqlNumber {
  readonly kind: 'number';
  readonly value: number;
  readonly span: Span;
}

export interface LogqlVector {
  readonly kind: 'vector';
  readonly value: number;
  readonly span: Span;
}

export interface LabelReplace {
  readonly kind: 'label_replace';
  readonly inner: LogqlMetric;
  readonly target: string;
  readonly replacement: string;
  readonly source: string;
  readonly pattern: string;
  readonly span: Span;
}
