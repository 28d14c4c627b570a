/**
 * The window scanner against its slow twin: series of all kinds in chunks and plain samples, over
 * grids before, within and behind them. Picks and counts are equal to the bit, sums within 1e-12.
 */
import { encodeChunk, sumSlowly, windowsSlowly, WindowScanner } from '@tyto/kernels';
import type { GroupOperator, WindowFunction, WindowRequest } from '@tyto/model';
import { describe, expect, it } from 'vitest';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 120);
const SEED = Number(process.env.TYTO_SEED ?? 20_261_121);
const STALE_BITS = 0x7ff0000000000002n;
const NAMES: readonly WindowFunction[] = [
  'last',
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
];
const ADDED: ReadonlySet<WindowFunction> = new Set([
  'rate',
  'increase',
  'delta',
  'sum_over_time',
  'avg_over_time',
]);

interface Series {
  readonly times: readonly number[];
  readonly bits: BigUint64Array;
  readonly values: Float64Array;
}

/** Choices that follow from a seed. */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  series(): Series {
    const count = this.oneOf([0, 1, 2, 3, this.below(40), this.below(700)]);
    const stepMs = this.oneOf([1, 1000, 15_000, 60_000]);
    const jitter = this.oneOf([0, 0, 0.2]);
    const gaps = this.oneOf([0, 0, 0.05]);
    const valueAt = this.#kind();
    const times: number[] = [];
    const values = new Float64Array(count);
    const bits = new BigUint64Array(values.buffer);
    const staleShare = this.oneOf([0, 0, 0.03, 0.5]);
    let timeMs = this.oneOf([0, -5_000_000, 1_700_000_000_000]);
    for (let i = 0; i < count; i++) {
      const late = this.random() < gaps ? this.below(100) : 0;
      timeMs += stepMs + Math.floor(this.random() * jitter * stepMs) + late * stepMs;
      times.push(timeMs);
      values[i] = valueAt(i);
      if (this.random() < staleShare) bits[i] = STALE_BITS;
    }
    return { times, bits, values };
  }

  #kind(): (index: number) => number {
    let total = 0;
    const constant = this.oneOf([0, -0, 42, Number.NaN, 0.1]);
    const odd = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e300, Number.MAX_VALUE];
    return this.oneOf([
      () => constant,
      () => {
        total = this.below(40) === 0 ? this.below(3) : total + this.below(100);
        return total;
      },
      () => this.below(100_000) / 100 - 300,
      () => (this.random() - 0.5) * 10 ** this.below(18),
      (i: number) => i * 0.1,
      () => (this.below(6) === 0 ? this.oneOf(odd) : this.below(5)),
      () => this.oneOf([1e308, -1e308, 1.5e308, 1]),
    ]);
  }

  request(name: WindowFunction, { times }: Series): WindowRequest {
    const firstMs = times.at(0) ?? 0;
    const spanMs = (times.at(-1) ?? 0) - firstMs + 1;
    const isOnce = this.below(4) === 0;
    const stepMs = isOnce ? 0 : this.oneOf([1, 1000, 15_000, 60_000, 1 + this.below(spanMs)]);
    const count = isOnce ? 1 : 1 + this.below(this.oneOf([3, 300]));
    const rangeMs = this.oneOf([1, stepMs, 15_000, 300_000, 1 + this.below(2 * spanMs)]) || 1;
    // Sometimes before or behind the data, and sometimes with borders on samples.
    const shiftMs = Math.floor((this.random() * 3 - 1) * spanMs);
    const startMs = this.below(3) === 0 ? firstMs + this.below(5) * stepMs : firstMs + shiftMs;
    const quantile = this.oneOf([0, 0.5, 0.9, 1, this.random(), -1, 2, Number.NaN]);
    const plain = { name, startMs, stepMs, count, rangeMs };
    return name === 'quantile_over_time' ? { ...plain, quantile } : plain;
  }

  /** Adds a series in pieces of any size; those behind the last chunk are plain. */
  feed(scanner: WindowScanner, { times, bits, values }: Series, minTimeMs: number): void {
    const timestamps = Float64Array.from(times);
    const halves = new Uint32Array(bits.buffer);
    const plainFrom = this.oneOf([times.length, this.below(times.length + 1)]);
    for (let from = 0; from < times.length; ) {
      const end = from < plainFrom ? plainFrom : times.length;
      const count = Math.min(end - from, 1 + this.below(this.oneOf([3, 32, 400])));
      if (from < plainFrom) {
        const chunk = encodeChunk(timestamps, values, from, count);
        scanner.addChunk(chunk, 0, chunk.length, minTimeMs);
      } else scanner.addSamples(timestamps, halves, from, count, minTimeMs);
      from += count;
    }
  }
}

/** The samples from a time on. */
function since({ times, bits }: Series, minTimeMs: number): Series {
  const found = times.findIndex((timeMs) => timeMs >= minTimeMs);
  const from = found < 0 ? times.length : found;
  const kept = bits.slice(from);
  return { times: times.slice(from), bits: kept, values: new Float64Array(kept.buffer) };
}

function shown({ values, present }: WindowScanner): (number | undefined)[] {
  return Array.from(values, (value, step) => (present[step] === 1 ? value : undefined));
}

/** Sums differ by what is lost in another order; `size` is that of what was added. */
function expectClose(
  found: readonly (number | undefined)[],
  expected: readonly (number | undefined)[],
  size: number,
  place: string,
): void {
  for (let step = 0; step < expected.length; step++) {
    const [a, b] = [found[step], expected[step]];
    const bothNumbers = a !== undefined && b !== undefined && Number.isFinite(b);
    const isClose = bothNumbers && Math.abs(a - b) <= Math.abs(b) * 1e-12 + size * 1e-24;
    if (!isClose && !Object.is(a, b)) expect(a, `${place} step ${step}`).toBe(b);
  }
}

