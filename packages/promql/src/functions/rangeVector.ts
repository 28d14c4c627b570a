/** Functions of range vectors: one kernel call per series computes all steps. */
import { TytoError } from '@tyto/base';
import { type RateKind, rateWindows } from '@tyto/kernels';
import { SampleColumns, type WindowRequest } from '@tyto/model';
import { type Call, formatNumber } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import {
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  type Grid,
  hasAny,
} from '../column.ts';
import { readColumns, type ReadOne, windowRequest } from '../storedColumns.ts';
import type { WindowSource } from '../windowSource.ts';
import type { Evaluation } from '../evaluation.ts';
import { windowBounds } from '../windows/bounds.ts';
import { exactIncreaseWindows } from '../windows/exact.ts';
import { anchorBounds, extendedRateWindows } from '../windows/extended.ts';
import {
  changesWindows,
  countWindows,
  greatestIndexes,
  lastPairWindows,
  leastIndexes,
  resetsWindows,
} from '../windows/picks.ts';
import { deviationWindows, quantileWindows } from '../windows/quantiles.ts';
import { startTimesMatter } from '../windows/startTimes.ts';
import { averageWindows, sumWindows, varianceWindows } from '../windows/sums.ts';
import { predictWindows, slopeWindows, smoothWindows } from '../windows/trend.ts';
import {
  countEverything,
  ignoreHistograms,
  type MixedFunction,
  mixedLastPair,
  mixedPick,
  mixedRate,
  mixedSteps,
  mixedSum,
} from './rangeHistograms.ts';
import type { VectorFunction } from './registry.ts';
import { startedLastPair, startedRate } from './startedRates.ts';

/** One series with its windows, as a kernel gets it. */
interface SeriesWindows {
  readonly samples: SampleColumns;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly count: number;
  readonly source: WindowSource;
}

type Kernel = (series: SeriesWindows, out: Float64Array, present: Uint8Array) => void;

/** How a call becomes columns: over which windows, and what is done with each series'. */
export interface WindowPlan {
  readonly source: WindowSource;
  readonly kernel: Kernel;
  readonly keepName?: boolean;
  readonly mixed?: MixedFunction;
  /** What the store may compute instead. */
  readonly request?: WindowRequest | undefined;
  /** Hears, once for each metric with results, what it is called and of which type it is. */
  readonly note?: (name: string, type: string) => void;
}

type Planner = (call: Call, evaluation: Evaluation, grid: Grid) => Promise<WindowPlan>;

/** Computes every series' column; those without any result are left out. */
async function overWindows(
  plan: WindowPlan,
  grid: Grid,
  evaluation: Evaluation,
): Promise<Column[]> {
  const { source, request, keepName = false } = plan;
  const columnOf = windowColumnOf(plan, evaluation);
  const { stored } = source;
  const reader = request === undefined ? undefined : stored?.columns(request);
  if (stored !== undefined && reader !== undefined) {
    return readColumns(stored, reader, grid.count, !keepName, evaluation, columnOf);
  }
  const columns: Column[] = [];
  for (let index = 0; index < source.size; index++) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    const prepared = source.prepare(index);
    if (prepared !== undefined) await evaluation.budget.wait(prepared);
    const column = columnOf(index);
    if (column === undefined) continue;
    evaluation.budget.acquire(grid.count);
    columns.push(column);
  }
  return columns;
}

/** Computes the column of one series here; undefined without any result. */
export function windowColumnOf(plan: WindowPlan, evaluation: Evaluation): ReadOne {
  const { source, kernel, keepName = false, mixed = ignoreHistograms } = plan;
  const { ends, rangeMs, lookbackMs } = source;
  const { startMs, stepMs, count } = ends;
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  return (index) => {
    const samples = source.samples(index);
    const { timestamps, length } = samples;
    windowBounds(timestamps, length, startMs, stepMs, count, rangeMs, from, to);
    if (source.selector?.anchored === true) {
      anchorBounds(timestamps, startMs, stepMs, count, rangeMs, lookbackMs, from, to);
    }
    const dropName = !keepName || source.dropName(index);
    const make = samples.histograms === null ? emptyColumn : emptyHistogramColumn;
    const column = make(source.labels(index), dropName, count);
    const series = { samples, from, to, count, source };
    const isStarted = mixed.usesStartTimes === true && startTimesMatter(samples, startMs - rangeMs);
    if (samples.histograms === null && !isStarted) kernel(series, column.values, column.present);
    else runMixed(series, column, evaluation, kernel, mixed);
    return hasAny(column.present) ? column : undefined;
  };
}

