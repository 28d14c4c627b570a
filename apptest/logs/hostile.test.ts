/**
 * Senders that do what no sender should, and tenants that look over the fence. `TYTO_ATTACK` sets
 * how many values the label of the attack takes.
 */
import { beforeAll, expect, it } from 'vitest';
import { startTyto, tell, type Tyto } from '../harness.ts';
import { allLines, enginePid, type LogStream, lokiGet, nowNs, push } from './stack.ts';

const SECOND_NS = 1_000_000_000n;
const ATTACK_VALUES = Number(process.env.TYTO_ATTACK ?? 200_000);
const VALUES_PER_PUSH = 20_000;

let tyto: Tyto;
let startNs: bigint;

beforeAll(async () => {
  tyto = await startTyto({ config: 'scrape_configs: []\n' });
  startNs = nowNs();
  expect((await push(tyto, [one({ app: 'first' }, 'a line')])).status).toBe(204);
});

function one(stream: Record<string, string>, line: string, timeNs = nowNs()): LogStream {
  return { stream, values: [[`${timeNs}`, line]] };
}

async function expectWell(): Promise<void> {
  expect(await allLines(tyto, '{app="first"}', startNs - SECOND_NS)).toEqual(['a line']);
}

it('the same lines from two senders at once are all there', async () => {
  const values = Array.from({ length: 500 }, (_, n): [string, string] => [
    `${startNs + BigInt(n)}`,
    `line ${n}`,
  ]);
  const stream = { app: 'twice' };
  const answers = await Promise.all([1, 2].map(() => push(tyto, [{ stream, values }])));
  expect(answers.map(({ status }) => status)).toEqual([204, 204]);
  const found = await allLines(tyto, '{app="twice"}', startNs);
  expect(new Set(found)).toEqual(new Set(values.map(([, line]) => line)));
});

it('times of a clock that jumps are refused one by one, and told', async () => {
  const stream = { app: 'jumping' };
  const hourNs = 3600n * SECOND_NS;
  const times = [
    startNs,
    startNs + hourNs,
    startNs - 24n * 10n * hourNs,
    0n,
    -1n,
    startNs - hourNs,
  ];
  const values = times.map((time, n): [string, string] => [`${time}`, `line ${n}`]);
  const { status, text } = await push(tyto, [{ stream, values }]);
  expect(status).toBe(400);
  expect(text).toMatch(/too new|too old/);
  const found = await allLines(tyto, '{app="jumping"}', startNs - 2n * hourNs);
  expect(found).toEqual(['line 5', 'line 0']);
  for (const time of ['9223372036854775807', '99999999999999999999999', 'soon', '1e9']) {
    const answer = await push(tyto, [{ stream, values: [[time, 'never']] }]);
    expect(answer.status, time).toBe(400);
  }
});

it('100,000 streams in one push meet the limit of streams', async () => {
  const streams = Array.from({ length: 100_000 }, (_, n) => one({ app: 'many', id: `${n}` }, 'x'));
  const sentMs = performance.now();
  const { status, text } = await push(tyto, streams, 'many');
  tell(`100,000 streams: ${status} after ${Math.round(performance.now() - sentMs)} ms`);
  expect(status).toBe(429);
  expect(text).toContain('Maximum active stream limit exceeded');
  expect(text.length).toBeLessThan(10_000);
  const counted = await lokiGet(
    tyto,
    'loki/api/v1/query',
    { query: 'sum(count_over_time({app="many"}[1h]))' },
    'many',
  );
  expect(JSON.parse(counted.text).data.result[0].value[1]).toBe('5000');
  await expectWell();
});

it('a label with ever new values ends at the limit, and the server stays small', async () => {
  const rounds = Math.ceil(ATTACK_VALUES / VALUES_PER_PUSH);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const streams = Array.from({ length: VALUES_PER_PUSH }, (_, n) =>
      one({ user: `u-${round}-${n}` }, 'x'),
    );
    if ((await push(tyto, streams, 'attack')).status === 429) refused++;
  }
  expect(refused).toBe(rounds);
  const metrics = await tyto.get('metrics');
  expect(metrics.text).toContain('loki_ingester_memory_streams{tenant="attack"} 5000');
  tell(
    `${ATTACK_VALUES} values of a label: the server took ${tyto.peakMemoryKb() >> 10} MiB at most`,
  );
  expect(tyto.peakMemoryKb()).toBeLessThan(1_000_000);
  await expectWell();
});

it('a line of 10 MB is refused with its size, others of its request are stored', async () => {
  const streams = [one({ app: 'long' }, 'y'.repeat(10_000_000)), one({ app: 'long' }, 'short')];
  const { status, text } = await push(tyto, streams);
  expect(status).toBe(400);
  expect(text).toMatch(/256 ?KB|262144/i);
  expect(text.length).toBeLessThan(2000);
  expect(await allLines(tyto, '{app="long"}', startNs)).toEqual(['short']);
});

