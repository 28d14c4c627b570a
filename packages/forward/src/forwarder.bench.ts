/** What a sample costs from its commit to its request, the network aside. */
import { afterAll, bench, describe } from 'vitest';
import { Labels } from '@tyto/model';
import type { HttpPoster } from '@tyto/collect';
import {
  committed,
  pendingOf,
  REMOTE_WRITE,
  removeBenches,
  startBench,
  until,
} from './testing/bench.ts';

const SERIES = 20_000;
const ROUNDS = 10;

const deaf: HttpPoster = {
  post: async () => ({ status: 204, contentType: '', retryAfter: '', body: new Uint8Array(0) }),
  close() {},
};

const all = Array.from({ length: SERIES }, (_, i) =>
  Labels.of({
    __name__: 'http_request_duration_seconds_bucket',
    cluster: 'production-1',
    instance: `10.0.${i % 40}.17:9100`,
    job: 'checkout',
    le: `${i % 12}`,
    method: 'GET',
    namespace: 'shop',
    path: `/api/v1/orders/${Math.floor(i / 12)}`,
    pod: `checkout-7d9f8b6c5d-${i % 40}`,
    status: '200',
  }),
);

afterAll(removeBenches);

describe(`${SERIES * ROUNDS} samples of ${SERIES} series`, async () => {
  const queue = { ...REMOTE_WRITE.queue, samplesPerSendMax: 2000, shardsMax: 50 };
  for (const version of [1, 2] as const) {
    const { forwarder } = await startBench(deaf, { ...REMOTE_WRITE, version, queue });
    let time = 1.7e12;
    bench(
      `message ${version}`,
      async () => {
        for (let round = 0; round < ROUNDS; round++) {
          time += 15_000;
          const samples = all.map((_, i) => [i, time, i * round] as const);
          await forwarder.committed(committed(samples), (ref) => all[ref]);
        }
        await until('all is sent', () => pendingOf(forwarder) === 0);
      },
      { iterations: 10, warmupIterations: 2 },
    );
  }
});