/** A function that follows a plan. */
function planned(planner: Planner): VectorFunction {
  return async (call, grid, evaluation) => {
    const plan = await planner(call, evaluation, grid);
    const columns = await overWindows(plan, grid, evaluation);
    const { note } = plan;
    if (note === undefined) return columns;
    const noted = new Set<string>();
    for (const { labels, present } of columns) {
      const name = labels.metricName;
      const type = labels.get(TYPE_LABEL);
      const key = `${type} ${name}`;
      if (noted.has(key) || !present.includes(FLOAT)) continue;
      noted.add(key);
      note(name, type);
    }
    return columns;
  };
}

/** A series with histograms: what decides per step is `mixed`; the kernel sees the floats. */
function runMixed(
  series: SeriesWindows,
  column: Column,
  evaluation: Evaluation,
  kernel: Kernel,
  mixed: MixedFunction,
): void {
  const { samples, from, to, count, source } = series;
  const { ends, rangeMs } = source;
  const floats = mixed === countEverything ? series : floatWindows(series);
  const values = new Float64Array(count);
  const present = new Uint8Array(count);
  kernel(floats, values, present);
  const name = column.labels.metricName;
  for (let step = 0; step < count; step++) {
    // A smoothed window may be empty and yet lie between two samples.
    if (from[step] >= to[step] && source.selector?.smoothed !== true) continue;
    const endMs = ends.startMs + step * ends.stepMs;
    const window = { samples, from: from[step], to: to[step], beginMs: endMs - rangeMs, endMs };
    const target = { column, step, source, name, span: source.expr.span, evaluation };
    if (!mixed(window, target) || present[step] !== FLOAT) continue;
    column.values[step] = values[step];
    column.present[step] = FLOAT;
  }
}

/** The same windows over the floats of a series alone. */
function floatWindows({ samples, count, source }: SeriesWindows): SeriesWindows {
  const floats = new SampleColumns(samples.length);
  for (let i = 0; i < samples.length; i++) {
    if (samples.histograms?.[i] === undefined) {
      floats.push(samples.timestamps[i], samples.values[i]);
    }
  }
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const { startMs, stepMs } = source.ends;
  const { timestamps, length } = floats;
  windowBounds(timestamps, length, startMs, stepMs, count, source.rangeMs, from, to);
  return { samples: floats, from, to, count, source };
}

function windowFunction(
  kernel: Kernel,
  keepName = false,
  mixed: MixedFunction = ignoreHistograms,
): Planner {
  return async (call, evaluation, grid) => {
    const source = await evaluation.windows(call.args[0], grid);
    return { source, kernel, keepName, mixed, request: windowRequest(call.name, source) };
  };
}

function rateKernel(kind: RateKind): Kernel {
  return ({ samples, source }, out, present) => {
    const { timestamps: times, values, length } = samples;
    const { startMs, stepMs, count } = source.ends;
    const { rangeMs, lookbackMs, selector } = source;
    if (selector?.anchored !== true && selector?.smoothed !== true) {
      rateWindows(kind, times, values, length, startMs, stepMs, count, rangeMs, out, present);
      return;
    }
    extendedRateWindows(
      times,
      values,
      length,
      startMs,
      stepMs,
      count,
      rangeMs,
      lookbackMs,
      selector.smoothed,
      kind !== 'delta',
      kind === 'rate',
      out,
      present,
    );
  };
}

export const TYPE_LABEL = '__type__';
const COUNTER_TYPE = /^(?:counter|histogram)$/;
const COUNTER_SUFFIX = /_(?:total|sum|count|bucket)$/;

/** rate and increase tell when the metric does not look like a counter. */
function counterFunction(kernel: Kernel, mixed: MixedFunction): Planner {
  const plain = windowFunction(kernel, false, mixed);
  return async (call, evaluation, grid) => {
    const plan = await plain(call, evaluation, grid);
    return { ...plan, note: (name, type) => noteNonCounter(name, type, call, evaluation) };
  };
}

/** Tells where a metric does not look like a counter, by its type or else its name. */
function noteNonCounter(name: string, type: string, call: Call, evaluation: Evaluation): void {
  const known = evaluation.droppedWithName.has(TYPE_LABEL) ? type : '';
  if (name === '' || (known === '' ? COUNTER_SUFFIX.test(name) : COUNTER_TYPE.test(known))) return;
  const message =
    known === '' ? messages.possibleNonCounter(name) : messages.possibleNonCounterType(name, known);
  evaluation.annotations.info(message, call.args[0].span);
}

