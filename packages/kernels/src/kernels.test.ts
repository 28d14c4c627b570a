import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { TytoError } from '@tyto/base';
import { bitsOf, writeStaleBits } from '@tyto/model';
import {
  decodeChunk,
  decodeChunkSlowly,
  encodeChunk,
  type RateKind,
  rateWindows,
  rateWindowsSlowly,
} from '@tyto/kernels';

function bitPatterns(values: Float64Array, from: number, count: number): bigint[] {
  return [...new BigUint64Array(values.buffer, values.byteOffset + from * 8, count)];
}

/** Encodes, decodes with the kernel and with the twin, and compares all bits. */
function roundTrip(timestamps: number[], values: Float64Array): Uint8Array {
  const times = Float64Array.from(timestamps);
  const chunk = encodeChunk(times, values, 0, values.length);
  const outTimes = new Float64Array(values.length + 3);
  const outValues = new Float64Array(values.length + 3);
  expect(decodeChunk(chunk, outTimes, outValues, 3)).toBe(values.length);
  expect([...outTimes.subarray(3)]).toEqual(timestamps);
  const expected = bitPatterns(values, 0, values.length);
  expect(bitPatterns(outValues, 3, values.length)).toEqual(expected);
  expect(decodeChunkSlowly(chunk)).toEqual({ timestamps, bits: expected });
  return chunk;
}

const regular = (count: number, stepMs = 15_000) =>
  Array.from({ length: count }, (_, i) => 1_700_000_000_000 + i * stepMs);

/** Values of one character per series, as real series have. */
const realisticValues = fc.oneof(
  fc.array(fc.integer({ min: -50, max: 1000 }), { minLength: 1, maxLength: 300 }),
  fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 1, maxLength: 300 }).map((steps) => {
    let sum = 0;
    return steps.map((step) => {
      sum = step === 0 ? 0 : sum + step;
      return sum;
    });
  }),
  fc.array(
    fc.integer({ min: 0, max: 1_000_000 }).map((n) => n / 100),
    { minLength: 1 },
  ),
  fc.array(fc.double(), { minLength: 1, maxLength: 300 }),
  fc.array(fc.constantFrom(0, -0, 1, Number.NaN, Infinity, -Infinity, 2 ** 53, 5e-324, 0.1), {
    minLength: 1,
    maxLength: 200,
  }),
);

const risingTimestamps = (count: number) =>
  fc
    .array(fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 10_000_000 })), {
      minLength: count,
      maxLength: count,
    })
    .map((steps) => {
      let time = 1_600_000_000_000;
      return steps.map((step) => {
        time += step;
        return time;
      });
    });

describe('chunk codec', () => {
  it('gives back every bit, as its twin does, for series of every character', () => {
    fc.assert(
      fc.property(
        realisticValues.chain((values) =>
          fc.tuple(risingTimestamps(values.length), fc.constant(values)),
        ),
        ([timestamps, values]) => {
          roundTrip(timestamps, Float64Array.from(values));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('keeps a stale marker apart from other NaNs', () => {
    const values = Float64Array.from([1, 2, Number.NaN, 4]);
    writeStaleBits(bitsOf(values), 3);
    roundTrip(regular(4), values);
  });

  it('stores what is regular in next to nothing', () => {
    const count = 480;
    const counter = Float64Array.from({ length: count }, (_, i) => 1000 + i * 30);
    expect(roundTrip(regular(count), counter).length).toBeLessThan(60);
    const constant = new Float64Array(count).fill(0.25);
    expect(roundTrip(regular(count), constant).length).toBeLessThan(40);
  });

  it('does not widen a counter for its resets, nor timestamps for a missed scrape', () => {
    const times = regular(240).filter((_, i) => i !== 100);
    const values = Float64Array.from({ length: 239 }, (_, i) => ((i % 80) + 1) * 7);
    expect(roundTrip(times, values).length).toBeLessThan(140);
  });

  it('refuses damaged bytes and never reads past them', () => {
    const chunk = encodeChunk(
      Float64Array.from(regular(100)),
      Float64Array.from({ length: 100 }, (_, i) => Math.sin(i) * (i % 7)),
      0,
      100,
    );
    const times = new Float64Array(70_000);
    const values = new Float64Array(70_000);
    for (let length = 0; length < chunk.length; length++) {
      const cut = () => decodeChunk(chunk.slice(0, length), times, values, 0);
      expect(cut, `cut to ${length}`).toThrow(TytoError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        let fast: number | undefined;
        try {
          fast = decodeChunk(bytes, times, values, 0);
        } catch (error) {
          expect(error).toBeInstanceOf(TytoError);
        }
        if (fast !== undefined) expect(decodeChunkSlowly(bytes).bits.length).toBe(fast);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('rateWindows', () => {
  it('agrees with its twin on every window of any series', () => {
    const cases = realisticValues.chain((values) =>
      fc.record({
        values: fc.constant(values),
        timestamps: risingTimestamps(values.length),
        kind: fc.constantFrom<RateKind>('rate', 'increase', 'delta'),
        offsetMs: fc.integer({ min: -100_000, max: 600_000 }),
        stepMs: fc.integer({ min: 1, max: 300_000 }),
        rangeMs: fc.integer({ min: 1, max: 900_000 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ values, timestamps, kind, offsetMs, stepMs, rangeMs }) => {
        const run = (kernel: typeof rateWindows) => {
          const out = new Float64Array(40);
          const present = new Uint8Array(40);
          const times = Float64Array.from(timestamps);
          const startMs = timestamps[0] + offsetMs;
          const column = Float64Array.from(values);
          kernel(kind, times, column, values.length, startMs, stepMs, 40, rangeMs, out, present);
          return { out, present };
        };
        const fast = run(rateWindows);
        const slow = run(rateWindowsSlowly);
        expect(fast.present).toEqual(slow.present);
        for (let i = 0; i < 40; i++) {
          if (slow.present[i] === 0) continue;
          expect(Object.is(fast.out[i], slow.out[i])).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
