/** Tyto's tools against promtool's: its own test files, and promtool itself on the same input. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  hasPrometheus,
  promtool,
  type RunningPrometheus,
  startPrometheus,
} from './prometheusServer.ts';
import { sharedCases, sharedPath } from './shared.ts';

const testdata = sharedPath('prometheus', 'promtool_testdata');
const suite = describe.skipIf(testdata === undefined);
const directory = mkdtempSync(join(tmpdir(), 'tyto-promtool-'));
const at = (...parts: string[]) => join(directory, ...parts);
const bundle = resolve('packages/server/dist/tyto.js');

beforeAll(() => {
  spawnSync(process.execPath, ['scripts/build.js', '--only', 'server', '--quiet']);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const FEATURES =
  'promql-experimental-functions,promql-extended-range-selectors,promql-binop-fill-modifiers';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Tyto, or another program, without blocking: servers of these tests go on answering. */
function run(args: readonly string[], input = '', program: readonly string[] = []): Promise<Ran> {
  const [command, ...first] = program.length === 0 ? [process.execPath, bundle] : program;
  const child = spawn(command, [...first, ...args], { cwd: testdata });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((done) => child.once('close', (code) => done({ code, stdout, stderr })));
}

interface RuleTestCase {
  readonly name: string;
  readonly files: readonly string[];
  readonly run: readonly string[] | null;
  readonly exit_code: number;
  readonly ignore_unknown_fields: boolean;
}

function ruleTestCases(name: string): RuleTestCase[] {
  return sharedCases<RuleTestCase>('prometheus', 'extracted', name);
}

suite('tyto test rules', { concurrent: true }, () => {
  const cases = [
    ...ruleTestCases('promtool_TestRulesUnitTest.json'),
    ...ruleTestCases('promtool_TestRulesUnitTestRun.json'),
  ];
  it.each(cases)('$name: ends with $exit_code', async (given) => {
    const runs = (given.run ?? []).map((pattern) => `--run=${pattern}`);
    const ignore = given.ignore_unknown_fields ? ['--ignore-unknown-fields'] : [];
    const files = given.files.map((file) => basename(file));
    const { code, stderr } = await run(['test', 'rules', ...runs, ...ignore, ...files]);
    expect(code, stderr).toBe(given.exit_code);
  });

  const others: [string, number][] = [
    ['unittest.yml', 0],
    ['long-period.yml', 0],
    ['at-modifier-test.yml', 0],
    ['negative-offset-test.yml', 0],
    ['bad-promql.yml', 1],
    ['bad-rules-error-test.yml', 1],
    ['bad-rules-syntax-test.yml', 1],
    ['failing.yml', 1],
  ];
  it.each(others)('%s ends with %i', async (file, exitCode) => {
    const { code, stderr } = await run(['test', 'rules', file]);
    expect(code, stderr).toBe(exitCode);
  });
});

