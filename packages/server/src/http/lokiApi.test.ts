import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { silentLogger, TytoError } from '@tyto/base';
import { LOKI_LIMITS } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import { ProtobufWriter } from '@tyto/wire';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_LOGS } from '../config/logsConfig.ts';
import { LokiTails } from './lokiTailApi.ts';
import { type LogFixture, logFixture } from '../testing/logFixture.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const JSON_TYPE = { 'content-type': 'application/json' };

const at = (secondsAgo: number) => String(NOW_NS - BigInt(secondsAgo) * 1_000_000_000n);

async function push(
  { app }: LogFixture,
  labels: Record<string, string>,
  values: readonly unknown[][],
  headers: Record<string, string> = {},
) {
  const payload = JSON.stringify({ streams: [{ stream: labels, values }] });
  return await app.inject({
    method: 'POST',
    url: '/loki/api/v1/push',
    headers: { ...JSON_TYPE, ...headers },
    payload,
  });
}

async function get(
  fixture: LogFixture,
  url: string,
  query: Record<string, string> = {},
  headers = {},
) {
  const search = new URLSearchParams(query);
  return await fixture.app.inject({ url: `${url}?${search}`, headers });
}

/** Three lines of two streams. */
async function filled(): Promise<LogFixture> {
  const fixture = logFixture(NOW_MS);
  await push(fixture, { app: 'shop', env: 'prod' }, [
    [at(30), 'level=info msg=one'],
    [at(20), 'level=error msg=two', { trace: 'x' }],
  ]);
  await push(fixture, { app: 'mail', env: 'prod' }, [[at(10), '{"level":"warn","n":{"a":1}}']]);
  return fixture;
}

