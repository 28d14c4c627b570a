/**
 * `scrape_configs`. A section is decoded alone first (`scrapeConfigSchema`), and completed when all
 * of them and `global` are known (`finishScrapeConfigs`): defaults are filled in, names compared.
 */
import { formatPlace, type Place, yaml } from '@tyto/base';
import type { HistogramOptions } from '@tyto/wire';
import { isClassicLabelTemplate, type RelabelConfig } from '../relabel/relabel.ts';
import { relabelConfigsSchema } from '../relabel/relabelSchema.ts';
import {
  type FileDiscoveryConfig,
  fileDiscoverySchema,
  type HttpDiscoveryConfig,
  httpDiscoverySchema,
  type StaticConfig,
  staticConfigSchema,
  UNSUPPORTED_DISCOVERIES,
} from './discoveryConfig.ts';
import { isNull } from './fields.ts';
import {
  type GlobalScrapeConfig,
  histogramFields,
  type NameEscaping,
  type NameValidation,
  SCRAPE_PROTOCOLS,
  type ScrapeLimits,
  type ScrapeProtocol,
  sharedScrapeFields,
  toHistogramOptions,
  toScrapeLimits,
} from './globalConfig.ts';
import { type HttpClientConfig, httpClientFields, toHttpClientConfig } from './httpClientConfig.ts';

/** One job, complete. Plain data, so that two of them can be compared. */
export interface ScrapeConfig extends ScrapeLimits {
  readonly jobName: string;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly fallbackScrapeProtocol: ScrapeProtocol | undefined;
  readonly metricsPath: string;
  readonly scheme: 'http' | 'https';
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly enableCompression: boolean;
  readonly extraScrapeMetrics: boolean;
  readonly histograms: HistogramOptions;
  /** The most buckets of a native histogram; 0 for no limit. */
  readonly histogramBucketLimit: number;
  /** The least factor from one bucket to the next; 0 for the finest that there is. */
  readonly histogramMinBucketFactor: number;
  readonly nameValidation: NameValidation;
  readonly nameEscaping: NameEscaping;
  readonly http: HttpClientConfig;
  readonly staticConfigs: readonly StaticConfig[];
  readonly fileDiscoveries: readonly FileDiscoveryConfig[];
  readonly httpDiscoveries: readonly HttpDiscoveryConfig[];
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly metricRelabelConfigs: readonly RelabelConfig[];
}

