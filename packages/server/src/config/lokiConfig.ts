/**
 * Loki's configuration file, as far as it says something of one process: limits, the ruler's files,
 * retention, whether tenants are told apart. How a cluster of Loki's parts is put together has no
 * meaning here, and is accepted with a warning.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { compileAnchored, errorMessage, TytoError, yaml } from '@tyto/base';
import { type AttributeRule, type LogLimits, LOKI_LIMITS, STREAM_ATTRIBUTES } from '@tyto/collect';
import type { LogRetentionRule } from '@tyto/columnar';
import type { Matcher } from '@tyto/model';
import { parseLogSelector } from '@tyto/syntax';
import { DEFAULT_LOGS, type LogsConfig } from './logsConfig.ts';

const ONE_PROCESS = 'it has no meaning for Tyto, which is one process with a store of its own';
const REMOVED = 'Loki has removed it, and it changes nothing';

/** Sections and fields that are taken for what they are, and change nothing. */
const ignored = (names: string, why = ONE_PROCESS): Record<string, string> =>
  Object.fromEntries(names.split(' ').map((name) => [name, `"${name}" is not used: ${why}`]));

const selector: yaml.Schema<readonly Matcher[]> = (node, decoder) => {
  const text = yaml.string(node, decoder);
  try {
    return parseLogSelector(text);
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    decoder.error(node, `not a selector of streams: ${errorMessage(error)}`);
    return [];
  }
};

const streamRetention = yaml.object(
  {
    selector: yaml.required(selector),
    priority: yaml.optional(yaml.integer(), 0),
    period: yaml.required(yaml.duration),
  },
  { name: 'retention_stream' },
);

const attributeRule: yaml.Schema<AttributeRule> = (node, decoder) => {
  const { action, attributes, regex } = rawAttributeRule(node, decoder);
  if (attributes.length === 0 && regex === undefined) {
    decoder.error(node, 'attributes or regex must be set');
  }
  return { action, attributes, regex };
};
const rawAttributeRule = yaml.object(
  {
    action: yaml.optional(
      yaml.oneOf(['index_label', 'structured_metadata', 'drop']),
      'structured_metadata' as const,
    ),
    attributes: yaml.optional(yaml.list(yaml.string), () => []),
    regex: yaml.optional(yaml.mapped(yaml.string, compileAnchored, () => compileAnchored(''))),
  },
  { name: 'attributes_config' },
);
const attributeRules = yaml.optional(yaml.list(attributeRule), (): AttributeRule[] => []);

const otlpSection = yaml.object(
  {
    resource_attributes: yaml.optional(
      yaml.object(
        {
          ignore_defaults: yaml.optional(yaml.boolean, false),
          attributes_config: attributeRules,
        },
        { name: 'resource_attributes' },
      ),
    ),
    scope_attributes: attributeRules,
    log_attributes: attributeRules,
    severity_text_as_label: yaml.optional(yaml.boolean, false),
  },
  { name: 'otlp_config' },
);

/** RFC 3339, as Loki writes times. */
const time: yaml.Schema<number> = (node, decoder) => {
  const ms = Date.parse(yaml.string(node, decoder));
  if (Number.isNaN(ms)) decoder.error(node, 'expected a time such as 2026-01-31T12:00:00Z');
  return Number.isNaN(ms) ? 0 : ms;
};

const count = yaml.optional(yaml.integer());
const size = yaml.optional(yaml.byteSize);
const span = yaml.optional(yaml.duration);
const flag = yaml.optional(yaml.boolean);
const megabytes = yaml.optional(yaml.number(0));

const limitFields = {
  ingestion_rate_mb: megabytes,
  ingestion_burst_size_mb: megabytes,
  per_stream_rate_limit: size,
  per_stream_rate_limit_burst: size,
  max_line_size: size,
  max_line_size_truncate: flag,
  max_label_names_per_series: count,
  max_label_name_length: count,
  max_label_value_length: count,
  reject_old_samples: flag,
  reject_old_samples_max_age: span,
  creation_grace_period: span,
  max_global_streams_per_user: count,
  max_streams_per_user: count,
  allow_structured_metadata: flag,
  max_structured_metadata_size: size,
  max_structured_metadata_entries_count: count,
  discover_service_name: yaml.optional(yaml.list(yaml.string)),
  discover_log_levels: flag,
  block_ingestion_until: yaml.optional(time),
  block_ingestion_status_code: count,
  otlp_config: yaml.optional(otlpSection),
  max_entries_limit_per_query: count,
  max_query_series: count,
  max_query_length: span,
  max_query_lookback: span,
  query_timeout: span,
  max_concurrent_tail_requests: count,
  volume_max_series: count,
  retention_period: span,
  retention_stream: yaml.optional(yaml.list(streamRetention)),
};

