import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { yaml } from '@tyto/base';
import {
  DEFAULT_GLOBAL,
  finishScrapeConfigs,
  globalScrapeSchema,
  type ScrapeConfig,
  scrapeConfigSchema,
} from '@tyto/collect';
import { describe, expect, test } from 'vitest';
import { sharedPath } from '../testing.ts';

const anything: yaml.Schema<unknown> = () => undefined;
const others = [
  'rule_files',
  'alerting',
  'remote_write',
  'remote_read',
  'otlp',
  'storage',
  'tracing',
];
const fileSchema = yaml.object(
  {
    global: yaml.optional(globalScrapeSchema, DEFAULT_GLOBAL),
    scrape_configs: yaml.optional(yaml.list(scrapeConfigSchema), () => []),
    scrape_config_files: yaml.optional(anything),
    runtime: yaml.optional(anything),
    ...Object.fromEntries(others.map((name) => [name, yaml.optional(anything)])),
  },
  { name: 'configuration' },
);

function load(text: string, file = '/etc/prometheus.yml') {
  const { value, problems } = yaml.decodeYaml(text, file, fileSchema);
  const global = (value?.global ?? DEFAULT_GLOBAL) as typeof DEFAULT_GLOBAL;
  const finished = finishScrapeConfigs((value?.scrape_configs ?? []) as never[], global);
  const all = [...problems, ...finished.problems];
  return { jobs: finished.jobs, problems: all, text: yaml.formatProblems(all) };
}

function job(text: string): ScrapeConfig {
  const { jobs, text: complaints } = load(text);
  expect(complaints).toBe('');
  return jobs[0];
}

test('defaults come from the section, then from global, then from Prometheus', () => {
  const plain = job('scrape_configs: [{job_name: a}]');
  expect(plain).toMatchObject({
    scrapeIntervalMs: 60_000,
    scrapeTimeoutMs: 10_000,
    scheme: 'http',
  });
  expect(plain).toMatchObject({ metricsPath: '/metrics', honorTimestamps: true, sampleLimit: 0 });
  const filled = job(
    'global: {scrape_interval: 5s, sample_limit: 7, body_size_limit: 1MB}\n' +
      'scrape_configs: [{job_name: a, sample_limit: 9}]',
  );
  expect(filled).toMatchObject({ scrapeIntervalMs: 5000, scrapeTimeoutMs: 5000, sampleLimit: 9 });
  expect(filled.bodySizeLimit).toBe(1024 * 1024);
});

test('secrets and files; relative paths start at the configuration file', () => {
  const { http } = job(
    'scrape_configs: [{job_name: a, basic_auth: {username: u, password_file: p.txt},' +
      'tls_config: {ca_file: /ca.pem, min_version: TLS13}, http_headers: {X-A: {values: [b]}}}]',
  );
  expect(http.basicAuth).toEqual({ username: { value: 'u' }, password: { file: '/etc/p.txt' } });
  expect(http.tls).toMatchObject({ ca: { file: '/ca.pem' }, minVersion: 'TLSv1.3' });
  expect(http.headers).toEqual([{ name: 'X-A', values: [{ value: 'b' }] }]);
});

describe('mistakes are told with their place', () => {
  test.each([
    ['{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}', 'scrape timeout greater than'],
    ['{metrics_path: /a}', 'job_name is empty'],
    ['{job_name: a, scheme: ftp}', 'unknown value "ftp"'],
    ['{job_name: a, basic_auth: {username: u}, authorization: {credentials: c}}', 'at most one of'],
    ['{job_name: a, bearer_token: x, bearer_token_file: y}', 'at most one of bearer_token'],
    ['{job_name: a, authorization: {type: Basic}}', 'use "basic_auth" instead'],
    ['{job_name: a, tls_config: {cert_file: c}}', 'needs exactly one of key or key_file'],
    ['{job_name: a, http_headers: {Authorization: {values: [b]}}}', 'is not allowed'],
    ['{job_name: a, scrape_protocols: [PrometheusText0.0.4, PrometheusText0.0.4]}', 'duplicated'],
    ['{job_name: a, body_size_limit: 100}', 'needs a unit'],
    ['{job_name: a, static_configs: [{targets: ["http://b"]}]}', 'is not a valid hostname'],
    ['{job_name: a, static_configs: [{targts: [b]}]}', 'did you mean "targets"?'],
    ['{job_name: a, metric_path: /b}', 'did you mean "metrics_path"?'],
    ['{job_name: a, http_sd_configs: [{url: "ftp://x"}]}', 'not a valid URL'],
    ['{job_name: a, file_sd_configs: [{files: ["a*b/*.json"]}]}', 'not valid for file discovery'],
    ['{job_name: a, static_configs: [{labels: {__name__: b}}]}', 'cannot be set on a target'],
  ])('%s', (section, message) => {
    const { text } = load(`scrape_configs:\n- ${section}\n`);
    expect(text).toContain(message);
    expect(text).toMatch(/^\/etc\/prometheus\.yml:2:/);
  });

  test('two jobs of one name: both places', () => {
    const { text } = load('scrape_configs:\n- job_name: a\n- job_name: b\n- job_name: a\n');
    expect(text).toContain('prometheus.yml:4:3: found multiple scrape configs with job name "a"');
    expect(text).toContain('the other one is at /etc/prometheus.yml:2:3');
  });

  test('a discovery that is not done yet is a warning that says so', () => {
    const { problems } = load('scrape_configs: [{job_name: a, consul_sd_configs: [{server: b}]}]');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ severity: 'warning' });
    expect(problems[0].message).toContain('does not discover these targets yet');
  });
});