describe('pushing', () => {
  it('takes protobuf behind Snappy, and gzip around JSON', async () => {
    const fixture = logFixture(NOW_MS);
    const writer = new ProtobufWriter();
    const stream = writer.begin(1);
    writer.string(1, '{app="shop"}');
    const entry = writer.begin(2);
    const time = writer.begin(1);
    writer.int64(1, NOW_MS / 1000 - 1);
    writer.end(time);
    writer.string(2, 'from protobuf');
    writer.end(entry);
    writer.end(stream);
    const payload = Buffer.from(encodeSnappy(writer.finish()));
    for (const headers of [
      { 'content-type': 'application/x-protobuf' },
      { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    ]) {
      const url = '/loki/api/v1/push';
      const answer = await fixture.app.inject({ method: 'POST', url, headers, payload });
      expect(answer.statusCode).toBe(204);
    }
    const body = { streams: [{ stream: { app: 'shop' }, values: [[at(1), 'from JSON']] }] };
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/loki/api/v1/push',
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      payload: gzipSync(JSON.stringify(body)),
    });
    expect(answer.statusCode).toBe(204);
    const found = await get(fixture, '/loki/api/v1/query_range', { query: '{app="shop"}' });
    expect(found.body).toContain('from protobuf');
    expect(found.body).toContain('from JSON');
  });

  it('answers with plain text what is wrong', async () => {
    const fixture = logFixture(NOW_MS);
    const old = await push(fixture, { app: 'shop' }, [[at(30 * 86_400), 'x']]);
    expect(old.statusCode).toBe(400);
    expect(old.headers['content-type']).toContain('text/plain');
    expect(old.body).toMatch(/^entry for stream '{app="shop"}' has timestamp too old/);
    const url = '/loki/api/v1/push';
    const headers = { ...JSON_TYPE, 'content-encoding': 'br' };
    const coding = await fixture.app.inject({ method: 'POST', url, headers, payload: 'x' });
    expect([coding.statusCode, coding.body]).toEqual([
      400,
      'Content-Encoding "br" not supported\n',
    ]);
  });

  it.each([
    [new TytoError('unavailable', 'the log store is not there'), 503],
    [new TytoError('io', 'no space left on device'), 507],
    [new TytoError('io', 'the disk broke'), 503],
  ])('is not acknowledged when the store says %s', async (error, status) => {
    const fixture = logFixture(NOW_MS);
    fixture.store.append = () => Promise.reject(error);
    const answer = await push(fixture, { app: 'shop' }, [[at(1), 'x']]);
    expect([answer.statusCode, answer.body]).toEqual([status, `${error.message}\n`]);
    if (status === 503) expect(answer.headers['retry-after']).toBe('1');
  });

  it('takes lines of curl, with labels in the address', async () => {
    const fixture = logFixture(NOW_MS);
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/tyto/api/v1/logs?service_name=backup&host=h1',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'started\nended\n',
    });
    expect(answer.statusCode).toBe(204);
    const values = await get(fixture, '/loki/api/v1/label/service_name/values');
    expect(values.json()).toEqual({ status: 'success', data: ['backup'] });
  });

  it("answers OpenTelemetry's exporters in their encoding", async () => {
    const fixture = logFixture(NOW_MS);
    const logRecords = [
      { timeUnixNano: at(1), body: { stringValue: 'good' } },
      { timeUnixNano: '1', body: { stringValue: 'old' } },
    ];
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/v1/logs',
      headers: JSON_TYPE,
      payload: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      partialSuccess: {
        rejectedLogRecords: '1',
        errorMessage: expect.stringContaining('has timestamp too old'),
      },
    });
    const wrong = await fixture.app.inject({
      method: 'POST',
      url: '/otlp/v1/logs',
      headers: JSON_TYPE,
      payload: '{',
    });
    expect([wrong.statusCode, wrong.json().code]).toEqual([400, 3]);
  });

  it("answers Elasticsearch's senders item by item", async () => {
    const fixture = logFixture(NOW_MS);
    const document = JSON.stringify({ '@timestamp': '2026-03-01T11:59:59Z', message: 'x' });
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/logs-app/_bulk',
      headers: { 'content-type': 'application/x-ndjson' },
      payload: `{"create":{}}\n${document}\n{"index":{"_index":"other"}}\nbroken\n`,
    });
    expect(answer.headers['x-elastic-product']).toBe('Elasticsearch');
    expect(answer.json()).toMatchObject({
      errors: true,
      items: [
        { create: { _index: 'logs-app', status: 201, result: 'created' } },
        { index: { _index: 'other', status: 400, error: { type: expect.any(String) } } },
      ],
    });
    const found = await get(fixture, '/loki/api/v1/query_range', {
      query: '{index="logs-app"} | json | message="x"',
    });
    expect(found.json().data.result).toHaveLength(1);
    const about = await fixture.app.inject({ url: '/', headers: { 'user-agent': 'Filebeat/8' } });
    expect(about.json().version.number).toMatch(/^8\./);
    expect((await get(fixture, '/_license')).json().license.status).toBe('active');
  });

  it('keeps tenants apart, and may demand one', async () => {
    const fixture = logFixture(NOW_MS);
    await push(fixture, { app: 'a' }, [[at(1), 'x']], { 'x-scope-orgid': 'one' });
    const labels = (tenant: string) =>
      get(fixture, '/loki/api/v1/labels', {}, { 'x-scope-orgid': tenant });
    expect((await labels('one')).json().data).toEqual(['app', 'service_name']);
    expect((await labels('two')).json().data).toEqual([]);
    expect((await labels('a b')).statusCode).toBe(400);
    fixture.logs.apply({ ...DEFAULT_LOGS, authEnabled: true });
    const nobody = await get(fixture, '/loki/api/v1/labels');
    expect([nobody.statusCode, nobody.body]).toEqual([401, 'no org id\n']);
    fixture.logs.apply({ ...DEFAULT_LOGS, authEnabled: false });
    expect((await labels('one')).json().data).toEqual([]);
  });

  it('answers 429 with the words of Loki where a rate is exceeded', async () => {
    const fixture = logFixture(NOW_MS);
    const limits = { ...LOKI_LIMITS, ingestionRate: 1, ingestionBurst: 1 };
    fixture.logs.apply({ ...DEFAULT_LOGS, limits });
    const answer = await push(fixture, { app: 'a' }, [[at(1), 'xx']]);
    expect(answer.statusCode).toBe(429);
    expect(answer.body).toMatch(
      /^Ingestion rate limit exceeded for user fake \(limit: 1 bytes\/sec/,
    );
  });
});

