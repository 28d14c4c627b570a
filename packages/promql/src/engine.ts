/** The query engine: a text and a time, or a range of them, become a result. */
import { type Clock, systemClock, TytoError } from '@tyto/base';
import type {
  MatrixSeries,
  MetricQuerier,
  QueryResult,
  QueryValue,
  SettledTime,
  VectorSample,
} from '@tyto/model';
import { compareLabels, Labels, METRIC_NAME } from '@tyto/model';
import { type Expr, type ParseOptions, parseExpr, typeOf, unwrapParens } from '@tyto/syntax';
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
import {
  LOOKBACK_MS,
  PARSED_COUNT_MAX,
  PARSED_TEXT_MAX,
  SAMPLE_LIMIT,
  SUBQUERY_STEP_MS,
  TIMEOUT_MS,
} from './limits.ts';
import { sortPaced } from './paced.ts';
import { planLoads, QueryTimes } from './plan.ts';
import type { SampleAccount } from './samplePool.ts';
import { QuerySources } from './source.ts';
import { Repeats } from './repeats.ts';
import { type CachedRange, cacheKey, joinRanges, ResultCache } from './resultCache.ts';
import { Trace } from './trace.ts';
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
  /** Which experimental parts of the language may be used; all by default. */
  readonly experimental?: ParseOptions['experimental'];
  /** Whether start times of samples tell of counter resets; false by default. */
  readonly useStartTimes?: boolean;
  /** Bytes of results that are kept for what no longer changes; 0, none, by default. */
  readonly resultCacheBytes?: number;
}

/** What one query may change of the engine's options. */
export interface QueryOptions {
  readonly lookbackMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly sampleLimit?: number | undefined;
  /**
   * Ends this query: its caller aborts it, and a reason that is a TytoError is what the query
   * rejects with. The engine aborts it as well when the query fails, so that stores stop.
   */
  readonly ending?: AbortController | undefined;
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

/** Where the results of a query are kept. */
interface KnownResults {
  readonly cache: ResultCache;
  readonly key: string;
  readonly settled: SettledTime;
  readonly range: CachedRange | undefined;
}

export class QueryEngine {
  readonly #querier: MetricQuerier;
  readonly #options: EngineOptions;
  readonly #cache: ResultCache | undefined;
  readonly #parsed = new Map<string, Expr>();

  constructor(querier: MetricQuerier, options: EngineOptions = {}) {
    this.#querier = querier;
    this.#options = options;
    const { resultCacheBytes = 0 } = options;
    if (resultCacheBytes > 0) this.#cache = new ResultCache(resultCacheBytes);
  }

  /** Bytes of results that are kept now. */
  get cachedBytes(): number {
    return this.#cache?.bytes ?? 0;
  }