/** One job as its section writes it, with what `global` may still fill in left open. */
export interface ScrapeSection {
  readonly place: Place;
  readonly config: Omit<ScrapeConfig, OpenField>;
  readonly limits: ScrapeLimits;
  /** 0 where the section does not say. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly timeoutPlace: Place;
  readonly protocols: readonly ScrapeProtocol[] | undefined;
  readonly extraScrapeMetrics: boolean | undefined;
  histograms(fallback: HistogramOptions): HistogramOptions;
  readonly nameValidation: NameValidation | undefined;
  readonly nameEscaping: NameEscaping | undefined;
}

type OpenField =
  | keyof ScrapeLimits
  | 'scrapeIntervalMs'
  | 'scrapeTimeoutMs'
  | 'scrapeProtocols'
  | 'extraScrapeMetrics'
  | 'histograms'
  | 'nameValidation'
  | 'nameEscaping';

const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

const rawSchema = yaml.object(
  {
    ...sharedScrapeFields,
    ...histogramFields,
    native_histogram_bucket_limit: yaml.optional(yaml.integer(), 0),
    native_histogram_min_bucket_factor: yaml.optional(yaml.number(0), 0),
    ...httpClientFields,
    job_name: yaml.optional(yaml.string, ''),
    fallback_scrape_protocol: yaml.optional(yaml.oneOf(SCRAPE_PROTOCOLS)),
    metrics_path: yaml.optional(yaml.string, '/metrics'),
    scheme: yaml.optional(yaml.oneOf(['http', 'https']), 'http'),
    params: yaml.optional(yaml.record(yaml.list(yaml.string)), () => ({})),
    honor_labels: yaml.optional(yaml.boolean, false),
    honor_timestamps: yaml.optional(yaml.boolean, true),
    track_timestamps_staleness: yaml.optional(yaml.boolean, false),
    enable_compression: yaml.optional(yaml.boolean, true),
    static_configs: yaml.optional(yaml.list(staticConfigSchema), () => []),
    file_sd_configs: yaml.optional(yaml.list(fileDiscoverySchema), () => []),
    http_sd_configs: yaml.optional(yaml.list(httpDiscoverySchema), () => []),
    relabel_configs: yaml.optional(
      relabelConfigsSchema('target relabeling rule in scrape config'),
      () => [],
    ),
    metric_relabel_configs: yaml.optional(
      relabelConfigsSchema('metric relabeling rule in scrape config'),
      () => [],
    ),
  },
  { name: 'scrape config', ignored: UNSUPPORTED_DISCOVERIES },
);

/** One section of `scrape_configs`. */
export const scrapeConfigSchema: yaml.Schema<ScrapeSection> = (node, decoder) => {
  const raw = rawSchema(node, decoder);
  if (isNull(node)) decoder.error(node, 'empty or null scrape config section');
  else if (raw.job_name === '') decoder.error(node, 'job_name is empty: give the job a name');
  warnUnused(node, decoder);
  if (raw.relabel_configs.length === 0) checkAddresses(raw.static_configs, node, decoder);
  return {
    place: decoder.place(node),
    timeoutPlace: decoder.place(yaml.childNode(node, 'scrape_timeout')),
    limits: toScrapeLimits(raw),
    intervalMs: raw.scrape_interval,
    timeoutMs: raw.scrape_timeout,
    protocols: raw.scrape_protocols,
    extraScrapeMetrics: raw.extra_scrape_metrics,
    histograms: (fallback) => toHistogramOptions(raw, fallback),
    nameValidation: raw.metric_name_validation_scheme,
    nameEscaping: raw.metric_name_escaping_scheme,
    config: {
      jobName: raw.job_name,
      fallbackScrapeProtocol: raw.fallback_scrape_protocol,
      metricsPath: raw.metrics_path,
      scheme: raw.scheme,
      params: raw.params,
      honorLabels: raw.honor_labels,
      honorTimestamps: raw.honor_timestamps,
      trackTimestampsStaleness: raw.track_timestamps_staleness,
      enableCompression: raw.enable_compression,
      histogramBucketLimit: raw.native_histogram_bucket_limit,
      histogramMinBucketFactor: raw.native_histogram_min_bucket_factor,
      http: toHttpClientConfig(raw, node, decoder),
      staticConfigs: raw.static_configs,
      fileDiscoveries: raw.file_sd_configs,
      httpDiscoveries: raw.http_sd_configs,
      relabelConfigs: raw.relabel_configs,
      metricRelabelConfigs: raw.metric_relabel_configs,
    },
  };
};

/** Catches a URL where `host:port` belongs, unless relabelling may still turn it into one. */
function checkAddresses(
  configs: readonly StaticConfig[],
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  const list = yaml.childNode(node, 'static_configs');
  configs.forEach((config, index) => {
    for (const target of config.targets) {
      if (!target.includes('/')) continue;
      const message = `"${target}" is not a valid hostname`;
      const hint = 'write host:port, without a scheme or path';
      decoder.error(yaml.itemNode(list, index), `${message}; ${hint}`);
    }
  });
}

function warnUnused(node: yaml.YamlNode, decoder: yaml.Decoder): void {
  if (yaml.writesField(node, 'scrape_failure_log_file')) {
    const at = yaml.childNode(node, 'scrape_failure_log_file');
    const message = '"scrape_failure_log_file" is accepted but not used yet: see the target page';
    decoder.warn(at, message);
  }
}

/** The complete jobs, and what is wrong between sections, with the place of each. */
export function finishScrapeConfigs(
  sections: readonly ScrapeSection[],
  global: GlobalScrapeConfig,
): { jobs: ScrapeConfig[]; problems: yaml.Problem[] } {
  const problems: yaml.Problem[] = [];
  const report = (place: Place, message: string) =>
    problems.push({ severity: 'error', place, message });
  const seen = new Map<string, Place>();
  const jobs: ScrapeConfig[] = [];
  for (const section of sections) {
    const { jobName } = section.config;
    const before = seen.get(jobName);
    if (before !== undefined) {
      const elsewhere = formatPlace(before);
      const message = `found multiple scrape configs with job name "${jobName}"`;
      report(section.place, `${message}; the other one is at ${elsewhere}`);
    }
    seen.set(jobName, before ?? section.place);
    jobs.push(finish(section, global, report));
  }
  return { jobs, problems };
}

function finish(
  section: ScrapeSection,
  global: GlobalScrapeConfig,
  report: (place: Place, message: string) => void,
): ScrapeConfig {
  const { config, limits } = section;
  const name = config.jobName;
  const scrapeIntervalMs = section.intervalMs || global.scrapeIntervalMs;
  if (section.timeoutMs > scrapeIntervalMs) {
    const message = 'scrape timeout greater than scrape interval for scrape config with job name';
    report(section.timeoutPlace, `${message} "${name}"`);
  }
  const nameValidation = section.nameValidation ?? global.nameValidation;
  const fallbackEscaping = nameValidation === 'legacy' ? 'underscores' : 'allow-utf-8';
  const nameEscaping = section.nameEscaping ?? global.nameEscaping ?? fallbackEscaping;
  if (nameValidation === 'legacy') {
    if (section.nameEscaping === 'allow-utf-8') {
      const message = 'utf8 metric names requested but validation scheme is set to legacy';
      report(section.place, `${message} for scrape config with job name "${name}"`);
    }
    for (const step of [...config.relabelConfigs, ...config.metricRelabelConfigs]) {
      const target = step.targetLabel.source;
      if (target === '' || isClassicLabelTemplate(target)) continue;
      report(section.place, `"${target}" is invalid 'target_label' for ${step.action} action`);
    }
  }
  const histograms = section.histograms(global.histograms);
  return {
    ...config,
    ...mergeLimits(limits, global),
    scrapeIntervalMs,
    scrapeTimeoutMs: section.timeoutMs || Math.min(global.scrapeTimeoutMs, scrapeIntervalMs),
    scrapeProtocols: section.protocols ?? global.scrapeProtocols ?? defaultProtocols(histograms),
    extraScrapeMetrics: section.extraScrapeMetrics ?? global.extraScrapeMetrics,
    histograms,
    nameValidation,
    nameEscaping,
  };
}

/** Only protobuf holds native histograms. */
function defaultProtocols({ readsNative }: HistogramOptions): readonly ScrapeProtocol[] {
  return readsNative ? ['PrometheusProto', ...DEFAULT_PROTOCOLS] : DEFAULT_PROTOCOLS;
}

function mergeLimits(own: ScrapeLimits, global: ScrapeLimits): ScrapeLimits {
  return {
    bodySizeLimit: own.bodySizeLimit || global.bodySizeLimit,
    sampleLimit: own.sampleLimit || global.sampleLimit,
    targetLimit: own.targetLimit || global.targetLimit,
    labelLimit: own.labelLimit || global.labelLimit,
    labelNameLengthLimit: own.labelNameLengthLimit || global.labelNameLengthLimit,
    labelValueLengthLimit: own.labelValueLengthLimit || global.labelValueLengthLimit,
    keepDroppedTargets: own.keepDroppedTargets || global.keepDroppedTargets,
  };
}
