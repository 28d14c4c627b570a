/** Columns that the store computes by itself, and those of series that it leaves to the engine. */
import {
  type ColumnBatch,
  type ColumnReader,
  NOT_COMPUTED,
  type WindowFunction,
  type WindowRequest,
} from '@tyto/model';
import type { Column } from './column.ts';
import type { Evaluation } from './evaluation.ts';
import type { SeriesSource } from './source.ts';
import type { WindowSource } from './windowSource.ts';

/** The functions of range vectors that a store may compute; the value says what keeps its name. */
const STORED: ReadonlySet<string> = new Set<WindowFunction>([
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'changes',
  'resets',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'present_over_time',
  'first_over_time',
  'last_over_time',
  'quantile_over_time',
]);

/** The request for a function over windows; undefined where it must be computed here. */
export function windowRequest(
  name: string,
  source: WindowSource,
  quantiles?: Float64Array,
): WindowRequest | undefined {
  const { selector, stored, ends, rangeMs } = source;
  if (stored === undefined || selector === undefined || !STORED.has(name)) return undefined;
  if (selector.anchored || selector.smoothed) return undefined;
  const quantile = quantiles?.[0];
  if (quantiles?.some((one) => !Object.is(one, quantile)) === true) return undefined;
  const { startMs, stepMs, count } = ends;
  const request = { name: name as WindowFunction, startMs, stepMs, count, rangeMs };
  return quantile === undefined ? request : { ...request, quantile };
}

/** What becomes of a series' own column, where the engine has to compute it. */
export type ReadOne = (index: number) => Column | undefined;

/** All columns that have something, in the order of their series. */
export async function readColumns(
  source: SeriesSource,
  reader: ColumnReader,
  count: number,
  dropName: boolean,
  evaluation: Evaluation,
  readOne: ReadOne,
): Promise<Column[]> {
  const { budget } = evaluation;
  evaluation.trace.note('computed by the store');
  const columns: Column[] = [];
  await eachBatch(reader, evaluation, async (batch) => {
    const { first, end, sampleCounts, hasResults, values, present } = batch;
    for (let index = first; index < end; index++) {
      const at = index - first;
      if (sampleCounts[at] === NOT_COMPUTED) {
        if (budget.due()) await budget.pause();
        const column = readOne(index);
        if (column === undefined) continue;
        budget.acquire(count);
        columns.push(column);
        continue;
      }
      budget.noteRead(sampleCounts[at]);
      if (hasResults[at] === 0) continue;
      budget.acquire(count);
      columns.push({
        labels: source.labels(index),
        dropName: dropName || source.dropName(index),
        values: values.slice(at * count, (at + 1) * count),
        present: present.slice(at * count, (at + 1) * count),
        histograms: null,
      });
    }
    return true;
  });
  return columns;
}

/** Visits batches until one says that it is enough; gives back memory however that ends. */
export async function eachBatch(
  reader: ColumnReader,
  { budget }: Evaluation,
  visit: (batch: ColumnBatch) => Promise<boolean>,
): Promise<void> {
  try {
    for (;;) {
      if (budget.due()) await budget.pause();
      const next = reader.next();
      const batch = next instanceof Promise ? await budget.wait(next) : next;
      if (batch === undefined || !(await visit(batch))) return;
    }
  } finally {
    reader.release();
  }
}
