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
import { type Column, emptyColumn, FLOAT, type Grid, sizeOf } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { TYPE_LABEL, windowColumnOf, windowPlan } from '../functions/rangeVector.ts';
import { STORED_GROUPING_MAX } from '../limits.ts';
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
  const { grouping } = node;
  if (operator === undefined || node.without || grouping.includes(METRIC_NAME)) return undefined;
  if (grouping.length > STORED_GROUPING_MAX) return undefined;
  const stored = await storedOf(unwrapParens(node.inner), grid, evaluation);
  const groups = stored?.source.groupBy(grouping);
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
  const columns = isComplete ? await totals.columns(node, groups, stored.dropName) : undefined;
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

/** Points of one page of totals. */
const PAGE_POINTS = 16_384;

/** The columns of some groups behind each other, three numbers for each of their points. */
interface Page {
  readonly values: Float64Array;
  readonly errors: Float64Array;
  readonly counts: Float64Array;
}

/** The columns of all groups, as far as they have come. */
class Totals {
  readonly #operator: GroupOperator;
  readonly #groupCount: number;
  readonly #count: number;
  readonly #evaluation: Evaluation;
  readonly #groupsPerPage: number;
  readonly #pages: (Page | undefined)[] = [];

  constructor(operator: GroupOperator, groupCount: number, count: number, evaluation: Evaluation) {
    this.#operator = operator;
    this.#groupCount = groupCount;
    this.#count = count;
    this.#evaluation = evaluation;
    this.#groupsPerPage = Math.max(1, Math.floor(PAGE_POINTS / count));
  }

  merge({ ids, values, errors, counts }: GroupColumns): void {
    for (let own = 0; own < ids.length; own++) {
      this.#add(ids[own], values, errors, counts, own * this.#count);
    }
  }

  /** Adds one series' column. */
  add(group: number, { values, present }: Column): void {
    const counts = Float64Array.from(present, (mark) => (mark === FLOAT ? 1 : 0));
    this.#add(group, values, new Float64Array(values.length), counts, 0);
  }

  /** Undefined where a mean may have overflowed on its way. */
  async columns(
    node: Aggregation,
    groups: SeriesGroups,
    dropName: boolean,
  ): Promise<Column[] | undefined> {
    const { budget } = this.#evaluation;
    const labelsOf = groupLabels(node.grouping);
    const columns: Column[] = [];
    for (let group = 0; group < this.#groupCount; group++) {
      if (budget.due()) await budget.pause();
      const page = this.#pages[Math.floor(group / this.#groupsPerPage)];
      if (page === undefined || !this.#hasAny(page, group)) continue;
      const column = emptyColumn(labelsOf(groups.values[group]), dropName, this.#count);
      if (!this.#fill(node.operator, page, group, column)) return undefined;
      columns.push(column);
    }
    return columns;
  }

  #add(
    group: number,
    values: Float64Array,
    errors: Float64Array,
    counts: Float64Array,
    from: number,
  ): void {
    const operator = this.#operator;
    const page = this.#pageOf(group);
    const at = this.#placeOf(group) - from;
    for (let i = from; i < from + this.#count; i++) {
      if (counts[i] === 0) continue;
      const value = values[i];
      const before = page.values[at + i];
      if (operator === 'sum') {
        const sum = before + value;
        const part = sum - before;
        page.values[at + i] = sum;
        page.errors[at + i] += before - (sum - part) + (value - part) + errors[i];
      } else if (operator !== 'count') {
        const isBetter = operator === 'max' ? value > before : value < before;
        if (page.counts[at + i] === 0 || isBetter || Number.isNaN(before)) {
          page.values[at + i] = value;
        }
      }
      page.counts[at + i] += counts[i];
    }
  }

  #hasAny({ counts }: Page, group: number): boolean {
    const at = this.#placeOf(group);
    for (let i = at; i < at + this.#count; i++) if (counts[i] > 0) return true;
    return false;
  }

  /** False where a mean is infinite: only in the order of the series is it known why. */
  #fill(operator: Aggregation['operator'], page: Page, group: number, column: Column): boolean {
    const { values, present } = column;
    const at = this.#placeOf(group);
    for (let step = 0; step < values.length; step++) {
      const count = page.counts[at + step];
      if (count === 0) continue;
      present[step] = FLOAT;
      const value = page.values[at + step];
      const error = Number.isFinite(value) ? page.errors[at + step] : 0;
      if (operator === 'sum') values[step] = value + error;
      else if (operator === 'count') values[step] = count;
      else if (operator === 'group') values[step] = 1;
      else if (operator !== 'avg') values[step] = value;
      else if (Math.abs(value) === Number.POSITIVE_INFINITY) return false;
      else values[step] = value / count + error / count;
    }
    return true;
  }

  /** Where in its page the column of a group begins. */
  #placeOf(group: number): number {
    return (group % this.#groupsPerPage) * this.#count;
  }

  #pageOf(group: number): Page {
    const index = Math.floor(group / this.#groupsPerPage);
    let page = this.#pages[index];
    if (page === undefined) {
      const groups = Math.min(this.#groupsPerPage, this.#groupCount - index * this.#groupsPerPage);
      // Three columns are held, and become one.
      this.#evaluation.budget.acquire(sizeOf(groups, 3 * this.#count));
      const points = groups * this.#count;
      page = {
        values: new Float64Array(points),
        errors: new Float64Array(points),
        counts: new Float64Array(points),
      };
      this.#pages[index] = page;
    }
    return page;
  }
}

/** Makes the labels of groups from the values of these names; absent ones are empty. */
function groupLabels(grouping: readonly string[]): (values: readonly string[]) => Labels {
  const order = [...new Set(grouping)].sort().map((name) => grouping.lastIndexOf(name));
  return (values) => {
    const pairs: string[] = [];
    for (const i of order) if (values[i] !== '') pairs.push(grouping[i], values[i]);
    return Labels.fromSorted(pairs);
  };
}
