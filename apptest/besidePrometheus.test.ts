/**
 * The same questions to Tyto and to a real Prometheus that scrape and evaluate the same things.
 * What Prometheus answers, in its fields and their types, Tyto answers too; errors have its words.
 */
import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Envelope,
  freePort,
  programPath,
  startProgram,
  startTyto,
  type Tyto,
  temporaryDirectory,
  waitFor,
} from './harness.ts';
import { startHttp } from './targets.ts';

const METRICS = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",path="/"} 10
requests_total{code="500",path="/"} 2
# HELP latency_seconds How long they took.
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 3
latency_seconds_bucket{le="+Inf"} 5
latency_seconds_sum 1.5
latency_seconds_count 5
# TYPE temperature gauge
temperature NaN
`;

const RULES = `
groups:
  - name: one
    interval: 1s
    rules:
      - {record: 'code:requests:sum', expr: 'sum  by(code)(requests_total)', labels: {team: blue}}
      - alert: Errors
        expr: requests_total{code=~"5.."}>0
        labels: {severity: page}
        annotations: {summary: '{{ $value }} errors'}
  - name: two
    interval: 1s
    rules:
      - {record: 'up:sum', expr: 'sum(up)'}
`;

const installed = programPath('prometheus');

interface Asked {
  readonly status: number;
  readonly json: Envelope;
}
type Ask = (path: string, init?: RequestInit) => Promise<Asked>;

let tyto: Tyto;
let askTyto: Ask;
let askPrometheus: Ask;
let prometheusUrl = '';

function asker(baseUrl: string): Ask {
  return async (path, init) => {
    const answer = await fetch(`${baseUrl}api/v1/${path}`, init);
    const text = await answer.text();
    return { status: answer.status, json: text.startsWith('{') ? JSON.parse(text) : {} };
  };
}

beforeAll(async () => {
  if (installed === undefined) return;
  const target = await startHttp((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(METRICS);
  });
  const config = `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: web
    static_configs: [{targets: ['${target.address}', 'drop.example:1'], labels: {team: blue}}]
    relabel_configs: [{source_labels: [__address__], regex: 'drop.*', action: drop}]
  - job_name: idle
    static_configs: []
`;
  const files = { 'rules.yml': RULES };
  tyto = await startTyto({ config, files });
  askTyto = asker(tyto.baseUrl);
  const directory = temporaryDirectory({ 'prometheus.yml': config, ...files });
  const address = `127.0.0.1:${await freePort()}`;
  startProgram(installed, [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=${address}`,
  ]);
  prometheusUrl = `http://${address}/`;
  askPrometheus = asker(prometheusUrl);
  for (const ask of [askTyto, askPrometheus]) {
    await waitFor(
      'rules have been evaluated over what was scraped',
      async () => {
        const { json } = await ask('query?query=code:requests:sum');
        const alerts = await ask('alerts');
        return json.data.result.length === 2 && alerts.json.data.alerts.length === 1;
      },
      20_000,
    );
  }
});

/** What Prometheus has and Tyto has not: places of fields, and types that differ. */
function differences(wanted: unknown, found: unknown, at = '$'): string[] {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found)) return [`${at}: no list`];
    if (wanted.length > 0 && found.length === 0) return [`${at}: empty`];
    return wanted.flatMap((item, i) => differences(item, found[Math.min(i, found.length - 1)], at));
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof found !== 'object' || found === null) return [`${at}: no object`];
    return Object.entries(wanted).flatMap(([name, value]) =>
      Object.hasOwn(found, name)
        ? differences(value, (found as Record<string, unknown>)[name], `${at}.${name}`)
        : [`${at}.${name}: missing`],
    );
  }
  return typeof wanted === typeof found ? [] : [`${at}: ${typeof found}, not ${typeof wanted}`];
}

const SHAPES = [
  'query?query=requests_total',
  'query?query=temperature',
  'query?query=scalar(up)&stats=all',
  'query?query="text"',
  'query?query=requests_total[1m]&stats=true',
  'query_range?query=requests_total&start=START&end=END&step=1',
  'query_range?query=sum(rate(requests_total[5s]))&start=START&end=END&step=1&stats=all',
  'query_exemplars?query=up',
  'format_query?query=sum(up)by(job)',
  'series?match[]=up&match[]=requests_total&start=START&end=END',
  'labels',
  'labels?match[]=up&match[]=temperature',
  'label/code/values',
  'label/__name__/values?match[]=up',
  'targets',
  'targets?state=active',
  'targets?state=dropped',
  'targets?state=bogus',
  'targets?scrapePool=idle',
  'targets/metadata',
  'targets/metadata?metric=requests_total&match_target={job="web"}',
  'scrape_pools',
  'metadata',
  'metadata?metric=latency_seconds',
  'rules',
  'rules?type=alert',
  'rules?type=record',
  'alerts',
  'alertmanagers',
  'status/config',
  'status/runtimeinfo',
  'status/buildinfo',
  'status/walreplay',
];

