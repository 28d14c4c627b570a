/**
 * The kernels against their slow twins, on one series of a day at 15 s: 5,760 samples.
 * `npm run bench`; the committed results are in bench/results.md.
 */
import { bench, describe } from 'vitest';
import {
  decodeChunk,
  decodeChunkSlowly,
  encodeChunk,
  rateWindows,
  rateWindowsSlowly,
} from '@tyto/kernels';

const COUNT = 5760;
const STEPS = 288;

const timestamps = Float64Array.from({ length: COUNT }, (_, i) => 1_700_000_000_000 + i * 15_000);
/** A counter of whole numbers whose pace varies and that is reset twice. */
const counter = new Float64Array(COUNT);
for (let i = 1; i < COUNT; i++) {
  counter[i] = i % 2500 === 0 ? 0 : counter[i - 1] + 100 + ((i * 7919) % 61);
}
/** A gauge of two decimals. */
const gauge = Float64Array.from(
  { length: COUNT },
  (_, i) => Math.round(Math.sin(i / 50) * 5e3) / 100,
);

const outTimes = new Float64Array(COUNT);
const outValues = new Float64Array(COUNT);

for (const [name, values] of [
  ['counter', counter],
  ['gauge', gauge],
] as const) {
  const chunk = encodeChunk(timestamps, values, 0, COUNT);
  describe(`decode a ${name} of ${COUNT} samples, ${chunk.length} bytes`, () => {
    bench('kernel', () => {
      decodeChunk(chunk, outTimes, outValues, 0);
    });
    bench('twin', () => {
      decodeChunkSlowly(chunk);
    });
  });
  describe(`encode a ${name} of ${COUNT} samples in chunks of 960`, () => {
    bench('kernel', () => {
      for (let from = 0; from < COUNT; from += 960) encodeChunk(timestamps, values, from, 960);
    });
  });
}

describe(`rate over 5 minutes at ${STEPS} steps of 5 minutes`, () => {
  const out = new Float64Array(STEPS);
  const present = new Uint8Array(STEPS);
  const start = timestamps[0] + 300_000;
  bench('kernel', () => {
    rateWindows('rate', timestamps, counter, COUNT, start, 300_000, STEPS, 300_000, out, present);
  });
  bench('twin', () => {
    rateWindowsSlowly(
      'rate',
      timestamps,
      counter,
      COUNT,
      start,
      300_000,
      STEPS,
      300_000,
      out,
      present,
    );
  });
});