describe('asking', () => {
  it('merges metadata and parsed labels into streams', async () => {
    const fixture = await filled();
    const answer = await get(fixture, '/loki/api/v1/query_range', {
      query: '{app="shop"} | logfmt',
      direction: 'forward',
    });
    const { resultType, result, stats } = answer.json().data;
    expect(resultType).toBe('streams');
    expect(result).toEqual([
      {
        stream: {
          app: 'shop',
          detected_level: 'info',
          env: 'prod',
          level: 'info',
          msg: 'one',
          service_name: 'shop',
        },
        values: [[at(30), 'level=info msg=one']],
      },
      {
        stream: {
          app: 'shop',
          detected_level: 'error',
          env: 'prod',
          level: 'error',
          msg: 'two',
          service_name: 'shop',
          trace: 'x',
        },
        values: [[at(20), 'level=error msg=two']],
      },
    ]);
    expect(stats.summary.totalEntriesReturned).toBe(2);
  });

  it('keeps them apart where a client asks for it', async () => {
    const fixture = await filled();
    const query = { query: '{app="shop"} |= "two" | logfmt' };
    const headers = { 'x-loki-response-encoding-flags': 'categorize-labels' };
    const { data } = (await get(fixture, '/loki/api/v1/query_range', query, headers)).json();
    expect(data.encodingFlags).toEqual(['categorize-labels']);
    const structuredMetadata = { detected_level: 'error', trace: 'x' };
    const parsed = { level: 'error', msg: 'two' };
    expect(data.result).toEqual([
      {
        stream: { app: 'shop', env: 'prod', service_name: 'shop' },
        values: [[at(20), 'level=error msg=two', { structuredMetadata, parsed }]],
      },
    ]);
  });

  it('counts by POST and by GET', async () => {
    const fixture = await filled();
    const query = 'sum by (env) (count_over_time({env="prod"}[1m]))';
    const byGet = await get(fixture, '/loki/api/v1/query', { query });
    const result = [{ metric: { env: 'prod' }, value: [NOW_MS / 1000, '3'] }];
    expect(byGet.json().data).toMatchObject({ resultType: 'vector', result });
    const byPost = await fixture.app.inject({
      method: 'POST',
      url: '/loki/api/v1/query',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ query }).toString(),
    });
    expect(byPost.json().data.result).toEqual(result);
  });

  it.each([
    ['query_range', { query: '{app="shop"' }, 'parse error'],
    ['query_range', { query: '{a="b"}', limit: '100000' }, 'max entries limit per query exceeded'],
    ['query_range', { query: '{a="b"}', start: '0' }, 'the query time range exceeds the limit'],
    ['query_range', {}, 'query parameter is required'],
    ['query', { query: '{a="b"}' }, 'log queries are not supported as an instant query type'],
    ['series', {}, '0 matcher groups supplied'],
    ['index/volume', { query: '{a="b"}', aggregateBy: 'x' }, 'invalid aggregation option'],
  ])('says in plain text what is wrong with %s %o', async (path, query, message) => {
    const answer = await get(await filled(), `/loki/api/v1/${path}`, query);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(answer.body).toContain(message);
  });

  it('lists labels, values and series', async () => {
    const fixture = await filled();
    const data = async (path: string, query = {}) =>
      (await get(fixture, `/loki/api/v1/${path}`, query)).json().data;
    expect(await data('labels')).toEqual(['app', 'env', 'service_name']);
    expect(await data('label/app/values')).toEqual(['mail', 'shop']);
    expect(await data('label/app/values', { query: '{app="shop"}' })).toEqual(['shop']);
    expect(await data('series', { 'match[]': '{app=~"s.*"}' })).toEqual([
      { app: 'shop', env: 'prod', service_name: 'shop' },
    ]);
    const old = await get(fixture, '/api/prom/label/app/values');
    expect(old.json()).toEqual({ values: ['mail', 'shop'] });
  });

  it('tells sizes: stats, volume, volume_range', async () => {
    const fixture = await filled();
    const query = '{env="prod"}';
    const stats = await get(fixture, '/loki/api/v1/index/stats', { query });
    expect(stats.json()).toEqual({ streams: 2, chunks: 2, bytes: 65, entries: 3 });
    const volume = await get(fixture, '/loki/api/v1/index/volume', { query, targetLabels: 'app' });
    const value = (bytes: string) => [NOW_MS / 1000, bytes];
    expect(volume.json().data).toMatchObject({
      resultType: 'vector',
      result: [
        { metric: { app: 'shop' }, value: value('37') },
        { metric: { app: 'mail' }, value: value('28') },
      ],
    });
    const ranged = await get(fixture, '/loki/api/v1/index/volume_range', { query, step: '1h' });
    expect(ranged.json().data.result).toEqual([
      { metric: { env: 'prod' }, values: [[NOW_MS / 1000, '65']] },
    ]);
  });

  it('detects labels and fields', async () => {
    const fixture = await filled();
    const labels = await get(fixture, '/loki/api/v1/detected_labels');
    expect(labels.json().detectedLabels).toContainEqual({ label: 'app', cardinality: 2 });
    const query = '{env="prod"}';
    const fields = await get(fixture, '/loki/api/v1/detected_fields', { query });
    const found = fields.json().fields;
    expect(found).toContainEqual({
      label: 'level',
      type: 'string',
      cardinality: 3,
      parsers: ['json', 'logfmt'],
      jsonPath: ['level'],
    });
    expect(found).toContainEqual({
      label: 'n_a',
      type: 'int',
      cardinality: 1,
      parsers: ['json'],
      jsonPath: ['n', 'a'],
    });
    const values = await get(fixture, '/loki/api/v1/detected_field/msg/values', { query });
    expect(values.json().values).toEqual(['one', 'two']);
  });

  it('formats queries, and tells what it is', async () => {
    const fixture = await filled();
    const formatted = await get(fixture, '/loki/api/v1/format_query', { query: '{a="b"}|="c"' });
    expect(formatted.json()).toEqual({ status: 'success', data: '{a="b"} |= "c"' });
    expect((await get(fixture, '/ready')).body).toBe('ready\n');
    expect((await get(fixture, '/config')).body).toContain('limits_config:');
    expect((await get(fixture, '/loki/api/v1/status/buildinfo')).json().version).toMatch(/^3\./);
    const limits = (await get(fixture, '/loki/api/v1/drilldown-limits')).json();
    expect(limits.limits.max_query_series).toBe(500);
  });

  it('shows the lines around one, and how many there are by level', async () => {
    const fixture = await filled();
    const query = '{app="shop"} |= "two"';
    const around = await get(fixture, '/tyto/api/v1/logs/context', { query, time: at(20) });
    const lines = (part: 'before' | 'after') =>
      around.json().data[part].map(({ line }: { line: string }) => line);
    expect([lines('before'), lines('after')]).toEqual([
      ['level=info msg=one'],
      ['level=error msg=two'],
    ]);
    const histogram = await get(fixture, '/tyto/api/v1/logs/histogram', {
      query: '{env="prod"}',
      start: at(60),
      step: '60s',
    });
    const { levels } = histogram.json().data;
    expect(levels.map(({ level }: { level: string }) => level).sort()).toEqual([
      'error',
      'info',
      'warn',
    ]);
    expect(levels[0].values).toEqual([[NOW_MS / 1000 - 60, 1]]);
  });

  it('finds patterns, and which of them are new', async () => {
    const fixture = logFixture(NOW_MS);
    const lines = (from: number, text: string) =>
      Array.from({ length: 20 }, (_, i) => [at(from + i), `level=info ${text} ${i}`]);
    await push(fixture, { app: 'shop' }, lines(3000, 'user logged in with number'));
    await push(fixture, { app: 'shop' }, [
      ...lines(100, 'user logged in with number'),
      ...lines(100, 'payment gateway refused order'),
    ]);
    const query = '{app="shop"}';
    const all = await get(fixture, '/loki/api/v1/patterns', { query, step: '1h' });
    const found = all.json().data;
    expect(found.map(({ level }: { level: string }) => level)).toEqual(['info', 'info']);
    expect(found[0].pattern).toContain('user logged in with number <_>');
    const count = (samples: number[][]) => samples.reduce((sum, [, value]) => sum + value, 0);
    expect(count(found[0].samples)).toBe(40);
    const fresh = await get(fixture, '/tyto/api/v1/logs/new', { query, since: at(1000) });
    const { patterns, isPartial } = fresh.json().data;
    expect(isPartial).toBe(false);
    expect(patterns).toMatchObject([{ level: 'info', count: 20 }]);
    expect(patterns[0].pattern).toContain('payment gateway refused order');
    const own = await get(fixture, '/tyto/api/v1/logs/patterns', { query });
    expect(own.json().data.lines).toBe(60);
  });

  it('tells what a query would read', async () => {
    const query = '{app="shop"} |= "x"';
    const answer = await get(await filled(), '/tyto/api/v1/logs/estimate', { query });
    expect(answer.json().data).toEqual({ entries: 2, bytes: 37 });
  });

  it('ends a query that takes too long', async () => {
    const fixture = await filled();
    fixture.logs.engine.range = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new TytoError('canceled', 'ended')));
      });
    const answer = get(fixture, '/loki/api/v1/query_range', { query: '{a="b"}' });
    await new Promise((resolve) => setImmediate(resolve));
    await fixture.clock.advance(61_000);
    expect((await answer).statusCode).toBe(504);
    expect((await answer).body).toContain('queries may take 60 s (query_timeout)');
  });
});

