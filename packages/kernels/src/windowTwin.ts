/** The slow, obvious twin of WindowScanner: each window on its own, as PromQL describes it. */
import type { WindowRequest } from '@tyto/model';
import { rateWindowsSlowly } from './rateTwin.ts';

const STALE_BITS = 0x7ff0000000000002n;

interface SlowSamples {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** The result of each step, undefined where there is none. `bits` are those of the values. */
export function windowsSlowly(
  request: WindowRequest,
  times: readonly number[],
  bits: BigUint64Array,
): (number | undefined)[] {
  const { name, startMs, stepMs, count, rangeMs } = request;
  const values = new Float64Array(bits.buffer, bits.byteOffset, bits.length);
  if (name === 'rate' || name === 'increase' || name === 'delta') {
    return ratesSlowly({ ...request, name }, times, bits);
  }
  return Array.from({ length: count }, (_, step) => {
    const endMs = startMs + step * stepMs;
    const inside = [...times.keys()].filter((i) => {
      const isWanted = name === 'last' || bits[i] !== STALE_BITS;
      return isWanted && times[i] > endMs - rangeMs && times[i] <= endMs;
    });
    const last = inside.at(-1);
    if (last === undefined || (name === 'last' && bits[last] === STALE_BITS)) return undefined;
    const window = { times: inside.map((i) => times[i]), values: inside.map((i) => values[i]) };
    return resultOf(request, window);
  });
}

function ratesSlowly(
  request: WindowRequest & { readonly name: 'rate' | 'increase' | 'delta' },
  times: readonly number[],
  bits: BigUint64Array,
): (number | undefined)[] {
  const { name, startMs, stepMs, count, rangeMs } = request;
  const kept = [...times.keys()].filter((i) => bits[i] !== STALE_BITS);
  const values = new Float64Array(bits.buffer, bits.byteOffset, bits.length);
  const out = new Float64Array(count);
  const present = new Uint8Array(count);
  rateWindowsSlowly(
    name,
    Float64Array.from(kept, (i) => times[i]),
    Float64Array.from(kept, (i) => values[i]),
    kept.length,
    startMs,
    stepMs,
    count,
    rangeMs,
    out,
    present,
  );
  return Array.from(out, (value, step) => (present[step] === 1 ? value : undefined));
}

function resultOf(request: WindowRequest, { times, values }: SlowSamples): number | undefined {
  const last = values.length - 1;
  const pairs = values.slice(1).map((value, i) => [values[i], value] as const);
  switch (request.name) {
    case 'irate':
    case 'idelta': {
      if (last === 0) return undefined;
      const hasFallen = request.name === 'irate' && values[last] < values[last - 1];
      const difference = hasFallen ? values[last] : values[last] - values[last - 1];
      const seconds = (times[last] - times[last - 1]) / 1000;
      return request.name === 'irate' ? difference / seconds : difference;
    }
    case 'changes':
      return pairs.filter(([a, b]) => a !== b && !(Number.isNaN(a) && Number.isNaN(b))).length;
    case 'resets':
      return pairs.filter(([a, b]) => b < a).length;
    case 'sum_over_time':
      return sumSlowly(values);
    case 'avg_over_time':
      return meanSlowly(values);
    case 'min_over_time':
      return values.reduce((least, one) => (one < least || Number.isNaN(least) ? one : least));
    case 'max_over_time':
      return values.reduce((most, one) => (one > most || Number.isNaN(most) ? one : most));
    case 'count_over_time':
      return values.length;
    case 'present_over_time':
      return 1;
    case 'first_over_time':
      return values[0];
    case 'quantile_over_time':
      return quantileSlowly(request.quantile ?? Number.NaN, values);
    default:
      return values[last];
  }
}

/** With Neumaier's compensation. */
export function sumSlowly(values: readonly number[]): number {
  const { sum, error } = compensatedSum(values);
  return Number.isFinite(sum) ? sum + error : sum;
}

function compensatedSum(values: readonly number[]): { readonly sum: number; error: number } {
  let sum = 0;
  let error = 0;
  for (const value of values) {
    error = errorWith(sum, error, value);
    sum += value;
  }
  return { sum, error };
}

function errorWith(sum: number, error: number, value: number): number {
  const total = sum + value;
  if (Math.abs(total) === Number.POSITIVE_INFINITY) return 0;
  const [larger, smaller] = Math.abs(sum) >= Math.abs(value) ? [sum, value] : [value, sum];
  return error + (larger - total + smaller);
}

/** A running mean from where the sum would overflow. */
function meanSlowly(values: readonly number[]): number {
  let held = 1;
  const isFine = (count: number) =>
    Math.abs(compensatedSum(values.slice(0, count)).sum) !== Number.POSITIVE_INFINITY;
  while (held < values.length && isFine(held + 1)) held++;
  const first = compensatedSum(values.slice(0, held));
  let mean = first.sum / held;
  let error = first.error / held;
  for (let count = held + 1; count <= values.length; count++) {
    const share = (count - 1) / count;
    const part = values[count - 1] / count;
    error = errorWith(share * mean, share * error, part);
    mean = share * mean + part;
  }
  return mean + error;
}

/** Numbers in PromQL's order, in which NaN comes first. */
function quantileSlowly(quantile: number, values: readonly number[]): number {
  if (Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  const numbers = values.filter((value) => !Number.isNaN(value)).sort(compareNumbers);
  const sorted = [...values.filter(Number.isNaN), ...numbers];
  const rank = quantile * (sorted.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(sorted.length - 1, lower + 1);
  return sorted[lower] * (1 - (rank - lower)) + sorted[upper] * (rank - lower);
}

function compareNumbers(a: number, b: number): number {
  if (a === b) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  return a < b ? -1 : 1;
}
