import { formatPlace } from '@tyto/base';
import { LOKI_LIMITS } from '@tyto/collect';
import { describe, expect, it } from 'vitest';
import { parseLokiConfig } from './lokiConfig.ts';
import { DEFAULT_LOGS } from './logsConfig.ts';
import { tytoSchema } from './tytoConfig.ts';
import { yaml } from '@tyto/base';

function read(text: string) {
  const { config, problems } = parseLokiConfig(text, 'loki.yaml');
  const told = problems.map(({ severity, place, message }) => {
    return `${severity} ${formatPlace(place)} ${message}`;
  });
  return { config, told };
}

describe('the configuration of Loki', () => {
  it('says limits, retention and rules', () => {
    const { config, told } = read(`
auth_enabled: true
limits_config:
  ingestion_rate_mb: 10
  ingestion_burst_size_mb: 20.5
  per_stream_rate_limit: 5MB
  max_line_size: 1KB
  max_line_size_truncate: true
  reject_old_samples_max_age: 2w
  max_entries_limit_per_query: 10000
  retention_period: 744h
  retention_stream:
    - {selector: '{namespace="dev"}', priority: 1, period: 24h}
  otlp_config:
    resource_attributes:
      attributes_config:
        - {action: index_label, attributes: [host.name]}
ruler:
  storage: {type: local, local: {directory: /rules}}
  alertmanager_url: http://localhost:9093
compactor:
  retention_enabled: true
  delete_request_cancel_period: 1h
`);
    expect(told).toEqual([]);
    expect(config).toMatchObject({
      authEnabled: true,
      retention: {
        periodMs: 744 * 3_600_000,
        rules: [{ priority: 1, periodMs: 24 * 3_600_000 }],
      },
      deleteCancelMs: 3_600_000,
      limits: {
        ingestionRate: 10 * 2 ** 20,
        ingestionBurst: 20.5 * 2 ** 20,
        streamRate: 5 * 2 ** 20,
        streamBurst: LOKI_LIMITS.streamBurst,
        lineBytesMax: 1024,
        truncatesLines: true,
        sampleAgeMsMax: 14 * 24 * 3_600_000,
        query: { entriesMax: 10_000, seriesMax: 500 },
      },
    });
    expect(config?.limits.otlp.resource.map(({ attributes }) => attributes.at(-1))).toEqual([
      'k8s.job.name',
      'host.name',
    ]);
    expect(config?.ruleFiles[0].pattern).toBe('/rules/*.yml');
  });

  it('warns of what has no meaning, with its place', () => {
    const { config, told } = read(
      'ingester:\n  chunk_idle_period: 5m\nlimits_config:\n  volume_enabled: true\n',
    );
    expect(config?.limits).toEqual(LOKI_LIMITS);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^warning loki.yaml:\d+:\d+ .*"(ingester|volume_enabled)" is not used/);
  });

  it('refuses what is misspelt or no value, with its place', () => {
    const { config, told } = read(
      'limits_config:\n  max_line_sise: 1KB\n  query_timeout: soon\n' +
        '  retention_stream: [{selector: "{a", period: 1d}]\n',
    );
    expect(config).toBeUndefined();
    const errors = told.filter((text) => text.startsWith('error'));
    expect(errors).toEqual([
      expect.stringContaining('loki.yaml:3:18 not a valid duration: "soon"'),
      expect.stringContaining('loki.yaml:4:33 not a selector of streams'),
      expect.stringMatching(/loki\.yaml:2:3 .*max_line_sise.*max_line_size/),
    ]);
  });
});

describe('the section logs of tyto.yaml', () => {
  function section(text: string) {
    const source = `logs:\n${text.replace(/^/gm, '  ')}\n`;
    const { value, problems } = yaml.decodeYaml(source, 'tyto.yaml', tytoSchema('utf8'));
    return { config: value?.logs?.over(DEFAULT_LOGS), told: yaml.formatProblems(problems) };
  }

  it('says what Loki has no word for', () => {
    const { config, told } = section(`
clickhouse_url: http://user:secret@clickhouse:8123/logs
retention: 30d
retention_size: 50GB
retention_streams: [{selector: '{env="dev"}', keep: 2d}]
limits: {max_line_size: 1MB}
tenants: {team: {ingestion_rate_mb: 1, retention_period: 1d}}
rule_files: [rules/*.yml]
syslog:
  - {listen: 'udp://0.0.0.0:5514', labels: {source: lan}}`);
    expect(told).toBe('');
    expect(config).toMatchObject({
      clickhouseUrl: 'http://user:secret@clickhouse:8123/logs',
      retention: {
        periodMs: 30 * 24 * 3_600_000,
        bytesMax: 50 * 2 ** 30,
        rules: [
          { priority: 1, periodMs: 48 * 3_600_000 },
          { tenant: 'team', matchers: [], periodMs: 24 * 3_600_000 },
        ],
      },
      limits: { lineBytesMax: 2 ** 20 },
      ruleFiles: [{ pattern: 'rules/*.yml', place: { file: 'tyto.yaml' } }],
      syslog: [{ protocol: 'udp', host: '0.0.0.0', port: 5514, tenant: 'fake' }],
    });
    const team = config?.tenants.get('team');
    expect([team?.ingestionRate, team?.lineBytesMax]).toEqual([2 ** 20, 2 ** 20]);
  });

  it.each([
    ['clickhouse_url: clickhouse:8123', 'is no address such as'],
    ['syslog: [{listen: 5514}]', 'is no address such as udp://0.0.0.0:5514'],
    ['syslog: [{}]', 'the field "listen" is missing'],
    ['retention: forever', 'not a valid duration'],
  ])('refuses %s', (text, message) => {
    const { told } = section(text);
    expect(told).toContain(message);
    expect(told).toMatch(/tyto\.yaml:\d+:\d+/);
  });
});
