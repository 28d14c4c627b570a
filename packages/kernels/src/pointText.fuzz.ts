/** Against JavaScript's own shortest numbers, which are those of ECMA-262's Number::toString. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pointText } from './pointText.ts';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 20_000);

/** As Go writes what encoding/json's readers of Prometheus get. */
function expectedText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

function written(timeMs: number, value: number): string {
  const text = pointText(Float64Array.of(0, timeMs), Float64Array.of(0, value), 1, 1);
  return new TextDecoder().decode(text);
}

function expectEqual(value: number): void {
  expect(written(1000, value)).toBe(`[1,"${expectedText(value)}"],`);
}

describe('points as text', () => {
  it('have the shortest number for any double', () => {
    const bits = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(bits, (one) => {
        expectEqual(new Float64Array(BigUint64Array.of(one).buffer)[0]);
      }),
      { numRuns: RUNS },
    );
  });

  it('have the shortest number for decimals and whole numbers', () => {
    const decimals = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: -30, max: 30 }));
    fc.assert(
      fc.property(decimals, ([mantissa, power]) => expectEqual(Number(`${mantissa}e${power}`))),
      { numRuns: RUNS },
    );
  });

  it.each([
    0,
    -0,
    1,
    -1,
    10,
    1000,
    0.1,
    0.5,
    1e-6,
    9.999e-7,
    1e-7,
    123456.789,
    1e20,
    1e21,
    1.5e21,
    123456789012345680000,
    2 ** 53,
    2 ** 53 + 2,
    2 ** 63,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    0.3,
    0.1 + 0.2,
    NaN,
    Infinity,
    -Infinity,
  ])('writes %d', expectEqual);

  it('have their times in seconds', () => {
    for (const timeMs of [0, 1, 10, 100, 999, 1000, 1500, 1435781451781, -1, -1500, -1000]) {
      expect(written(timeMs, 1)).toBe(`[${timeMs / 1000},"1"],`);
    }
    expect(pointText(Float64Array.of(0.5), Float64Array.of(1), 0, 1)).toBeUndefined();
    expect(pointText(Float64Array.of(1e300), Float64Array.of(1), 0, 1)).toBeUndefined();
  });
});
