/** Going through a LogQL tree. */
import type { LogPipeline, LogqlExpr, LogqlMetric } from './ast.ts';

/** The metric expressions directly inside. */
function childrenOfMetric(expr: LogqlMetric): readonly LogqlMetric[] {
  switch (expr.kind) {
    case 'aggregation':
    case 'label_replace':
      return [expr.inner];
    case 'binary':
      return [expr.left, expr.right];
    default:
      return [];
  }
}

/** All pipelines of a query, with what is read of the time before an evaluation. */
export function pipelinesOf(expr: LogqlExpr): readonly {
  readonly pipeline: LogPipeline;
  readonly rangeMs: number;
  readonly offsetMs: number;
}[] {
  if (expr.kind === 'pipeline') return [{ pipeline: expr, rangeMs: 0, offsetMs: 0 }];
  if (expr.kind === 'range') return [expr];
  return childrenOfMetric(expr).flatMap(pipelinesOf);
}
