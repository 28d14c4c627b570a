/**
 * What Prometheus 3 has beyond Prometheus 2: notifications, features, the search, the OpenAPI
 * document that answers are held against; and the headers and methods of HTTP around all of it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateSync } from 'node:zlib';
import { type IncomingMessage, request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseYaml } from '@tyto/base';
import { sharedPath } from '../conformance/shared.ts';
import { runTyto, sleep, startTyto, type Tyto, temporaryDirectory, waitFor } from './harness.ts';
import { type CountingTarget, startCountingTarget } from './targets.ts';

let tyto: Tyto;
let target: CountingTarget;

const RULES = `
groups:
  - name: recording
    rules: [{record: 'up:sum', expr: 'sum(up)'}]
  - name: alerting
    rules: [{alert: Always, expr: 'up > 0', labels: {severity: page}}]
`;

function config(more = ''): string {
  return `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml, more.yml]
scrape_configs:
  - job_name: counting
    http_headers: {X-Key: {secrets: [hunter2]}}
    static_configs: [{targets: ['${target.address}', 'drop.example:1'], labels: {team.name: blue}}]
    relabel_configs:
      - {target_label: env, replacement: test}
      - {source_labels: [__address__], regex: 'drop.*', action: drop}
  - job_name: idle
    static_configs: []
${more}`;
}

beforeAll(async () => {
  target = await startCountingTarget();
  tyto = await startTyto({
    config: config(),
    files: { 'rules.yml': RULES, 'more.yml': RULES.replace('up:sum', 'up:count') },
    args: [
      '--enable-feature=search-api',
      '--web.enable-admin-api',
      '--web.max-notifications-subscribers=1',
      '--web.search.max-limit=50',
    ],
  });
  await waitFor('the alert fires', async () => (await tyto.api('alerts')).alerts.length > 1);
  await waitFor('rules are recorded', async () => (await tyto.value('up:count')) === 1);
});

type Schema = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, Schema>>;

/** What of a value is not as a JSON schema says; the part of JSON Schema that the document uses. */
function mistakes(value: unknown, schema: Schema, schemas: Schemas, at = '$'): string[] {
  if (typeof schema.$ref === 'string') {
    return mistakes(value, schemas[schema.$ref.split('/').at(-1) ?? ''], schemas, at);
  }
  if (Array.isArray(schema.anyOf)) {
    const tries = schema.anyOf.map((one: Schema) => mistakes(value, one, schemas, at));
    return tries.some((found) => found.length === 0) ? [] : tries.flat();
  }
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) return [`${at}: ${value}`];
  if (schema.type === 'array') return listMistakes(value, schema, schemas, at);
  if (schema.type === 'object') return objectMistakes(value, schema, schemas, at);
  const type = schema.type === 'integer' ? 'number' : schema.type;
  if (schema.type === 'integer' && !Number.isInteger(value)) return [`${at}: no integer`];
  return typeof value === type ? [] : [`${at}: ${typeof value}, not ${String(type)}`];
}

function listMistakes(value: unknown, schema: Schema, schemas: Schemas, at: string): string[] {
  if (!Array.isArray(value)) return [`${at}: no list`];
  const { prefixItems, items } = schema as { prefixItems?: Schema[]; items?: Schema };
  return value.flatMap((item, i) => {
    const wanted = prefixItems === undefined ? items : prefixItems[i];
    return wanted === undefined
      ? [`${at}[${i}]: one too many`]
      : mistakes(item, wanted, schemas, at);
  });
}

function objectMistakes(value: unknown, schema: Schema, schemas: Schemas, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${at}: no object`];
  const { properties = {}, required = [] } = schema as {
    properties?: Schemas;
    required?: readonly string[];
  };
  const others = schema.additionalProperties;
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${at}.${name}: missing`),
    ...Object.entries(value).flatMap(([name, one]) => {
      if (Object.hasOwn(properties, name)) {
        return mistakes(one, properties[name], schemas, `${at}.${name}`);
      }
      if (others === false) return [`${at}.${name}: not in the document`];
      return typeof others === 'object' ? mistakes(one, others as Schema, schemas, at) : [];
    }),
  ];
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Schemas };
}
interface Described {
  readonly parameters?: readonly { readonly name: string; readonly required?: boolean }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { content: Readonly<Record<string, Schema>> }>>;
}

