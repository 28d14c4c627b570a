import fc from 'fast-check';
import { Labels, MemoryMetricStore } from '@tyto/model';
import { QueryEngine } from '@tyto/promql';
import { describe, expect, it } from 'vitest';

const MINUTE = 60_000;
const labels = Labels.of({ __name__: 'c_total' });

/** Samples a minute apart, each with a start time that is near, far, wrong or unknown. */
const samples = fc.array(
  fc.record({
    value: fc.nat({ max: 5 }),
    start: fc.oneof(
      fc.constant('none' as const),
      fc.constant(-100 * MINUTE),
      fc.integer({ min: -3, max: 1 }).map((minutes) => minutes * MINUTE),
      fc.integer({ min: -3 * MINUTE, max: MINUTE }),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

/** The definition, over the samples of one window, without extrapolation. */
function increaseOf(window: readonly (readonly [timeMs: number, value: number, start: number])[]) {
  let increase = 0;
  for (let i = 1; i < window.length; i++) {
    const [previousMs, previous, previousStart] = window[i - 1];
    const [timeMs, value, start] = window[i];
    const isKnown = start !== 0 && start < timeMs;
    const isDelta = start === previousMs && previousStart !== 0 && previousStart < previousMs;
    const isReset = value < previous || (isKnown && (start > previousMs || isDelta));
    increase += isReset ? value : value - previous;
  }
  return increase;
}

describe('increase with start times', () => {
  it('is by its definition, whichever way it is computed', async () => {
    await fc.assert(
      fc.asyncProperty(samples, fc.integer({ min: 2, max: 8 }), async (given, minutes) => {
        const store = new MemoryMetricStore();
        const appender = store.appender();
        const ref = appender.series(labels);
        const beginMs = 1000 * MINUTE;
        const all = given.map(({ value, start }, i) => {
          const timeMs = beginMs + i * MINUTE;
          return [timeMs, value, start === 'none' ? 0 : timeMs + start] as const;
        });
        for (const [timeMs, value, start] of all) appender.append(ref, timeMs, value, start);
        await appender.commit();
        const engine = new QueryEngine(store, { useStartTimes: true });
        const endMs = beginMs + (given.length - 1) * MINUTE;
        // A window whose ends are those of its samples extrapolates nothing, nor does a zero in it.
        const text = `increase(c_total[${minutes}m1ms])`;
        const { value } = await engine.range(text, beginMs, endMs, MINUTE);
        const found = new Map<number, number>();
        for (const series of value.type === 'matrix' ? value.series : []) {
          series.timestamps.forEach((timeMs, i) => {
            found.set(timeMs, series.values[i]);
          });
        }
        for (let last = minutes; last < all.length; last++) {
          const window = all.slice(last - minutes, last + 1);
          const [[firstMs, firstValue, firstStart]] = window;
          const windowMs = all[last][0] - minutes * MINUTE - 1;
          const isZeroKnown = firstStart !== 0 && firstStart > windowMs && firstStart < firstMs;
          const want = increaseOf(window) + (isZeroKnown ? firstValue : 0);
          expect(Math.abs((found.get(all[last][0]) ?? Number.NaN) - want)).toBeLessThan(1e-3);
        }
      }),
      { numRuns: 400 },
    );
  });
});
