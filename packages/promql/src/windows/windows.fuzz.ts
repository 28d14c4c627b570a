/** The kernels of range functions against naive versions that look at every window afresh. */
import { QueryEngine } from '@tyto/promql';
import { appendSamples, Labels, MemoryMetricStore } from '@tyto/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';

type Sample = readonly [timeMs: number, value: number];
type Naive = (window: readonly Sample[], beginMs: number, endMs: number) => number | undefined;

const RANGE_MS = 60_000;
const STEP_MS = 7_000;
const END_MS = 300_000;

const samples: fc.Arbitrary<Sample[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 25_000 }), fc.integer({ min: 0, max: 50 })), {
    maxLength: 60,
  })
  .map((gaps) => {
    let timeMs = -RANGE_MS;
    return gaps.map(([gapMs, value]): Sample => {
      timeMs += gapMs;
      return [timeMs, value / 4];
    });
  });

const valuesOf = (window: readonly Sample[]) => window.map(([, value]) => value);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const mean = (values: readonly number[]) => total(values) / values.length;
const variance = (values: readonly number[]) =>
  mean(values.map((value) => (value - mean(values)) ** 2));

function pairs(window: readonly Sample[]): [number, number][] {
  return window.slice(1).map(([, value], i) => [window[i][1], value]);
}

/** The extrapolated difference, as the manual of Prometheus describes it. */
function increase(window: readonly Sample[], beginMs: number, endMs: number, isCounter: boolean) {
  if (window.length < 2) return undefined;
  const [firstMs, first] = window[0];
  const [lastMs, last] = window[window.length - 1];
  let difference = last - first;
  if (isCounter) for (const [a, b] of pairs(window)) if (b < a) difference += a;
  const covered = (lastMs - firstMs) / 1000;
  const distance = covered / (window.length - 1);
  let before = (firstMs - beginMs) / 1000;
  if (before >= distance * 1.1) before = distance / 2;
  if (isCounter && difference > 0) before = Math.min(before, (covered * first) / difference);
  let after = (endMs - lastMs) / 1000;
  if (after >= distance * 1.1) after = distance / 2;
  return (difference * (covered + before + after)) / covered;
}

function quantile(q: number, values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const low = Math.floor(rank);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (rank - low);
}

function slope(window: readonly Sample[]): number | undefined {
  if (window.length < 2) return undefined;
  const x = window.map(([timeMs]) => (timeMs - window[0][0]) / 1000);
  const y = valuesOf(window);
  const above = total(x.map((value, i) => (value - mean(x)) * (y[i] - mean(y))));
  return above / total(x.map((value) => (value - mean(x)) ** 2));
}

const naive: Record<string, Naive> = {
  'sum_over_time(m[1m])': (window) => total(valuesOf(window)),
  'avg_over_time(m[1m])': (window) => mean(valuesOf(window)),
  'count_over_time(m[1m])': (window) => window.length,
  'min_over_time(m[1m])': (window) => Math.min(...valuesOf(window)),
  'max_over_time(m[1m])': (window) => Math.max(...valuesOf(window)),
  'first_over_time(m[1m])': (window) => window[0][1],
  'last_over_time(m[1m])': (window) => window[window.length - 1][1],
  'ts_of_last_over_time(m[1m])': (window) => window[window.length - 1][0] / 1000,
  'stdvar_over_time(m[1m])': (window) => variance(valuesOf(window)),
  'stddev_over_time(m[1m])': (window) => Math.sqrt(variance(valuesOf(window))),
  'quantile_over_time(0.3, m[1m])': (window) => quantile(0.3, valuesOf(window)),
  'changes(m[1m])': (window) => pairs(window).filter(([a, b]) => a !== b).length,
  'resets(m[1m])': (window) => pairs(window).filter(([a, b]) => b < a).length,
  'deriv(m[1m])': slope,
  'rate(m[1m])': (window, beginMs, endMs) => {
    const value = increase(window, beginMs, endMs, true);
    return value === undefined ? undefined : value / (RANGE_MS / 1000);
  },
  'increase(m[1m])': (window, beginMs, endMs) => increase(window, beginMs, endMs, true),
  'delta(m[1m])': (window, beginMs, endMs) => increase(window, beginMs, endMs, false),
  'idelta(m[1m])': (window) => {
    const last = pairs(window).at(-1);
    return last === undefined ? undefined : last[1] - last[0];
  },
};

for (const [query, compute] of Object.entries(naive)) {
  it(`${query} is what a look at every window says`, async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (series) => {
        const store = new MemoryMetricStore();
        await appendSamples(store, Labels.of({ __name__: 'm' }), series);
        const { value } = await new QueryEngine(store).range(query, 0, END_MS, STEP_MS);
        if (value.type !== 'matrix') throw new Error('a range query yields a matrix');
        const found = new Map<number, number>();
        value.series[0]?.timestamps.forEach((timeMs, i) => {
          found.set(timeMs, value.series[0].values[i]);
        });
        for (let timeMs = 0; timeMs <= END_MS; timeMs += STEP_MS) {
          const beginMs = timeMs - RANGE_MS;
          const window = series.filter(([at]) => at > beginMs && at <= timeMs);
          const expected = window.length === 0 ? undefined : compute(window, beginMs, timeMs);
          if (expected === undefined) expect(found.has(timeMs)).toBe(false);
          else expect(found.get(timeMs)).toBeCloseTo(expected, 8);
        }
      }),
      { numRuns: 40 },
    );
  });
}