const LIMITS_IGNORED = {
  ...ignored(
    'enforce_metric_name max_entries_limit unordered_writes ruler_evaluation_delay',
    REMOVED,
  ),
  ...ignored(
    'ingestion_rate_strategy max_query_parallelism tsdb_max_query_parallelism ' +
      'max_querier_bytes_read max_query_bytes_read max_chunks_per_query cardinality_limit ' +
      'max_streams_matchers_per_query max_cache_freshness_per_query split_queries_by_interval ' +
      'split_metadata_queries_by_interval split_recent_metadata_queries_by_interval ' +
      'split_instant_metric_queries_by_interval tsdb_max_bytes_per_shard tsdb_sharding_strategy ' +
      'min_sharding_lookback max_queriers_per_tenant max_query_capacity ' +
      'query_ready_index_num_days ' +
      'shard_streams bloom_gateway_enable_filtering bloom_creation_enabled volume_enabled ' +
      'deletion_mode max_query_range per_tenant_override_config per_tenant_override_period ' +
      'allow_deletes index_gateway_shard_size increment_duplicate_timestamp ' +
      'required_labels required_number_labels max_stats_cache_freshness ' +
      'max_metadata_cache_freshness log_level_fields log_level_from_json_max_depth ' +
      'use_owned_stream_count ruler_max_rules_per_rule_group ruler_max_rule_groups_per_tenant ' +
      'ruler_alertmanager_config ruler_remote_write_disabled ' +
      'pattern_ingester_tokenizable_json_fields ' +
      'metric_aggregation_enabled simulated_push_latency enable_multi_variant_queries ' +
      'max_query_blocks_storage s3_sse_type',
  ),
};

/** The section of limits, which tyto.yaml has too. */
export const limitsSchema = yaml.object(limitFields, {
  name: 'limits_config',
  ignored: LIMITS_IGNORED,
});
export type RawLimits = ReturnType<typeof limitsSchema>;

const anything: yaml.Schema<undefined> = () => undefined;
const passed = (names: string) =>
  Object.fromEntries(names.split(' ').map((name) => [name, yaml.optional(anything)]));

const rulerSection = yaml.object(
  {
    storage: yaml.optional(
      yaml.object(
        {
          type: yaml.optional(yaml.string, ''),
          local: yaml.optional(
            yaml.object({ directory: yaml.required(yaml.string) }, { name: 'local' }),
          ),
        },
        {
          name: 'ruler storage',
          ignored: ignored('s3 gcs azure swift bos cos alibaba azure_storage backend'),
        },
      ),
    ),
    evaluation_interval: span,
    ...passed('alertmanager_url external_url enable_api rule_path enable_alertmanager_v2'),
    ...passed('ring wal wal_cleaner remote_write poll_interval enable_sharding evaluation'),
    ...passed(
      'alertmanager_client notification_queue_capacity notification_timeout datasource_uid',
    ),
    ...passed('search_pending_for flush_period for_outage_tolerance for_grace_period resend_delay'),
    ...passed('disable_rule_group_label external_labels alertmanager_refresh_interval'),
    ...passed('enable_alertmanager_discovery sharding_strategy sharding_algo query_stats_enabled'),
  },
  { name: 'ruler' },
);

const compactorSection = yaml.object(
  {
    retention_enabled: yaml.optional(yaml.boolean, false),
    delete_request_cancel_period: span,
    ...passed('working_directory compaction_interval apply_retention_interval upload_parallelism'),
    ...passed('retention_delete_delay retention_delete_worker_count retention_table_timeout'),
    ...passed('delete_request_store delete_batch_size delete_max_interval compactor_ring'),
    ...passed('shared_store shared_store_key_prefix max_compaction_parallelism tables_to_compact'),
    ...passed('deletion_mode retention_backoff_config run_once skip_latest_n_tables'),
  },
  { name: 'compactor' },
);

const fileSchema = yaml.object(
  {
    // A file of limits alone is no word on this, other than in Loki.
    auth_enabled: yaml.optional(yaml.boolean),
    limits_config: yaml.optional(limitsSchema),
    ruler: yaml.optional(rulerSection),
    compactor: yaml.optional(compactorSection),
  },
  {
    name: 'configuration of Loki',
    ignored: ignored(
      'target server common distributor querier query_scheduler frontend query_range ' +
        'frontend_worker ingester ingester_client index_gateway memberlist schema_config ' +
        'storage_config chunk_store_config table_manager runtime_config operational_config ' +
        'tracing ' +
        'analytics pattern_ingester bloom_gateway bloom_build bloom_compactor ballast_bytes ' +
        'http_prefix ui profiling internal_server memberlist_kv kafka_config block_builder ' +
        'block_scheduler dataobj dataobj_explorer limits metastore shutdown_delay ' +
        'max_query_parallelism metrics_namespace ingest_limits ingest_limits_frontend',
    ),
  },
);

