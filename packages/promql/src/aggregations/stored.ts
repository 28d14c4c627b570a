/**
 * Aggregations of what the store can compute: groups are found before anything is read, and the
 * store adds up its columns itself, so that no series' own column is ever made here.
 */
import {
  type GroupColumns,
  type GroupOperator,
  Labels,
  METRIC_NAME,
  NOT_COMPUTED,
  type SeriesGroups,
  type WindowRequest,
} from '@tyto/model';
import { type Aggregation, type Expr, unwrapParens } from '@tyto/syntax';
import { type Column, emptyColumn, FLOAT, type Grid } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { TYPE_LABEL, windowColumnOf, windowPlan } from '../functions/rangeVector.ts';
import { latestColumnOf, latestRequest } from '../selectors.ts';
import type { SeriesSource } from '../source.ts';
import { eachBatch, type ReadOne } from '../storedColumns.ts';

const OPERATORS: ReadonlyMap<string, GroupOperator> = new Map([
  ['sum', 'sum'],
  ['avg', 'sum'],
  ['count', 'count'],
  ['group', 'count'],
  ['min', 'min'],
  ['max', 'max'],
]);

/** What is aggregated, as the store sees it. */
interface Stored {
  readonly source: SeriesSource;
  readonly request: WindowRequest;
  readonly dropName: boolean;
  readonly readOne: ReadOne;
  readonly note: ((name: string, type: string) => void) | undefined;
}

