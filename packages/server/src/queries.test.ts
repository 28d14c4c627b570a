import { type LogFields, type Logger, ManualClock, silentLogger } from '@tyto/base';
import { Labels, MemoryMetricStore, type MetricQuerier } from '@tyto/model';
import { QueryEngine } from '@tyto/promql';
import { beforeEach, describe, expect, it } from 'vitest';
import { SelfMetrics } from './metrics/selfMetrics.ts';
import { QueryRunner } from './queries.ts';

const T = 1_700_000_000_000;

let clock: ManualClock;
let logged: LogFields[];
/** Lets the selects that wait go on, in their order. */
let gates: (() => void)[];
let runner: QueryRunner;

/** Lets everything that can go on do so. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

beforeEach(async () => {
  clock = new ManualClock(T);
  logged = [];
  gates = [];
  const store = new MemoryMetricStore();
  const appender = store.appender();
  for (const n of ['1', '2', '3']) {
    appender.append(appender.series(Labels.of({ __name__: 'm', n })), T - 1000, Number(n));
  }
  await appender.commit();
  const querier: MetricQuerier = Object.assign(Object.create(store), {
    select: async (request: Parameters<MetricQuerier['select']>[0]) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return store.select(request);
    },
  });
  const logger: Logger = {
    ...silentLogger,
    warn: (_, fields) => {
      if (fields !== undefined) logged.push(fields);
    },
  };
  const limits = {
    concurrencyMax: 2,
    slowMs: 10_000,
    timeoutMs: 60_000,
    samplesTotalMax: 1_000_000,
  };
  const engine = new QueryEngine(querier, { clock });
  runner = new QueryRunner(engine, clock, logger, new SelfMetrics(clock), limits);
});

async function openGates(): Promise<void> {
  for (const open of gates.splice(0)) open();
  await settle();
}

const failure = (query: Promise<unknown>) =>
  query.then(
    () => undefined,
    (error: unknown) => error as Error,
  );

describe('queries in flight', () => {
  it('are listed with their text, times, age and what they have read', async () => {
    const first = runner.instant('sum(m)', T);
    const second = runner.range('m + m', T - 60_000, T, 15_000);
    const third = runner.instant('count(m)', T);
    await settle();
    await clock.advance(3000);
    expect(runner.active()).toMatchObject([
      { id: '1', text: 'sum(m)', startMs: T, endMs: T, stepMs: 0, arrivedMs: T, runningMs: 3000 },
      { id: '2', text: 'm + m', startMs: T - 60_000, endMs: T, stepMs: 15_000, runningMs: 3000 },
      { id: '3', text: 'count(m)', runningMs: undefined, usage: undefined },
    ]);
    const [{ usage }] = runner.active();
    expect(usage).toMatchObject({ readSamples: 0, reads: [] });
    await openGates();
    await first;
    expect(usage).toMatchObject({ readSamples: 3, reads: [{ seriesCount: 3 }] });
    await openGates();
    await openGates();
    await Promise.all([first, second, third]);
    expect(runner.active()).toEqual([]);
    expect((await first).value).toMatchObject({ samples: [{ value: 6 }] });
  });

  it('end when they are killed, and others take their places', async () => {
    const first = failure(runner.instant('sum(m)', T));
    const second = runner.instant('m', T);
    const third = runner.instant('count(m)', T);
    await settle();
    expect(runner.kill('1')).toBe(true);
    expect(runner.kill('7')).toBe(false);
    await openGates();
    expect(await first).toMatchObject({ kind: 'canceled', message: 'the query was killed' });
    await second;
    await openGates();
    expect((await third).value).toMatchObject({ samples: [{ value: 3 }] });
    expect(runner.active()).toEqual([]);
  });

  it('are killed while they wait, too, and leave no place taken', async () => {
    const running = [runner.instant('m', T), runner.instant('m', T)];
    const waiting = failure(runner.instant('count(m)', T));
    const last = runner.instant('sum(m)', T);
    await settle();
    runner.kill('3');
    expect(await waiting).toMatchObject({ kind: 'canceled', message: 'the query was killed' });
    await openGates();
    await Promise.all(running);
    await openGates();
    expect((await last).value).toMatchObject({ samples: [{ value: 6 }] });
    for (let i = 0; i < 3; i++) {
      const again = runner.instant('m', T);
      await settle();
      await openGates();
      await again;
    }
  });

  it('end when their callers go, before their turn and during it', async () => {
    const ending = new AbortController();
    const queries = ['m', 'm', 'm'].map((text) => failure(runner.instant(text, T, { ending })));
    await settle();
    ending.abort();
    await openGates();
    const kinds = (await Promise.all(queries)).map((error) => (error as { kind?: string }).kind);
    expect(kinds).toEqual(['canceled', 'canceled', 'canceled']);
    expect(await failure(runner.instant('m', T, { ending }))).toMatchObject({ kind: 'canceled' });
    expect(runner.active()).toEqual([]);
  });

  it('have their time also while they wait, and no more than the server gives', async () => {
    const running = [runner.instant('m', T), runner.instant('m', T)];
    const short = failure(runner.instant('sum(m)', T, { timeoutMs: 5000 }));
    const greedy = failure(runner.instant('sum(m)', T, { timeoutMs: 3_600_000 }));
    await settle();
    await clock.advance(5000);
    const message = 'query timed out in query queue';
    expect(await short).toMatchObject({ kind: 'timeout', message });
    await clock.advance(55_000);
    expect(await greedy).toMatchObject({ kind: 'timeout', message });
    await openGates();
    await Promise.all(running.map(failure));
    expect(runner.active()).toEqual([]);
  });

  it('tell how long they waited, looked for series, and were evaluated', async () => {
    const running = [runner.instant('m', T), runner.instant('m', T)];
    const timed = runner.instant('sum(m)', T);
    await settle();
    await clock.advance(3000);
    await openGates();
    await Promise.all(running);
    await settle();
    await clock.advance(2000);
    await openGates();
    const { timings, usage } = await timed;
    expect(timings).toEqual({ queueMs: 3000, preparationMs: 2000, evaluationMs: 2000 });
    expect(usage).toMatchObject({ readSamples: 3 });
  });

  it('are told in the log when they were slow, with what they read', async () => {
    const slow = runner.range('rate(m{n!="2"}[5m])', T - 60_000, T, 15_000);
    await settle();
    await clock.advance(12_000);
    await openGates();
    await slow;
    const fast = runner.instant('m', T);
    await settle();
    await openGates();
    await fast;
    expect(logged).toEqual([
      {
        query: 'rate(m{n!="2"}[5m])',
        seconds: 12,
        start: '2023-11-14T22:12:20.000Z',
        end: '2023-11-14T22:13:20.000Z',
        step: 15,
        samplesRead: 2,
        samplesPeak: expect.any(Number),
        plan: 'rate(m{n!="2"}[5m]) 0.000s, 0 series',
        reads: expect.stringMatching(/^\{.*n!="2".*\} from 2023-.* to 2023-.*Z: 2 series$/),
      },
    ]);
  });

  it('hold so many samples together, and are refused beyond that', async () => {
    const account = runner.openAccount();
    account.hold(1_100_000);
    const big = failure(runner.range('m', T - 60_000_000, T, 1000));
    await settle();
    await openGates();
    expect(await big).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(
        'queries hold 1000000 of at most 1000000 together; try again later',
      ),
    });
    const small = runner.instant('sum(m)', T);
    await settle();
    await openGates();
    expect((await small).value).toMatchObject({ samples: [{ value: 6 }] });
    account.close();
    account.close();
    const again = runner.range('m', T - 60_000_000, T, 1000);
    await settle();
    await openGates();
    expect((await again).value).toMatchObject({ type: 'matrix' });
  });
});
