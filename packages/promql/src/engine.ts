/** The query engine: a text and a time, or a range of them, become a result. */
import { type Clock, systemClock, TytoError } from '@tyto/base';
import type {
  MatrixSeries,
  MetricQuerier,
  QueryResult,
  QueryValue,
  VectorSample,
} from '@tyto/model';
import { compareLabels, Labels, METRIC_NAME } from '@tyto/model';
import { type Expr, parseExpr, typeOf, unwrapParens } from '@tyto/syntax';
import { Annotations } from './annotations.ts';
import { QueryBudget } from './budget.ts';
import {
  ABSENT,
  type Column,
  FLOAT,
  type Grid,
  HISTOGRAM,
  mergeEqual,
  relabeled,
  sizeOf,
} from './column.ts';
import { Evaluator } from './evaluator.ts';
import { statisticsSelectors } from './foundResets.ts';
import { LOOKBACK_MS, SAMPLE_LIMIT, SUBQUERY_STEP_MS, TIMEOUT_MS } from './limits.ts';
import { sortPaced } from './paced.ts';
import { planLoads, QueryTimes } from './plan.ts';
import type { SampleAccount } from './samplePool.ts';
import { QuerySources } from './source.ts';
import type { QueryUsage } from './usage.ts';
import { windowBounds } from './windows/bounds.ts';

export interface EngineOptions {
  readonly clock?: Clock;
  readonly lookbackMs?: number;
  readonly timeoutMs?: number;
  readonly sampleLimit?: number;
  /** The step of subqueries that state none; Prometheus takes the evaluation interval. */
  readonly subqueryStepMs?: number;
  /** Whether `__type__` and `__unit__` go away with the metric name; false by default. */
  readonly typeAndUnitLabels?: boolean;
  /** Whether experimental functions may be used; true by default. */
  readonly experimental?: boolean;
  /** Whether start times of samples tell of counter resets; false by default. */
  readonly useStartTimes?: boolean;
}

/** What one query may change of the engine's options. */
export interface QueryOptions {
  readonly lookbackMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly sampleLimit?: number | undefined;
  /** A reason that is a TytoError is what the query rejects with. */
  readonly signal?: AbortSignal | undefined;
  /** Who gives one closes it, once nothing of the answer is in memory any more. */
  readonly account?: SampleAccount | undefined;
  /** Called once, before the store is asked; what it gets changes while the query runs. */
  readonly watch?: ((usage: QueryUsage) => void) | undefined;
}

const NAME_ONLY: ReadonlySet<string> = new Set([METRIC_NAME]);
const RESERVED: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__']);

interface Prepared {
  readonly expr: Expr;
  readonly grid: Grid;
  readonly evaluator: Evaluator;
  readonly sources: QuerySources;
}

export class QueryEngine {
  readonly #querier: MetricQuerier;
  readonly #options: EngineOptions;

  constructor(querier: MetricQuerier, options: EngineOptions = {}) {
    this.#querier = querier;
    this.#options = options;
  }

  /** Evaluates at one moment. Rejects with TytoError. */
  async instant(text: string, timeMs: number, options: QueryOptions = {}): Promise<QueryResult> {
    const grid = { startMs: timeMs, stepMs: 0, count: 1 };
    const prepared = await this.#prepare(text, grid, timeMs, options, false);
    return this.#run(prepared, () => instantValue(prepared, timeMs));
  }