describe('delete requests', () => {
  const url = '/loki/api/v1/delete';

  it('can be cancelled for a day, and are carried out then', async () => {
    const fixture = await filled();
    fixture.logs.start();
    const add = (query: string) =>
      fixture.app.inject({
        method: 'POST',
        url: `${url}?${new URLSearchParams({ query, start: '1700000000' })}`,
      });
    expect((await add('{app="shop"} |= "one"')).statusCode).toBe(204);
    await fixture.clock.advance(1000);
    expect((await add('{app="mail"}')).statusCode).toBe(204);
    const [first, second] = (await get(fixture, url)).json();
    expect(first).toMatchObject({
      query: '{app="shop"} |= "one"',
      start_time: 1_700_000_000,
      end_time: NOW_MS / 1000,
      status: 'received',
    });
    const cancel = (id: string) =>
      fixture.app.inject({ method: 'DELETE', url: `${url}?request_id=${id}` });
    expect((await cancel(second.request_id)).statusCode).toBe(204);
    expect((await cancel('nobody')).statusCode).toBe(404);
    await fixture.clock.advance(24 * 3_600_000 + 10_000);
    expect((await get(fixture, url)).json()).toMatchObject([{ status: 'processed' }]);
    expect((await cancel(first.request_id)).statusCode).toBe(400);
    const size = { tenant: 'fake', filters: [], matchers: [], startNs: 0n, endNs: NOW_NS };
    expect(await fixture.store.estimate(size)).toMatchObject({ entries: 2 });
    fixture.logs.stop();
  });

  it('hide what they want at once, and cancelling one brings it back', async () => {
    const fixture = await filled();
    const shown = async (): Promise<number> => {
      const query = '{app=~".+"}';
      const answer = await get(fixture, '/loki/api/v1/query_range', { query });
      const streams: { values: unknown[] }[] = answer.json().data.result;
      return streams.flatMap(({ values }) => values).length;
    };
    const before = await shown();
    const query = '{app="shop"} |= "one"';
    const params = new URLSearchParams({ query, start: '1700000000' });
    await fixture.app.inject({ method: 'POST', url: `${url}?${params}` });
    expect(await shown()).toBe(before - 1);
    const [{ request_id: id }] = (await get(fixture, url)).json();
    await fixture.app.inject({ method: 'DELETE', url: `${url}?request_id=${id}` });
    expect(await shown()).toBe(before);
  });

  it.each([
    [{ query: '{a="b"}' }, 'start time not set'],
    [{ start: '1700000000' }, 'query not set'],
    [{ query: '{a="b"} | json', start: '1700000000' }, 'takes a selector and line filters'],
    [{ query: '{a="b"}', start: '17' }, 'require unix seconds or RFC3339'],
    [{ query: '{a="b"}', start: '1700000000', end: '2100-01-01T00:00:00Z' }, 'in the future'],
  ])('are refused: %o', async (query, message) => {
    const { app } = logFixture(NOW_MS);
    const answer = await app.inject({ method: 'PUT', url: `${url}?${new URLSearchParams(query)}` });
    expect([answer.statusCode, answer.body]).toEqual([400, expect.stringContaining(message)]);
  });
});

