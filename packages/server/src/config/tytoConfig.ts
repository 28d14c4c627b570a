/**
 * tyto.yaml: points to the files that people have, or holds prometheus.yml as a section, and says
 * what those cannot.
 *
 *   prometheus: prometheus.yml        # a path, or the configuration itself
 *   alertmanager: alertmanager.yml    # a path
 *   host: true                        # watch this machine and Tyto itself
 *   starter_rules: true               # the built-in alerts
 */
import { yaml } from '@tyto/base';
import { type PrometheusConfig, prometheusSchema } from './prometheusConfig.ts';

export interface TytoConfig {
  readonly prometheus: PrometheusConfig | undefined;
  readonly prometheusFile: string | undefined;
  readonly alertmanager: string | undefined;
  readonly watchesHost: boolean;
  readonly starterRules: boolean;
}

const FIELDS = ['prometheus', 'alertmanager', 'host', 'starter_rules'];

/** A path, or prometheus.yml itself. */
const prometheusSection: yaml.Schema<PrometheusConfig | string> = (node, decoder) => {
  const keys = yaml.keysOf(node);
  return keys === undefined ? yaml.string(node, decoder) : prometheusSchema(node, decoder);
};

const rawSchema = yaml.object(
  {
    prometheus: yaml.optional(prometheusSection),
    alertmanager: yaml.optional(yaml.string),
    host: yaml.optional(yaml.boolean, true),
    starter_rules: yaml.optional(yaml.boolean, true),
  },
  { name: 'tyto configuration' },
);

export const tytoSchema: yaml.Schema<TytoConfig> = (node, decoder) => {
  const raw = rawSchema(node, decoder);
  const isPath = typeof raw.prometheus === 'string';
  return {
    prometheus: typeof raw.prometheus === 'string' ? undefined : raw.prometheus,
    prometheusFile: isPath ? String(raw.prometheus) : undefined,
    alertmanager: raw.alertmanager,
    watchesHost: raw.host,
    starterRules: raw.starter_rules,
  };
};

/** Whether a file is tyto.yaml rather than prometheus.yml, by its name or by its fields. */
export function looksLikeTyto(source: string, file: string): boolean {
  if (/(^|\/)tyto\.ya?ml$/.test(file)) return true;
  const keys = yaml.decodeYaml(source, file, (node) => yaml.keysOf(node) ?? []).value ?? [];
  return keys.some((key) => FIELDS.includes(key));
}
