import { ManualClock, TytoError } from '@tyto/base';
import { appendSamples, Labels, MemoryMetricStore, type MetricQuerier } from '@tyto/model';
import { QueryEngine } from '@tyto/promql';
import { describe, expect, it } from 'vitest';

async function storeWith(seriesCount: number): Promise<MemoryMetricStore> {
  const store = new MemoryMetricStore();
  for (let i = 0; i < seriesCount; i++) {
    const labels = Labels.of({ __name__: 'm', i: String(i) });
    await appendSamples(store, labels, [
      [0, 1],
      [60_000, 2],
    ]);
  }
  return store;
}

async function problemOf(promise: Promise<unknown>): Promise<TytoError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TytoError) return error;
    throw error;
  }
  throw new Error('the query did not fail');
}

describe('instant queries', () => {
  it('yield the type of the expression', async () => {
    const engine = new QueryEngine(await storeWith(1));
    expect((await engine.instant('1 + 1', 5)).value).toEqual({
      type: 'scalar',
      timestampMs: 5,
      value: 2,
    });
    expect((await engine.instant('"x"', 5)).value).toMatchObject({ type: 'string', value: 'x' });
    expect((await engine.instant('m', 60_000)).value).toMatchObject({
      type: 'vector',
      samples: [{ timestampMs: 60_000, value: 2 }],
    });
    const matrix = (await engine.instant('m[2m]', 60_000)).value;
    expect(matrix.type === 'matrix' && [...matrix.series[0].values]).toEqual([1, 2]);
  });

  it('look back as far as asked, without the far end itself', async () => {
    const engine = new QueryEngine(await storeWith(1));
    const count = async (timeMs: number, lookbackMs?: number) => {
      const { value } = await engine.instant('m', timeMs, { lookbackMs });
      return value.type === 'vector' ? value.samples.length : -1;
    };
    expect(await count(60_000 + 299_999)).toBe(1);
    expect(await count(60_000 + 300_000)).toBe(0);
    expect(await count(70_000, 10_001)).toBe(1);
    expect(await count(70_000, 10_000)).toBe(0);
  });
});

describe('range queries', () => {
  it('agree with an instant query at each step', async () => {
    const store = await storeWith(3);
    const engine = new QueryEngine(store);
    for (const query of ['sum(m)', 'm > 1', 'rate(m[90s])', 'topk(1, m)', 'm @ 0', 'time()']) {
      const { value } = await engine.range(query, 0, 120_000, 30_000);
      if (value.type !== 'matrix') throw new Error('a range query yields a matrix');
      for (let timeMs = 0; timeMs <= 120_000; timeMs += 30_000) {
        const instant = (await engine.instant(query, timeMs)).value;
        const found = value.series.flatMap(({ timestamps, values }) =>
          values.filter((_, i) => timestamps[i] === timeMs).length > 0
            ? [values[timestamps.indexOf(timeMs)]]
            : [],
        );
        const wanted =
          instant.type === 'vector'
            ? instant.samples.map((sample) => sample.value)
            : instant.type === 'scalar'
              ? [instant.value]
              : [];
        expect([...found].sort(), `${query} at ${timeMs}`).toEqual([...wanted].sort());
      }
    }
  });

  it('refuse what is no scalar and no instant vector', async () => {
    const engine = new QueryEngine(await storeWith(1));
    const problem = await problemOf(engine.range('m[5m]', 0, 1, 1));
    expect(problem.kind).toBe('bad_data');
    expect(problem.message).toMatch(/invalid expression type "range vector"/);
  });

  it('read a selector that is used twice only once', async () => {
    const store = await storeWith(2);
    let selects = 0;
    const counting: MetricQuerier = {
      select: (request) => {
        selects++;
        return store.select(request);
      },
      labelNames: (request) => store.labelNames(request),
      labelValues: (name, request) => store.labelValues(name, request),
      series: (request) => store.series(request),
      exemplars: (request) => store.exemplars(request),
    };
    await new QueryEngine(counting).range('rate(m[5m]) / m + sum_over_time(m[5m])', 0, 60_000, 1e4);
    expect(selects).toBe(1);
  });
});

