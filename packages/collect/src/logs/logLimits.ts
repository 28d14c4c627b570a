/**
 * What a tenant may send and ask, under the names of Loki's `limits_config`. Sizes are bytes, rates
 * bytes a second; 0 means no limit wherever Loki has it so.
 */
import type { AnchoredRegExp } from '@tyto/base';

export interface LogLimits {
  readonly ingestionRate: number;
  readonly ingestionBurst: number;
  readonly streamRate: number;
  readonly streamBurst: number;
  readonly lineBytesMax: number;
  /** Longer lines are cut instead of refused. */
  readonly truncatesLines: boolean;
  readonly labelCountMax: number;
  readonly labelNameLengthMax: number;
  readonly labelValueLengthMax: number;
  /** Whether entries older than `sampleAgeMsMax` are refused. */
  readonly rejectsOldSamples: boolean;
  readonly sampleAgeMsMax: number;
  /** How far ahead of the clock an entry may be. */
  readonly aheadMsMax: number;
  readonly streamsMax: number;
  readonly allowsMetadata: boolean;
  readonly metadataBytesMax: number;
  readonly metadataCountMax: number;
  /** Labels that may tell the service, the first of them that is there; none: not looked for. */
  readonly serviceNameLabels: readonly string[];
  readonly discoversLevels: boolean;
  /** Nothing is taken before this time; undefined: everything is. */
  readonly blockedUntilMs: number | undefined;
  readonly blockedStatus: number;
  readonly otlp: OtlpLogConfig;
  readonly query: LogQueryLimits;
}

export interface LogQueryLimits {
  readonly entriesMax: number;
  readonly seriesMax: number;
  readonly lengthMsMax: number;
  /** How far back queries see; 0: everything. */
  readonly lookbackMs: number;
  readonly timeoutMs: number;
  readonly tailsMax: number;
  readonly volumeSeriesMax: number;
}

/** What becomes of attributes of OpenTelemetry's logs; the first rule that names one decides. */
export interface OtlpLogConfig {
  readonly resource: readonly AttributeRule[];
  readonly scope: readonly AttributeRule[];
  readonly record: readonly AttributeRule[];
  readonly severityTextAsLabel: boolean;
}

export interface AttributeRule {
  readonly action: 'index_label' | 'structured_metadata' | 'drop';
  readonly attributes: readonly string[];
  readonly regex: AnchoredRegExp | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Resource attributes that name where a log comes from, and so its stream. */
export const STREAM_ATTRIBUTES: AttributeRule = {
  action: 'index_label',
  regex: undefined,
  attributes: [
    'service.name',
    'service.namespace',
    'service.instance.id',
    'deployment.environment',
    'deployment.environment.name',
    'cloud.region',
    'cloud.availability_zone',
    'k8s.cluster.name',
    'k8s.namespace.name',
    'k8s.pod.name',
    'k8s.container.name',
    'container.name',
    'k8s.replicaset.name',
    'k8s.deployment.name',
    'k8s.statefulset.name',
    'k8s.daemonset.name',
    'k8s.cronjob.name',
    'k8s.job.name',
  ],
};

/** The defaults of Loki: what holds where a configuration of Loki is given. */
export const LOKI_LIMITS: LogLimits = {
  ingestionRate: 4 * MIB,
  ingestionBurst: 6 * MIB,
  streamRate: 3 * MIB,
  streamBurst: 15 * MIB,
  lineBytesMax: 256 * KIB,
  truncatesLines: false,
  labelCountMax: 15,
  labelNameLengthMax: 1024,
  labelValueLengthMax: 2048,
  rejectsOldSamples: true,
  sampleAgeMsMax: 7 * 24 * HOUR_MS,
  aheadMsMax: 10 * MINUTE_MS,
  streamsMax: 5000,
  allowsMetadata: true,
  metadataBytesMax: 64 * KIB,
  metadataCountMax: 128,
  serviceNameLabels: [
    'service',
    'app',
    'application',
    'app_name',
    'name',
    'app_kubernetes_io_name',
    'container',
    'container_name',
    'k8s_container_name',
    'component',
    'workload',
    'job',
    'k8s_job_name',
  ],
  discoversLevels: true,
  blockedUntilMs: undefined,
  blockedStatus: 260,
  otlp: { resource: [STREAM_ATTRIBUTES], scope: [], record: [], severityTextAsLabel: false },
  query: {
    entriesMax: 5000,
    seriesMax: 500,
    lengthMsMax: 721 * HOUR_MS,
    lookbackMs: 0,
    timeoutMs: MINUTE_MS,
    tailsMax: 10,
    volumeSeriesMax: 1000,
  },
};

/**
 * Without a configuration of Loki: the same but for the rates, which there are so low that one busy
 * service is throttled. What the store can't take it refuses by itself.
 */
export const DEFAULT_LOG_LIMITS: LogLimits = {
  ...LOKI_LIMITS,
  ingestionRate: 128 * MIB,
  ingestionBurst: 256 * MIB,
  streamRate: 64 * MIB,
  streamBurst: 128 * MIB,
};
