/**
 * What a range aggregation remembers of the values in a pane of time, how neighbouring panes are
 * joined, and what comes out in the end. Joining makes a new state and leaves both as they are.
 */
import { must } from '@tyto/base';
import type { RangeAggregation } from '@tyto/syntax';

export interface Reducer<State> {
  /** The state with one more value, which is later than all before; may change `state`. */
  add(state: State | undefined, value: number): State;
  join(older: State, newer: State): State;
  result(state: State): number;
  /** How many numbers a value keeps in memory. */
  readonly valueSize: number;
}

function ofNumbers(
  first: (value: number) => number,
  join: (a: number, b: number) => number,
  result: (state: number) => number = (state) => state,
): Reducer<number> {
  return {
    add: (state, value) => (state === undefined ? first(value) : join(state, first(value))),
    join,
    result,
    valueSize: 0,
  };
}

const same = (value: number) => value;
const sum = (a: number, b: number) => a + b;

interface Moments {
  count: number;
  mean: number;
  squares: number;
}

/** Mean and variance by Welford's method, joined by Chan's. */
function ofMoments(result: (moments: Moments) => number): Reducer<Moments> {
  return {
    add(state, value) {
      const moments = state ?? { count: 0, mean: 0, squares: 0 };
      moments.count++;
      const delta = value - moments.mean;
      moments.mean += delta / moments.count;
      moments.squares += delta * (value - moments.mean);
      return moments;
    },
    join(a, b) {
      const count = a.count + b.count;
      const delta = b.mean - a.mean;
      return {
        count,
        mean: a.mean + (delta * b.count) / count,
        squares: a.squares + b.squares + (delta * delta * a.count * b.count) / count,
      };
    },
    result,
    valueSize: 0,
  };
}

interface Mean {
  sum: number;
  count: number;
}

const mean: Reducer<Mean> = {
  add(state, value) {
    const found = state ?? { sum: 0, count: 0 };
    found.sum += value;
    found.count++;
    return found;
  },
  join: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
  result: (state) => state.sum / state.count,
  valueSize: 0,
};

interface Counter {
  readonly first: number;
  last: number;
  increase: number;
}

/** How much a counter grew, over resets. */
function ofCounter(rangeSeconds: number): Reducer<Counter> {
  const step = (from: number, to: number) => (to < from ? to : to - from);
  return {
    add(state, value) {
      if (state === undefined) return { first: value, last: value, increase: 0 };
      state.increase += step(state.last, value);
      state.last = value;
      return state;
    },
    join: (a, b) => ({
      first: a.first,
      last: b.last,
      increase: a.increase + step(a.last, b.first) + b.increase,
    }),
    result: (state) => state.increase / rangeSeconds,
    valueSize: 0,
  };
}

/** All values, sorted where the quantile is asked for. */
function ofValues(quantile: number): Reducer<number[]> {
  return {
    add(state, value) {
      if (state === undefined) return [value];
      state.push(value);
      return state;
    },
    join: (a, b) => [...a, ...b],
    result: (values) => quantileOf(quantile, values),
    valueSize: 2,
  };
}

function quantileOf(quantile: number, values: readonly number[]): number {
  if (Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  const sorted = Float64Array.from(values).sort();
  const rank = quantile * (sorted.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(sorted.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  return sorted[lower] * (1 - weight) + sorted[upper] * weight;
}

/** The reducer of an operator; `count` and `bytes` are given 1 and sizes as values. */
export function reducerOf(node: RangeAggregation): Reducer<unknown> {
  return reducerFor(node) as Reducer<unknown>;
}

function reducerFor({ operator, rangeMs, parameter }: RangeAggregation) {
  const rangeSeconds = rangeMs / 1000;
  switch (operator) {
    case 'count_over_time':
    case 'bytes_over_time':
    case 'sum_over_time':
      return ofNumbers(same, sum);
    case 'rate':
    case 'bytes_rate':
      return ofNumbers(same, sum, (total) => total / rangeSeconds);
    case 'min_over_time':
      return ofNumbers(same, (a, b) => (b < a || Number.isNaN(a) ? b : a));
    case 'max_over_time':
      return ofNumbers(same, (a, b) => (b > a || Number.isNaN(a) ? b : a));
    case 'first_over_time':
      return ofNumbers(same, (a) => a);
    case 'last_over_time':
      return ofNumbers(same, (_a, b) => b);
    case 'avg_over_time':
      return mean;
    case 'stdvar_over_time':
      return ofMoments(({ squares, count }) => squares / count);
    case 'stddev_over_time':
      return ofMoments(({ squares, count }) => Math.sqrt(squares / count));
    case 'quantile_over_time':
      return ofValues(must(parameter, 'the parser has checked the parameter'));
    case 'rate_counter':
      return ofCounter(rangeSeconds);
    case 'absent_over_time':
      return ofNumbers(() => 1, same);
  }
}