it('NUL bytes and invalid UTF-8 come back as text that JSON can hold', async () => {
  const line = 'before\0after \u001b[31m \ufeff \u{1f980}';
  const stream = { app: 'bytes', with: 'a\0b' };
  expect((await push(tyto, [one(stream, line)])).status).toBe(204);
  const raw = Buffer.concat([Buffer.from('broken '), Buffer.from([0xff, 0xc3, 0x28, 0x80])]);
  const response = await fetch(`${tyto.baseUrl}tyto/api/v1/logs?app=raw`, {
    method: 'POST',
    body: raw,
  });
  expect(response.status).toBe(204);
  expect(await allLines(tyto, '{app="bytes"}', startNs)).toEqual([line]);
  expect(await allLines(tyto, '{app="bytes", with="a\\x00b"} |= "\\x00after"', startNs)).toEqual([
    line,
  ]);
  const [broken] = await allLines(tyto, '{app="raw"}', startNs - SECOND_NS);
  expect(broken).toMatch(/^broken \ufffd+\(\ufffd$/);
  await expectWell();
});

it('a tenant finds nothing of another, by LogQL or by SQL', async () => {
  expect((await push(tyto, [one({ app: 'a' }, 'the secret of a')], 'tenant-a')).status).toBe(204);
  const asB = (path: string, params: Record<string, string>) =>
    lokiGet(tyto, path, params, 'tenant-b');
  expect(await allLines(tyto, '{app="a"}', startNs, 'tenant-a')).toEqual(['the secret of a']);
  for (const query of ['{app="a"}', '{app=~".+"}', '{app=~".*a.*"} |= "secret"']) {
    expect(await allLines(tyto, query, startNs, 'tenant-b'), query).toEqual([]);
  }
  for (const path of ['labels', 'label/app/values', 'series', 'index/volume', 'index/stats']) {
    const answer = await asB(`loki/api/v1/${path}`, { query: '{app="a"}', 'match[]': '{app="a"}' });
    expect(answer.text, path).not.toMatch(/secret|"a"|"entries": ?[1-9]/);
  }
  for (const name of ['tenant-a|tenant-b', 'tenant-b,tenant-a', "tenant-b' OR '1", '..']) {
    const params = { query: '{app="a"}' };
    const answer = await lokiGet(tyto, 'loki/api/v1/query_range', params, name);
    expect(answer.text, name).not.toContain('secret');
  }
  for (const query of STATEMENTS) {
    const answer = await asB('tyto/api/v1/sql', { query, format: 'csv' });
    expect(answer.text, query).not.toContain('the secret of a');
    expect([200, 400, 413, 422], `${query}: ${answer.text}`).toContain(answer.status);
  }
  await expectWell();
});

/** Each would show the other tenant's line, if it could. */
const STATEMENTS = [
  'SELECT * FROM logs',
  'SELECT line FROM log_entries',
  "SELECT line FROM log_entries WHERE tenant = 'tenant-a'",
  "SELECT line FROM log_entries WHERE tenant = 'tenant-a' OR 1 = 1",
  'WITH x AS (SELECT line FROM log_entries) SELECT * FROM x',
  'SELECT (SELECT groupArray(line) FROM log_entries)',
  'SELECT line FROM log_entries SETTINGS additional_table_filters = {}',
  'SELECT e.line FROM log_entries AS e JOIN log_entries AS f ON e.stream = f.stream',
  'SELECT line FROM log_entries UNION ALL SELECT line FROM logs',
  'SELECT line FROM default.log_entries',
  'SELECT line FROM `default`.`log_entries`',
  "SELECT * FROM merge('default', 'log_.*')",
  "SELECT * FROM remote('localhost', 'default', 'log_entries')",
  "SELECT * FROM file('data/store/**', 'LineAsString')",
  'SELECT query FROM system.processes',
  'SELECT * FROM system.query_log',
  'SELECT line FROM log_entries PREWHERE 1',
  'SELECT line FROM log_entries FINAL',
  'SELECT line FROM log_entries SAMPLE 1',
  'SELECT * FROM view(SELECT line FROM log_entries)',
  'SELECT groupArray(line) FROM log_entries GROUP BY tenant WITH TOTALS',
  'SELECT arrayJoin(groupArray(line)) FROM log_entries',
  "SELECT dictGet('x', 'line', 1)",
  "SELECT joinGet('log_entries', 'line', 1)",
  'EXPLAIN SELECT line FROM log_entries',
  'SHOW CREATE TABLE log_entries',
  'SELECT line FROM log_entries; SELECT line FROM log_entries',
  'SELECT line FROM log_entries AS logs',
  'SELECT max(line) FROM log_entries',
  'SELECT 1 IN (SELECT 1 FROM log_entries WHERE throwIf(1, line))',
  'SELECT toUInt8(line) FROM log_entries',
];

it('what a delete request wants is hidden from counts, too, until it is cancelled', async () => {
  const stream = { app: 'deleted' };
  await push(tyto, [one(stream, 'keep this'), one(stream, 'a secret'), one(stream, 'and that')]);
  const count = async () => {
    const query = 'sum(count_over_time({app="deleted"}[1h]))';
    const { text } = await lokiGet(tyto, 'loki/api/v1/query', { query });
    return JSON.parse(text).data.result[0].value[1];
  };
  expect(await count()).toBe('3');
  const url = `${tyto.baseUrl}loki/api/v1/delete`;
  const asked = new URLSearchParams({ query: '{app="deleted"} |= "secret"', start: '1700000000' });
  expect((await fetch(`${url}?${asked}`, { method: 'POST' })).status).toBe(204);
  expect(await count()).toBe('2');
  expect(await allLines(tyto, '{app="deleted"}', startNs)).not.toContain('a secret');
  await expectWell();
  const [{ request_id: id }] = JSON.parse((await lokiGet(tyto, 'loki/api/v1/delete', {})).text);
  expect((await fetch(`${url}?request_id=${id}`, { method: 'DELETE' })).status).toBe(204);
  expect(await count()).toBe('3');
});

it('has outlived all of it in one process of the store', async () => {
  expect(enginePid(tyto)).toBeGreaterThan(0);
  const metrics = await tyto.get('metrics');
  expect(metrics.text).toMatch(/^tyto_log_store_starts_total 1$/m);
});
