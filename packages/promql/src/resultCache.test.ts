import {
  type Labels as LabelSet,
  Labels,
  MemoryMetricStore,
  type MetricQuerier,
} from '@tyto/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueryEngine } from './engine.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A store that knows what is settled, and how far back it was asked. */
class SettledStore {
  readonly memory = new MemoryMetricStore();
  beforeMs = 0;
  version = 0;
  readonly readFrom: number[] = [];

  querier(): MetricQuerier {
    const { memory } = this;
    return {
      settled: () => ({ beforeMs: this.beforeMs, version: this.version }),
      select: (request) => {
        this.readFrom.push(request.minTimeMs);
        return memory.select(request);
      },
      labelNames: (request) => memory.labelNames(request),
      labelValues: (name, request) => memory.labelValues(name, request),
      series: (request) => memory.series(request),
      exemplars: (request) => memory.exemplars(request),
    };
  }

  async append(labels: LabelSet, timeMs: number, value: number): Promise<void> {
    const appender = this.memory.appender();
    appender.append(appender.series(labels), timeMs, value);
    await appender.commit();
  }
}

async function filled(minutes: number): Promise<SettledStore> {
  const store = new SettledStore();
  for (let i = 0; i <= minutes * 4; i++) {
    for (const n of ['a', 'b']) {
      // One of them pauses.
      if (n === 'b' && i % 80 > 50) continue;
      const labels = Labels.of({ __name__: 'requests_total', n });
      await store.append(labels, i * 15 * SECOND, i * (n === 'a' ? 1 : 3));
    }
  }
  return store;
}

const cacheBytes = { resultCacheBytes: 1_000_000 };

describe('results that are kept', () => {
  it('are read again for what is new only', async () => {
    const store = await filled(60);
    store.beforeMs = 40 * MINUTE;
    const engine = new QueryEngine(store.querier(), cacheBytes);
    const query = 'sum by (n) (rate(requests_total[5m]))';
    await engine.range(query, 10 * MINUTE, 50 * MINUTE, MINUTE);
    const again = await engine.range(query, 12 * MINUTE, 60 * MINUTE, MINUTE);
    expect(store.readFrom).toEqual([5 * MINUTE + 1, 35 * MINUTE + 1]);
    const plain = new QueryEngine(store.querier());
    expect(again).toEqual(await plain.range(query, 12 * MINUTE, 60 * MINUTE, MINUTE));
    expect(engine.cachedBytes).toBeGreaterThan(0);
  });

  it('are those of a store that computes everything anew, whatever is asked', async () => {
    const store = await filled(60);
    store.beforeMs = 45 * MINUTE;
    const engine = new QueryEngine(store.querier(), cacheBytes);
    const plain = new QueryEngine(store.querier());
    const query = fc.constantFrom(
      'requests_total',
      'rate(requests_total[5m])',
      'sum(requests_total offset 5m)',
      'max_over_time(sum(rate(requests_total[1m]))[10m:1m])',
      'requests_total @ end()',
      'requests_total offset -5m',
      'time()',
      'absent(requests_total{n="b"})',
      'topk(1, requests_total)',
      'histogram_quantile(2, requests_total)',
      'rate(requests_total{n="a"}[1m]) > 0 or vector(1)',
    );
    const times = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }));
    const step = fc.constantFrom(15, 60, 90);
    await fc.assert(
      fc.asyncProperty(query, times, step, async (text, [one, other], seconds) => {
        const startMs = Math.min(one, other) * MINUTE;
        const endMs = Math.max(one, other) * MINUTE;
        const range = [text, startMs, endMs, seconds * SECOND] as const;
        expect(await engine.range(...range)).toEqual(await plain.range(...range));
      }),
      { numRuns: 300 },
    );
  });

  it('are forgotten when the store says that settled samples changed', async () => {
    const store = await filled(30);
    store.beforeMs = 20 * MINUTE;
    const engine = new QueryEngine(store.querier(), cacheBytes);
    const ask = () => engine.range('requests_total', 5 * MINUTE, 25 * MINUTE, MINUTE);
    await ask();
    store.version++;
    await ask();
    expect(store.readFrom[1]).toBe(store.readFrom[0]);
  });

  it('take no more memory than they may', async () => {
    const store = await filled(60);
    store.beforeMs = 60 * MINUTE;
    const engine = new QueryEngine(store.querier(), { resultCacheBytes: 20_000 });
    for (let i = 0; i < 50; i++) {
      await engine.range(`requests_total + ${i}`, 0, 60 * MINUTE, MINUTE);
      expect(engine.cachedBytes).toBeLessThanOrEqual(20_000);
    }
    expect(engine.cachedBytes).toBeGreaterThan(0);
  });

  it('take memory where they are empty, too', async () => {
    const store = await filled(10);
    store.beforeMs = 11 * MINUTE;
    const engine = new QueryEngine(store.querier(), { resultCacheBytes: 20_000 });
    const ask = (i: number) => engine.range(`nothing{i="${i}"}`, 0, 10 * MINUTE, MINUTE);
    for (let i = 0; i < 50; i++) await ask(i);
    expect(engine.cachedBytes).toBeGreaterThan(0);
    expect(engine.cachedBytes).toBeLessThanOrEqual(20_000);
    // Those that were asked long ago are forgotten.
    const reads = store.readFrom.length;
    await ask(49);
    expect(store.readFrom).toHaveLength(reads);
    await ask(0);
    expect(store.readFrom).toHaveLength(reads + 1);
  });
});
