/** Every endpoint of Prometheus' API: its envelope, its data's shape, its errors, its guards. */
import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTyto, type Tyto, waitFor } from './harness.ts';
import { type CountingTarget, startCountingTarget } from './targets.ts';

let tyto: Tyto;
let target: CountingTarget;

beforeAll(async () => {
  target = await startCountingTarget();
  tyto = await startTyto({
    config: `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: counting
    static_configs: [{targets: ['${target.address}'], labels: {team: blue}}]
`,
    files: {
      'rules.yml': `
groups:
  - name: example
    rules:
      - {record: 'job:scrapes:rate5s', expr: 'sum by (job) (rate(scrapes_total[5s]))'}
      - {alert: Always, expr: 'up > 0', labels: {severity: warning}, annotations: {summary: 'up'}}
`,
    },
  });
  await waitFor('the alert fires', async () => (await tyto.api('alerts')).alerts.length > 0);
  await waitFor('the target is up', async () => (await tyto.value('up')) === 1);
});

const SHAPES: readonly (readonly [string, object])[] = [
  ['query?query=up', { resultType: 'vector', result: expect.any(Array) }],
  ['query?query=1', { resultType: 'scalar', result: [expect.any(Number), '1'] }],
  ['query?query="a"', { resultType: 'string', result: [expect.any(Number), 'a'] }],
  ['parse_query?query=-up', { type: 'unaryExpr', op: '-', expr: expect.any(Object) }],
  ['query?query=up[1m]', { resultType: 'matrix', result: expect.any(Array) }],
  ['query_range?query=up&start=0&end=60&step=15', { resultType: 'matrix', result: [] }],
  ['series?match[]=up', [expect.objectContaining({ __name__: 'up', team: 'blue' })]],
  ['labels', expect.arrayContaining(['__name__', 'instance', 'job', 'team'])],
  ['label/job/values', ['counting']],
  ['label/nowhere/values', []],
  ['metadata', { scrapes_total: [{ type: 'counter', help: '', unit: '' }] }],
  [
    'targets',
    {
      activeTargets: [
        {
          discoveredLabels: expect.objectContaining({ __scheme__: 'http', job: 'counting' }),
          labels: expect.objectContaining({ job: 'counting', team: 'blue' }),
          scrapePool: 'counting',
          scrapeUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/),
          globalUrl: expect.stringMatching(/^http:\/\/[^/]+:\d+\/metrics$/),
          lastError: '',
          lastScrape: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          lastScrapeDuration: expect.any(Number),
          health: 'up',
          scrapeInterval: '1s',
          scrapeTimeout: '1s',
        },
      ],
      droppedTargets: [],
      droppedTargetCounts: expect.any(Object),
    },
  ],
  ['targets/metadata', [expect.objectContaining({ metric: 'scrapes_total', type: 'counter' })]],
  ['scrape_pools', { scrapePools: ['counting'] }],
  ['rules?type=record', { groups: [expect.objectContaining({ name: 'example', interval: 1 })] }],
  ['alerts', { alerts: [expect.objectContaining({ state: 'firing', value: '1e+00' })] }],
  ['alertmanagers', { activeAlertmanagers: expect.any(Array), droppedAlertmanagers: [] }],
  ['status/config', { yaml: expect.stringContaining('job_name: counting') }],
  ['status/flags', expect.objectContaining({ 'storage.tsdb.retention.time': '15d' })],
  ['status/buildinfo', expect.objectContaining({ version: expect.any(String) })],
  ['status/runtimeinfo', expect.objectContaining({ reloadConfigSuccess: true })],
  ['status/tsdb', expect.objectContaining({ headStats: expect.any(Object) })],
  ['status/walreplay', expect.objectContaining({ state: 'done' })],
  ['format_query?query=sum(up)by(job)', 'sum by (job) (up)'],
  ['query_exemplars?query=up&start=0&end=1', []],
];

