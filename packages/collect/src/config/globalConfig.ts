/** What the section `global` says about scraping. The rest of that section is the server's. */
import { yaml } from '@tyto/base';
import type { HistogramOptions } from '@tyto/wire';
import { anything, sizeLimit } from './fields.ts';

export const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

export type NameValidation = 'utf8' | 'legacy';
export const NAME_ESCAPINGS = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type NameEscaping = (typeof NAME_ESCAPINGS)[number];

/** Limits of a scrape; 0 means none. */
export interface ScrapeLimits {
  readonly bodySizeLimit: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
}

export interface GlobalScrapeConfig extends ScrapeLimits {
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly scrapeProtocols: readonly ScrapeProtocol[] | undefined;
  readonly nameValidation: NameValidation;
  readonly nameEscaping: NameEscaping | undefined;
  readonly extraScrapeMetrics: boolean;
  readonly scrapeFailureLogFile: string;
  readonly histograms: HistogramOptions;
}

const SCRAPE_INTERVAL_MS = 60_000;
const SCRAPE_TIMEOUT_MS = 10_000;

/** What applies without a section `global`. */
export const DEFAULT_GLOBAL: GlobalScrapeConfig = {
  scrapeIntervalMs: SCRAPE_INTERVAL_MS,
  scrapeTimeoutMs: SCRAPE_TIMEOUT_MS,
  scrapeProtocols: undefined,
  nameValidation: 'utf8',
  nameEscaping: undefined,
  extraScrapeMetrics: false,
  scrapeFailureLogFile: '',
  histograms: { readsNative: false, keepsClassic: false, convertsClassic: false },
  bodySizeLimit: 0,
  sampleLimit: 0,
  targetLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  keepDroppedTargets: 0,
};

const protocolsSchema: yaml.Schema<ScrapeProtocol[]> = yaml.checked(
  yaml.list(yaml.oneOf(SCRAPE_PROTOCOLS)),
  (protocols, node, decoder) => {
    if (protocols.length === 0) decoder.error(node, 'scrape_protocols cannot be empty');
    const twice = protocols.find((protocol, i) => protocols.indexOf(protocol) !== i);
    if (twice !== undefined)
      decoder.error(node, `duplicated protocol in scrape_protocols: ${twice}`);
  },
);

/** Fields that `global` and a scrape config have in common; all may be left out. */
export const sharedScrapeFields = {
  scrape_interval: yaml.optional(yaml.duration, 0),
  scrape_timeout: yaml.optional(yaml.duration, 0),
  scrape_protocols: yaml.optional(protocolsSchema),
  scrape_failure_log_file: yaml.optional(yaml.string, ''),
  body_size_limit: yaml.optional(sizeLimit, 0),
  sample_limit: yaml.optional(yaml.integer(), 0),
  target_limit: yaml.optional(yaml.integer(), 0),
  label_limit: yaml.optional(yaml.integer(), 0),
  label_name_length_limit: yaml.optional(yaml.integer(), 0),
  label_value_length_limit: yaml.optional(yaml.integer(), 0),
  keep_dropped_targets: yaml.optional(yaml.integer(), 0),
  metric_name_validation_scheme: yaml.optional(yaml.oneOf(['utf8', 'legacy'])),
  metric_name_escaping_scheme: yaml.optional(yaml.oneOf(NAME_ESCAPINGS)),
  extra_scrape_metrics: yaml.optional(yaml.boolean),
};
export type SharedScrapeFields = yaml.ObjectOf<typeof sharedScrapeFields>;

/** What becomes of histograms; a job may override `global`. Undefined where nothing is said. */
export const histogramFields = {
  scrape_native_histograms: yaml.optional(yaml.boolean),
  convert_classic_histograms_to_nhcb: yaml.optional(yaml.boolean),
  always_scrape_classic_histograms: yaml.optional(yaml.boolean),
  // The name that Prometheus 2 has for it.
  scrape_classic_histograms: yaml.optional(yaml.boolean),
};

export function toHistogramOptions(
  raw: yaml.ObjectOf<typeof histogramFields>,
  fallback: HistogramOptions,
): HistogramOptions {
  const always = raw.always_scrape_classic_histograms ?? raw.scrape_classic_histograms;
  return {
    readsNative: raw.scrape_native_histograms ?? fallback.readsNative,
    keepsClassic: always ?? fallback.keepsClassic,
    convertsClassic: raw.convert_classic_histograms_to_nhcb ?? fallback.convertsClassic,
  };
}

/** What else `global` holds. The server decodes these from the same node with its own schema. */
const serverFields = {
  evaluation_interval: yaml.optional(anything),
  rule_query_offset: yaml.optional(anything),
  external_labels: yaml.optional(anything),
  query_log_file: yaml.optional(anything),
};

const rawSchema = yaml.object(
  { ...sharedScrapeFields, ...histogramFields, ...serverFields },
  { name: 'global' },
);

/** The section `global`; fields that are not about scraping are passed over. */
export const globalScrapeSchema: yaml.Schema<GlobalScrapeConfig> = (node, decoder) => {
  const raw = rawSchema(node, decoder);
  const scrapeIntervalMs = raw.scrape_interval || SCRAPE_INTERVAL_MS;
  if (raw.scrape_timeout > scrapeIntervalMs) {
    const at = yaml.childNode(node, 'scrape_timeout');
    decoder.error(at, 'global scrape timeout greater than scrape interval');
  }
  const nameValidation = raw.metric_name_validation_scheme ?? 'utf8';
  if (nameValidation === 'legacy' && raw.metric_name_escaping_scheme === 'allow-utf-8') {
    const at = yaml.childNode(node, 'metric_name_escaping_scheme');
    decoder.error(at, 'utf8 metric names requested but validation scheme is set to legacy');
  }
  return {
    ...toScrapeLimits(raw),
    scrapeIntervalMs,
    scrapeTimeoutMs: raw.scrape_timeout || Math.min(SCRAPE_TIMEOUT_MS, scrapeIntervalMs),
    scrapeProtocols: raw.scrape_protocols,
    nameValidation,
    nameEscaping: raw.metric_name_escaping_scheme,
    extraScrapeMetrics: raw.extra_scrape_metrics ?? false,
    scrapeFailureLogFile: raw.scrape_failure_log_file,
    histograms: toHistogramOptions(raw, DEFAULT_GLOBAL.histograms),
  };
};

export function toScrapeLimits(raw: SharedScrapeFields): ScrapeLimits {
  return {
    bodySizeLimit: raw.body_size_limit,
    sampleLimit: raw.sample_limit,
    targetLimit: raw.target_limit,
    labelLimit: raw.label_limit,
    labelNameLengthLimit: raw.label_name_length_limit,
    labelValueLengthLimit: raw.label_value_length_limit,
    keepDroppedTargets: raw.keep_dropped_targets,
  };
}
