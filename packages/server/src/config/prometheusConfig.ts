/** prometheus.yml: the sections, with a warning for what is accepted and not done yet. */
import { type Place, yaml } from '@tyto/base';
import {
  DEFAULT_GLOBAL,
  DEFAULT_OTLP,
  finishScrapeConfigs,
  type GlobalScrapeConfig,
  globalScrapeSchema,
  type OtlpConfig,
  otlpSchema,
  type ScrapeConfig,
  type ScrapeSection,
  scrapeConfigSchema,
} from '@tyto/collect';
import {
  type RemoteReadConfig,
  type RemoteWriteConfig,
  remoteEndpoints,
  remoteReadSchema,
  remoteWriteSchema,
} from '@tyto/forward';
import { Labels } from '@tyto/model';
import { type AlertingConfig, alertingSchema } from './alertingConfig.ts';

const ruleGlobal = yaml.object(
  {
    evaluation_interval: yaml.optional(yaml.duration, 60_000),
    rule_query_offset: yaml.optional(yaml.duration, 0),
    external_labels: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
    query_log_file: yaml.optional(yaml.string, ''),
  },
  { name: 'global' },
);

type RuleGlobal = ReturnType<typeof ruleGlobal>;

interface GlobalSection {
  readonly scrape: GlobalScrapeConfig;
  readonly rules: RuleGlobal;
}

/** One section, two readers: the scrape schema checks the names of all fields. */
const globalSection: yaml.Schema<GlobalSection> = (node, decoder) => {
  const scrape = globalScrapeSchema(node, decoder);
  const own = ['evaluation_interval', 'rule_query_offset', 'external_labels', 'query_log_file'];
  const quiet = {
    ...decoder,
    error: (at: yaml.YamlNode, message: string) => {
      if (!message.startsWith('global: unknown field')) decoder.error(at, message);
    },
    warn() {},
  };
  const rules = ruleGlobal(node, quiet);
  for (const field of own) {
    if (field !== 'query_log_file' || !yaml.writesField(node, field)) continue;
    decoder.warn(yaml.childNode(node, field), 'query_log_file is accepted but not written yet');
  }
  return { scrape, rules };
};

/**
 * Prometheus takes no late samples unless told to. Agents that send in parallel bring some after
 * every outage, and would lose them.
 */
const OUT_OF_ORDER_WINDOW_MS = 10 * 60_000;

const storage = yaml.object(
  {
    exemplars: yaml.optional(
      yaml.object({ max_exemplars: yaml.optional(yaml.integer()) }, { name: 'storage.exemplars' }),
    ),
    tsdb: yaml.optional(
      yaml.object(
        {
          path: yaml.optional(yaml.string, ''),
          out_of_order_time_window: yaml.optional(yaml.duration, OUT_OF_ORDER_WINDOW_MS),
          wal_compression: yaml.optional(yaml.boolean),
          'retention.time': yaml.optional(yaml.duration),
          'retention.size': yaml.optional(yaml.byteSize),
          retention: yaml.optional(
            yaml.object(
              { time: yaml.optional(yaml.duration), size: yaml.optional(yaml.byteSize) },
              { name: 'retention', ignored: { percentage: 'retention goes by time and size' } },
            ),
          ),
        },
        {
          name: 'storage.tsdb',
          ignored: {
            stale_series_compaction_threshold: 'blocks are cut by time',
            chunk_encoding: 'the smallest encoding is chosen for each chunk',
          },
        },
      ),
    ),
  },
  { name: 'storage' },
);

/** Files that a configuration names, and where it does. */
export interface FilePattern {
  readonly pattern: string;
  readonly place: Place;
  /** Whether it is fine that there is no such file. */
  readonly isOptional?: boolean;
}

const filePattern: yaml.Schema<FilePattern> = (node, decoder) => ({
  pattern: yaml.string(node, decoder),
  place: decoder.place(node),
});

const fileSchema = yaml.object(
  {
    global: yaml.optional(globalSection),
    rule_files: yaml.optional(yaml.list(filePattern), (): FilePattern[] => []),
    scrape_configs: yaml.optional(yaml.list(scrapeConfigSchema), (): ScrapeSection[] => []),
    scrape_config_files: yaml.optional(yaml.list(filePattern), (): FilePattern[] => []),
    alerting: yaml.optional(alertingSchema),
    storage: yaml.optional(storage),
    otlp: yaml.optional(otlpSchema),
    remote_write: yaml.optional(
      remoteEndpoints(remoteWriteSchema, 'remote_write'),
      (): RemoteWriteConfig[] => [],
    ),
    remote_read: yaml.optional(
      remoteEndpoints(remoteReadSchema, 'remote_read'),
      (): RemoteReadConfig[] => [],
    ),
  },
  {
    name: 'prometheus configuration',
    ignored: {
      tracing: 'Tyto does not trace itself yet',
      runtime: 'there is no Go runtime to configure',
    },
  },
);

