/** What the server wants to know of scrapes, for `prometheus_target_*` and its like. */

export type ScrapeLimitName = 'body_size' | 'sample' | 'label' | 'target';

export type RefusedReason = 'out_of_order' | 'duplicate' | 'out_of_bounds' | 'series_limit';

export interface ScrapeEvent {
  readonly jobName: string;
  readonly intervalMs: number;
  /** Real time since the last scrape of this target; undefined for its first. */
  readonly actualIntervalMs: number | undefined;
  readonly durationMs: number;
  readonly healthy: boolean;
  readonly bodyBytes: number;
  readonly samplesScraped: number;
  readonly samplesPostRelabeling: number;
  readonly seriesAdded: number;
  /** Entries in the target's scrape cache. */
  readonly cachedSeries: number;
}

/** All calls come from the scrape loops and must not throw. */
export interface ScrapeMetrics {
  onScrape(event: ScrapeEvent): void;
  onLimitExceeded(limit: ScrapeLimitName, jobName: string): void;
  onRefused(reason: RefusedReason, count: number): void;
  /** After each change of a job's targets. */
  onTargets(jobName: string, activeCount: number): void;
}

export const noScrapeMetrics: ScrapeMetrics = {
  onScrape() {},
  onLimitExceeded() {},
  onRefused() {},
  onTargets() {},
};