async function readDocument(version: string): Promise<Document> {
  const answer = await tyto.get(`api/v1/openapi.yaml?openapi_version=${version}`);
  expect(answer.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
  return parseYaml(answer.text) as Document;
}

const DESCRIBED: readonly (readonly [path: string, query: string])[] = [
  ['/query', '?query=up&stats=all'],
  ['/query', '?query=1'],
  ['/query', '?query="a"'],
  ['/query', '?query=up[5s]'],
  ['/query_range', '?query=up&start=NOW&end=NOW&step=1&stats=true'],
  ['/query_exemplars', '?query=up'],
  ['/format_query', '?query=sum(up)by(job)'],
  ['/parse_query', '?query=sum(up)by(job)'],
  ['/labels', '?match[]=up&match[]=scrapes_total&limit=1'],
  ['/label/{name}/values', ''],
  ['/series', '?match[]=up'],
  ['/metadata', ''],
  ['/targets', ''],
  ['/targets/metadata', ''],
  ['/targets/relabel_steps', '?scrapePool=counting&labels={"__address__":"drop.me"}'],
  ['/scrape_pools', ''],
  ['/scrape_pools/config', '?scrapePool=counting'],
  ['/rules', ''],
  ['/alerts', ''],
  ['/alertmanagers', ''],
  ['/status/config', ''],
  ['/status/runtimeinfo', ''],
  ['/status/buildinfo', ''],
  ['/status/flags', ''],
  ['/status/tsdb', '?limit=3'],
  ['/status/tsdb/blocks', ''],
  ['/status/walreplay', ''],
  ['/status/self_metrics', ''],
  ['/features', ''],
  ['/notifications', ''],
  ['/metrics', ''],
];

describe('the OpenAPI document', () => {
  it.each(DESCRIBED)('says what GET %s%s answers', async (path, query) => {
    const { paths, components } = await readDocument('3.1');
    const now = String(Math.floor(Date.now() / 1000));
    const address = path.replace('{name}', 'job') + query.replaceAll('NOW', now);
    const { json } = await tyto.get(`api/v1${address}`);
    const { schema } = paths[path].get.responses['200'].content['application/json'];
    expect(mistakes(json, schema as Schema, components.schemas)).toEqual([]);
    expect(json?.status).toBe('success');
  });

  it('says what an error is', async () => {
    const { paths, components } = await readDocument('3.2');
    const { json } = await tyto.get('api/v1/query?query=(');
    const { schema } = paths['/query'].get.responses.default.content['application/json'];
    expect(mistakes(json, schema as Schema, components.schemas)).toEqual([]);
  });

  it.each(['3.1', '3.2'])("has all that Prometheus' own %s has", async (version) => {
    const name = `openapi_${version}_golden.yaml`;
    const path = sharedPath('prometheus', 'web_api_openapi', name);
    if (path === undefined) return;
    const golden = parseYaml(readFileSync(path, 'utf8')) as Document;
    const own = await readDocument(version);
    expect(own.openapi).toBe(golden.openapi);
    const parts = ({ paths }: Document) =>
      Object.entries(paths).flatMap(([place, item]) =>
        Object.entries(item).flatMap(([method, { parameters = [] }]) => [
          `${method} ${place}`,
          ...parameters.map(({ name, required }) => `${method} ${place} ${name} ${required}`),
        ]),
      );
    const known = new Set(parts(own));
    expect(parts(golden).filter((part) => !known.has(part))).toEqual([]);
  });
});

describe('targets and rules', () => {
  it('show each step of relabelling', async () => {
    const labels = encodeURIComponent('{"__address__":"drop.me","job":"counting"}');
    const data = await tyto.api(`targets/relabel_steps?scrapePool=counting&labels=${labels}`);
    expect(data.steps).toEqual([
      {
        rule: {
          action: 'replace',
          separator: ';',
          regex: '(.*)',
          replacement: 'test',
          target_label: 'env',
        },
        output: { __address__: 'drop.me', env: 'test', job: 'counting' },
        keep: true,
      },
      {
        rule: expect.objectContaining({ action: 'drop', source_labels: ['__address__'] }),
        output: {},
        keep: false,
      },
    ]);
  });

  it.each([
    ['targets/relabel_steps', 'no scrapePool parameter provided'],
    ['targets/relabel_steps?scrapePool=counting', 'no labels parameter provided'],
    ['targets/relabel_steps?scrapePool=counting&labels=[]', 'error parsing labels'],
    ['targets/relabel_steps?scrapePool=counting&labels={"a":1}', 'error parsing labels'],
    ['targets/relabel_steps?scrapePool=x&labels={}', 'scrape pool "x" not found'],
    ['scrape_pools/config', 'no scrapePool parameter provided'],
    ['scrape_pools/config?scrapePool=x', 'scrape pool "x" not found'],
    ['rules?group_next_token=x', 'group_limit needs to be present'],
    ['rules?group_limit=x', 'group_limit needs to be a valid number'],
    ['rules?group_limit=0', 'group_limit needs to be greater than 0'],
    ['rules?group_limit=1&group_next_token=x', "invalid group_next_token 'x'"],
    ['rules?exclude_alerts=maybe', 'invalid parameter "exclude_alerts"'],
    ['status/tsdb?limit=0', 'limit must be a positive number'],
    ['status/tsdb?limit=10001', 'limit must not exceed 10000'],
    ['status/self_metrics?metric_name_pattern=(', 'invalid parameter "metric_name_pattern"'],
  ])('refuse %s', async (path, words) => {
    const answer = await tyto.get(`api/v1/${path}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ status: 'error', errorType: 'bad_data' });
    expect(answer.json?.error).toContain(words);
  });

  it('list pools without targets, and show their configuration without secrets', async () => {
    expect(await tyto.api('scrape_pools')).toEqual({ scrapePools: ['counting', 'idle'] });
    const { yaml } = await tyto.api('scrape_pools/config?scrapePool=counting');
    expect(parseYaml(yaml)).toMatchObject({
      job_name: 'counting',
      scrape_interval: '1s',
      metrics_path: '/metrics',
      http_headers: { 'X-Key': { secrets: ['<secret>'] } },
      static_configs: [{ targets: [target.address, 'drop.example:1'] }],
    });
    const idle = await tyto.api('scrape_pools/config?scrapePool=idle');
    expect(parseYaml(idle.yaml)).toMatchObject({ job_name: 'idle', scheme: 'http' });
    const { text } = await tyto.get('api/v1/status/config');
    expect(text).not.toContain('hunter2');
  });

  it('come page by page', async () => {
    const found: string[] = [];
    let token = '';
    do {
      const page = await tyto.api(`rules?group_limit=3&group_next_token=${token}`);
      found.push(...page.groups.map((group: { name: string }) => group.name));
      token = page.groupNextToken ?? '';
    } while (token !== '');
    expect(found).toEqual(['recording', 'alerting', 'recording', 'alerting']);
  });

  it('are found by name, group, file, type and labels', async () => {
    const names = async (filter: string): Promise<string[]> =>
      (await tyto.api(`rules?${filter}`)).groups.flatMap((group: { rules: { name: string }[] }) =>
        group.rules.map(({ name }) => name),
      );
    expect(await names('rule_name[]=up:sum&rule_name[]=nothing')).toEqual(['up:sum']);
    expect(await names('rule_group[]=alerting')).toEqual(['Always', 'Always']);
    const more = encodeURIComponent(join(tyto.directory, 'more.yml'));
    expect(await names(`file[]=${more}`)).toEqual(['up:count', 'Always']);
    expect(await names(`file[]=${more}&type=alert`)).toEqual(['Always']);
    expect(await names('match[]={severity="page"}')).toEqual(['Always', 'Always']);
    expect(await names('match[]={severity="none"}')).toEqual([]);
    const bare = await tyto.api('rules?exclude_alerts=true&type=alert');
    expect(bare.groups[0].rules[0].alerts).toEqual([]);
  });

  it('have names with other characters in paths, escaped or as they are', async () => {
    expect(await tyto.api('label/U__team_2e_name/values')).toEqual(['blue']);
    expect(await tyto.api('label/team.name/values')).toEqual(['blue']);
    expect(await tyto.api('label/U__110000_/values')).toEqual([]);
  });

  it('say that a limit cut them off', async () => {
    const warning = { warnings: ['results truncated due to limit'] };
    for (const path of [
      'labels?limit=1',
      'label/__name__/values?limit=1',
      'query?query={__name__!=""}&limit=1',
    ]) {
      expect((await tyto.get(`api/v1/${path}`)).json, path).toMatchObject(warning);
    }
    expect((await tyto.get('api/v1/query?query=up&limit=1')).json).not.toHaveProperty('warnings');
  });
});

describe('the statistics of a query', () => {
  it('have times and samples in the fields of Prometheus', async () => {
    const { stats } = await tyto.api('query?query=sum(rate(scrapes_total[5s]))&stats=all');
    const { timings, samples } = stats;
    expect(timings.execTotalTime).toBeGreaterThanOrEqual(timings.evalTotalTime);
    expect(timings.evalTotalTime).toBeGreaterThanOrEqual(timings.queryPreparationTime);
    expect(samples.totalQueryableSamples).toBeGreaterThan(0);
    expect(samples.samplesRead).toBe(samples.totalQueryableSamples);
    expect(samples.peakSamples).toBeGreaterThan(0);
    expect(await tyto.api('query?query=up')).not.toHaveProperty('stats');
  });

  it('come with a warning for what is neither true nor all', async () => {
    const { json } = await tyto.get('api/v1/query?query=up&stats=1');
    expect(json).toMatchObject({ warnings: [expect.stringContaining('stats=1 is deprecated')] });
    expect(json?.data).toHaveProperty('stats');
  });
});

describe('the search', () => {
  const lines = async (path: string): Promise<unknown[]> => {
    const { status, text, headers } = await tyto.get(`api/v1/search/${path}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  };

  it('finds metrics as somebody types, and says what they are', async () => {
    expect(await lines('metric_names?search[]=scr_tot&include_metadata=true')).toEqual([
      { results: [{ name: 'scrapes_total', type: 'counter' }] },
      { status: 'success', has_more: false },
    ]);
    const [{ results }] = (await lines(
      'metric_names?search[]=up&sort_by=score&include_score=true',
    )) as [{ results: { name: string; score: number }[] }];
    expect(results.slice(0, 3)).toEqual(
      ['up', 'up:count', 'up:sum'].map((name) => ({ name, score: 1 })),
    );
  });

  it('finds labels and values, in batches, up to a limit', async () => {
    expect(await lines('label_values?label=job')).toEqual([
      { results: [{ value: 'counting' }] },
      { status: 'success', has_more: false },
    ]);
    expect(await lines('label_names?limit=2&batch_size=1&sort_by=alpha&sort_dir=dsc')).toEqual([
      { results: [{ name: 'team.name' }] },
      { results: [{ name: 'severity' }] },
      { status: 'success', has_more: true },
    ]);
    expect(await lines('label_values?label=job&search[]=x')).toEqual([
      { results: [] },
      { status: 'success', has_more: false },
    ]);
  });

  it.each([
    ['label_values', 'missing required parameter "label"'],
    ['label_names?sort_by=score', 'sort_by=score requires search[] to be set'],
    ['label_names?sort_by=best', 'invalid sort_by "best" for label_names'],
    ['label_names?sort_dir=asc', 'sort_dir is only valid when sort_by is set'],
    ['label_names?sort_by=alpha&sort_dir=up', 'invalid sort_dir "up"'],
    ['label_names?fuzz_threshold=101', 'invalid fuzz_threshold "101": must be 0-100'],
    ['label_names?fuzz_alg=soundex', 'unsupported fuzz_alg "soundex"'],
    ['label_names?limit=51', 'limit 51 exceeds the maximum of 50'],
    ['label_names?limit=-1', 'invalid limit "-1"'],
    ['label_names?case_sensitive=maybe', 'invalid case_sensitive "maybe"'],
    [`label_names?search[]=${'x'.repeat(201)}`, 'longer than 200 characters'],
  ])('refuses %s', async (path, words) => {
    const { status, json } = await tyto.get(`api/v1/search/${path}`);
    expect(status).toBe(400);
    expect(json?.error).toContain(words);
  });
});

describe('notifications', () => {
  it('tell of a failed reload until one succeeds, and live to one follower', async () => {
    const events: string[] = [];
    const follower = request(`${tyto.baseUrl}api/v1/notifications/live`);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      follower.once('response', resolve).once('error', reject).end();
    });
    expect(response.headers['content-type']).toBe('text/event-stream');
    response.setEncoding('utf8').on('data', (text: string) => events.push(text));
    // It ends when this test ends it.
    response.on('error', () => {});
    expect((await tyto.get('api/v1/notifications/live')).status).toBe(204);
    tyto.writeConfig('scrape_configs: [');
    expect((await tyto.post('-/reload')).status).toBe(500);
    const failed = 'Configuration reload has failed.';
    const shown = await tyto.api('notifications');
    expect(shown).toEqual([{ text: failed, date: expect.any(String), active: true }]);
    expect(Number.isNaN(Date.parse(shown[0].date))).toBe(false);

    tyto.writeConfig(config('storage: {tsdb: {retention: {time: 3d}}}'));
    expect((await tyto.post('-/reload')).status).toBe(200);
    const restart = expect.stringContaining('a restart is needed');
    expect(await tyto.api('notifications')).toMatchObject([{ text: restart, active: true }]);
    tyto.writeConfig(config());
    expect((await tyto.post('-/reload')).status).toBe(200);
    expect(await tyto.api('notifications')).toEqual([]);

    await waitFor('all events are there', () => events.length >= 4);
    const told = events.map((text) => JSON.parse(text.replace(/^data: /, '')));
    expect(told).toMatchObject([
      { text: failed, active: true },
      { text: failed, active: false },
      { text: restart, active: true },
      { text: restart, active: false },
    ]);
    follower.destroy();
    await waitFor('its place is free again', async () => {
      const value = await tyto.api(
        'status/self_metrics?metric_name_pattern=prometheus_api_notification_active_subscribers',
      );
      return value[0].metric[0].gauge.value === 0;
    });
  });
});

describe('features', () => {
  it('are off until they are named, and say so in the words of Prometheus', async () => {
    const refused = async (query: string) =>
      (await tyto.get(`api/v1/query?query=${encodeURIComponent(query)}`)).json?.error;
    expect(await refused('limitk(1, up)')).toContain(
      'limitk() is experimental and must be enabled with ' +
        '--enable-feature=promql-experimental-functions',
    );
    expect(await refused('mad_over_time(up[5m])')).toContain('"mad_over_time" is not enabled');
    expect(await refused('rate(up[5m] anchored)')).toContain('anchored modifier is experimental');
    expect(await refused('up + fill(0) up')).toContain('fill modifiers are experimental');
    const { promql, promql_functions: functions } = await tyto.api('features');
    expect(functions).toMatchObject({ rate: true, mad_over_time: false });
    expect(promql).toMatchObject({ anchored: false, fill: false, duration_expr: true });
  });

  it('reach queries, rules and the command that checks rules', async () => {
    const rule = 'groups: [{name: g, rules: [{record: a, expr: "limitk(1, up)"}]}]\n';
    const flag = '--enable-feature=promql-experimental-functions';
    const directory = temporaryDirectory({ 'rules.yml': rule });
    const refused = await runTyto(['check', 'rules', 'rules.yml'], directory);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('rules.yml:1:');
    expect(refused.stderr).toContain('limitk() is experimental and must be enabled with');
    expect((await runTyto(['check', 'rules', flag, 'rules.yml'], directory)).code).toBe(0);

    const off = await runTyto(
      ['start', '--config.file=prometheus.yml'],
      temporaryDirectory({
        'prometheus.yml': 'rule_files: [rules.yml]\n',
        'rules.yml': rule,
      }),
    );
    expect(off.code).toBe(1);
    expect(off.stderr).toContain('limitk() is experimental');
    const on = await startTyto({
      config: 'rule_files: [rules.yml]\n',
      files: { 'rules.yml': rule },
      args: [flag, '--enable-feature=exemplar-storage,serch-api'],
    });
    expect((await on.get('api/v1/query?query=limitk(1,up)')).status).toBe(200);
    expect((await on.get('api/v1/search/label_names')).json).toMatchObject({
      errorType: 'unavailable',
      error: 'search API disabled',
    });
    expect(on.output()).toContain('exemplar-storage: this is always on');
    expect(on.output()).toContain('there is no such feature; did you mean search-api?');
  });
});

describe('HTTP', () => {
  it('refuses methods with those that there are', async () => {
    const answer = await tyto.post('api/v1/targets');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect(answer.json).toMatchObject({ status: 'error' });
    expect((await tyto.get('-/reload')).headers.get('allow')).toBe('POST, PUT');
    expect((await tyto.get('api/v1/label/a/values/b')).status).toBe(404);
  });

  it('lets pages of other origins read, and no more', async () => {
    const origin = 'http://dashboards.example';
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(tyto.baseUrl + path, { ...init, headers: { origin } });
    const read = await ask('api/v1/query?query=1');
    expect(read.headers.get('access-control-allow-origin')).toBe('*');
    expect(read.headers.get('vary')).toContain('Origin');
    const posted = await ask('api/v1/query', {
      method: 'POST',
      body: new URLSearchParams({ query: '1' }),
    });
    expect(posted.status).toBe(200);
    const preflight = await ask('api/v1/query', { method: 'OPTIONS' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST, OPTIONS');
    const changing = await ask('api/v1/admin/tsdb/clean_tombstones', { method: 'POST' });
    expect(changing.status).toBe(403);
    expect(changing.headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('api/v2/alerts')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('lets only those origins read that --web.cors.origin matches as a whole', async () => {
    const strict = await startTyto({ args: ['--web.cors.origin=https://(a|b)\\.example'] });
    const allowed = async (origin: string) => {
      const headers = { origin };
      const answer = await fetch(`${strict.baseUrl}api/v1/labels`, { headers });
      return answer.headers.get('access-control-allow-origin');
    };
    expect(await allowed('https://a.example')).toBe('https://a.example');
    expect(await allowed('https://a.example.evil.example')).toBeNull();
    const wrong = await runTyto(['start', '--web.cors.origin=(']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('--web.cors.origin: error parsing regexp');
  });

  it.each([
    ['gzip', 'gzip, deflate', gunzipSync],
    ['deflate', 'gzip;q=0, deflate', inflateSync],
  ] as const)('packs long answers with %s', async (coding, accept, unpack) => {
    for (const path of ['api/v1/status/self_metrics', 'api/v1/openapi.yaml', 'metrics']) {
      const plain = await raw(path, 'identity');
      const packed = await raw(path, accept);
      expect(packed.headers['content-encoding'], path).toBe(coding);
      expect(packed.headers.vary, path).toContain('Accept-Encoding');
      expect(packed.body.length).toBeLessThan(plain.body.length / 2);
      // The second answer counts the first one.
      expect(unpack(packed.body).toString().slice(0, 500)).toBe(
        plain.body.toString().slice(0, 500),
      );
    }
    expect((await raw('api/v1/query?query=1', accept)).headers['content-encoding']).toBe(undefined);
  });

  function raw(path: string, accept: string) {
    return new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const headers = { 'accept-encoding': accept };
      const call = request(tyto.baseUrl + path, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      call.on('error', reject);
      call.end();
    });
  }

  it('gives profiles where the admin API is on, one at a time', async () => {
    const running = tyto.get('debug/pprof/profile?seconds=1');
    await sleep(200);
    expect((await tyto.get('debug/pprof/heap')).status).toBe(503);
    const profile = JSON.parse((await running).text);
    expect(profile.nodes.length).toBeGreaterThan(0);
    expect((await tyto.get('debug/pprof/profile?seconds=x')).status).toBe(400);
    expect((await tyto.get('debug/pprof/goroutine')).status).toBe(404);
    expect((await tyto.get('version')).json).toMatchObject({ version: expect.any(String) });
  });
});