/** Complaints about parts that are not ours, or about discoveries that are not looked into. */
const NOT_OURS = new RegExp(
  '^(remote_|otlp|tsdb|tracing|rules|azure|ec2|eureka|hetzner|ionos|kubernetes|lightsail|' +
    'marathon|oci|openstack|outscale|ovhcloud|puppetdb|scaleway|stackit|uyuni|section_key|first|' +
    'agent_mode|unknown_attr|' +
    'empty_alert|empty_alertmanager|empty_rr|empty_rw|static_config|labelvalue|labelname|' +
    'config_with_deprecated|scrape_config_files(_double|_duplicate|_glob|_global|\\.))',
);
/** `!!binary` of bytes that are no UTF-8: a fault of Go's strings that YAML text does not have. */
const BINARY = /^(labelmap)\./;

const testdata = sharedPath('conformance/prometheus/config_testdata');
const names = testdata !== undefined && existsSync(testdata) ? readdirSync(testdata) : [];
describe.skipIf(testdata === undefined)("Prometheus' configuration test cases", () => {
  const read = (name: string) => load(readFileSync(join(testdata ?? '', name), 'utf8'), name);

  test.each(names.filter((name) => /\.good\.yml$/.test(name)))('%s loads', (name) => {
    const errors = read(name).problems.filter(({ severity }) => severity === 'error');
    expect(yaml.formatProblems(errors)).toBe('');
  });

  const bad = names.filter((name) => /\.bad\.yml$/.test(name));
  const judged = bad.filter((name) => !NOT_OURS.test(name) && !BINARY.test(name));
  test.each([...judged, 'scrape_config_files.bad.yml'])('%s is refused', (name) => {
    expect(yaml.hasErrors(read(name).problems), name).toBe(true);
  });

  test('conf.good.yml: what it says is what is understood', () => {
    const { jobs, problems } = read('conf.good.yml');
    expect(jobs.length).toBeGreaterThan(30);
    const [first, second] = jobs;
    expect(first).toMatchObject({ honorLabels: true, sampleLimit: 1500, scrapeIntervalMs: 15_000 });
    expect(first.fileDiscoveries[0]).toMatchObject({ refreshIntervalMs: 600_000 });
    expect(first.http.headers[0].values).toHaveLength(4);
    expect(second).toMatchObject({ scrapeTimeoutMs: 5000, sampleLimit: 1000, scheme: 'https' });
    expect(second.relabelConfigs).toHaveLength(6);
    expect(problems.some(({ message }) => message.includes('consul_sd_configs'))).toBe(true);
  });
});

const seeds = sharedPath('fixtures/seed-configs');
test.skipIf(seeds === undefined)('the configurations of the guide and the stack load', () => {
  for (const set of ['guide', 'stack']) {
    const directory = join(seeds ?? '', set, 'prometheus');
    const files = existsSync(directory) ? readdirSync(directory) : [];
    for (const name of files.filter((file) => file.endsWith('.yml'))) {
      const text = readFileSync(join(directory, name), 'utf8');
      if (!text.includes('scrape_configs:')) continue;
      const errors = load(text, name).problems.filter(({ severity }) => severity === 'error');
      expect(yaml.formatProblems(errors), `${set}/${name}`).toBe('');
    }
  }
});