/** exact_increase and exact_rate. */
function exactFunction(isRate: boolean): Planner {
  return async (call, evaluation, grid) => {
    const source = await evaluation.windows(call.args[0], grid);
    const { ends, rangeMs, lookbackMs } = source;
    const beginMs = (step: number) => ends.startMs + step * ends.stepMs - rangeMs;
    const kernel: Kernel = ({ samples, from, to, count }, out, present) => {
      const { timestamps, values, length } = samples;
      exactIncreaseWindows(
        timestamps,
        values,
        length,
        from,
        to,
        count,
        beginMs,
        lookbackMs,
        out,
        present,
      );
      for (let step = 0; isRate && step < count; step++) out[step] /= rangeMs / 1000;
    };
    const note = (name: string, type: string) => noteNonCounter(name, type, call, evaluation);
    return { source, kernel, note };
  };
}

type Pick = (series: SeriesWindows, picked: Int32Array) => void;

const pickFirst: Pick = ({ from, to, count }, picked) => {
  for (let step = 0; step < count; step++) picked[step] = from[step] < to[step] ? from[step] : -1;
};

const pickLast: Pick = ({ from, to, count }, picked) => {
  for (let step = 0; step < count; step++) picked[step] = from[step] < to[step] ? to[step] - 1 : -1;
};

function pickLeast(preferLater: boolean): Pick {
  return ({ samples, from, to, count }, picked) =>
    leastIndexes(samples.values, from, to, count, preferLater, picked);
}

function pickGreatest(preferLater: boolean): Pick {
  return ({ samples, from, to, count }, picked) =>
    greatestIndexes(samples.values, from, to, count, preferLater, picked);
}

/** The value of the picked sample, or its time in seconds. */
function pickFunction(
  pick: Pick,
  asTime: boolean,
  keepName = false,
  mixed: MixedFunction = ignoreHistograms,
): Planner {
  return windowFunction(
    (series, out, present) => {
      const picked = new Int32Array(series.count);
      pick(series, picked);
      const { timestamps, values } = series.samples;
      for (let step = 0; step < picked.length; step++) {
        const index = picked[step];
        if (index < 0) continue;
        out[step] = asTime ? timestamps[index] / 1000 : values[index];
        present[step] = FLOAT;
      }
    },
    keepName,
    mixed,
  );
}

const quantileOverTime: Planner = async (call, evaluation, grid) => {
  const quantiles = await evaluation.scalar(call.args[0], grid);
  const source = await evaluation.windows(call.args[1], grid);
  return {
    source,
    kernel: ({ samples, from, to, count }, out, present) =>
      quantileWindows(samples.values, from, to, count, quantiles, out, present),
    request: windowRequest(call.name, source, quantiles),
    note: () => warnOfQuantiles(quantiles, call.args[0].span, evaluation),
  };
};

/** Says which of the quantiles asked for are none. */
export function warnOfQuantiles(
  quantiles: Float64Array,
  span: { readonly start: number; readonly end: number },
  evaluation: Evaluation,
): void {
  for (const quantile of quantiles) {
    if (quantile >= 0 && quantile <= 1) continue;
    evaluation.annotations.warn(messages.invalidQuantile(formatNumber(quantile)), span);
  }
}

const predictLinear: Planner = async (call, evaluation, grid) => {
  const source = await evaluation.windows(call.args[0], grid);
  const ahead = await evaluation.scalar(call.args[1], grid);
  const kernel: Kernel = (series, out, present) => {
    const { timestamps, values } = series.samples;
    const { from, to, count } = series;
    const { startMs, stepMs } = grid;
    predictWindows(timestamps, values, from, to, count, startMs, stepMs, ahead, out, present);
  };
  return { source, kernel };
};

const doubleExponentialSmoothing: Planner = async (call, evaluation, grid) => {
  const source = await evaluation.windows(call.args[0], grid);
  const smoothing = await evaluation.scalar(call.args[1], grid);
  const trending = await evaluation.scalar(call.args[2], grid);
  checkFactors(smoothing, 'smoothing', 'sf');
  checkFactors(trending, 'trend', 'tf');
  const kernel: Kernel = ({ samples, from, to, count }, out, present) =>
    smoothWindows(samples.values, from, to, count, smoothing, trending, out, present);
  return { source, kernel };
};

