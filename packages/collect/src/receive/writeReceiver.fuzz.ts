/** The receiver, over a real memory store: hostile requests are refused, and it goes on working. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock, TytoError } from '@tyto/base';
import { WriteReceiver } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import { Labels, MemoryMetricStore } from '@tyto/model';
import { encodeWriteRequest, type WriteSeries } from '@tyto/wire';

const name = fc.constantFrom('__name__', 'job', 'path', 'ä', '__proto__', '');
const labels = fc
  .array(fc.tuple(name, fc.string({ maxLength: 5 })), { maxLength: 4 })
  .map((pairs) => Labels.fromEntries([['__name__', 'm'], ...pairs]));
const series = fc
  .record({ labels, times: fc.array(fc.nat(50), { maxLength: 6 }), extras: fc.boolean() })
  .map(({ labels: all, times, extras }): WriteSeries => {
    const plain = {
      labels: all,
      timestamps: Float64Array.from(times),
      values: Float64Array.from(times, (time) => time / 2),
    };
    if (!extras) return plain;
    const metadata = { type: 'counter', help: 'Help.', unit: '' } as const;
    return { ...plain, exemplars: [{ labels: all, value: 1, timestampMs: 5 }], metadata };
  });
const requests = fc.tuple(fc.array(series, { maxLength: 5 }), fc.constantFrom(1 as const, 2));

it('takes any request, whole or damaged, and accounts for every sample', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(requests, { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      async (sent, damage) => {
        const store = new MemoryMetricStore();
        const clock = new ManualClock(1_000_000);
        const receiver = new WriteReceiver({ store, clock, key: new Uint8Array(16) });
        for (const [all, version] of sent) {
          const message = encodeWriteRequest({ series: all }, version);
          const before = Object.values(receiver.totals.refused).reduce((a, b) => a + b);
          const outcome = await receiver.receive([encodeSnappy(message)], version);
          const refused = Object.values(receiver.totals.refused).reduce((a, b) => a + b) - before;
          const count = all.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
          expect(outcome.samples + refused).toBe(count);
          for (const [at, byte] of damage) {
            if (message.length > 0) message[at % message.length] = byte;
          }
          await receiver.receive([encodeSnappy(message)], version).catch((error) => {
            expect(error).toBeInstanceOf(TytoError);
          });
        }
      },
    ),
    { numRuns: 400 },
  );
});
