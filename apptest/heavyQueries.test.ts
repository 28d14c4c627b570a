/** One query of somebody must not keep everybody else, nor the scrapes and rules, waiting. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep, startTyto, tell, type Tyto, waitFor } from './harness.ts';
import { startHttp } from './targets.ts';

const SERIES_COUNT = 5000;
/** What a person still takes for an answer at once; scrapes of one second are in time with it. */
const STALL_MS_MAX = 1000;

let tyto: Tyto;

beforeAll(async () => {
  const lines = Array.from(
    { length: SERIES_COUNT },
    (_, i) => `big{i="${i}",g="${i % 50}"} ${i}\n`,
  ).join('');
  const target = await startHttp((_, response) => response.end(lines));
  tyto = await startTyto({
    config: `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: big
    fallback_scrape_protocol: PrometheusText0.0.4
    static_configs: [{targets: ['${target.address}']}]
`,
  });
  await waitFor(
    'all series are there',
    async () => (await tyto.value('count(big)')) === SERIES_COUNT,
  );
});

afterAll(() =>
  tell(`peak memory with heavy queries: ${Math.round(tyto.peakMemoryKb() / 1024)} MB`),
);

interface Outcome {
  readonly status: number;
  readonly bytes: number;
  /** The longest that /-/healthy took meanwhile. */
  readonly stallMs: number;
}

/** A range query whose every step sees the last sample; its answer is read and thrown away. */
async function outcome(expression: string, stepCount: number): Promise<Outcome> {
  let stallMs = 0;
  let isDone = false;
  const probing = (async () => {
    while (!isDone) {
      const startMs = performance.now();
      await tyto.get('-/healthy');
      stallMs = Math.max(stallMs, performance.now() - startMs);
      await sleep(20);
    }
  })();
  const start = Math.floor(Date.now() / 1000);
  const step = 3400 / stepCount;
  const form = { query: expression, start: `${start}`, end: `${start + 3400}`, step: `${step}` };
  const startMs = performance.now();
  const response = await fetch(`${tyto.baseUrl}api/v1/query_range`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'accept-encoding': 'identity' },
  });
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += chunk.length;
  const tookMs = Math.round(performance.now() - startMs);
  isDone = true;
  await probing;
  tell(
    `${expression} at ${stepCount} steps: ${response.status}, ${bytes} bytes in ${tookMs} ms; ` +
      `others waited up to ${Math.round(stallMs)} ms`,
  );
  return { status: response.status, bytes, stallMs };
}

describe('while a heavy query runs, everybody else is answered', () => {
  it.each([
    ['sum by (g) (last_over_time(big[1h]))', 4000],
    ['last_over_time(big[1h]) > 1e9 or on (i) last_over_time(big[1h]) > 1e9', 2000],
    ['max_over_time(vector(1)[1y:1ms])', 100],
  ])('%s', async (expression, stepCount) => {
    expect((await outcome(expression, stepCount)).stallMs).toBeLessThan(STALL_MS_MAX);
  });

  it.each([
    ['topk(100, last_over_time(big[1h]))', 4000],
    ['quantile(0.5, last_over_time(big[1h]))', 4000],
    ['last_over_time(big[1h])', 1700],
  ])('%s', async (expression, stepCount) => {
    expect((await outcome(expression, stepCount)).stallMs).toBeLessThan(STALL_MS_MAX);
  });

  it('and an answer of a gigabyte is given or refused, but is no internal error', async () => {
    expect((await outcome('last_over_time(big[1h])', 8500)).status).not.toBe(500);
  });

  it('and one that is killed says so to its caller', async () => {
    const part = (i: number) => `quantile(0.5${i}, last_over_time(big[1h]))`;
    const query = Array.from({ length: 10 }, (_, i) => part(i)).join(' + ');
    const start = Math.floor(Date.now() / 1000);
    const form = { query, start: `${start}`, end: `${start + 3400}`, step: '0.5' };
    const answer = tyto.post('api/v1/query_range', form);
    const inFlight = async (): Promise<{ id: string } | undefined> => {
      const { json } = await tyto.get('tyto/api/v1/queries');
      return json?.data.queries.find((one: { query: string }) => one.query === query);
    };
    await waitFor('the query is listed', async () => (await inFlight()) !== undefined);
    const path = `tyto/api/v1/queries/${(await inFlight())?.id}/kill`;
    expect((await tyto.post(path)).status).toBe(204);
    const { status, json } = await answer;
    expect([status, json?.error]).toEqual([503, 'the query was killed']);
    expect((await tyto.post(path)).status).toBe(404);
    expect(await inFlight()).toBeUndefined();
  });

  it('and the scrapes went on', async () => {
    await waitFor('the target is up', async () => (await tyto.value('up{job="big"}')) === 1);
    expect(tyto.isRunning()).toBe(true);
  });
});
