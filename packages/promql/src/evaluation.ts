import type { Expr } from '@tyto/syntax';
import type { Annotations } from './annotations.ts';
import type { QueryBudget } from './budget.ts';
import type { Column, Grid } from './column.ts';
import type { QueryTimes } from './plan.ts';
import type { QuerySources } from './source.ts';
import type { Trace } from './trace.ts';
import type { WindowSource } from './windowSource.ts';

/** What functions, operators and aggregations may ask of the running query. */
export interface Evaluation {
  readonly annotations: Annotations;
  readonly budget: QueryBudget;
  readonly times: QueryTimes;
  readonly sources: QuerySources;
  /** Whether there is a range of steps, as opposed to one moment. */
  readonly isRange: boolean;
  /** The labels that go away together with the metric name. */
  readonly droppedWithName: ReadonlySet<string>;
  /** Where it is told how parts are computed. */
  readonly trace: Trace;
  vector(expr: Expr, grid: Grid): Promise<Column[]>;
  /** One number per step. */
  scalar(expr: Expr, grid: Grid): Promise<Float64Array>;
  windows(expr: Expr, grid: Grid): Promise<WindowSource>;
  /** The value of a string expression. */
  text(expr: Expr): string;
}