function sizeOf({ values }: Series): number {
  return values.reduce((sum, value) => (Number.isFinite(value) ? sum + Math.abs(value) : sum), 0);
}

const scanner = new WindowScanner();

describe('windows of a series', () => {
  for (const name of NAMES) {
    it(`${name} is what each window tells on its own`, () => {
      for (let seed = SEED; seed < SEED + RUNS; seed++) {
        const choices = new Choices(seed);
        const series = choices.series();
        const request = choices.request(name, series);
        const cut = choices.oneOf([-Infinity, choices.oneOf([0, ...series.times])]);
        scanner.begin(request, 0);
        scanner.startSeries();
        choices.feed(scanner, series, cut);
        const hasResults = scanner.compute();
        const found = shown(scanner);
        const kept = since(series, cut);
        const expected = windowsSlowly(request, kept.times, kept.bits);
        const place = `TYTO_SEED=${seed} TYTO_FUZZ_RUNS=1`;
        const size = ADDED.has(name) ? sizeOf(series) : 0;
        if (ADDED.has(name)) expectClose(found, expected, size, place);
        else expect(found, place).toEqual(expected);
        expect(hasResults, place).toBe(expected.some((one) => one !== undefined));
      }
    });
  }
});

/** What a group makes of what its series have at a step. */
function groupSlowly(operator: GroupOperator, values: readonly number[]): number {
  if (operator === 'count') return values.length;
  if (operator === 'sum') return sumSlowly(values);
  return values.reduce((best, value) => {
    const isBetter = operator === 'max' ? value > best : value < best;
    return isBetter || Number.isNaN(best) ? value : best;
  });
}

/** A group's column, with what rounding took from a sum; undefined where nothing came in. */
function groupColumn(operator: GroupOperator, group: number, count: number) {
  const values = scanner.groupColumn('values');
  const errors = scanner.groupColumn('errors');
  const counts = scanner.groupColumn('counts');
  return Array.from({ length: count }, (_, step) => {
    const at = group * count + step;
    if (counts[at] === 0) return undefined;
    if (operator === 'count') return counts[at];
    const isExact = operator !== 'sum' || !Number.isFinite(values[at]);
    return isExact ? values[at] : values[at] + errors[at];
  });
}

describe('groups of series', () => {
  it.each<GroupOperator>(['sum', 'count', 'min', 'max'])('%s is that of its series', (operator) => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const choices = new Choices(seed);
      const request = choices.request(choices.oneOf(NAMES), choices.series());
      const groupCount = 1 + choices.below(4);
      const columns = Array.from({ length: groupCount }, (): (number | undefined)[][] => []);
      let size = 0;
      scanner.begin(request, groupCount);
      for (let i = choices.below(12); i > 0; i--) {
        const group = choices.below(groupCount);
        scanner.startSeries();
        choices.feed(scanner, choices.series(), -Infinity);
        if (!scanner.compute()) continue;
        const column = shown(scanner);
        columns[group].push(column);
        size += sizeOf({ times: [], bits: new BigUint64Array(0), values: scanner.values });
        scanner.addTo(group, operator);
      }
      columns.forEach((members, group) => {
        const expected = Array.from({ length: request.count }, (_, step) => {
          const values = members.flatMap((column) => column[step] ?? []);
          return values.length === 0 ? undefined : groupSlowly(operator, values);
        });
        const found = groupColumn(operator, group, request.count);
        expectClose(found, expected, size, `TYTO_SEED=${seed} TYTO_FUZZ_RUNS=1`);
      });
    }
  });
});

describe('what is no series', () => {
  it('is refused, and the next series are right', () => {
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const choices = new Choices(seed);
      const series = choices.series();
      const request = choices.request(choices.oneOf(NAMES), series);
      scanner.begin(request, 0);
      scanner.startSeries();
      const count = series.times.length;
      if (count > 0) {
        const chunk = encodeChunk(Float64Array.from(series.times), series.values, 0, count);
        scanner.addChunk(chunk, 0, chunk.length, -Infinity);
        expect(() => scanner.addChunk(chunk, 0, chunk.length, -Infinity)).toThrow('overlap');
        for (let i = 0; i < 5; i++) addDamaged(choices, chunk);
        scanner.compute();
      }
      scanner.startSeries();
      choices.feed(scanner, series, -Infinity);
      scanner.compute();
      const expected = windowsSlowly(request, series.times, series.bits);
      expectClose(shown(scanner), expected, sizeOf(series), `TYTO_SEED=${seed} TYTO_FUZZ_RUNS=1`);
    }
  });

  it('may be of any length and claim any number of samples', () => {
    scanner.begin({ name: 'rate', startMs: 0, stepMs: 0, count: 1, rangeMs: 1 }, 0);
    for (const bytes of [[], [0], [1], [0xff, 0xff, 3], [0xff, 0xff, 0xff], [0x80, 0x80]]) {
      scanner.startSeries();
      const chunk = Uint8Array.from(bytes);
      expect(() => scanner.addChunk(chunk, 0, chunk.length, 0)).toThrow('corrupt chunk');
    }
  });
});

/** As a new series, whatever comes of it: that is refused, or is made something of. */
function addDamaged(choices: Choices, chunk: Uint8Array): void {
  const damaged = chunk.slice(0, choices.oneOf([chunk.length, choices.below(chunk.length)]));
  if (damaged.length > 0) damaged[choices.below(damaged.length)] = choices.below(256);
  try {
    scanner.startSeries();
    scanner.addChunk(damaged, 0, damaged.length, -Infinity);
    scanner.compute();
  } catch (error) {
    expect(error).toMatchObject({ kind: 'io' });
  }
}
