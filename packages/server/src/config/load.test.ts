import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '@tyto/base';
import { loadConfig } from './load.ts';

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** Writes files into a directory of their own; returns its path. */
function files(contents: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-config-'));
  directories.push(directory);
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

function load(directory: string, config: string, alertmanager = '') {
  const path = (name: string) => (name === '' ? '' : join(directory, name));
  return loadConfig({ config: path(config), alertmanager: path(alertmanager) }, systemClock);
}

const GOOD = 'scrape_configs: [{job_name: a, static_configs: [{targets: ["x:1"]}]}]\n';

describe('loadConfig', () => {
  it('takes the section otlp, and refuses names with dots beside legacy names', async () => {
    const otlp = 'otlp: {translation_strategy: NoTranslation, promote_scope_metadata: true}\n';
    const directory = files({
      'good.yml': otlp,
      'bad.yml': `global: {metric_name_validation_scheme: legacy}\n${otlp}`,
    });
    const good = await load(directory, 'good.yml');
    expect(good.prometheus.otlp).toMatchObject({ translationStrategy: 'NoTranslation' });
    expect(good.warnings).toEqual([]);
    await expect(load(directory, 'bad.yml')).rejects.toThrow('not allowed with legacy names');
  });

  it('watches the machine with the starter rules when there is no file', async () => {
    const config = await loadConfig({ config: '', alertmanager: '' }, systemClock);
    expect(config.watchesHost).toBe(true);
    expect(config.ruleGroups.map((group) => group.name)).toEqual(['machine', 'tyto']);
    expect(config.prometheus.global.scrapeIntervalMs).toBe(5000);
    expect(config.warnings).toEqual([]);
  });

  it('does what prometheus.yml says and nothing more', async () => {
    const directory = files({ 'prometheus.yml': GOOD });
    const config = await load(directory, 'prometheus.yml');
    expect(config.watchesHost).toBe(false);
    expect(config.ruleGroups).toEqual([]);
    expect(config.jobs.map((job) => job.jobName)).toEqual(['a']);
  });

  it('finds rule files, scrape files and templates from the directory of their file', async () => {
    const directory = files({
      'prometheus.yml': `rule_files: ['rules/*.yml']\nscrape_config_files: [jobs/*.yml]\n${GOOD}`,
      'rules/one.yml': 'groups: [{name: g, rules: [{record: r, expr: up}]}]',
      'jobs/more.yml': 'scrape_configs: [{job_name: b}]',
      'am.yml': 'route: {receiver: n}\nreceivers: [{name: n}]\ntemplates: [t/*.tmpl]\n',
      't/mail.tmpl': '{{ define "x" }}y{{ end }}',
    });
    const config = await load(directory, 'prometheus.yml', 'am.yml');
    expect(config.jobs.map((job) => job.jobName)).toEqual(['a', 'b']);
    expect(config.ruleGroups[0].file).toBe(join(directory, 'rules/one.yml'));
    expect(config.templates.expand('{{ template "x" . }}', null)).toBe('y');
  });

  it('reads tyto.yaml that points to files, or holds prometheus.yml', async () => {
    const directory = files({
      'tyto.yaml': 'prometheus: prometheus.yml\nalertmanager: am.yml\nhost: false\n',
      'prometheus.yml': GOOD,
      'am.yml': 'route: {receiver: n}\nreceivers: [{name: n}]\n',
      'inline.yaml': `prometheus:\n  global: {scrape_interval: 7s}\n  ${GOOD}starter_rules: false\n`,
      'empty/tyto.yaml': 'host: true\n',
      'whole.yaml':
        'alertmanager:\n  route: {receiver: n}\n  receivers:\n  - name: n\n    webhook_configs:\n' +
        '    - url_file: secret\n',
      'far.yaml': 'prometheus: elsewhere/prometheus.yml\n',
      'elsewhere/prometheus.yml': 'rule_files: [r.yml]\n',
      'elsewhere/r.yml': 'groups: [{name: far, rules: []}]\n',
    });
    const pointing = await load(directory, 'tyto.yaml');
    expect(pointing.watchesHost).toBe(false);
    expect(pointing.jobs).toHaveLength(1);
    expect(pointing.alertmanager.receivers[0].name).toBe('n');
    const inline = await load(directory, 'inline.yaml');
    expect(inline.watchesHost).toBe(true);
    expect(inline.prometheus.global.scrapeIntervalMs).toBe(7000);
    expect(inline.ruleGroups).toEqual([]);
    expect((await load(directory, 'empty/tyto.yaml')).ruleGroups).toHaveLength(2);
    const [receiver] = (await load(directory, 'whole.yaml')).alertmanager.receivers;
    const [webhook] = receiver.configs.get('webhook') ?? [];
    expect(webhook).toMatchObject({ config: { url_file: join(directory, 'secret') } });
    const far = await load(directory, 'far.yaml');
    expect(far.ruleGroups.map((group) => group.name)).toContain('far');
  });

  it('reads how long some series are kept, and tells a bad selector by its place', async () => {
    const directory = files({
      'tyto.yaml': `retention:\n- {match: '{job="debug"}', keep: 2d}\n- {match: up, keep: 1y}\n`,
      'bad/tyto.yaml': `retention:\n- {match: '{job=}', keep: 2d}\n`,
    });
    const { retentionRules } = await load(directory, 'tyto.yaml');
    expect(retentionRules.map(({ retentionMs }) => retentionMs / 86_400_000)).toEqual([2, 365]);
    expect(retentionRules[0].matchers[0]).toMatchObject({ name: 'job', value: 'debug' });
    await expect(load(directory, 'bad/tyto.yaml')).rejects.toThrow(/:2:11: .*not a selector/);
  });

  it('refuses each mistake with file, line, column and the fix', async () => {
    const rules = (rule: string) => ({
      'p.yml': 'rule_files: [r.yml]\n',
      'r.yml': `groups:\n- name: g\n  rules:\n  - ${rule}\n`,
    });
    const cases: [Record<string, string>, RegExp][] = [
      [{ 'p.yml': 'global: {scrape_interval: 5s\n' }, /p\.yml:\d+:\d+: YAML: /],
      [
        { 'p.yml': 'globall: {}\n' },
        /p\.yml:1:1: .*unknown field "globall"; did you mean "global"\?/,
      ],
      [
        { 'p.yml': 'global: {scrape_intervall: 5s}\n' },
        /p\.yml:1:10: .*did you mean "scrape_interval"\?/,
      ],
      [
        { 'p.yml': 'scrape_configs:\n- job_name: a\n- job_name: a\n' },
        /p\.yml:3:\d+: .*job name "a".*p\.yml:2:/,
      ],
      [
        {
          'p.yml':
            'scrape_configs:\n- job_name: a\n  relabel_configs: [{regex: "(", target_label: b}]\n',
        },
        /p\.yml:3:\d+: .*error parsing regexp/,
      ],
      [rules('{alert: A, expr: "sum(up"}'), /r\.yml:4:22: could not parse expression: .*1:7/],
      [
        rules('{alert: A, expr: up, fro: 5m}'),
        /r\.yml:4:\d+: .*unknown field "fro"; did you mean "for"\?/,
      ],
      [{ 'p.yml': 'rule_files: [none.yml]\n' }, /cannot read .*none\.yml: there is no such file/],
    ];
    for (const [contents, message] of cases) {
      await expect(load(files(contents), 'p.yml')).rejects.toThrow(message);
    }
  });

  it('names the template file that does not parse', async () => {
    const directory = files({
      'am.yml': 'route: {receiver: n}\nreceivers: [{name: n}]\ntemplates: [bad.tmpl]\n',
      'bad.tmpl': 'line one\n{{ define "x" }}{{ nope }}{{ end }}',
    });
    await expect(load(directory, '', 'am.yml')).rejects.toThrow(
      /bad\.tmpl:2:\d+: function "nope" not defined/,
    );
  });
});

const shared = process.env.TYTO_SHARED ?? join(process.cwd(), '..', 'shared');
const seeds = join(shared, 'fixtures', 'seed-configs');
if (!existsSync(seeds)) process.stderr.write(`skipped: no seed configurations at ${seeds}\n`);

describe.skipIf(!existsSync(seeds))('the seed configurations load verbatim', () => {
  const seed = (config: string, alertmanager = '') =>
    loadConfig(
      {
        config: config === '' ? '' : join(seeds, config),
        alertmanager: alertmanager === '' ? '' : join(seeds, alertmanager),
      },
      systemClock,
    );

  it('guide/prometheus/prometheus.yml with its Alertmanager and routes', async () => {
    const config = await seed('guide/prometheus/prometheus.yml', 'guide/alertmanager/config.yml');
    expect(config.jobs.map((job) => job.jobName)).toEqual([
      'prometheus',
      'node',
      'backend-api',
      'cadvisor',
      'blackbox',
    ]);
    expect(config.prometheus.alerting.alertmanagers[0].discovery.staticConfigs).toEqual([
      { targets: ['alertmanager:9093'], labels: {} },
    ]);
    expect(config.alertmanager.route.routes).toHaveLength(2);
  });

  it('stack/prometheus/prometheus.yml and stack/alertmanager/alertmanager.yml', async () => {
    const config = await seed(
      'stack/prometheus/prometheus.yml',
      'stack/alertmanager/alertmanager.yml',
    );
    expect(config.jobs).toHaveLength(4);
    expect(config.warnings.map((problem) => problem.message).join()).toContain('placeholder');
  });

  it('the snippets for storage and Kubernetes, with warnings where something is not done', async () => {
    const storage = await seed('guide/optimised/prometheus-storage.yml');
    expect(storage.prometheus.storage).toEqual({
      path: '/prometheus',
      retentionMs: 15 * 86_400_000,
      retentionBytes: 50 * 1024 ** 3,
      outOfOrderWindowMs: 600_000,
      exemplarsMax: undefined,
      walCompression: true,
    });
    expect(storage.warnings).toEqual([]);
    const pods = await seed('guide/prometheus/kubernetes-pods.yml');
    expect(pods.warnings.map((problem) => problem.message).join()).toContain(
      'kubernetes_sd_configs',
    );
  });
});