function checkFactors(factors: Float64Array, word: string, name: string): void {
  for (const factor of factors) {
    if (factor > 0 && factor < 1) continue;
    const shown = factor.toFixed(6);
    throw new TytoError(
      'execution',
      `invalid ${word} factor. Expected: 0 < ${name} < 1, got: ${shown}`,
    );
  }
}

const present: Kernel = ({ from, to, count }, out, marks) => {
  countWindows(from, to, count, out, marks);
  out.fill(1);
};

const planners: readonly (readonly [string, Planner])[] = [
  ['rate', counterFunction(rateKernel('rate'), startedRate(true))],
  ['increase', counterFunction(rateKernel('increase'), startedRate(false))],
  ['exact_increase', exactFunction(false)],
  ['exact_rate', exactFunction(true)],
  ['delta', windowFunction(rateKernel('delta'), false, mixedRate(false, false))],
  ['irate', windowFunction(lastPair(true), false, startedLastPair)],
  ['idelta', windowFunction(lastPair(false), false, mixedLastPair(false))],
  [
    'sum_over_time',
    windowFunction(
      ({ samples, from, to, count }, out, marks) =>
        sumWindows(samples.values, from, to, count, out, marks),
      false,
      mixedSum(false),
    ),
  ],
  [
    'avg_over_time',
    windowFunction(
      ({ samples, from, to, count }, out, marks) =>
        averageWindows(samples.values, from, to, count, out, marks),
      false,
      mixedSum(true),
    ),
  ],
  [
    'count_over_time',
    windowFunction(
      ({ from, to, count }, out, marks) => countWindows(from, to, count, out, marks),
      false,
      countEverything,
    ),
  ],
  ['present_over_time', windowFunction(present, false, countEverything)],
  ['min_over_time', pickFunction(pickLeast(false), false)],
  ['max_over_time', pickFunction(pickGreatest(false), false)],
  ['first_over_time', pickFunction(pickFirst, false, true, mixedPick(false))],
  ['last_over_time', pickFunction(pickLast, false, true, mixedPick(true))],
  ['ts_of_min_over_time', pickFunction(pickLeast(true), true)],
  ['ts_of_max_over_time', pickFunction(pickGreatest(true), true)],
  ['ts_of_first_over_time', pickFunction(pickFirst, true, false, countEverything)],
  ['ts_of_last_over_time', pickFunction(pickLast, true, false, countEverything)],
  ['stddev_over_time', windowFunction(variance(true))],
  ['stdvar_over_time', windowFunction(variance(false))],
  [
    'mad_over_time',
    windowFunction(({ samples, from, to, count }, out, marks) =>
      deviationWindows(samples.values, from, to, count, out, marks),
    ),
  ],
  ['quantile_over_time', quantileOverTime],
  [
    'changes',
    windowFunction(
      ({ samples, from, to, count }, out, marks) =>
        changesWindows(samples.values, from, to, count, out, marks),
      false,
      mixedSteps(false),
    ),
  ],
  [
    'resets',
    windowFunction(
      ({ samples, from, to, count }, out, marks) =>
        resetsWindows(samples.values, from, to, count, out, marks),
      false,
      mixedSteps(true),
    ),
  ],
  [
    'deriv',
    windowFunction(({ samples, from, to, count }, out, marks) =>
      slopeWindows(samples.timestamps, samples.values, from, to, count, out, marks),
    ),
  ],
  ['predict_linear', predictLinear],
  ['double_exponential_smoothing', doubleExponentialSmoothing],
];

export const rangeFunctions: readonly (readonly [string, VectorFunction])[] = planners.map(
  ([name, planner]) => [name, planned(planner)],
);

const plannersByName = new Map(planners);

/** How a call of a function of range vectors is carried out; undefined for other functions. */
export function windowPlan(
  call: Call,
  evaluation: Evaluation,
  grid: Grid,
): Promise<WindowPlan> | undefined {
  return plannersByName.get(call.name)?.(call, evaluation, grid);
}

function lastPair(isRate: boolean): Kernel {
  return ({ samples, from, to, count }, out, marks) =>
    lastPairWindows(samples.timestamps, samples.values, from, to, count, isRate, out, marks);
}

function variance(isDeviation: boolean): Kernel {
  return ({ samples, from, to, count }, out, marks) =>
    varianceWindows(samples.values, from, to, count, isDeviation, out, marks);
}