/** The result, or undefined where it has to be computed column by column. */
export async function aggregateStored(
  node: Aggregation,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[] | undefined> {
  const operator = OPERATORS.get(node.operator);
  if (operator === undefined || node.without || node.grouping.includes(METRIC_NAME)) {
    return undefined;
  }
  const stored = await storedOf(unwrapParens(node.inner), grid, evaluation);
  const groups = stored?.source.groupBy(node.grouping);
  if (stored === undefined || groups === undefined) return undefined;
  const { groupOf } = groups;
  const reader = stored.source.columns({ ...stored.request, groups: { operator, groupOf } });
  if (reader === undefined) return undefined;
  evaluation.trace.note('series are added up by the store, while it reads them');
  const totals = new Totals(operator, groups.values.length, grid.count, evaluation);
  const withResults = new Uint8Array(stored.source.size);
  let isComplete = true;
  await eachBatch(reader, evaluation, async (batch) => {
    const { first, end, sampleCounts, hasResults } = batch;
    if (batch.groups !== undefined) totals.merge(batch.groups);
    withResults.set(hasResults, first);
    for (let index = first; index < end && isComplete; index++) {
      const count = sampleCounts[index - first];
      if (count !== NOT_COMPUTED) {
        evaluation.budget.noteRead(count);
        continue;
      }
      if (evaluation.budget.due()) await evaluation.budget.pause();
      const column = stored.readOne(index);
      if (column === undefined) continue;
      // Histograms, and floats beside them, are aggregated by rules of their own.
      isComplete = column.histograms === null;
      withResults[index] = 1;
      totals.add(groupOf[index], column);
    }
    return isComplete;
  });
  if (!isComplete) evaluation.trace.note('given up for native histograms');
  const columns = isComplete ? totals.columns(node, groups, stored.dropName) : undefined;
  if (columns !== undefined) noteMetrics(stored, withResults);
  return columns;
}

async function storedOf(
  inner: Expr,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Stored | undefined> {
  if (inner.kind === 'vector') {
    const request = latestRequest(inner, grid, evaluation);
    if (request === undefined) return undefined;
    const source = evaluation.sources.of(inner);
    const readOne = latestColumnOf(inner, grid, evaluation);
    return { source, request, dropName: false, readOne, note: undefined };
  }
  const [matrix] = inner.kind === 'call' ? inner.args.slice(-1) : [];
  if (inner.kind !== 'call' || matrix === undefined || unwrapParens(matrix).kind !== 'matrix') {
    return undefined;
  }
  const plan = await windowPlan(inner, evaluation, grid);
  const source = plan?.source.stored;
  if (plan?.request === undefined || source === undefined) return undefined;
  const { request, keepName = false, note } = plan;
  return { source, request, dropName: !keepName, readOne: windowColumnOf(plan, evaluation), note };
}

/** Tells of each metric that has results, once. */
function noteMetrics({ source, note }: Stored, withResults: Uint8Array): void {
  const metrics = note === undefined ? undefined : source.groupBy([METRIC_NAME, TYPE_LABEL]);
  if (note === undefined || metrics === undefined) return;
  const noted = new Set<number>();
  for (let index = 0; index < withResults.length; index++) {
    const metric = metrics.groupOf[index];
    if (withResults[index] === 0 || noted.has(metric)) continue;
    noted.add(metric);
    const [name, type] = metrics.values[metric];
    note(name, type);
  }
}

/** The columns of all groups, as far as they have come. */
class Totals {
  readonly #operator: GroupOperator;
  readonly #count: number;
  readonly #evaluation: Evaluation;
  readonly #groups: (GroupTotal | undefined)[];

  constructor(operator: GroupOperator, groupCount: number, count: number, evaluation: Evaluation) {
    this.#operator = operator;
    this.#count = count;
    this.#evaluation = evaluation;
    this.#groups = new Array<GroupTotal | undefined>(groupCount).fill(undefined);
  }

  merge({ ids, values, errors, counts }: GroupColumns): void {
    for (let own = 0; own < ids.length; own++) {
      const from = own * this.#count;
      const to = from + this.#count;
      this.#group(ids[own]).merge(
        this.#operator,
        values.subarray(from, to),
        errors.subarray(from, to),
        counts.subarray(from, to),
      );
    }
  }

  /** Adds one series' column. */
  add(group: number, { values, present }: Column): void {
    const counts = Float64Array.from(present, (mark) => (mark === FLOAT ? 1 : 0));
    const errors = new Float64Array(values.length);
    this.#group(group).merge(this.#operator, values, errors, counts);
  }

  /** Undefined where a mean may have overflowed on its way. */
  columns(node: Aggregation, groups: SeriesGroups, dropName: boolean): Column[] | undefined {
    const columns: Column[] = [];
    for (let group = 0; group < this.#groups.length; group++) {
      const total = this.#groups[group];
      if (total === undefined || !total.hasAny()) continue;
      const labels = Labels.fromEntries(
        node.grouping.map((name, i) => [name, groups.values[group][i]] as const),
      );
      const column = emptyColumn(labels, dropName, this.#count);
      if (!total.fill(node.operator, column)) return undefined;
      columns.push(column);
    }
    return columns;
  }

  #group(id: number): GroupTotal {
    let group = this.#groups[id];
    if (group === undefined) {
      // Three columns are held, and become one.
      this.#evaluation.budget.acquire(3 * this.#count);
      group = new GroupTotal(this.#count);
      this.#groups[id] = group;
    }
    return group;
  }
}

class GroupTotal {
  readonly #values: Float64Array;
  readonly #errors: Float64Array;
  readonly #counts: Float64Array;

  constructor(count: number) {
    this.#values = new Float64Array(count);
    this.#errors = new Float64Array(count);
    this.#counts = new Float64Array(count);
  }

  hasAny(): boolean {
    return this.#counts.some((count) => count > 0);
  }

  merge(
    operator: GroupOperator,
    values: Float64Array,
    errors: Float64Array,
    counts: Float64Array,
  ): void {
    const own = this.#values;
    for (let step = 0; step < own.length; step++) {
      if (counts[step] === 0) continue;
      const value = values[step];
      const before = own[step];
      if (operator === 'sum') {
        const sum = before + value;
        const part = sum - before;
        own[step] = sum;
        this.#errors[step] += before - (sum - part) + (value - part) + errors[step];
      } else if (operator !== 'count') {
        const isBetter = operator === 'max' ? value > before : value < before;
        if (this.#counts[step] === 0 || isBetter || Number.isNaN(before)) own[step] = value;
      }
      this.#counts[step] += counts[step];
    }
  }

  /** False where a mean is infinite: only in the order of the series is it known why. */
  fill(operator: Aggregation['operator'], { values, present }: Column): boolean {
    for (let step = 0; step < values.length; step++) {
      const count = this.#counts[step];
      if (count === 0) continue;
      present[step] = FLOAT;
      const value = this.#values[step];
      const error = Number.isFinite(value) ? this.#errors[step] : 0;
      if (operator === 'sum') values[step] = value + error;
      else if (operator === 'count') values[step] = count;
      else if (operator === 'group') values[step] = 1;
      else if (operator !== 'avg') values[step] = value;
      else if (Math.abs(value) === Number.POSITIVE_INFINITY) return false;
      else values[step] = value / count + error / count;
    }
    return true;
  }
}
