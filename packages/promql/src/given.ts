/**
 * Operators, aggregations and functions over columns that somebody else has computed: what other
 * languages have in common with PromQL. Some expressions are given, the rest is evaluated.
 */
import { systemClock, TytoError } from '@tyto/base';
import { type Expr, typeOf } from '@tyto/syntax';
import { aggregate } from './aggregations/aggregate.ts';
import { Annotations } from './annotations.ts';
import type { QueryBudget } from './budget.ts';
import type { Column, Grid } from './column.ts';
import type { Evaluation } from './evaluation.ts';
import { callScalar, callVector } from './functions/registry.ts';
import { LOOKBACK_MS, SUBQUERY_STEP_MS } from './limits.ts';
import { evaluateBinary, evaluateScalarBinary } from './operators/binary.ts';
import { QueryTimes } from './plan.ts';
import { QuerySources } from './source.ts';
import { Trace } from './trace.ts';

export interface GivenOptions {
  readonly budget: QueryBudget;
  readonly isRange: boolean;
  /** The columns of an expression, which the caller may write to; undefined where it has none. */
  readonly given: (expr: Expr, grid: Grid) => Promise<Column[]> | undefined;
  /** What becomes of the values of an expression, in place. */
  readonly adjust?: (expr: Expr, values: Float64Array) => void;
}

/** Throws TytoError `execution`, `timeout` and `canceled`. */
export async function evaluateGiven(
  expr: Expr,
  grid: Grid,
  options: GivenOptions,
): Promise<Column[]> {
  return await new GivenEvaluation(grid, options).vector(expr, grid);
}

class GivenEvaluation implements Evaluation {
  readonly annotations = new Annotations('');
  readonly budget: QueryBudget;
  readonly times: QueryTimes;
  readonly sources: QuerySources;
  readonly isRange: boolean;
  readonly droppedWithName: ReadonlySet<string> = new Set();
  readonly trace: Trace;
  readonly #options: GivenOptions;

  constructor(grid: Grid, options: GivenOptions) {
    const { startMs, stepMs, count } = grid;
    this.#options = options;
    this.budget = options.budget;
    this.isRange = options.isRange;
    this.times = new QueryTimes({
      startMs,
      endMs: startMs + stepMs * (count - 1),
      stepMs,
      lookbackMs: LOOKBACK_MS,
      subqueryStepMs: SUBQUERY_STEP_MS,
    });
    const sourceOptions = { useStartTimes: false, statistics: new Set<never>() };
    this.sources = new QuerySources(new Map(), options.budget, sourceOptions);
    this.trace = new Trace('', systemClock, () => 0);
  }

  async vector(expr: Expr, grid: Grid): Promise<Column[]> {
    if (this.budget.due()) await this.budget.pause();
    const columns = await (this.#options.given(expr, grid) ?? this.#vector(expr, grid));
    for (const { values } of columns) this.#options.adjust?.(expr, values);
    return columns;
  }

  async #vector(expr: Expr, grid: Grid): Promise<Column[]> {
    switch (expr.kind) {
      case 'paren':
        return this.vector(expr.inner, grid);
      case 'call':
        return callVector(expr, grid, this);
      case 'aggregation': {
        // What is traced is noted with the part that is under way.
        const step = this.trace.begin(expr);
        const columns = await aggregate(expr, grid, this);
        this.trace.end(step, columns.length);
        return columns;
      }
      case 'binary':
        return evaluateBinary(expr, grid, this);
      default:
        throw new TytoError('execution', `a ${typeOf(expr)} cannot be evaluated as a vector`);
    }
  }

  async scalar(expr: Expr, grid: Grid): Promise<Float64Array> {
    const values = await this.#scalar(expr, grid);
    this.#options.adjust?.(expr, values);
    return values;
  }

  async #scalar(expr: Expr, grid: Grid): Promise<Float64Array> {
    switch (expr.kind) {
      case 'number':
        return new Float64Array(grid.count).fill(expr.value);
      case 'call':
        return callScalar(expr, grid, this);
      case 'binary':
        return evaluateScalarBinary(expr, grid, this);
      default:
        throw new TytoError('execution', `a ${typeOf(expr)} cannot be evaluated as a scalar`);
    }
  }

  windows(expr: Expr): Promise<never> {
    throw new TytoError('execution', `a ${typeOf(expr)} has no windows here`);
  }

  text(expr: Expr): string {
    return expr.kind === 'string' ? expr.value : '';
  }
}