/** Answers that are the same, to the last letter, once what is measured is taken out. */
const EQUAL = [
  'query?query=requests_total&time=END',
  'query?query=1/0&time=1.5',
  'query?query=vector(0.1)&time=2015-07-01T20:10:51.781%2B02:00',
  'query_range?query=vector(time())&start=0&end=10&step=2.5',
  'query_range?query=1&start=2015-07-01T20:10:30.781Z&end=2015-07-01T20:11:00.781Z&step=15s',
  'format_query?query=foo/on(a)bar',
  'labels?start=0&end=1',
  'labels?start=9&end=1',
  'labels?match[]=temperature',
  'label/code/values',
  'label/job/values?match[]=temperature',
  'label/code/values?start=0&end=1',
  'series?match[]=latency_seconds_bucket',
  'series?match[]=up&start=9&end=1',
  'scrape_pools',
  'metadata?metric=requests_total',
  'metadata?metric=nothing',
  'metadata?limit=0',
  'targets/metadata?metric=nothing',
  'targets/metadata?limit=0',
];

const BAD = [
  'query',
  'query?query=sum((up)',
  'query?query=up&time=noon',
  'query?query=up&time=1e400',
  'query?query=up&timeout=x',
  'query?query=up[1m:1m',
  'query?query=nothing_of_that_name_(up)',
  'query?query=label_replace(up,"a","b","c","(")',
  'query?query=up&timeout=1ns',
  'query_range?query=up&end=1&step=1',
  'query_range?query=up&start=9&end=1&step=1',
  'query_range?query=up&start=1&end=9&step=0',
  'query_range?query=up&start=1&end=9&step=x',
  'query_range?query=up&start=0&end=11001&step=1',
  'query_exemplars?query=up&start=9&end=1',
  'format_query?query=sum(',
  'series',
  'series?match[]=up&start=x',
  'label/job/values?start=x',
  'labels?end=x',
  'metadata?limit=x',
  'targets/metadata?limit=x',
  'rules?type=x',
];

/** Without the times of answers that hold the moment at which they were asked. */
function filled(path: string): string {
  const end = Math.floor(Date.now() / 1000);
  return path.replaceAll('START', String(end - 5)).replaceAll('END', String(end));
}

describe.skipIf(installed === undefined)('beside a real Prometheus', () => {
  it.each(SHAPES)('has the fields of its answer to %s', async (path) => {
    const address = filled(path);
    const wanted = await askPrometheus(address);
    const found = await askTyto(address);
    expect(wanted.json.status).toBe('success');
    expect(differences(wanted.json, found.json)).toEqual([]);
    expect(found.status).toBe(wanted.status);
  });

  it.each(EQUAL)('answers %s as it does', async (path) => {
    const withoutHost = (json: Envelope) => {
      const text = JSON.stringify(json.data);
      return JSON.parse(text.replaceAll(new URL(prometheusUrl).host, 'HOST'));
    };
    // On a busy machine either may miss a scrape of a second, which ends its series for that time.
    await vi.waitFor(
      async () => {
        const address = filled(path);
        const wanted = await askPrometheus(address);
        expect(withoutHost((await askTyto(address)).json)).toEqual(withoutHost(wanted.json));
      },
      { timeout: 10_000, interval: 1000 },
    );
  });

  it.each(BAD)('refuses %s as it does', async (path) => {
    const wanted = await askPrometheus(path);
    const found = await askTyto(path);
    expect([found.status, found.json.errorType]).toEqual([wanted.status, wanted.json.errorType]);
    // Tyto may say more.
    expect(found.json.error?.slice(0, wanted.json.error?.length)).toBe(wanted.json.error);
  });

  it('shows the queries of rules as it does', async () => {
    const queries = async (ask: Ask) =>
      (await ask('rules')).json.data.groups.flatMap((group: { rules: { query: string }[] }) =>
        group.rules.map(({ query }) => query),
      );
    expect(await queries(askTyto)).toEqual(await queries(askPrometheus));
  });

  it('answers a form as it does: what is in the body comes first', async () => {
    const form = (ask: Ask) =>
      ask('query?query=1', {
        method: 'POST',
        body: new URLSearchParams({ query: 'vector(2)', time: '5' }),
      });
    const wanted = (await form(askPrometheus)).json.data;
    expect(wanted.result).toEqual([{ metric: {}, value: [5, '2'] }]);
    expect((await form(askTyto)).json.data).toEqual(wanted);
  });

  it('takes the methods that it takes', async () => {
    for (const path of ['targets', 'query', 'admin/tsdb/snapshot', 'write', 'label/a/values']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
        const status = async (ask: Ask) => (await ask(path, { method })).status === 405;
        expect([path, method, await status(askTyto)]).toEqual([
          ...[path, method],
          await status(askPrometheus),
        ]);
      }
    }
  });

  it.each([
    ['query', 'instant', 'URL', 'sum by (code) (requests_total)'],
    ['query', 'series', '--match=requests_total', '--match=up', 'URL'],
    ['query', 'labels', 'URL', 'job'],
    ['query', 'labels', '--match=requests_total', 'URL', 'code'],
    ['query', 'instant', 'URL', 'sum(('],
  ])('is asked by promtool %s %s %s %s', (...args) => {
    const run = (url: string) => {
      const given = args.map((arg) => (arg === 'URL' ? url : arg));
      const { status, stdout, stderr } = spawnSync('promtool', given, { encoding: 'utf8' });
      const lines = stdout.replace(/@\[[\d.]+\]/g, '').replaceAll(/127[\d.:]+/g, '');
      return { status, lines: lines.split('\n').sort(), stderr };
    };
    expect(run(tyto.baseUrl)).toEqual(run(prometheusUrl));
  });
});