it('rules over logs are put in, shown and removed by namespace and group', async () => {
  const fixture = logFixture(NOW_MS);
  const url = '/loki/api/v1/rules';
  const headers = { 'content-type': 'application/yaml' };
  const put = (payload: string) =>
    fixture.app.inject({ method: 'POST', url: `${url}/shop`, headers, payload });
  const rule = 'expr: sum(rate({app="shop"} |= "error" [5m])) > 1';
  const group = `name: errors\nrules:\n  - alert: Errors\n    ${rule}\n`;
  expect((await put(group)).statusCode).toBe(202);
  expect(fixture.logRules.groups).toMatchObject([
    { name: 'errors', logs: { tenant: 'fake' }, rules: [{ alert: 'Errors' }] },
  ]);
  expect((await get(fixture, url)).body).toContain('shop:');
  expect((await get(fixture, `${url}/shop/errors`)).body).toContain('alert: Errors');
  const wrong = await put('name: errors\nrules:\n  - alert: A\n    expr: up > 1\n');
  expect([wrong.statusCode, wrong.body]).toEqual([400, expect.stringContaining('parse')]);
  expect(
    (await fixture.app.inject({ method: 'DELETE', url: `${url}/shop/errors` })).statusCode,
  ).toBe(202);
  expect((await get(fixture, url)).statusCode).toBe(404);
});