  /** Evaluates at one moment. Rejects with TytoError. */
  async instant(text: string, timeMs: number, options: QueryOptions = {}): Promise<QueryResult> {
    const grid = { startMs: timeMs, stepMs: 0, count: 1 };
    const expr = this.#parse(text);
    const prepared = await this.#prepare(text, expr, grid, timeMs, options, false);
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
    const expr = this.#parse(text);
    checkRangeType(expr);
    const known = this.#known(text, expr, grid, options);
    const skipped = known?.range?.grid.count ?? 0;
    const rest = { startMs: startMs + skipped * stepMs, stepMs, count: count - skipped };
    const prepared = await this.#prepare(text, expr, rest, endMs, options, true);
    return this.#run(prepared, async () => {
      const series = await rangeSeries(prepared, known, grid);
      return { type: 'matrix', series };
    });
  }

  /** The same queries come again and again. */
  #parse(text: string): Expr {
    const known = this.#parsed.get(text);
    if (known !== undefined) return known;
    const expr = parseExpr(text, { experimental: this.#options.experimental ?? true });
    if (text.length > PARSED_TEXT_MAX) return expr;
    if (this.#parsed.size >= PARSED_COUNT_MAX) this.#parsed.clear();
    this.#parsed.set(text, expr);
    return expr;
  }

  /** Where results of the query are kept, and which are there; undefined where none are. */
  #known(text: string, expr: Expr, grid: Grid, options: QueryOptions): KnownResults | undefined {
    const cache = this.#cache;
    const settled = cache === undefined ? undefined : this.#querier.settled?.();
    const lookbackMs = options.lookbackMs ?? this.#options.lookbackMs ?? LOOKBACK_MS;
    const key = settled === undefined ? undefined : cacheKey(text, expr, grid, lookbackMs);
    if (cache === undefined || settled === undefined || key === undefined) return undefined;
    return { cache, key, settled, range: cache.find(key, grid, settled.version) };
  }

  async #prepare(
    text: string,
    expr: Expr,
    grid: Grid,
    endMs: number,
    options: QueryOptions,
    isRange: boolean,
  ): Promise<Prepared> {
    const defaults = this.#options;
    const budget = new QueryBudget({
      sampleLimit: options.sampleLimit ?? defaults.sampleLimit ?? SAMPLE_LIMIT,
      timeoutMs: options.timeoutMs ?? defaults.timeoutMs ?? TIMEOUT_MS,
      ending: options.ending ?? new AbortController(),
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
    const clock = defaults.clock ?? systemClock;
    const trace = new Trace(text, clock, () => budget.read);
    const usage = usageOf(budget, sources, trace);
    options.watch?.(usage);
    const startedMs = clock.monotonicMs();
    if (grid.count > 0) await sources.select(this.#querier);
    usage.preparationMs = clock.monotonicMs() - startedMs;
    const annotations = new Annotations(text);
    const droppedWithName = defaults.typeAndUnitLabels === true ? RESERVED : NAME_ONLY;
    const repeats = new Repeats(text, expr, budget);
    const parts = { annotations, budget, times, sources, isRange, droppedWithName, repeats, trace };
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

function checkRangeType(expr: Expr): void {
  const type = typeOf(expr);
  if (type === 'vector' || type === 'scalar') return;
  const shown = type === 'matrix' ? 'range vector' : type;
  const words = 'for range query, must be Scalar or instant Vector';
  throw new TytoError('bad_data', `invalid expression type "${shown}" ${words}`);
}

function usageOf(
  budget: QueryBudget,
  sources: QuerySources,
  trace: Trace,
): QueryUsage & { preparationMs: number | undefined } {
  return {
    preparationMs: undefined,
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
    steps: trace.steps,
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

/** `prepared` is of the steps behind what is known, `grid` of all. */
async function rangeSeries(
  prepared: Prepared,
  known: KnownResults | undefined,
  grid: Grid,
): Promise<MatrixSeries[]> {
  const { expr, evaluator } = prepared;
  const { startMs, stepMs, count } = grid;
  const times = new Float64Array(count);
  for (let step = 0; step < count; step++) times[step] = startMs + step * stepMs;
  if (typeOf(expr) === 'scalar') {
    const values = await evaluator.scalar(expr, grid);
    return [{ labels: Labels.empty, timestamps: times, values }];
  }
  const series: MatrixSeries[] = [];
  for (const column of await rangeColumns(prepared, known, grid)) {
    if (evaluator.budget.due()) await evaluator.budget.pause();
    const compact = compactSeries(column, times);
    if (compact !== undefined) series.push(compact);
  }
  return sortPaced(series, byLabels, evaluator.budget);
}

async function rangeColumns(
  { expr, grid: rest, evaluator, sources }: Prepared,
  known: KnownResults | undefined,
  grid: Grid,
): Promise<Column[]> {
  const computed = rest.count === 0 ? [] : await evaluator.vector(expr, rest);
  const named = await distinct(computed, expr, evaluator);
  if (known === undefined) return named;
  const { range } = known;
  const { annotations, budget } = evaluator;
  if (range !== undefined) {
    budget.acquire(sizeOf(range.columns.length, grid.count));
    annotations.add(range);
  }
  const columns = range === undefined ? named : joinRanges(range, named, grid.count);
  const { warnings, infos } = annotations;
  // What a store could not read now it may read later.
  const isWhole = [...sources.warnings()].length === 0;
  if (isWhole) {
    const result = { grid, columns, warnings: [...warnings], infos: [...infos] };
    known.cache.keep(known.key, result, known.settled);
  }
  return columns;
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
