/**
 * A job's configuration as YAML: what its file says, with what applies where it says nothing, and
 * without secrets.
 */
import { formatDuration, formatYaml, parseYaml } from '@tyto/base';
import type { ScrapeConfig } from '@tyto/collect';
import { hideSecrets } from './secrets.ts';

type Section = Readonly<Record<string, unknown>>;

/** `texts` are those of the files among which one may have the job. */
export function jobYaml(job: ScrapeConfig, texts: readonly string[]): string {
  const { job_name: _, ...written } = findSection(job.jobName, texts);
  return hideSecrets(formatYaml({ ...effective(job), ...written }));
}

function effective(job: ScrapeConfig): Section {
  return {
    job_name: job.jobName,
    honor_labels: job.honorLabels,
    honor_timestamps: job.honorTimestamps,
    track_timestamps_staleness: job.trackTimestampsStaleness,
    scrape_interval: formatDuration(job.scrapeIntervalMs),
    scrape_timeout: formatDuration(job.scrapeTimeoutMs),
    scrape_protocols: job.scrapeProtocols,
    scrape_native_histograms: job.histograms.readsNative,
    always_scrape_classic_histograms: job.histograms.keepsClassic,
    convert_classic_histograms_to_nhcb: job.histograms.convertsClassic,
    metrics_path: job.metricsPath,
    scheme: job.scheme,
    enable_compression: job.enableCompression,
    metric_name_validation_scheme: job.nameValidation,
    metric_name_escaping_scheme: job.nameEscaping,
    extra_scrape_metrics: job.extraScrapeMetrics,
    follow_redirects: job.http.followRedirects,
  };
}

/** As it is written; empty for a job of this process, which no file has. */
function findSection(name: string, texts: readonly string[]): Section {
  const sections = sectionsOf.get(texts) ?? texts.flatMap(readSections);
  sectionsOf.set(texts, sections);
  return (sections.find((section) => fieldOf(section, 'job_name') === name) ?? {}) as Section;
}

/** What was read of a configuration's texts, which are parsed once. */
const sectionsOf = new WeakMap<readonly string[], readonly unknown[]>();

function readSections(text: string): unknown[] {
  const file = parseYaml(text);
  return [file, fieldOf(file, 'prometheus')].flatMap((part) => {
    const configs = fieldOf(part, 'scrape_configs');
    return Array.isArray(configs) ? configs : [];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Section)[name];
}