suite('tyto check', { concurrent: true }, () => {
  const syntaxCases = sharedCases<{
    name: string;
    file: string;
    syntaxOnly: boolean;
    err: string;
  }>('prometheus', 'extracted', 'promtool_TestCheckConfigSyntax.json');
  it.each(syntaxCases)('$name', async ({ file, syntaxOnly, err }) => {
    const flags = syntaxOnly ? ['--syntax-only'] : [];
    const { code, stderr } = await run(['check', 'config', ...flags, file]);
    expect(code, stderr).toBe(err === '' ? 0 : 1);
  });

  const targetCases = sharedCases<{ name: string; file: string; err: string }>(
    'prometheus',
    'extracted',
    'promtool_TestCheckTargetConfig.json',
  );
  it.each(targetCases)('$name', async ({ file, err }) => {
    const { code, stderr } = await run(['check', 'config', file]);
    expect(code, stderr).toBe(err === '' ? 0 : 1);
    // Promtool's words, without what it wraps them in.
    expect(stderr).toContain(err);
  });

  const exitCases = sharedCases<{ file: string; exitCode?: number; lintIssue?: boolean }>(
    'prometheus',
    'extracted',
    'promtool_TestExitCodes.json',
  );
  it.each(exitCases)('$file: ends with its code', async ({ file, exitCode = 0, lintIssue }) => {
    const plain = await run(['check', 'config', file]);
    expect(plain.code, plain.stderr).toBe(lintIssue === true ? 0 : exitCode);
    const fatal = await run(['check', 'config', '--lint-fatal', file]);
    expect(fatal.code, fatal.stderr).toBe(exitCode);
  });

  const fileCases = sharedCases<{ name: string; file: string; err?: string }>(
    'prometheus',
    'extracted',
    'promtool_TestCheckSDFile.json',
  );
  it.each(fileCases)('targets of a file: $name', async ({ file, err = '' }) => {
    const config = at(`${basename(file)}.yml`);
    const path = join(testdata ?? '', basename(file));
    const text = `scrape_configs: [{job_name: a, file_sd_configs: [{files: ['${path}']}]}]\n`;
    writeFileSync(config, text);
    const { code, stderr } = await run(['check', 'config', config]);
    expect(code, stderr).toBe(err === '' ? 0 : 1);
  });

  const ruleCases: [string[], number][] = [
    [['rules.yml'], 0],
    [['features.yml'], 1],
    [[`--enable-feature=${FEATURES}`, 'features.yml'], 0],
    [['rules-bad.yml'], 1],
    [['rules_extrafields.yml'], 1],
    [['--ignore-unknown-fields', 'rules_extrafields.yml'], 0],
    [['rules_duplicates.yml'], 0],
    [['--lint-fatal', 'rules_duplicates.yml'], 3],
    [['--lint-fatal', '--lint=none', 'rules_duplicates.yml'], 0],
    [['--lint-fatal', '--lint=all', 'rules.yml'], 0],
    [['--lint-fatal', 'rules_large.yml'], 3],
  ];
  it.each(ruleCases)('rules %j ends with %i', async (args, exitCode) => {
    const { code, stderr } = await run(['check', 'rules', ...args]);
    expect(code, stderr).toBe(exitCode);
  });

  it('finds scrape intervals beyond the lookback', async () => {
    const file = 'prometheus-config.lint.too_long_scrape_interval.yml';
    const lint = (...flags: string[]) => run(['check', 'config', '--lint-fatal', ...flags, file]);
    expect((await lint('--lint=too-long-scrape-interval')).code).toBe(3);
    expect((await lint('--lint=all')).code).toBe(3);
    expect((await lint()).code).toBe(0);
    expect((await lint('--lint=all', '--query.lookback-delta=15m')).code).toBe(0);
  });
});

const METRICS = `a_counter 1
# HELP x_total x
# TYPE x_total gauge
x_total 1
# TYPE reqs counter
reqs{userId="1",le="2",quantile="3"} 1
reqs{userId="2"} 1
# HELP lat_milliseconds x
# TYPE lat_milliseconds histogram
lat_milliseconds_bucket{le="1"} 1
lat_milliseconds_bucket{le="+Inf"} 1
lat_milliseconds_sum 1
lat_milliseconds_count 1
# TYPE foo_bucket gauge
foo_bucket 1
# TYPE foo_count gauge
foo_count 1
# TYPE foo_ms gauge
foo_ms_d 1
foo_ms 1
# TYPE a:b gauge
a:b 1
# TYPE my_gauge_histogram_summary gauge
my_gauge_histogram_summary 1
# TYPE summ summary
summ{quantile="0.5"} 1
summ_sum 1
summ_count 1
# TYPE temp_fahrenheit gauge
temp_fahrenheit 2
x_gigabits 1
camelCase 1
`;