describe('limits', () => {
  it('leave room for long chains of operators', async () => {
    const engine = new QueryEngine(await storeWith(1));
    const { value } = await engine.instant(`m${' + m'.repeat(1000)}`, 0);
    expect(value).toMatchObject({ samples: [{ value: 1001 }] });
  });

  it('refuse to load too many samples', async () => {
    const engine = new QueryEngine(await storeWith(10), { sampleLimit: 50 });
    const problem = await problemOf(engine.range('m', 0, 60_000, 1000));
    expect(problem.kind).toBe('execution');
    expect(problem.message).toBe(
      'query processing would load too many samples into memory in query execution',
    );
  });

  it('count what is the same at every step before it is there', async () => {
    const engine = new QueryEngine(await storeWith(10), { sampleLimit: 1000 });
    const problem = await problemOf(engine.range('m @ 0', 0, 600_000, 1000));
    expect(problem.message).toContain('too many samples');
  });

  it('bound the label values that a query makes, and the groups of its patterns', async () => {
    const engine = new QueryEngine(await storeWith(1));
    const doubled = (inner: string) => `label_replace(${inner}, "x", "$1$1", "x", "(.*)")`;
    let query = 'label_replace(m, "x", "aaaaaaaa", "", "")';
    for (let i = 0; i < 20; i++) query = doubled(query);
    expect(await problemOf(engine.instant(query, 0))).toMatchObject({
      kind: 'execution',
      message: 'label_replace() or label_join() makes a label value longer than 65536',
    });
    const joined = `label_join(m, "x", "${'-'.repeat(60_000)}", "n", "n", "n")`;
    expect((await problemOf(engine.instant(joined, 0))).message).toContain('longer than 65536');
    const groups = `label_replace(m, "x", "$1", "n", "${'(a?)'.repeat(101)}")`;
    expect((await problemOf(engine.instant(groups, 0))).message).toMatch(/more than 100 groups$/);
  });

  it('count what is held at once, not what was ever computed', async () => {
    const engine = new QueryEngine(await storeWith(10), { sampleLimit: 500 });
    const sums = Array.from({ length: 20 }, () => 'sum(m)').join(' + ');
    await engine.instant(sums, 0);
  });

  it('end a query that takes too long', async () => {
    const clock = new ManualClock();
    const store = await storeWith(1);
    const slow: MetricQuerier = Object.assign(Object.create(store), {
      select: async (request: Parameters<MetricQuerier['select']>[0]) => {
        await clock.advance(2000);
        return store.select(request);
      },
    });
    const engine = new QueryEngine(slow, { clock, timeoutMs: 1000 });
    const problem = await problemOf(engine.instant('sum(m)', 0));
    expect(problem.kind).toBe('timeout');
  });

  it('end a query whose caller went away', async () => {
    const engine = new QueryEngine(await storeWith(1));
    const ending = new AbortController();
    ending.abort();
    const problem = await problemOf(engine.instant('sum(m)', 0, { ending }));
    expect(problem.kind).toBe('canceled');
  });

  /** A store that reads ahead: series 2 is waited for. What was done with it is in `done`. */
  async function readingAhead(ready: () => Promise<void>) {
    const store = await storeWith(5);
    const done: string[] = [];
    const querier: MetricQuerier = Object.assign(Object.create(store), {
      select: async (request: Parameters<MetricQuerier['select']>[0]) => {
        const selection = await store.select(request);
        return Object.assign(Object.create(selection), {
          prepare: (index: number) => {
            done.push(`prepare ${index}`);
            return index === 2 ? ready() : undefined;
          },
          release: () => done.push('release'),
        });
      },
    });
    return { querier, done };
  }

  it.each(['m', 'rate(m[5m])', 'm[5m]', 'absent_over_time(m[5m])', 'm + m', 'sum(m)'])(
    'say which series comes next, wait for it, and give everything back: %s',
    async (text) => {
      let isReady = false;
      const ready = () =>
        new Promise<void>((resolve) => {
          setImmediate(() => {
            isReady = true;
            resolve();
          });
        });
      const { querier, done } = await readingAhead(ready);
      await new QueryEngine(querier).instant(text, 60_000);
      expect(isReady).toBe(true);
      expect(done).toEqual([...[0, 1, 2, 3, 4].map((index) => `prepare ${index}`), 'release']);
    },
  );

  it('end a query for which a store never gets ready, by time and by its caller', async () => {
    const clock = new ManualClock();
    const { querier, done } = await readingAhead(() => new Promise(() => {}));
    const engine = new QueryEngine(querier, { clock, timeoutMs: 1000 });
    const late = problemOf(engine.instant('sum(m)', 60_000));
    await clock.advance(1002);
    expect((await late).kind).toBe('timeout');
    const caller = new AbortController();
    const left = problemOf(engine.instant('sum(m)', 60_000, { ending: caller }));
    await clock.advance(1);
    caller.abort();
    expect((await left).kind).toBe('canceled');
    expect(done.filter((one) => one === 'release').length).toBe(2);
  });

  it('let other work run while a heavy query computes', async () => {
    const clock = new ManualClock();
    let ticks = 0;
    // Every look at the clock takes 25 ms, so that each series is an interval of work.
    const ticking = { ...clock, nowMs: () => 0, schedule: () => ({ cancel() {} }) };
    let nowMs = 0;
    const slowClock = { ...ticking, monotonicMs: () => (nowMs += 25) };
    const engine = new QueryEngine(await storeWith(20), { clock: slowClock, timeoutMs: 1e6 });
    let isDone = false;
    // Counts turns of the event loop, not time: a pause is a turn.
    const tick = () => {
      ticks++;
      if (!isDone) setImmediate(tick);
    };
    setImmediate(tick);
    await engine.range('m', 0, 60_000, 1000);
    isDone = true;
    expect(ticks).toBeGreaterThanOrEqual(20);
  });
});