/** The text of a file. The value is there only when no problem is an error. */
export function parseLokiConfig(
  source: string,
  file: string,
): { config: LogsConfig | undefined; problems: readonly yaml.Problem[] } {
  const { value, problems } = yaml.decodeYaml(source, file, fileSchema);
  if (value === undefined || yaml.hasErrors(problems)) return { config: undefined, problems };
  const { limits_config: limits, ruler, compactor } = value;
  const directory = ruler?.storage?.local?.directory;
  const keepsForEver = compactor?.retention_enabled !== true;
  const base = dirname(file);
  const place = { file, line: 1, column: 1 };
  const config: LogsConfig = {
    ...DEFAULT_LOGS,
    authEnabled: value.auth_enabled,
    limits: limits === undefined ? LOKI_LIMITS : withLimits(LOKI_LIMITS, limits),
    retention: {
      ...DEFAULT_LOGS.retention,
      periodMs: keepsForEver ? 0 : (limits?.retention_period ?? 0),
      rules: keepsForEver ? [] : retentionOf(limits),
    },
    deleteCancelMs: compactor?.delete_request_cancel_period ?? DEFAULT_LOGS.deleteCancelMs,
    ruleFiles:
      directory === undefined
        ? []
        : ['*.yml', '*.yaml', '*/*.yml', '*/*.yaml'].map((name) => ({
            pattern: join(isAbsolute(directory) ? directory : join(base, directory), name),
            place,
            isOptional: true,
          })),
  };
  return { config, problems };
}

/** Rules for the streams of a tenant, or of all. */
export function retentionOf(limits: RawLimits | undefined, tenant?: string): LogRetentionRule[] {
  return (limits?.retention_stream ?? []).map(({ selector: matchers, priority, period }) => ({
    tenant,
    matchers,
    priority,
    periodMs: period,
  }));
}

const MIB = 1024 * 1024;

/** `base` with what is written. */
export function withLimits(base: LogLimits, raw: RawLimits): LogLimits {
  const { query } = base;
  const mib = (value: number | undefined) => (value === undefined ? undefined : value * MIB);
  return {
    ingestionRate: mib(raw.ingestion_rate_mb) ?? base.ingestionRate,
    ingestionBurst: mib(raw.ingestion_burst_size_mb) ?? base.ingestionBurst,
    streamRate: raw.per_stream_rate_limit ?? base.streamRate,
    streamBurst: raw.per_stream_rate_limit_burst ?? base.streamBurst,
    lineBytesMax: raw.max_line_size ?? base.lineBytesMax,
    truncatesLines: raw.max_line_size_truncate ?? base.truncatesLines,
    labelCountMax: raw.max_label_names_per_series ?? base.labelCountMax,
    labelNameLengthMax: raw.max_label_name_length ?? base.labelNameLengthMax,
    labelValueLengthMax: raw.max_label_value_length ?? base.labelValueLengthMax,
    rejectsOldSamples: raw.reject_old_samples ?? base.rejectsOldSamples,
    sampleAgeMsMax: raw.reject_old_samples_max_age ?? base.sampleAgeMsMax,
    aheadMsMax: raw.creation_grace_period ?? base.aheadMsMax,
    streamsMax: raw.max_global_streams_per_user ?? raw.max_streams_per_user ?? base.streamsMax,
    allowsMetadata: raw.allow_structured_metadata ?? base.allowsMetadata,
    metadataBytesMax: raw.max_structured_metadata_size ?? base.metadataBytesMax,
    metadataCountMax: raw.max_structured_metadata_entries_count ?? base.metadataCountMax,
    serviceNameLabels: raw.discover_service_name ?? base.serviceNameLabels,
    discoversLevels: raw.discover_log_levels ?? base.discoversLevels,
    blockedUntilMs: raw.block_ingestion_until ?? base.blockedUntilMs,
    blockedStatus: raw.block_ingestion_status_code ?? base.blockedStatus,
    otlp: raw.otlp_config === undefined ? base.otlp : otlpOf(raw.otlp_config),
    query: {
      entriesMax: raw.max_entries_limit_per_query ?? query.entriesMax,
      seriesMax: raw.max_query_series ?? query.seriesMax,
      lengthMsMax: raw.max_query_length ?? query.lengthMsMax,
      lookbackMs: raw.max_query_lookback ?? query.lookbackMs,
      timeoutMs: raw.query_timeout ?? query.timeoutMs,
      tailsMax: raw.max_concurrent_tail_requests ?? query.tailsMax,
      volumeSeriesMax: raw.volume_max_series ?? query.volumeSeriesMax,
    },
  };
}

function otlpOf(raw: NonNullable<RawLimits['otlp_config']>): LogLimits['otlp'] {
  const given = raw.resource_attributes;
  const rules = given?.attributes_config ?? [];
  return {
    resource: given?.ignore_defaults === true ? rules : [STREAM_ATTRIBUTES, ...rules],
    scope: raw.scope_attributes,
    record: raw.log_attributes,
    severityTextAsLabel: raw.severity_text_as_label,
  };
}
