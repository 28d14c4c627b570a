/**
 * The section `logs` of tyto.yaml:
 *
 *   logs:
 *     clickhouse_url: http://user:password@clickhouse:8123/logs   # none: the engine within Tyto
 *     retention: 30d
 *     retention_size: 100GB             # on disk; the oldest days go first
 *     retention_streams:                # the first match decides
 *       - selector: '{namespace="dev"}'
 *         keep: 2d
 *     delete_cancel_period: 24h
 *     limits:                           # as in Loki's limits_config
 *       max_line_size: 1MB
 *     tenants:                          # limits of some
 *       team-a: {ingestion_rate_mb: 10}
 *     rule_files: [rules/logs/*.yml]    # alerts and recording rules in LogQL
 *     syslog:
 *       - listen: udp://0.0.0.0:5514
 *         labels: {source: network}
 */
import { TytoError, yaml } from '@tyto/base';
import type { SyslogListener } from '@tyto/collect';
import { Labels, type Matcher } from '@tyto/model';
import { parseLogSelector } from '@tyto/syntax';
import { limitsSchema, type RawLimits, retentionOf, withLimits } from './lokiConfig.ts';
import type { LogsConfig } from './logsConfig.ts';
import type { FilePattern } from './prometheusConfig.ts';

export interface LogsSection {
  /** `base` with what the section says. */
  over(base: LogsConfig): LogsConfig;
}

const selector: yaml.Schema<readonly Matcher[]> = yaml.mapped(
  yaml.string,
  parseLogSelector,
  () => [],
);

const pattern: yaml.Schema<FilePattern> = (node, decoder) => ({
  pattern: yaml.string(node, decoder),
  place: decoder.place(node),
});

const url = yaml.mapped(
  yaml.string,
  (text) => {
    if (text === '' || (URL.canParse(text) && /^https?:/.test(text))) return text;
    throw new TytoError('bad_data', `"${text}" is no address such as http://clickhouse:8123/logs`);
  },
  () => '',
);

const PORT_MAX = 65_535;

const address = yaml.mapped(
  yaml.string,
  (text) => {
    const match = /^(tcp|udp):\/\/(\[[^\]]*\]|[^:/]*):(\d{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (match === null || port > PORT_MAX) {
      const message = `"${text}" is no address such as udp://0.0.0.0:5514`;
      throw new TytoError('bad_data', message);
    }
    const protocol = match[1] === 'udp' ? ('udp' as const) : ('tcp' as const);
    return { protocol, host: match[2].replace(/^\[|\]$/g, '') || '0.0.0.0', port };
  },
  () => ({ protocol: 'tcp' as const, host: '', port: 0 }),
);

const syslog: yaml.Schema<SyslogListener> = (node, decoder) => {
  const { listen, tenant, labels } = rawSyslog(node, decoder);
  return { ...listen, tenant, labels: Labels.of(labels) };
};
const rawSyslog = yaml.object(
  {
    listen: yaml.required(address),
    tenant: yaml.optional(yaml.string, 'fake'),
    labels: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
  },
  { name: 'syslog listener' },
);

const raw = yaml.object(
  {
    clickhouse_url: yaml.optional(url),
    auth_enabled: yaml.optional(yaml.boolean),
    retention: yaml.optional(yaml.duration),
    retention_size: yaml.optional(yaml.byteSize),
    retention_streams: yaml.optional(
      yaml.list(
        yaml.object(
          { selector: yaml.required(selector), keep: yaml.required(yaml.duration) },
          { name: 'retention of streams' },
        ),
      ),
    ),
    delete_cancel_period: yaml.optional(yaml.duration),
    limits: yaml.optional(limitsSchema),
    tenants: yaml.optional(yaml.record(limitsSchema), (): Record<string, RawLimits> => ({})),
    rule_files: yaml.optional(yaml.list(pattern), () => []),
    syslog: yaml.optional(yaml.list(syslog), () => []),
  },
  { name: 'logs' },
);

export const logsSchema: yaml.Schema<LogsSection> = (node, decoder) => {
  const given = raw(node, decoder);
  return { over: (base) => overlaid(base, given) };
};

function overlaid(base: LogsConfig, given: ReturnType<typeof raw>): LogsConfig {
  const limits = given.limits === undefined ? base.limits : withLimits(base.limits, given.limits);
  const tenants = Object.entries(given.tenants).map(
    ([name, own]) => [name, withLimits(limits, own)] as const,
  );
  const ofTenants = Object.entries(given.tenants).flatMap(([tenant, own]) => [
    ...retentionOf(own, tenant),
    ...wholeTenant(tenant, own),
  ]);
  const streams = given.retention_streams?.map(({ selector: matchers, keep }, i, all) => ({
    matchers,
    priority: all.length - i,
    periodMs: keep,
  }));
  return {
    authEnabled: given.auth_enabled ?? base.authEnabled,
    limits,
    tenants: new Map([...base.tenants, ...tenants]),
    clickhouseUrl: given.clickhouse_url ?? base.clickhouseUrl,
    retention: {
      periodMs: given.retention ?? given.limits?.retention_period ?? base.retention.periodMs,
      bytesMax: given.retention_size ?? base.retention.bytesMax,
      rules: [...(streams ?? retentionOf(given.limits)), ...base.retention.rules, ...ofTenants],
    },
    deleteCancelMs: given.delete_cancel_period ?? base.deleteCancelMs,
    ruleFiles: [...base.ruleFiles, ...given.rule_files],
    syslog: [...base.syslog, ...given.syslog],
  };
}

/** What holds for all streams of a tenant gives way to what is said of some of them. */
function wholeTenant(tenant: string, { retention_period: periodMs }: RawLimits) {
  return periodMs === undefined ? [] : [{ tenant, matchers: [], priority: -1, periodMs }];
}