describe.skipIf(!hasPrometheus())('promtool says the same', () => {
  const metricsOf = async (input: string, ...flags: string[]) => {
    const own = await run(['check', 'metrics', ...flags], input);
    const theirs = await run(['check', 'metrics', ...flags], input, ['promtool']);
    const cells = (text: string) => text.split('\n').map((line) => line.trim().split(/\s{2,}/));
    return [own, theirs].map(({ code, stdout, stderr }) => ({
      code,
      findings: stderr.split('\n').sort(),
      figures: cells(stdout).sort(),
    }));
  };

  it('of metrics with every mistake', async () => {
    const [own, theirs] = await metricsOf(METRICS);
    expect(own).toEqual(theirs);
    expect(own.code).toBe(3);
  });

  it('of web configurations', async () => {
    const hash = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
    const texts = [
      '',
      `basic_auth_users: {a: ${hash}}`,
      'basic_auth_users: {a: plain}',
      'http_server_config: {http2: false, headers: {X-Frame-Options: deny}}',
      'http_server_config: {headers: {X-Other: a}}',
      'tls_server_config: {cert_file: none.pem, key_file: none.pem}',
      'tls_server_config: {min_version: TLS15}',
      'other: 1',
    ];
    const codes: (number | null)[][] = [];
    for (const text of texts) {
      writeFileSync(at('web.yml'), text);
      const call = ['check', 'web-config', at('web.yml')];
      codes.push([(await run(call)).code, (await run(call, '', ['promtool'])).code]);
    }
    expect(codes.map(([own]) => own)).toEqual(codes.map(([, theirs]) => theirs));
    expect(codes.map(([own]) => own)).toEqual([0, 0, 1, 0, 1, 1, 1, 1]);
  });

  it('of good metrics, and how many series they have', async () => {
    const { stdout: good } = spawnSync('cat', [join(testdata ?? '', 'metrics-test.prom')], {
      encoding: 'utf8',
    });
    const [own, theirs] = await metricsOf(good, '--extended');
    expect(own).toEqual(theirs);
    expect(own.code).toBe(0);
  });
});

const START_S = 1_700_006_400;
const RULES = `groups:
- name: g
  interval: 30s
  rules:
  - {record: 'job:requests:rate5m', expr: 'sum by (job) (rate(requests_total[5m]))'}
  - {record: constant, expr: '42', labels: {a: b}}
  - {record: 'gone:sum', expr: 'sum(nothing)'}
- name: slower
  rules:
  - {record: 'requests:max', expr: 'max without (path) (requests_total)', labels: {job: own}}
`;