describe('the Prometheus API', () => {
  it.each(SHAPES)('answers GET %s in its envelope', async (path, data) => {
    const answer = await tyto.get(`api/v1/${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.json).toMatchObject({ status: 'success' });
    if (Array.isArray(data)) expect(answer.json?.data).toEqual(data);
    else if (typeof data === 'object') expect(answer.json).toEqual({ status: 'success', data });
    else expect(answer.json?.data).toBe(data);
  });

  it('answers a form in a POST like a GET', async () => {
    const time = String(Date.now() / 1000);
    const query = 'up{job="counting"}';
    const posted = await tyto.post('api/v1/query', { query, time });
    const got = await tyto.get(`api/v1/query?query=${encodeURIComponent(query)}&time=${time}`);
    expect(posted.status).toBe(200);
    expect(posted.text).toBe(got.text);
    const range = { query, start: String(Number(time) - 60), end: time, step: '5s' };
    const matrix = (await tyto.post('api/v1/query_range', range)).json;
    expect(matrix?.data.resultType).toBe('matrix');
    expect(matrix?.data.result[0].values.at(-1)).toEqual([Number(time), '1']);
    expect((await tyto.post('api/v1/series', { 'match[]': 'up' })).json?.data).toHaveLength(1);
    expect((await tyto.post('api/v1/labels', {})).json?.data).toContain('job');
  });

  it('records what recording rules say', async () => {
    const rate = await waitFor('the rule has a value', async () => {
      const value = await tyto.value('job:scrapes:rate5s');
      return value !== undefined && value > 0.5 && value;
    });
    expect(rate).toBeLessThan(1.5);
  });

  it('takes times as RFC 3339 and durations in Prometheus notation', async () => {
    const end = new Date().toISOString();
    const start = new Date(Date.now() - 60_000).toISOString();
    const data = await tyto.api(`query_range?query=vector(1)&start=${start}&end=${end}&step=1m`);
    expect(data.result[0].values).toHaveLength(2);
  });
});

const BAD: readonly (readonly [string, string, string])[] = [
  ['a bad expression, with its place', 'query?query=sum((up)', '1:9: parse error: unclosed left'],
  ['a missing expression', 'query', 'parse error: no expression found in input'],
  ['a bad time', 'query?query=up&time=noon', 'invalid parameter "time"'],
  ['a missing start', 'query_range?query=up&end=1&step=1', 'invalid parameter "start"'],
  ['an end before its start', 'query_range?query=up&start=9&end=1&step=1', 'must not be before'],
  ['a step of zero', 'query_range?query=up&start=1&end=9&step=0', 'zero or negative'],
  [
    'too many points',
    'query_range?query=up&start=0&end=11001&step=1',
    'maximum resolution of 11,0',
  ],
  ['series without match[]', 'series', 'no match[] parameter provided'],
  ['a match[] that matches all', 'series?match[]={job=~".*"}', 'at least one non-empty matcher'],
  ['a match[] that is none', 'labels?match[]=up[5m', 'parse error'],
  ['an unknown type of rules', 'rules?type=x', 'not supported value "x"'],
  ['a limit below zero', 'labels?limit=-1', 'limit'],
];

describe('an error of the Prometheus API', () => {
  it.each(BAD)('tells of %s', async (_, path, words) => {
    const answer = await tyto.get(`api/v1/${path.replaceAll('{', '%7B').replaceAll('}', '%7D')}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ status: 'error', errorType: 'bad_data' });
    expect(answer.json?.error).toContain(words);
  });

  it('is 422 for what only the evaluation finds', async () => {
    const answer = await tyto.get('api/v1/query?query=label_replace(up,"a","b","c","(")');
    expect(answer.status).toBe(422);
    expect(answer.json?.errorType).toBe('execution');
  });

  it('is a JSON 404 for a path that the API does not have', async () => {
    const answer = await tyto.get('api/v1/quary?query=up');
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ status: 'error', errorType: 'not_found' });
    expect(answer.json?.error).toContain('/api/v1/quary');
    expect((await tyto.get('api/v9/query')).status).toBe(404);
  });

  it.each(['api/v1/%zz', 'api/v1/label/%FF/values'])(
    'has its envelope for an address that is none: %s',
    async (path) => {
      const answer = await tyto.get(path);
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ status: 'error', errorType: 'bad_data' });
    },
  );

  it('is none for an expression of 20 KB in a GET, as links to long queries have it', async () => {
    const answer = await tyto.get(`api/v1/query?query=1${'%20'.repeat(7000)}`);
    expect(answer.status).toBe(200);
  });

  it.each([
    ['deep nesting', `${'('.repeat(5000)}1${')'.repeat(5000)}`],
    ['many signs', `${'-'.repeat(20_000)}1`],
    ['many operators', new Array(20_000).fill('1').join('+')],
  ])('is a 400 and no crash for %s', async (_, query) => {
    const answer = await tyto.post('api/v1/query', { query });
    expect(answer.status).toBe(400);
    expect(answer.json?.error).toContain('parse error');
  });

  it('comes from no regular expression that would take for ever', async () => {
    const query = '{__name__=~"((s|c|r|a|p|e|s|_|t|o|l|x)*)*!"}';
    const startMs = Date.now();
    expect((await tyto.post('api/v1/query', { query })).json?.data.result).toEqual([]);
    expect(Date.now() - startMs).toBeLessThan(2000);
  });

  it('is no crash for bodies that are no form', async () => {
    const send = (body: string, type: string) =>
      fetch(`${tyto.baseUrl}api/v1/query`, {
        method: 'POST',
        body,
        headers: { 'content-type': type },
      });
    expect((await send('{"query":', 'application/json')).status).toBe(400);
    expect((await send('%%%&=&', 'application/x-www-form-urlencoded')).status).toBe(400);
    expect((await send('x', 'image/png')).status).toBe(415);
    expect((await tyto.get('-/healthy')).status).toBe(200);
  });
});

describe('the server', () => {
  it('says that it is healthy, ready, and which version it is', async () => {
    expect((await tyto.get('-/healthy')).text).toBe('Tyto is Healthy.\n');
    expect((await tyto.get('-/ready')).text).toBe('Tyto is Ready.\n');
    expect((await tyto.get('version')).json).toMatchObject({ version: expect.any(String) });
  });

  it.each(['http://evil.example', 'null', 'file://'])(
    'refuses requests that change something from a page of %s',
    async (origin) => {
      const headers = new Headers({ origin });
      for (const path of ['-/reload', '-/quit', 'api/v2/silences']) {
        expect((await tyto.post(path, undefined, headers)).status).toBe(403);
      }
      const silence = `${tyto.baseUrl}api/v2/silence/x`;
      expect((await fetch(silence, { method: 'DELETE', headers })).status).toBe(403);
      expect((await tyto.get('-/healthy')).status).toBe(200);
    },
  );

  it('refuses them from a page whose name was bound to this address', async () => {
    const host = `evil.example:${tyto.port}`;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(`${tyto.baseUrl}-/reload`, {
        method: 'POST',
        headers: { host, origin: `http://${host}` },
      });
      call.on('response', (response) => resolve(response.resume().statusCode));
      call.on('error', reject);
      call.end();
    });
    expect(status).toBe(403);
  });

  it('accepts them from its own pages', async () => {
    const headers = new Headers({ origin: tyto.baseUrl.replace(/\/$/, '') });
    expect((await tyto.post('-/reload', undefined, headers)).status).toBe(200);
  });
});
