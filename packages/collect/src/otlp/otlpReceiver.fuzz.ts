/** The receiver over a real memory store: any numbers are stored or rejected, each point once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock, TytoError } from '@tyto/base';
import { DEFAULT_OTLP, OtlpReceiver } from '@tyto/collect';
import { MemoryMetricStore } from '@tyto/model';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const NOW_MS = 1_700_000_000_000;

const number = fc.oneof(
  fc.nat(9),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', -1, 1e308, 2 ** 53),
);
const numbers = fc.array(number, { maxLength: 4 });
const bounds = fc.array(fc.nat(9), { maxLength: 3 }).map((all) => all.sort((a, b) => a - b));
const buckets = fc.record({
  offset: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(2 ** 31 - 1, 1 - 2 ** 31)),
  bucketCounts: numbers,
});
const key = fc.constantFrom('a', 'a.b', 'a_b', '__name__', 'le', 'job', '1', '__proto__', 'ä');
const attribute = fc.record({
  key,
  value: fc.record({ stringValue: fc.string({ maxLength: 3 }) }),
});
const attributes = fc.uniqueArray(attribute, { selector: (each) => each.key, maxLength: 3 });
const point = fc.record({
  attributes,
  timeUnixNano: fc.nat(5).map((second) => `${NOW_MS + second * 1000}000000`),
  flags: fc.constantFrom(0, 0, 0, 1),
  asDouble: number,
  count: number,
  sum: number,
  bucketCounts: numbers,
  explicitBounds: bounds,
  scale: fc.integer({ min: -6, max: 30 }),
  zeroCount: number,
  positive: buckets,
  negative: buckets,
  quantileValues: fc.array(fc.record({ quantile: number, value: number }), { maxLength: 2 }),
});
const metric = fc.record({
  name: fc.constantFrom('m', 'n.o', '2', '', '#'),
  unit: fc.constantFrom('', '1', 's', 'By/s', '{x}/y', '/'),
  kind: fc.constantFrom('gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'),
  temporality: fc.nat(2),
  dataPoints: fc.array(point, { maxLength: 4 }),
});
const requests = fc.array(fc.array(metric, { maxLength: 4 }), { minLength: 1, maxLength: 4 });

test(`each point is stored or rejected (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.boolean(), async (sent, convertHistogramsToNhcb) => {
      const store = new MemoryMetricStore();
      const receiver = new OtlpReceiver({ store, clock: new ManualClock(NOW_MS + 5000) });
      receiver.config = { ...DEFAULT_OTLP, convertHistogramsToNhcb };
      for (const metrics of sent) {
        const all = metrics.map(({ kind, temporality, dataPoints, ...head }) => ({
          ...head,
          [kind]: { dataPoints, aggregationTemporality: temporality, isMonotonic: true },
        }));
        const request = { resourceMetrics: [{ scopeMetrics: [{ metrics: all }] }] };
        const body = new TextEncoder().encode(JSON.stringify(request));
        const count = metrics.reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
        try {
          const { points, rejectedPoints, message } = await receiver.receive(body, 'json');
          expect(points + rejectedPoints).toBe(count);
          expect(message !== '').toBe(rejectedPoints > 0);
        } catch (error) {
          expect(error).toBeInstanceOf(TytoError);
        }
      }
    }),
    { seed, numRuns: 300 },
  );
});