describe('live tail', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  async function tailed(fixture: LogFixture): Promise<string> {
    const server = createServer();
    const tails = new LokiTails({
      clock: fixture.clock,
      logger: silentLogger,
      logs: fixture.logs,
      externalUrl: 'http://localhost:9090',
    });
    tails.attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => {
      tails.close();
      server.close();
    });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    return `ws://127.0.0.1:${address.port}/loki/api/v1/tail`;
  }

  it('tells what is there, then what comes', async () => {
    const fixture = await filled();
    const base = await tailed(fixture);
    const query = new URLSearchParams({ query: '{app="shop"} |= "t"', start: at(100) });
    const socket = new WebSocket(`${base}?${query}`);
    const frames: { streams: { values: string[][] }[] }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    await once(socket, 'message');
    expect(frames[0].streams.flatMap(({ values }) => values)).toEqual([
      [at(20), 'level=error msg=two'],
    ]);
    await push(fixture, { app: 'shop' }, [
      [at(5), 'not this one'.replaceAll('t', 'd')],
      [at(4), 'but this'],
    ]);
    for (let turn = 0; turn < 10; turn++) {
      await fixture.clock.advance(200);
      await new Promise((resolve) => setImmediate(resolve));
    }
    while (frames.length < 2) await once(socket, 'message');
    expect(frames[1].streams.flatMap(({ values }) => values)).toEqual([[at(4), 'but this']]);
    socket.close();
  });

  it.each([
    ['query=%7Ba', 400],
    ['query=%7Ba%3D%22b%22%7D&delay_for=9', 400],
    ['query=rate(%7Ba%3D%22b%22%7D%5B1m%5D)', 400],
  ])('refuses %s', async (search, status) => {
    const socket = new WebSocket(`${await tailed(logFixture(NOW_MS))}?${search}`);
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(status);
  });

  it('leaves other upgrades alone: who asks for HTTP/2 is answered in HTTP/1', async () => {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () => response.end(`${request.url} ${body}`));
    });
    const { logs, clock } = logFixture(NOW_MS);
    const externalUrl = 'http://localhost:9090';
    const tails = new LokiTails({ clock, logger: silentLogger, logs, externalUrl });
    tails.attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const head = 'POST /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n';
    socket.write(`${head}Upgrade: h2c\r\nHTTP2-Settings: AA\r\nContent-Length: 6\r\n\r\nabc`);
    await new Promise((resolve) => setImmediate(resolve));
    socket.write('def');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK[\s\S]*\/x abcdef$/);
    socket.destroy();
  });

  it('is not for pages of other sites', async () => {
    const url = `${await tailed(logFixture(NOW_MS))}?query=%7Ba%3D%22b%22%7D`;
    const socket = new WebSocket(url, { origin: 'http://evil.example' });
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(403);
  });
});
