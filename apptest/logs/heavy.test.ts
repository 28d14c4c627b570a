/**
 * Queries that want more than there is: each gets an error that says what to do, small ones are
 * answered meanwhile, and the store's process lives through all of it.
 */
import { beforeAll, expect, it } from 'vitest';
import { sleep, startTyto, tell, type Tyto, waitFor } from '../harness.ts';
import { enginePid, lokiGet, nowNs, push, type PushAnswer } from './stack.ts';

const LINES = Number(process.env.TYTO_LINES ?? 300_000);
const LINES_PER_PUSH = 20_000;
/** Of small queries while big ones run: people would call more than this broken. */
const SMALL_MS_MAX = 10_000;

let tyto: Tyto;
let startNs: bigint;

beforeAll(async () => {
  tyto = await startTyto({ config: 'scrape_configs: []\n' });
  startNs = nowNs() - 3_000_000_000_000n;
  await push(tyto, [{ stream: { app: 'small' }, values: [[`${nowNs()}`, 'a small line']] }]);
  for (let n = 0; n < LINES; n += LINES_PER_PUSH) {
    const values = Array.from({ length: LINES_PER_PUSH }, (_, i): [string, string] => {
      const id = n + i;
      const text = `request ${id} was answered by backend ${id % 97} with some words behind it`;
      const line = JSON.stringify({ level: 'info', id: `id-${id}`, took: id % 1000, text });
      return [`${startNs + BigInt(id) * 1_000_000n}`, line];
    });
    const answer = await push(tyto, [{ stream: { app: 'big' }, values }]);
    expect(answer.status, answer.text).toBe(204);
  }
});

const logql = (query: string) => (): Promise<PushAnswer> =>
  lokiGet(tyto, 'loki/api/v1/query', { query });
const lines = (query: string, limit: number) => (): Promise<PushAnswer> =>
  lokiGet(tyto, 'loki/api/v1/query_range', { query, limit: `${limit}`, start: `${startNs}` });
const sql = (query: string) => (): Promise<PushAnswer> =>
  lokiGet(tyto, 'tyto/api/v1/sql', { query });

/** Each with the status that it gets, and what the error says. */
const HEAVY: readonly [string, () => Promise<PushAnswer>, number, RegExp][] = [
  [
    'a series for each line',
    logql('sum by (id) (count_over_time({app="big"} | json [1h]))'),
    400,
    /group by fewer labels/,
  ],
  [
    'a quantile of a series for each line',
    logql('quantile_over_time(0.99, {app="big"} | json | unwrap took [1h]) by (id)'),
    422,
    /group by fewer labels/,
  ],
  [
    'a group of SQL that holds everything many times',
    sql(
      'SELECT groupArray(concat(l.line, toString(n.number))) FROM logs AS l ' +
        'CROSS JOIN numbers(1000) AS n',
    ),
    413,
    /needs too much memory; ask for a shorter time/,
  ],
  [
    'an order of SQL over a product',
    sql(
      'SELECT l.line, n.number FROM logs AS l CROSS JOIN numbers(1000) AS n ' +
        'ORDER BY cityHash64(l.line, n.number) LIMIT 1000000',
    ),
    413,
    /needs too much memory; ask for a shorter time/,
  ],
  ['more rows than SQL may answer', sql('SELECT number FROM numbers(2000000)'), 413, /add a LIMIT/],
  ['more lines than a query may ask for', lines('{app="big"}', 100_000), 400, /max entries limit/],
  ['everything, by a pattern that is nowhere', lines('{app=~".+"} |~ "x[0-9]+yz$"', 100), 200, /./],
];

it('each ends with a reason, while small queries are answered', async () => {
  const pid = enginePid(tyto);
  const small = repeated(askSmall);
  const ready = repeated(() => tyto.get('-/ready'));
  const answers = await Promise.all(
    HEAVY.map(async ([what, ask, status, message]) => ({
      what,
      status,
      message,
      got: await ask(),
    })),
  );
  const latencies = await small.end();
  const readyMs = await ready.end();
  for (const { what, got } of answers) tell(`${what}: ${got.status} ${got.text.slice(0, 200)}`);
  tell(`small queries meanwhile: ${shown(latencies)}; server ${tyto.peakMemoryKb() >> 10} MiB`);
  tell(`the server itself: ${shown(readyMs)}`);
  for (const { what, status, message, got } of answers) {
    expect(got.status, `${what}: ${got.text.slice(0, 300)}`).toBe(status);
    expect(got.text, what).toMatch(message);
  }
  expect(enginePid(tyto), 'the same process of the store').toBe(pid);
  expect(latencies.length).toBeGreaterThan(0);
  expect(Math.max(...latencies)).toBeLessThan(SMALL_MS_MAX);
});

it('a store that is killed in a query is back, and the query says so', async () => {
  const asking = sql('SELECT count() FROM logs AS l CROSS JOIN numbers(100000) AS n')();
  await sleep(500);
  process.kill(enginePid(tyto) ?? 0, 'SIGKILL');
  const { status, text } = await asking;
  expect(status, text).toBe(503);
  expect(text).toContain('try again');
  const killedMs = Date.now();
  await waitFor('the store answers', async () => (await askSmall()).status === 200);
  tell(`back after ${Date.now() - killedMs} ms`);
  expect(Date.now() - killedMs).toBeLessThan(3000);
  const metrics = await tyto.get('metrics');
  expect(metrics.text).toMatch(/^tyto_log_store_up 1$/m);
  expect(metrics.text).toMatch(/^tyto_log_store_starts_total 2$/m);
  expect(metrics.text).toMatch(/^tyto_log_store_waiting_bytes 0$/m);
});

function askSmall(): Promise<PushAnswer> {
  return lines('{app="small"}', 1)();
}

/** Asks one question after the other, until it is ended; how long each took in ms. */
function repeated(ask: () => Promise<PushAnswer>): { end(): Promise<number[]> } {
  const latencies: number[] = [];
  let isEnding = false;
  const running = (async () => {
    while (!isEnding) {
      const startMs = performance.now();
      const { status, text } = await ask();
      expect(status, text).toBe(200);
      latencies.push(performance.now() - startMs);
      await sleep(50);
    }
  })();
  const end = async () => {
    isEnding = true;
    await running;
    return latencies;
  };
  return { end };
}

function shown(latencies: readonly number[]): string {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]);
  return `${sorted.length}, median ${at(0.5)} ms, at most ${at(1)} ms`;
}
