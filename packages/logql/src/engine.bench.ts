/** Queries over entries in memory, and patterns of lines: what the engine itself costs. */
import { systemClock } from '@tyto/base';
import { LogqlEngine, PatternMiner } from '@tyto/logql';
import { Labels, type LogChunk, type LogQuerier, MemoryLogStore } from '@tyto/model';
import { bench, describe } from 'vitest';

const ENTRIES = 50_000;
const CHUNK = 5000;
const SECOND_NS = 1_000_000_000n;

const lines = Array.from({ length: ENTRIES }, (_, n) =>
  JSON.stringify({
    timestamp: '2024-05-01T12:00:00.000Z',
    level: ['info', 'warn', 'error'][n % 3],
    logger: 'app.core.http',
    message: 'request finished with something to say',
    path: `/api/v1/items/${n % 100}`,
    status: 200 + (n % 4),
    took: n % 1000,
    user: { id: n % 50, name: 'somebody' },
  }),
);

/** Gives the same chunks again and again, so that no store is measured. */
function storeOf(): LogQuerier {
  const chunks: LogChunk[] = [];
  for (let from = 0; from < ENTRIES; from += CHUNK) {
    chunks.push({
      streams: [Labels.of({ service: 'x' })],
      streamOf: new Uint32Array(CHUNK),
      timestampsNs: BigInt64Array.from({ length: CHUNK }, (_, i) => BigInt(from + i) * 10_000_000n),
      lines: lines.slice(from, from + CHUNK),
      metadata: new Array<Labels>(CHUNK).fill(Labels.empty),
    });
  }
  const rest = new MemoryLogStore();
  return {
    async *read() {
      yield* chunks;
    },
    estimate: (request) => rest.estimate(request),
    streams: (request) => rest.streams(request),
    sizes: (request) => rest.sizes(request),
  };
}

const QUERIES = [
  'count_over_time({service="x"}[5m])',
  'sum(count_over_time({service="x"} |= "items/77" [5m]))',
  'sum(count_over_time({service="x"} |~ "items/7[0-9].*status" [5m]))',
  'sum by (level) (count_over_time({service="x"} | json [5m]))',
  'avg_over_time({service="x"} | json | unwrap took [5m]) by (path)',
  '{service="x"} | json | level="none"',
];

describe(`${ENTRIES} entries of ${Math.round(lines.join('').length / ENTRIES)} bytes`, () => {
  const engine = new LogqlEngine({ store: storeOf(), clock: systemClock });
  for (const query of QUERIES) {
    bench(query, async () => {
      await engine.range({
        tenant: 't',
        query,
        limit: 100,
        direction: 'backward',
        startNs: 0n,
        endNs: 500n * SECOND_NS,
        stepNs: 10n * SECOND_NS,
        intervalNs: 0n,
      });
    });
  }

  bench('patterns', () => {
    const miner = new PatternMiner({ stepMs: 10_000 });
    for (let i = 0; i < lines.length; i++) miner.add(lines[i], i);
  });
});
