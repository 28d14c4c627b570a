/** The sections that say where targets come from. */
import { yaml } from '@tyto/base';
import { filePath, httpUrl, labelSet, notNull } from './fields.ts';
import { type HttpClientConfig, httpClientFields, toHttpClientConfig } from './httpClientConfig.ts';

/** Targets that one source knows at the moment; a later group with the same source replaces it. */
export interface TargetGroup {
  readonly source: string;
  /** Labels of each target; `__address__` is among them. */
  readonly targets: readonly Readonly<Record<string, string>>[];
  /** Labels of all of them; a target's own win. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface StaticConfig {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface FileDiscoveryConfig {
  /** Paths; the last part may hold `*` and `?`. */
  readonly files: readonly string[];
  readonly refreshIntervalMs: number;
}

export interface HttpDiscoveryConfig {
  readonly url: string;
  readonly refreshIntervalMs: number;
  readonly http: HttpClientConfig;
}

const FILE_REFRESH_MS = 5 * 60_000;
const HTTP_REFRESH_MS = 60_000;

/** `targets` and `labels`, as files and HTTP endpoints have them too. */
export const staticConfigSchema: yaml.Schema<StaticConfig> = notNull(
  yaml.object(
    {
      targets: yaml.optional(yaml.list(yaml.string), () => []),
      labels: yaml.optional(labelSet, () => ({})),
    },
    { name: 'static config' },
  ),
  'empty or null section in static_configs',
  () => ({ targets: [], labels: {} }),
);

const FILE_PATTERN = /^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$/;

const fileGlob: yaml.Schema<string> = yaml.checked(filePath, (path, node, decoder) => {
  if (!FILE_PATTERN.test(path)) {
    decoder.error(node, `path name "${path}" is not valid for file discovery`);
  }
});

const rawFileSchema = yaml.object(
  {
    files: yaml.required(yaml.list(fileGlob), []),
    refresh_interval: yaml.optional(yaml.duration, FILE_REFRESH_MS),
  },
  { name: 'file_sd_config' },
);

export const fileDiscoverySchema: yaml.Schema<FileDiscoveryConfig> = (node, decoder) => {
  const raw = rawFileSchema(node, decoder);
  if (raw.files.length === 0) {
    decoder.error(node, 'file service discovery config must contain at least one path name');
  }
  return { files: raw.files, refreshIntervalMs: raw.refresh_interval };
};

const rawHttpSchema = yaml.object(
  {
    url: yaml.required(httpUrl, ''),
    refresh_interval: yaml.optional(yaml.duration, HTTP_REFRESH_MS),
    ...httpClientFields,
  },
  { name: 'http_sd_config' },
);

export const httpDiscoverySchema: yaml.Schema<HttpDiscoveryConfig> = (node, decoder) => {
  const raw = rawHttpSchema(node, decoder);
  return {
    url: raw.url,
    refreshIntervalMs: raw.refresh_interval,
    http: toHttpClientConfig(raw, node, decoder),
  };
};

/** Discoveries that Prometheus knows and Tyto does not do yet. */
const UNSUPPORTED = [
  'aws',
  'azure',
  'consul',
  'digitalocean',
  'dns',
  'docker',
  'dockerswarm',
  'ec2',
  'ecs',
  'elasticache',
  'eureka',
  'gce',
  'hetzner',
  'ionos',
  'kubernetes',
  'kuma',
  'lightsail',
  'linode',
  'marathon',
  'msk',
  'nerve',
  'nomad',
  'oci',
  'openstack',
  'outscale',
  'ovhcloud',
  'puppetdb',
  'rds',
  'scaleway',
  'serverset',
  'stackit',
  'triton',
  'uyuni',
  'vultr',
] as const;

/** Field names of those, with what that means for the user. */
export const UNSUPPORTED_DISCOVERIES: Readonly<Record<string, string>> = Object.fromEntries(
  UNSUPPORTED.map((name) => [
    `${name}_sd_configs`,
    'Tyto does not discover these targets yet, so none of them is scraped; ' +
      'list them in static_configs, file_sd_configs or http_sd_configs',
  ]),
);
