/** sum, avg, count, min, max, group, stddev, stdvar: one pass over the columns of a group. */
import type { Aggregation } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import {
  ABSENT,
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  HISTOGRAM,
} from '../column.ts';
import { HistogramSum } from '../histograms/sum.ts';
import type { QueryBudget } from '../budget.ts';
import type { Evaluation } from '../evaluation.ts';
import { compensate } from '../windows/sums.ts';
import type { Group } from './grouping.ts';

export async function reduceGroup(
  node: Aggregation,
  group: Group,
  count: number,
  evaluation: Evaluation,
): Promise<Column> {
  const { members } = group;
  const { budget } = evaluation;
  const withHistograms = /^(sum|avg)$/.test(node.operator) && members.some(hasHistogram);
  const make = withHistograms ? emptyHistogramColumn : emptyColumn;
  const out = make(group.labels, group.dropName, count);
  switch (node.operator) {
    case 'sum':
      await sumColumns(members, out, budget);
      break;
    case 'avg':
      await averageColumns(members, out, budget);
      break;
    case 'count':
    case 'group':
      await countColumns(members, node.operator === 'group', out, budget);
      break;
    case 'min':
    case 'max':
      await extremeColumns(members, node.operator === 'max', out, budget);
      break;
    default:
      await varianceColumns(members, node.operator === 'stddev', out, budget);
  }
  if (withHistograms) await addHistogramSteps(node, members, out, evaluation);
  const ignoresHistograms = !/^(sum|avg|count|group)$/.test(node.operator);
  if (ignoresHistograms && members.some(hasHistogram)) {
    const message = messages.histogramIgnoredIn(`${node.operator} aggregation`);
    evaluation.annotations.info(message, node.inner.span);
  }
  return out;
}

export function hasHistogram(column: Column): boolean {
  return column.histograms !== null && column.present.includes(HISTOGRAM);
}

/** The steps of a sum or an average at which there are histograms. */
async function addHistogramSteps(
  node: Aggregation,
  members: readonly Column[],
  out: Column,
  { annotations, budget }: Evaluation,
): Promise<void> {
  const { span } = node.inner;
  for (let step = 0; step < out.values.length; step++) {
    if (budget.due()) await budget.pause();
    const total = new HistogramSum();
    for (const { present, histograms } of members) {
      const histogram = present[step] === HISTOGRAM ? histograms?.[step] : undefined;
      if (histogram !== undefined) total.add(histogram);
    }
    if (total.isEmpty) continue;
    if (out.present[step] === FLOAT) {
      out.present[step] = ABSENT;
      annotations.warn(messages.mixedFloatsHistogramsAggregation(), span);
      continue;
    }
    const result = node.operator === 'avg' ? total.average() : total.sum();
    if (total.incompatible) annotations.warn(messages.mixedSchemas(''), span);
    if (total.conflictingResets) annotations.warn(messages.conflictingResets('aggregation'), span);
    if (total.reconciled) annotations.info(messages.reconciledBounds('aggregation'), span);
    if (result === undefined || out.histograms === null) continue;
    out.present[step] = HISTOGRAM;
    out.histograms[step] = result;
  }
}

async function sumColumns(
  members: readonly Column[],
  out: Column,
  budget: QueryBudget,
): Promise<void> {
  const errors = new Float64Array(out.values.length);
  for (const { values, present } of members) {
    if (budget.due()) await budget.pause();
    for (let step = 0; step < values.length; step++) {
      if (present[step] !== FLOAT) continue;
      const sum = out.values[step];
      errors[step] = compensate(values[step], sum, errors[step]);
      out.values[step] = sum + values[step];
      out.present[step] = FLOAT;
    }
  }
  for (let step = 0; step < errors.length; step++) {
    if (Number.isFinite(out.values[step])) out.values[step] += errors[step];
  }
}

/** A mean by sum and count, which goes over to a running mean where the sum would overflow. */
async function averageColumns(
  members: readonly Column[],
  out: Column,
  budget: QueryBudget,
): Promise<void> {
  const { values: sums, present } = out;
  const errors = new Float64Array(sums.length);
  const counts = new Float64Array(sums.length);
  const running = new Uint8Array(sums.length);
  for (const member of members) {
    if (budget.due()) await budget.pause();
    for (let step = 0; step < sums.length; step++) {
      if (member.present[step] !== FLOAT) continue;
      const value = member.values[step];
      const count = ++counts[step];
      present[step] = FLOAT;
      if (running[step] === 0) {
        const total = sums[step] + value;
        if (count === 1 || (total !== Infinity && total !== -Infinity)) {
          errors[step] = compensate(value, sums[step], errors[step]);
          sums[step] = total;
          continue;
        }
        running[step] = 1;
        sums[step] /= count - 1;
        errors[step] /= count - 1;
      }
      const share = (count - 1) / count;
      const mean = sums[step] * share;
      const error = errors[step] * share;
      errors[step] = compensate(value / count, mean, error);
      sums[step] = mean + value / count;
    }
  }
  for (let step = 0; step < sums.length; step++) {
    if (present[step] === ABSENT) continue;
    sums[step] =
      running[step] === 1
        ? sums[step] + errors[step]
        : sums[step] / counts[step] + errors[step] / counts[step];
  }
}

async function countColumns(
  members: readonly Column[],
  onlyOne: boolean,
  out: Column,
  budget: QueryBudget,
): Promise<void> {
  for (const { present } of members) {
    if (budget.due()) await budget.pause();
    for (let step = 0; step < present.length; step++) {
      if (present[step] === ABSENT) continue;
      out.values[step] = onlyOne ? 1 : out.values[step] + 1;
      out.present[step] = FLOAT;
    }
  }
}

async function extremeColumns(
  members: readonly Column[],
  isMax: boolean,
  out: Column,
  budget: QueryBudget,
): Promise<void> {
  for (const { values, present } of members) {
    if (budget.due()) await budget.pause();
    for (let step = 0; step < values.length; step++) {
      if (present[step] !== FLOAT) continue;
      const best = out.values[step];
      const better = isMax ? values[step] > best : values[step] < best;
      if (out.present[step] === ABSENT || better || Number.isNaN(best)) {
        out.values[step] = values[step];
      }
      out.present[step] = FLOAT;
    }
  }
}

/** The population variance by Welford's method, or its root. */
async function varianceColumns(
  members: readonly Column[],
  isDeviation: boolean,
  out: Column,
  budget: QueryBudget,
): Promise<void> {
  const counts = new Float64Array(out.values.length);
  const means = new Float64Array(out.values.length);
  const squares = out.values;
  for (const { values, present } of members) {
    if (budget.due()) await budget.pause();
    for (let step = 0; step < values.length; step++) {
      if (present[step] !== FLOAT) continue;
      const count = ++counts[step];
      const delta = values[step] - means[step];
      means[step] += delta / count;
      squares[step] += delta * (values[step] - means[step]);
      out.present[step] = FLOAT;
    }
  }
  for (let step = 0; step < squares.length; step++) {
    if (counts[step] === 0) continue;
    const variance = squares[step] / counts[step];
    squares[step] = isDeviation ? Math.sqrt(variance) : variance;
  }
}
