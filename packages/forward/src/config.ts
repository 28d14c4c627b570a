/** `remote_write` and `remote_read` of prometheus.yml. */
import { yaml } from '@tyto/base';
import {
  headerName,
  type HttpClientConfig,
  httpClientFields,
  httpUrl,
  type RelabelConfig,
  relabelConfigsSchema,
  toHttpClientConfig,
} from '@tyto/collect';
import type { RemoteWriteVersion } from '@tyto/wire';

export interface QueueConfig {
  readonly shardsMax: number;
  readonly shardsMin: number;
  readonly samplesPerSendMax: number;
  readonly batchDeadlineMs: number;
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  readonly retriesTooMany: boolean;
  /** 0 for no limit. */
  readonly sampleAgeMsMax: number;
}

export interface RemoteWriteConfig {
  readonly url: string;
  /** '' where there is none. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly version: RemoteWriteVersion;
  readonly headers: Readonly<Record<string, string>>;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly sendsExemplars: boolean;
  readonly sendsHistograms: boolean;
  readonly queue: QueueConfig;
  readonly metadata: { readonly send: boolean; readonly intervalMs: number };
  readonly http: HttpClientConfig;
}

export interface RemoteReadConfig {
  readonly url: string;
  readonly name: string;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly requiredMatchers: Readonly<Record<string, string>>;
  readonly readRecent: boolean;
  readonly filtersExternalLabels: boolean;
  readonly http: HttpClientConfig;
}

/** Defaults are Prometheus', but for 429: see docs/remote-write.md. */
const queueSchema = yaml.object(
  {
    capacity: yaml.optional(yaml.integer(1), 10_000),
    max_shards: yaml.optional(yaml.integer(1), 50),
    min_shards: yaml.optional(yaml.integer(1), 1),
    max_samples_per_send: yaml.optional(yaml.integer(1), 2000),
    batch_send_deadline: yaml.optional(yaml.duration, 5000),
    min_backoff: yaml.optional(yaml.duration, 30),
    max_backoff: yaml.optional(yaml.duration, 5000),
    retry_on_http_429: yaml.optional(yaml.boolean, true),
    sample_age_limit: yaml.optional(yaml.duration, 0),
  },
  { name: 'queue_config' },
);

const DEFAULT_QUEUE: QueueConfig = {
  shardsMax: 50,
  shardsMin: 1,
  samplesPerSendMax: 2000,
  batchDeadlineMs: 5000,
  backoffMsMin: 30,
  backoffMsMax: 5000,
  retriesTooMany: true,
  sampleAgeMsMax: 0,
};

const queueConfig: yaml.Schema<QueueConfig> = (node, decoder) => {
  const raw = queueSchema(node, decoder);
  if (raw.max_shards < raw.min_shards) {
    decoder.error(node, 'queue_config: max_shards is below min_shards');
  }
  if (raw.max_backoff < raw.min_backoff) {
    decoder.error(node, 'queue_config: max_backoff is below min_backoff');
  }
  return {
    shardsMax: raw.max_shards,
    shardsMin: raw.min_shards,
    samplesPerSendMax: raw.max_samples_per_send,
    batchDeadlineMs: raw.batch_send_deadline,
    backoffMsMin: raw.min_backoff,
    backoffMsMax: raw.max_backoff,
    retriesTooMany: raw.retry_on_http_429,
    sampleAgeMsMax: raw.sample_age_limit,
  };
};

const metadataSchema = yaml.object(
  {
    send: yaml.optional(yaml.boolean, true),
    send_interval: yaml.optional(yaml.duration, 60_000),
    max_samples_per_send: yaml.optional(yaml.integer(1), 2000),
  },
  { name: 'metadata_config' },
);

const MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const;
const HEADERS = yaml.record(yaml.string, headerName);
const NO_HEADERS = (): Record<string, string> => ({});
const CLOUD = 'requests are sent without the signature of this cloud';

const writeSchema = yaml.object(
  {
    url: yaml.required(httpUrl),
    name: yaml.optional(yaml.string, ''),
    remote_timeout: yaml.optional(yaml.duration, 30_000),
    protobuf_message: yaml.optional(yaml.oneOf(MESSAGES), MESSAGES[0]),
    headers: yaml.optional(HEADERS, NO_HEADERS),
    write_relabel_configs: yaml.optional(relabelConfigsSchema, (): RelabelConfig[] => []),
    send_exemplars: yaml.optional(yaml.boolean, false),
    send_native_histograms: yaml.optional(yaml.boolean, false),
    queue_config: yaml.optional(queueConfig, DEFAULT_QUEUE),
    metadata_config: yaml.optional(metadataSchema),
    ...httpClientFields,
  },
  {
    name: 'remote_write',
    ignored: {
      sigv4: CLOUD,
      azuread: CLOUD,
      google_iam: CLOUD,
      round_robin_dns: 'addresses are tried in turn',
    },
  },
);

export const remoteWriteSchema: yaml.Schema<RemoteWriteConfig> = (node, decoder) => {
  const raw = writeSchema(node, decoder);
  const version = raw.protobuf_message === MESSAGES[1] ? 2 : 1;
  return {
    url: raw.url,
    name: raw.name,
    timeoutMs: raw.remote_timeout,
    version,
    headers: raw.headers,
    relabelConfigs: raw.write_relabel_configs,
    sendsExemplars: raw.send_exemplars,
    sendsHistograms: raw.send_native_histograms || version === 2,
    queue: raw.queue_config,
    metadata: {
      send: raw.metadata_config?.send ?? true,
      intervalMs: raw.metadata_config?.send_interval ?? 60_000,
    },
    http: toHttpClientConfig(raw, node, decoder),
  };
};

const readSchema = yaml.object(
  {
    url: yaml.required(httpUrl),
    name: yaml.optional(yaml.string, ''),
    remote_timeout: yaml.optional(yaml.duration, 60_000),
    headers: yaml.optional(HEADERS, NO_HEADERS),
    required_matchers: yaml.optional(yaml.record(yaml.string), NO_HEADERS),
    read_recent: yaml.optional(yaml.boolean, false),
    filter_external_labels: yaml.optional(yaml.boolean, true),
    ...httpClientFields,
  },
  { name: 'remote_read' },
);

export const remoteReadSchema: yaml.Schema<RemoteReadConfig> = (node, decoder) => {
  const raw = readSchema(node, decoder);
  return {
    url: raw.url,
    name: raw.name,
    timeoutMs: raw.remote_timeout,
    headers: raw.headers,
    requiredMatchers: raw.required_matchers,
    readRecent: raw.read_recent,
    filtersExternalLabels: raw.filter_external_labels,
    http: toHttpClientConfig(raw, node, decoder),
  };
};

/** A URL without the password that may be in it, for logs and metrics. */
export function shownUrl(url: string): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = 'xxxxx';
  return shown.href;
}

/** A list of endpoints whose names, where they have one, are each its own. */
export function endpoints<T extends { readonly name: string }>(
  schema: yaml.Schema<T>,
  section: string,
): yaml.Schema<T[]> {
  return yaml.checked(yaml.list(schema), (configs, node, decoder) => {
    const names = new Set<string>();
    configs.forEach(({ name }, i) => {
      if (name === '') return;
      if (names.has(name)) {
        decoder.error(yaml.itemNode(node, i), `${section}: the name "${name}" is there twice`);
      }
      names.add(name);
    });
  });
}
