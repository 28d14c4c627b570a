/**
 * The evaluator: an expression and a grid become columns. Each kind of expression has a function
 * in a file of its own; they see the evaluator through the Evaluation interface only.
 */
import { must, TytoError, unreachable } from '@tyto/base';
import { type Expr, type MatrixSelector, type Subquery, typeOf, unwrapParens } from '@tyto/syntax';
import { aggregate } from './aggregations/aggregate.ts';
import type { Annotations } from './annotations.ts';
import type { QueryBudget } from './budget.ts';
import { broadcast, type Column, type Grid, hasAny } from './column.ts';
import { callScalar, callVector } from './functions/registry.ts';
import type { Evaluation } from './evaluation.ts';
import { evaluateBinary, evaluateScalarBinary } from './operators/binary.ts';
import { isStepInvariant, type QueryTimes } from './plan.ts';
import { evaluateSelector } from './selectors.ts';
import type { Repeats } from './repeats.ts';
import type { QuerySources } from './source.ts';
import type { Trace } from './trace.ts';
import { negated } from './operators/negate.ts';
import { matrixWindows, subqueryWindows, type WindowSource } from './windowSource.ts';

export interface EvaluatorParts {
  readonly annotations: Annotations;
  readonly budget: QueryBudget;
  readonly times: QueryTimes;
  readonly sources: QuerySources;
  readonly isRange: boolean;
  readonly droppedWithName: ReadonlySet<string>;
  readonly repeats: Repeats;
  readonly trace: Trace;
}

export class Evaluator implements Evaluation {
  readonly annotations: Annotations;
  readonly budget: QueryBudget;
  readonly times: QueryTimes;
  readonly sources: QuerySources;
  readonly isRange: boolean;
  readonly droppedWithName: ReadonlySet<string>;
  readonly trace: Trace;
  readonly #repeats: Repeats;

  constructor(parts: EvaluatorParts) {
    this.annotations = parts.annotations;
    this.budget = parts.budget;
    this.times = parts.times;
    this.sources = parts.sources;
    this.isRange = parts.isRange;
    this.droppedWithName = parts.droppedWithName;
    this.trace = parts.trace;
    this.#repeats = parts.repeats;
  }

  async vector(expr: Expr, grid: Grid): Promise<Column[]> {
    const step = this.trace.begin(expr);
    let seriesCount = 0;
    try {
      const heldBefore = this.budget.held;
      if (this.budget.due()) await this.budget.pause();
      const once = grid.count > 1 && isStepInvariant(expr);
      if (once) this.trace.note('the same at every step: evaluated once');
      const seen = once ? { ...grid, stepMs: 0, count: 1 } : grid;
      const known = this.#repeats.take(expr, seen);
      if (known !== undefined) this.trace.note('known from the same part before');
      const evaluated = known ?? this.#repeats.keep(expr, seen, await this.#vector(expr, seen));
      const columns = once ? evaluated.map((column) => broadcast(column, grid.count)) : evaluated;
      // What the parts of the expression held is gone now; only the answer stays.
      this.budget.settle(heldBefore + columns.length * grid.count);
      seriesCount = columns.length;
      return columns;
    } finally {
      this.trace.end(step, seriesCount);
    }
  }

  async #vector(expr: Expr, grid: Grid): Promise<Column[]> {
    switch (expr.kind) {
      case 'paren':
        return this.vector(expr.inner, grid);
      case 'vector':
        return evaluateSelector(expr, grid, this);
      case 'call':
        return callVector(expr, grid, this);
      case 'aggregation':
        return aggregate(expr, grid, this);
      case 'binary':
        return evaluateBinary(expr, grid, this);
      case 'unary': {
        const columns = await this.vector(expr.operand, grid);
        return expr.operator === '-' ? negated(columns) : columns;
      }
      default:
        throw new TytoError('execution', `a ${typeOf(expr)} cannot be evaluated as a vector`);
    }
  }

  async scalar(expr: Expr, grid: Grid): Promise<Float64Array> {
    switch (expr.kind) {
      case 'number':
        return new Float64Array(grid.count).fill(expr.value);
      case 'paren':
        return this.scalar(expr.inner, grid);
      case 'call':
        return callScalar(expr, grid, this);
      case 'binary':
        return evaluateScalarBinary(expr, grid, this);
      case 'unary': {
        const values = await this.scalar(expr.operand, grid);
        return expr.operator === '-' ? values.map((value) => -value) : values;
      }
      default:
        throw new TytoError('execution', `a ${typeOf(expr)} cannot be evaluated as a scalar`);
    }
  }

  async windows(expr: Expr, grid: Grid): Promise<WindowSource> {
    const matrix = unwrapParens(expr) as MatrixSelector | Subquery;
    switch (matrix.kind) {
      case 'matrix':
        return matrixWindows(matrix, grid, this);
      case 'subquery': {
        const shifted = this.times.shifted(matrix, grid);
        const innerGrid = this.times.inner(matrix, shifted);
        this.budget.check(innerGrid.count);
        const columns = innerGrid.count === 0 ? [] : await this.vector(matrix.inner, innerGrid);
        const present = columns.filter((column) => hasAny(column.present));
        return subqueryWindows(matrix, present, innerGrid, shifted, this.times);
      }
      default:
        return unreachable(matrix);
    }
  }

  text(expr: Expr): string {
    const inner = unwrapParens(expr);
    const literal = inner.kind === 'string' ? inner : undefined;
    return must(literal, 'the type check lets only literals be strings').value;
  }
}
