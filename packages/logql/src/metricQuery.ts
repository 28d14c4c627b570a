/** Metric queries: columns for all steps, as a vector, a matrix or a number. */
import { compareLabels, type Labels } from '@tyto/model';
import { type Column, evaluateGiven, FLOAT } from '@tyto/promql';
import type { LogqlMetric } from '@tyto/syntax';
import type { QueryContext, StepGrid } from './context.ts';
import { planMetric } from './metricPlan.ts';
import { tooManySeries } from './problems.ts';
import { evaluateRange } from './rangeAggregation.ts';
import type { LogqlSample, LogqlValue } from './results.ts';

/** `isRange` tells a range of steps from one moment, of which a range may have just one. */
export async function evaluateMetric(
  metric: LogqlMetric,
  grid: StepGrid,
  isRange: boolean,
  context: QueryContext,
): Promise<LogqlValue> {
  const plan = planMetric(metric);
  // A number is evaluated as a vector with no labels, and told as what it is.
  const expr = plan.isScalar ? asVector(plan.expr) : plan.expr;
  const milliGrid = {
    startMs: Number(grid.startNs / 1_000_000n),
    stepMs: Number(grid.stepNs) / 1e6,
    count: grid.count,
  };
  const columns = await evaluateGiven(expr, milliGrid, {
    budget: context.budget,
    isRange,
    given: (part) => {
      const task = plan.tasks.get(part);
      return task === undefined ? undefined : evaluateRange(task, grid, context);
    },
    adjust: (part, values) => {
      if (plan.divisors.has(part)) zerosToNaN(values);
    },
  });
  if (!isRange) return instantValue(columns, grid, plan, context);
  checkCount(columns.length, context);
  const series = columns.map((column) => ({
    labels: column.labels,
    samples: samplesOf(column, grid),
  }));
  series.sort(byLabels);
  return { type: 'matrix', series };
}

function asVector(expr: Parameters<typeof evaluateGiven>[0]): typeof expr {
  return { kind: 'call', name: 'vector', args: [expr], span: expr.span };
}

function instantValue(
  columns: readonly Column[],
  grid: StepGrid,
  { isScalar, isSorted }: { isScalar: boolean; isSorted: boolean },
  context: QueryContext,
): LogqlValue {
  const timestampMs = Number(grid.startNs / 1_000_000n);
  if (isScalar) return { type: 'scalar', sample: { timestampMs, value: columns[0].values[0] } };
  const present = columns.filter((column) => column.present[0] === FLOAT);
  checkCount(present.length, context);
  const samples = present.map(({ labels, values }) => ({ labels, timestampMs, value: values[0] }));
  if (!isSorted) samples.sort(byLabels);
  return { type: 'vector', samples };
}

function checkCount(count: number, { limits }: QueryContext): void {
  if (count > limits.seriesMax) throw tooManySeries(limits.seriesMax);
}

function byLabels(a: { readonly labels: Labels }, b: { readonly labels: Labels }): number {
  return compareLabels(a.labels, b.labels);
}

function zerosToNaN(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) if (values[i] === 0) values[i] = Number.NaN;
}

function samplesOf({ values, present }: Column, { startNs, stepNs }: StepGrid): LogqlSample[] {
  const samples: LogqlSample[] = [];
  for (let step = 0; step < values.length; step++) {
    if (present[step] !== FLOAT) continue;
    const timestampMs = Number((startNs + stepNs * BigInt(step)) / 1_000_000n);
    samples.push({ timestampMs, value: values[step] });
  }
  return samples;
}