  /** Evaluates at startMs, startMs + stepMs, … up to endMs. Rejects with TytoError. */
  async range(
    text: string,
    startMs: number,
    endMs: number,
    stepMs: number,
    options: QueryOptions = {},
  ): Promise<QueryResult> {
    if (!(stepMs > 0)) throw new TytoError('bad_data', 'the step of a query must be positive');
    if (endMs < startMs) throw new TytoError('bad_data', 'the end of a query is before its start');
    const count = Math.floor((endMs - startMs) / stepMs) + 1;
    const grid = { startMs, stepMs, count };
    const prepared = await this.#prepare(text, grid, endMs, options, true);
    return this.#run(prepared, async () => {
      return { type: 'matrix', series: await rangeSeries(prepared) };
    });
  }

  async #prepare(
    text: string,
    grid: Grid,
    endMs: number,
    options: QueryOptions,
    isRange: boolean,
  ): Promise<Prepared> {
    const expr = parseExpr(text, { experimental: this.#options.experimental ?? true });
    const type = typeOf(expr);
    if (isRange && type !== 'vector' && type !== 'scalar') {
      const shown = type === 'matrix' ? 'range vector' : type;
      const words = 'for range query, must be Scalar or instant Vector';
      throw new TytoError('bad_data', `invalid expression type "${shown}" ${words}`);
    }
    const defaults = this.#options;
    const budget = new QueryBudget({
      sampleLimit: options.sampleLimit ?? defaults.sampleLimit ?? SAMPLE_LIMIT,
      timeoutMs: options.timeoutMs ?? defaults.timeoutMs ?? TIMEOUT_MS,
      signal: options.signal,
      account: options.account,
      clock: defaults.clock ?? systemClock,
    });
    const times = new QueryTimes({
      startMs: grid.startMs,
      endMs,
      stepMs: grid.stepMs,
      lookbackMs: options.lookbackMs ?? defaults.lookbackMs ?? LOOKBACK_MS,
      subqueryStepMs: defaults.subqueryStepMs ?? SUBQUERY_STEP_MS,
    });
    const sources = new QuerySources(planLoads(expr, grid, times), budget, {
      useStartTimes: defaults.useStartTimes ?? false,
      statistics: statisticsSelectors(expr),
    });
    options.watch?.(usageOf(budget, sources));
    await sources.select(this.#querier, options.signal);
    const annotations = new Annotations(text);
    const droppedWithName = defaults.typeAndUnitLabels === true ? RESERVED : NAME_ONLY;
    const parts = { annotations, budget, times, sources, isRange, droppedWithName };
    const evaluator = new Evaluator(parts);
    return { expr, grid, evaluator, sources };
  }

  async #run(
    { evaluator, sources }: Prepared,
    evaluate: () => Promise<QueryValue>,
  ): Promise<QueryResult> {
    try {
      const value = await evaluate();
      const { warnings, infos } = evaluator.annotations;
      return { value, warnings: [...sources.warnings(), ...warnings], infos };
    } finally {
      sources.release();
    }
  }
}

function usageOf(budget: QueryBudget, sources: QuerySources): QueryUsage {
  return {
    get heldSamples() {
      return budget.held;
    },
    get peakSamples() {
      return budget.peak;
    },
    get readSamples() {
      return budget.read;
    },
    reads: sources.reads,
  };
}

async function instantValue(prepared: Prepared, timeMs: number): Promise<QueryValue> {
  const { expr, grid, evaluator } = prepared;
  switch (typeOf(expr)) {
    case 'string':
      return { type: 'string', timestampMs: timeMs, value: evaluator.text(expr) };
    case 'scalar':
      return {
        type: 'scalar',
        timestampMs: timeMs,
        value: (await evaluator.scalar(expr, grid))[0],
      };
    case 'matrix':
      return { type: 'matrix', series: await matrixSeries(prepared) };
    case 'vector':
      break;
  }
  const columns = await evaluator.vector(expr, grid);
  const named = columns.filter(({ present }) => present[0] !== ABSENT);
  const samples: VectorSample[] = [];
  for (const column of await distinct(named, expr, evaluator)) {
    if (evaluator.budget.due()) await evaluator.budget.pause();
    const { labels, values } = column;
    const histogram = column.present[0] === HISTOGRAM ? column.histograms?.[0] : undefined;
    samples.push({ labels, timestampMs: timeMs, value: values[0], histogram });
  }
  return { type: 'vector', samples };
}

/** A range vector asked for at one moment: the samples themselves. */
async function matrixSeries({ expr, grid, evaluator }: Prepared): Promise<MatrixSeries[]> {
  const windows = await evaluator.windows(unwrapParens(expr), grid);
  const { ends, rangeMs } = windows;
  const from = new Int32Array(1);
  const to = new Int32Array(1);
  const series: MatrixSeries[] = [];
  for (let index = 0; index < windows.size; index++) {
    if (evaluator.budget.due()) await evaluator.budget.pause();
    const prepared = windows.prepare(index);
    if (prepared !== undefined) await evaluator.budget.wait(prepared);
    const { timestamps, values, length, histograms } = windows.samples(index);
    windowBounds(timestamps, length, ends.startMs, 0, 1, rangeMs, from, to);
    if (from[0] >= to[0]) continue;
    evaluator.budget.acquire(sizeOf(1, to[0] - from[0]));
    const labels = windows.labels(index);
    const picked = pickRange(timestamps, values, histograms, from[0], to[0]);
    series.push({
      labels: windows.dropName(index) ? labels.without(evaluator.droppedWithName) : labels,
      ...picked,
    });
  }
  return sortPaced(series, byLabels, evaluator.budget);
}

async function rangeSeries({ expr, grid, evaluator }: Prepared): Promise<MatrixSeries[]> {
  const { startMs, stepMs, count } = grid;
  const times = new Float64Array(count);
  for (let step = 0; step < count; step++) times[step] = startMs + step * stepMs;
  if (typeOf(expr) === 'scalar') {
    const values = await evaluator.scalar(expr, grid);
    return [{ labels: Labels.empty, timestamps: times, values }];
  }
  const columns = await evaluator.vector(expr, grid);
  const series: MatrixSeries[] = [];
  for (const column of await distinct(columns, expr, evaluator)) {
    if (evaluator.budget.due()) await evaluator.budget.pause();
    const compact = compactSeries(column, times);
    if (compact !== undefined) series.push(compact);
  }
  return sortPaced(series, byLabels, evaluator.budget);
}

/** The columns under their final labels, those of equal ones joined. */
async function distinct(
  columns: readonly Column[],
  expr: Expr,
  evaluator: Evaluator,
): Promise<Column[]> {
  const named = await withoutDroppedNames(columns, evaluator);
  return unwrapParens(expr).kind === 'vector' ? named : mergeEqual(named, evaluator.budget);
}

function byLabels(a: MatrixSeries, b: MatrixSeries): number {
  return compareLabels(a.labels, b.labels);
}

async function withoutDroppedNames(
  columns: readonly Column[],
  { budget, droppedWithName }: Evaluator,
): Promise<Column[]> {
  const results: Column[] = [];
  for (const column of columns) {
    if (budget.due()) await budget.pause();
    const { labels } = column;
    results.push(column.dropName ? relabeled(column, labels.without(droppedWithName)) : column);
  }
  return results;
}

/** Only the steps at which there is something; a full column is handed over as it is. */
function compactSeries(column: Column, times: Float64Array): MatrixSeries | undefined {
  const { labels, present, values } = column;
  const floatCount = present.reduce((count, mark) => (mark === FLOAT ? count + 1 : count), 0);
  if (floatCount === present.length) return { labels, timestamps: times, values };
  const timestamps = new Float64Array(floatCount);
  const floats = new Float64Array(floatCount);
  const histograms: NonNullable<MatrixSeries['histograms']>[number][] = [];
  let at = 0;
  for (let step = 0; step < present.length; step++) {
    const histogram = present[step] === HISTOGRAM ? column.histograms?.[step] : undefined;
    if (histogram !== undefined) {
      histograms.push({ timestampMs: times[step], histogram });
    } else if (present[step] === FLOAT) {
      timestamps[at] = times[step];
      floats[at++] = values[step];
    }
  }
  if (floatCount === 0 && histograms.length === 0) return undefined;
  const series = { labels, timestamps, values: floats };
  return histograms.length === 0 ? series : { ...series, histograms };
}

function pickRange(
  timestamps: Float64Array,
  values: Float64Array,
  histograms: readonly (NonNullable<VectorSample['histogram']> | undefined)[] | null,
  from: number,
  to: number,
): Omit<MatrixSeries, 'labels'> {
  if (histograms === null) {
    return { timestamps: timestamps.slice(from, to), values: values.slice(from, to) };
  }
  const floatIndexes: number[] = [];
  const found: NonNullable<MatrixSeries['histograms']>[number][] = [];
  for (let i = from; i < to; i++) {
    const histogram = histograms[i];
    if (histogram === undefined) floatIndexes.push(i);
    else found.push({ timestampMs: timestamps[i], histogram });
  }
  return {
    timestamps: Float64Array.from(floatIndexes, (i) => timestamps[i]),
    values: Float64Array.from(floatIndexes, (i) => values[i]),
    histograms: found,
  };
}
