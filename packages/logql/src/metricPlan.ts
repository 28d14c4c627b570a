/**
 * A metric expression of LogQL as one of PromQL: vectors of both are the same, and so are the
 * operators over them. In the place of each range aggregation stands an expression whose columns
 * are given. Loki divides by zero into NaN; divisors are noted, so that it is so here.
 */
import type { Call, Expr, LogqlAggregation, LogqlGrouping, LogqlMetric } from '@tyto/syntax';
import type { RangeTask } from './rangeAggregation.ts';

export interface MetricPlan {
  readonly expr: Expr;
  readonly tasks: ReadonlyMap<Expr, RangeTask>;
  readonly divisors: ReadonlySet<Expr>;
  /** Whether the query says in which order an instant vector is. */
  readonly isSorted: boolean;
  /** Whether the answer is one number instead of a vector. */
  readonly isScalar: boolean;
}

export function planMetric(metric: LogqlMetric): MetricPlan {
  const planner = new Planner();
  const expr = planner.translate(metric);
  const { tasks, divisors, isSorted } = planner;
  return { expr, tasks, divisors, isSorted, isScalar: isScalar(metric) };
}

/** Numbers, and what operators make of them. */
function isScalar(metric: LogqlMetric): boolean {
  if (metric.kind === 'number') return true;
  return metric.kind === 'binary' && isScalar(metric.left) && isScalar(metric.right);
}

const ADDED: ReadonlySet<string> = new Set([
  'count_over_time',
  'rate',
  'bytes_over_time',
  'bytes_rate',
  'sum_over_time',
]);

class Planner {
  readonly tasks = new Map<Expr, RangeTask>();
  readonly divisors = new Set<Expr>();
  isSorted = false;

  translate(metric: LogqlMetric): Expr {
    const { span } = metric;
    switch (metric.kind) {
      case 'number':
        return { kind: 'number', value: metric.value, isDuration: false, span };
      case 'vector':
        return vectorCall(metric.value, metric);
      case 'range':
        return this.#leaf(metric, { node: metric, grouping: metric.grouping });
      case 'aggregation':
        return this.#aggregation(metric);
      case 'label_replace': {
        const { target, replacement, source, pattern } = metric;
        const texts = [target, replacement, source, pattern].map(
          (value): Expr => ({ kind: 'string', value, span }),
        );
        const args = [this.translate(metric.inner), ...texts];
        return { kind: 'call', name: 'label_replace', args, span };
      }
      case 'binary': {
        const { operator, left, right, returnBool, matching } = metric;
        const [a, b] = [this.translate(left), this.translate(right)];
        if (operator === '/' || operator === '%') this.divisors.add(b);
        return { kind: 'binary', operator, left: a, right: b, returnBool, matching, span };
      }
    }
  }

  #leaf(metric: LogqlMetric, task: RangeTask): Expr {
    const leaf = vectorCall(0, metric);
    this.tasks.set(leaf, task);
    return leaf;
  }

  #aggregation(metric: LogqlAggregation): Expr {
    const { operator, parameter, grouping, span } = metric;
    const inner = this.#inner(metric);
    if (operator === 'sort' || operator === 'sort_desc') {
      this.isSorted = true;
      return { kind: 'call', name: operator, args: [inner], span };
    }
    return {
      kind: 'aggregation',
      operator: operator === 'approx_topk' ? 'topk' : operator,
      inner,
      parameter:
        parameter === undefined
          ? undefined
          : { kind: 'number', value: parameter, isDuration: false, span },
      grouping: grouping?.labels ?? [],
      without: grouping?.without ?? false,
      span,
    };
  }

  /** A sum of counts may as well be counted by its groups, and extremes of extremes, too. */
  #inner({ operator, inner, grouping }: LogqlAggregation): Expr {
    if (inner.kind !== 'range' || inner.grouping !== undefined) return this.translate(inner);
    const together =
      (operator === 'sum' && ADDED.has(inner.operator)) ||
      ((operator === 'min' || operator === 'max') && inner.operator === `${operator}_over_time`);
    if (!together) return this.translate(inner);
    const groups: LogqlGrouping = grouping ?? { without: false, labels: [] };
    return this.#leaf(inner, { node: inner, grouping: groups });
  }
}

function vectorCall(value: number, { span }: LogqlMetric): Call {
  const arg: Expr = { kind: 'number', value, isDuration: false, span };
  return { kind: 'call', name: 'vector', args: [arg], span };
}