describe.skipIf(!hasPrometheus())('against a running Prometheus', () => {
  let prometheus: RunningPrometheus;

  beforeAll(async () => {
    mkdirSync(at('data'));
    prometheus = await startPrometheus(at('data'));
    const times = Array.from({ length: 4 * 240 }, (_, i) => (START_S + i * 15) * 1000);
    await prometheus.write(
      ['/a', '/b "c"'].map((path, k) => ({
        labels: { __name__: 'requests_total', job: 'shop', path },
        samples: times.map((time, i) => [time + 7, i * (k + 1.5)] as const),
      })),
    );
    writeFileSync(at('rules.yml'), RULES);
  }, 30_000);
  afterAll(() => prometheus.stop());

  const same = async (...args: string[]) => {
    const own = await run(args);
    const theirs = await run(args, '', ['promtool']);
    expect(own.stderr).toBe('');
    expect(own.stdout.trimEnd()).toBe(theirs.stdout.trimEnd());
    expect(own.code).toBe(theirs.code);
    return own.stdout;
  };

  it('tyto query prints what promtool prints', async () => {
    const { url } = prometheus;
    const time = `--time=${START_S + 3600}`;
    const range = [`--start=${START_S + 600}`, `--end=${START_S + 900}`, '--step=60s'];
    expect(await same('query', 'instant', time, url, 'requests_total * 1e9')).toContain('=> ');
    await same('query', 'instant', time, url, '1e-7');
    await same('query', 'instant', time, url, 'vector(-1/0)');
    await same('query', 'instant', '-o', 'json', time, url, 'sum(requests_total)');
    await same('query', 'range', ...range, url, 'rate(requests_total[5m])');
    await same('query', 'range', '--format=json', ...range, url, 'requests_total');
    await same('query', 'series', '--match=requests_total', range[0], range[1], url);
    await same('query', 'labels', range[0], range[1], url, 'path');
    const refused = await run(['query', 'instant', url, 'sum(']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('parse error: unclosed left parenthesis');
  });

  it('tyto push metrics stores them', async () => {
    const atS = START_S + 14_000;
    const text = `pushed{a="1"} 3 ${atS * 1000}\n`;
    const pushed = await run(['push', 'metrics', '--label=job=t', prometheus.url], text);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    const asked = ['query', 'instant', `--time=${atS}`, prometheus.url, 'pushed'];
    expect((await run(asked)).stdout).toBe(`pushed{a="1", job="t"} => 3 @[${atS}]\n`);
  });

  it('blocks of recording rules hold the series that promtool makes', async () => {
    const flags = [`--start=${START_S + 600}`, `--end=${START_S + 14_000}`];
    const call = (target: string, ...more: string[]) => [
      ...['tsdb', 'create-blocks-from', 'rules', ...flags, `--url=${prometheus.url}`],
      ...[`--output-dir=${target}`, ...more, at('rules.yml')],
    ];
    const own = await run(call(at('own')));
    expect(own).toMatchObject({ code: 0, stderr: '' });
    const theirs = await run(call(at('theirs')), '', ['promtool']);
    expect(theirs.code, theirs.stderr).toBe(0);
    const dumped = [at('own'), at('theirs')].map((target) => {
      if (!existsSync(join(target, 'wal'))) mkdirSync(join(target, 'wal'));
      return seriesOf(promtool('tsdb', 'dump', target));
    });
    const [ours, others] = dumped;
    expect([...ours.keys()].sort()).toEqual([...others.keys()].sort());
    expect(ours.size).toBe(3);
    for (const [labels, samples] of ours) {
      const wanted = others.get(labels) ?? [];
      // Groups run at offsets of their own, which are not promtool's.
      expect(Math.abs(samples.length - wanted.length), labels).toBeLessThanOrEqual(1);
      expect(samples[0].time - wanted[0].time).toBeLessThan(60_000);
      if (labels.includes('constant')) {
        expect(new Set(samples.map(({ value }) => value))).toEqual(new Set([42]));
      }
      if (!labels.includes('rate5m')) continue;
      const middle = samples[samples.length >> 1].value;
      expect(middle).toBeCloseTo(wanted[wanted.length >> 1].value, 9);
    }
    expect(readdirSync(at('own')).length).toBeGreaterThan(2);
  });

  it('which Tyto imports beside what it has of the same time', async () => {
    const tyto = (...args: string[]) => run(['tsdb', ...args]);
    const have = `# TYPE requests counter\nrequests_total 1 ${START_S + 600}\n# EOF\n`;
    writeFileSync(at('have.txt'), have);
    expect((await tyto('import', 'openmetrics', at('have.txt'), at('tyto'))).code).toBe(0);
    const refused = await tyto('import', 'prometheus', at('own'), at('tyto'));
    expect(refused.code).toBe(1);
    const taken = await tyto('import', '--overlap', 'prometheus', at('own'), at('tyto'));
    expect(taken).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await tyto('dump', at('tyto'));
    expect(seriesOf(stdout).size).toBe(4);
  });
});

function seriesOf(dump: string): Map<string, { time: number; value: number }[]> {
  const found = new Map<string, { time: number; value: number }[]>();
  for (const line of dump.split('\n')) {
    const match = /^(\{.*\}) (\S+) (\d+)$/.exec(line);
    if (match === null) continue;
    const samples = found.get(match[1]) ?? [];
    samples.push({ time: Number(match[3]), value: Number(match[2]) });
    found.set(match[1], samples);
  }
  return found;
}
