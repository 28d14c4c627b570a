/**
 * tyto.yaml: points to the files that people have, or holds prometheus.yml as a section, and says
 * what those cannot.
 *
 *   prometheus: prometheus.yml        # a path, or the configuration itself
 *   alertmanager: alertmanager.yml    # a path, or the configuration itself
 *   host: true                        # watch this machine and Tyto itself
 *   starter_rules: true               # the built-in alerts
 *   retention:                        # how long some series are kept; the first match decides
 *     - match: '{job="debug"}'
 *       keep: 2d
 *   incidents:                        # see incidentsConfig.ts
 *   logs:                             # see logsSection.ts
 */
import { type AlertmanagerConfig, alertmanagerSchema, type MatcherMode } from '@tyto/alerting';
import { errorMessage, yaml } from '@tyto/base';
import type { Matcher } from '@tyto/model';
import { parseSelector } from '@tyto/syntax';
import type { RetentionRule } from '@tyto/tsdb';
import { type IncidentsSection, incidentsSchema } from './incidentsConfig.ts';
import { type LogsSection, logsSchema } from './logsSection.ts';
import { type PrometheusConfig, prometheusSchema } from './prometheusConfig.ts';

export interface TytoConfig {
  readonly prometheus: PrometheusConfig | undefined;
  readonly prometheusFile: string | undefined;
  readonly alertmanager: Omit<AlertmanagerConfig, 'source'> | undefined;
  readonly alertmanagerFile: string | undefined;
  readonly watchesHost: boolean;
  readonly starterRules: boolean;
  readonly retentionRules: readonly RetentionRule[];
  readonly incidents: IncidentsSection | undefined;
  readonly logs: LogsSection | undefined;
}

const FIELDS = [
  'prometheus',
  'alertmanager',
  'host',
  'starter_rules',
  'retention',
  'incidents',
  'logs',
];

/** A path, or prometheus.yml itself. */
const prometheusSection: yaml.Schema<PrometheusConfig | string> = (node, decoder) => {
  const keys = yaml.keysOf(node);
  return keys === undefined ? yaml.string(node, decoder) : prometheusSchema(node, decoder);
};

/** A path, or alertmanager.yml itself. */
function alertmanagerSection(
  mode: MatcherMode,
): yaml.Schema<Omit<AlertmanagerConfig, 'source'> | string> {
  const schema = alertmanagerSchema(mode);
  return (node, decoder) => {
    const keys = yaml.keysOf(node);
    return keys === undefined ? yaml.string(node, decoder) : schema(node, decoder);
  };
}

const selector: yaml.Schema<readonly Matcher[]> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  try {
    return parseSelector(text);
  } catch (error) {
    decoder.error(node, `not a selector: ${errorMessage(error)}`);
    return [];
  }
};

const retentionRule = yaml.object(
  { match: yaml.required(selector), keep: yaml.required(yaml.duration) },
  { name: 'retention rule' },
);

function rawSchema(mode: MatcherMode) {
  return yaml.object(
    {
      prometheus: yaml.optional(prometheusSection),
      alertmanager: yaml.optional(alertmanagerSection(mode)),
      host: yaml.optional(yaml.boolean, true),
      starter_rules: yaml.optional(yaml.boolean, true),
      retention: yaml.optional(yaml.list(retentionRule), []),
      incidents: yaml.optional(incidentsSchema),
      logs: yaml.optional(logsSchema),
    },
    { name: 'tyto configuration' },
  );
}

/** `mode` is how matchers of alertmanager.yml are read. */
export function tytoSchema(mode: MatcherMode): yaml.Schema<TytoConfig> {
  const schema = rawSchema(mode);
  return (node, decoder) => toConfig(schema(node, decoder));
}

function toConfig(raw: ReturnType<ReturnType<typeof rawSchema>>): TytoConfig {
  const { prometheus, alertmanager, host, starter_rules: rules, retention } = raw;
  return {
    prometheus: typeof prometheus === 'string' ? undefined : prometheus,
    prometheusFile: typeof prometheus === 'string' ? prometheus : undefined,
    alertmanager: typeof alertmanager === 'string' ? undefined : alertmanager,
    alertmanagerFile: typeof alertmanager === 'string' ? alertmanager : undefined,
    watchesHost: host,
    starterRules: rules,
    retentionRules: retention.map(({ match, keep }) => ({ matchers: match, retentionMs: keep })),
    incidents: raw.incidents,
    logs: raw.logs,
  };
}

/** Whether a file is tyto.yaml rather than prometheus.yml, by its name or by its fields. */
export function looksLikeTyto(source: string, file: string): boolean {
  if (/(^|\/)tyto\.ya?ml$/.test(file)) return true;
  const keys = yaml.decodeYaml(source, file, (node) => yaml.keysOf(node) ?? []).value ?? [];
  return keys.some((key) => FIELDS.includes(key));
}