/** A file of `scrape_config_files`: only scrape configs. */
const scrapeFileSchema = yaml.object(
  { scrape_configs: yaml.optional(yaml.list(scrapeConfigSchema), (): ScrapeSection[] => []) },
  { name: 'scrape configuration' },
);

export interface PrometheusConfig {
  readonly global: GlobalScrapeConfig;
  readonly evaluationIntervalMs: number;
  readonly queryOffsetMs: number;
  readonly externalLabels: Labels;
  readonly ruleFiles: readonly FilePattern[];
  readonly scrapeConfigFiles: readonly FilePattern[];
  readonly sections: readonly ScrapeSection[];
  readonly alerting: AlertingConfig;
  readonly otlp: OtlpConfig;
  readonly remoteWrites: readonly RemoteWriteConfig[];
  readonly remoteReads: readonly RemoteReadConfig[];
  readonly storage: {
    readonly path: string;
    readonly retentionMs: number | undefined;
    readonly retentionBytes: number | undefined;
    /** How much older than the newest sample a late one may be; 0 allows none. */
    readonly outOfOrderWindowMs: number;
    readonly exemplarsMax: number | undefined;
    readonly walCompression: boolean | undefined;
  };
}

/** prometheus.yml as a schema, so that tyto.yaml can hold it as a section too. */
export const prometheusSchema: yaml.Schema<PrometheusConfig> = (node, decoder) => {
  const raw = fileSchema(node, decoder);
  const rules = raw.global?.rules;
  const tsdb = raw.storage?.tsdb;
  checkOtlp(raw.global?.scrape, raw.otlp, node, decoder);
  return {
    global: raw.global?.scrape ?? DEFAULT_GLOBAL,
    evaluationIntervalMs: rules?.evaluation_interval || 60_000,
    queryOffsetMs: rules?.rule_query_offset ?? 0,
    externalLabels: Labels.of(rules?.external_labels ?? {}),
    ruleFiles: raw.rule_files,
    scrapeConfigFiles: raw.scrape_config_files,
    sections: raw.scrape_configs,
    alerting: raw.alerting ?? { alertmanagers: [], alertRelabelConfigs: [] },
    otlp: raw.otlp ?? DEFAULT_OTLP,
    remoteWrites: raw.remote_write,
    remoteReads: raw.remote_read,
    storage: {
      path: tsdb?.path ?? '',
      retentionMs: tsdb?.['retention.time'] ?? tsdb?.retention?.time,
      retentionBytes: tsdb?.['retention.size'] ?? tsdb?.retention?.size,
      outOfOrderWindowMs: tsdb?.out_of_order_time_window ?? OUT_OF_ORDER_WINDOW_MS,
      exemplarsMax: raw.storage?.exemplars?.max_exemplars,
      walCompression: tsdb?.wal_compression,
    },
  };
};

/** Names with dots need that names are not held to the classic alphabet. */
function checkOtlp(
  global: GlobalScrapeConfig | undefined,
  otlp: OtlpConfig | undefined,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  const strategy = otlp?.translationStrategy ?? '';
  if (global?.nameValidation !== 'legacy' || !strategy.startsWith('No')) return;
  const message = `the translation_strategy ${strategy} is not allowed with legacy names`;
  decoder.error(yaml.childNode(node, 'otlp'), `${message}; it needs UTF-8 ones`);
}

/** The jobs of a scrape configuration file. */
export function parseScrapeFile(
  source: string,
  file: string,
): { sections: readonly ScrapeSection[]; problems: readonly yaml.Problem[] } {
  const { value, problems } = yaml.decodeYaml(source, file, scrapeFileSchema);
  return { sections: value?.scrape_configs ?? [], problems };
}

/** All jobs with their defaults filled in. */
export function finishJobs(
  sections: readonly ScrapeSection[],
  global: GlobalScrapeConfig,
): { jobs: ScrapeConfig[]; problems: yaml.Problem[] } {
  return finishScrapeConfigs(sections, global);
}
