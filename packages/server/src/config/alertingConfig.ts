/**
 * The section `alerting` of prometheus.yml: which Alertmanagers are sent alerts, where they are,
 * and how alerts are relabelled on the way.
 */
import { yaml } from '@tyto/base';
import {
  type DiscoveryConfig,
  fileDiscoverySchema,
  type HttpClientConfig,
  httpClientFields,
  httpDiscoverySchema,
  type RelabelConfig,
  relabel,
  relabelConfigsSchema,
  staticConfigSchema,
  type TargetGroup,
  toGroup,
  toHttpClientConfig,
  UNSUPPORTED_DISCOVERIES,
} from '@tyto/collect';
import { Labels } from '@tyto/model';

export interface AlertmanagerTarget {
  /** Where the addresses come from. */
  readonly discovery: DiscoveryConfig;
  readonly http: HttpClientConfig;
  readonly scheme: 'http' | 'https';
  readonly pathPrefix: string;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly timeoutMs: number;
  readonly alertRelabelConfigs: readonly RelabelConfig[];
  /** Of the static addresses that are none: what stands for them. */
  readonly badAddresses: readonly string[];
}

export interface AlertingConfig {
  readonly alertmanagers: readonly AlertmanagerTarget[];
  readonly alertRelabelConfigs: readonly RelabelConfig[];
}

const noRelabelling = (): RelabelConfig[] => [];

/** Only the second version is spoken; the first was removed from Alertmanager. */
const apiVersion: yaml.Schema<string> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  if (text !== 'v2') {
    const message = `expected Alertmanager api version to be one of [v2] but got ${text}`;
    decoder.error(node, message);
  }
  return text;
};

const targetFields = yaml.object(
  {
    static_configs: yaml.optional(yaml.list(staticConfigSchema), () => []),
    file_sd_configs: yaml.optional(yaml.list(fileDiscoverySchema), () => []),
    http_sd_configs: yaml.optional(yaml.list(httpDiscoverySchema), () => []),
    scheme: yaml.optional(yaml.oneOf(['http', 'https']), 'http' as const),
    path_prefix: yaml.optional(yaml.string, ''),
    timeout: yaml.optional(yaml.duration, 10_000),
    api_version: yaml.optional(apiVersion, 'v2'),
    alert_relabel_configs: yaml.optional(relabelConfigsSchema, noRelabelling),
    relabel_configs: yaml.optional(relabelConfigsSchema, noRelabelling),
    ...httpClientFields,
  },
  {
    name: 'alertmanager',
    ignored: {
      sigv4: 'requests are not signed for AWS: those that need it are refused',
      ...Object.fromEntries(
        Object.keys(UNSUPPORTED_DISCOVERIES).map((name) => [
          name,
          'Tyto does not discover Alertmanagers so yet, and sends them nothing; ' +
            'list them in static_configs, file_sd_configs or http_sd_configs',
        ]),
      ),
    },
  },
);

const alertmanagerTarget: yaml.Schema<AlertmanagerTarget> = (node, decoder) => {
  const raw = targetFields(node, decoder);
  const target = {
    discovery: {
      jobName: 'alertmanager',
      staticConfigs: raw.static_configs,
      fileDiscoveries: raw.file_sd_configs,
      httpDiscoveries: raw.http_sd_configs,
    },
    http: toHttpClientConfig(raw, node, decoder),
    scheme: raw.scheme,
    pathPrefix: raw.path_prefix,
    relabelConfigs: raw.relabel_configs,
    timeoutMs: raw.timeout,
    alertRelabelConfigs: raw.alert_relabel_configs,
  };
  const groups = raw.static_configs.map((group, i) => toGroup(group, String(i)));
  return { ...target, badAddresses: alertmanagerUrls(target, groups).badAddresses };
};

export const alertingSchema: yaml.Schema<AlertingConfig> = (node, decoder) => {
  const raw = alertingFields(node, decoder);
  return {
    alertmanagers: raw.alertmanagers,
    alertRelabelConfigs: raw.alert_relabel_configs,
  };
};

const alertingFields = yaml.object(
  {
    alertmanagers: yaml.optional(yaml.list(alertmanagerTarget), () => []),
    alert_relabel_configs: yaml.optional(relabelConfigsSchema, noRelabelling),
  },
  { name: 'alerting' },
);

/** Where alerts are posted, of the targets that were found: each address once. */
export function alertmanagerUrls(
  target: Pick<AlertmanagerTarget, 'scheme' | 'pathPrefix' | 'relabelConfigs'>,
  groups: readonly TargetGroup[],
): { readonly urls: readonly string[]; readonly badAddresses: readonly string[] } {
  const urls = new Set<string>();
  const badAddresses: string[] = [];
  const prefix = target.pathPrefix.replace(/\/+$/, '').replace(/^(?=[^/])/, '/');
  for (const group of groups) {
    for (const labels of group.targets) {
      const given = Labels.of({
        __scheme__: target.scheme,
        __alerts_path__: `${prefix}/api/v2/alerts`,
        ...group.labels,
        ...labels,
      });
      const labelled = relabel(given, target.relabelConfigs);
      if (labelled === undefined) continue;
      const [host, path] = [labelled.get('__address__'), labelled.get('__alerts_path__')];
      const url = `${labelled.get('__scheme__')}://${host}${path}`;
      if (host === '' || host.includes('/') || !URL.canParse(url)) badAddresses.push(host);
      else urls.add(url);
    }
  }
  return { urls: [...urls], badAddresses };
}
