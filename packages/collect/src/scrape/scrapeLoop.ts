/**
 * One target, asked again and again. Turns are computed from the first one, so that they do not
 * drift; a turn that comes while the last scrape still runs is left out.
 */
import { type Clock, errorMessage, type Logger, type Timer, TytoError } from '@tyto/base';
import type { MetricMetadata, MetricStore, SeriesRef } from '@tyto/model';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { LabelLimitError, reportLabels } from './sampleLabels.ts';
import type { ScrapeMetrics } from './scrapeMetrics.ts';
import type { ScrapeSource } from './scrapeSource.ts';
import { SampleLimitError, ScrapeState } from './scrapeState.ts';
import { startOffsetMs, type Target } from './target.ts';

/** A timer that fires this late still counts as on time: its scrape gets the planned timestamp. */
const ALIGNMENT_MS_MAX = 20;

export type TargetHealth = 'up' | 'down' | 'unknown';

export interface LoopPorts {
  readonly store: MetricStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ScrapeMetrics;
  /** Spreads targets differently on each server. */
  readonly seed: string;
  /** Whether start times are stored with the samples. */
  readonly keepsStartTimes: boolean;
}

/** How a target is doing. */
export interface LoopStatus {
  readonly health: TargetHealth;
  /** '' when the last scrape was good. */
  readonly lastError: string;
  /** 0 before the first scrape. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
}

export class ScrapeLoop {
  readonly target: Target;
  /** When set, scrapes fail with it without asking the target. */
  forcedError: string | undefined;
  status: LoopStatus = {
    health: 'unknown',
    lastError: '',
    lastScrapeMs: 0,
    lastScrapeDurationMs: 0,
  };
  readonly #config: ScrapeConfig;
  readonly #source: ScrapeSource;
  readonly #ports: LoopPorts;
  readonly #state: ScrapeState;
  readonly #reportRefs = new Map<string, SeriesRef>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #abort: AbortController | undefined;
  #stopped = false;
  #nextMs = 0;
  #nextWallMs = 0;
  #lastStartMs: number | undefined;

  constructor(
    target: Target,
    config: ScrapeConfig,
    source: ScrapeSource,
    ports: LoopPorts,
    inherited: readonly SeriesRef[] = [],
  ) {
    this.target = target;
    this.#config = config;
    this.#source = source;
    this.#ports = ports;
    const labels = target.sampleLabels ?? target.labels;
    this.#state = new ScrapeState(config, labels, inherited, ports.keepsStartTimes);
  }

  get config(): ScrapeConfig {
    return this.#config;
  }

  get metadata(): ReadonlyMap<string, MetricMetadata> {
    return this.#state.metadata;
  }

  start(): void {
    const { clock, seed } = this.#ports;
    const delayMs = startOffsetMs(this.target, seed, clock.nowMs());
    this.#nextMs = clock.monotonicMs() + delayMs;
    this.#nextWallMs = clock.nowMs() + delayMs;
    this.#timer = clock.schedule(delayMs, () => this.#turn());
  }

  /**
   * Ends the loop. With `markStale` its series end now; without, they are left to a successor,
   * which gets them from `aliveRefs`, or to the end of the process.
   */
  async stop(markStale: boolean): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#abort?.abort();
    await this.#running;
    if (!markStale || this.status.lastScrapeMs === 0) return;
    const { store, clock, logger } = this.#ports;
    const appender = store.appender();
    const timeMs = Math.max(clock.nowMs(), this.status.lastScrapeMs + 1);
    this.#state.begin(appender, timeMs);
    this.#state.fail(appender);
    for (const ref of this.#reportRefs.values()) appender.appendStale(ref, timeMs);
    try {
      await appender.commit();
    } catch (error) {
      logger.error('cannot write stale markers', {
        url: this.target.url,
        reason: errorMessage(error),
      });
    }
  }

  /** The series that are alive; to be asked after `stop(false)`. */
  aliveRefs(): SeriesRef[] {
    return this.#state.aliveRefs();
  }

  #turn(): void {
    const { clock, logger } = this.#ports;
    const wallMs = clock.nowMs();
    const late = Math.abs(wallMs - this.#nextWallMs);
    const timeMs = late <= ALIGNMENT_MS_MAX ? Math.round(this.#nextWallMs) : wallMs;
    if (this.#running === undefined) {
      this.#running = this.#scrape(timeMs)
        .catch((error: unknown) => {
          const fields = { url: this.target.url, reason: errorMessage(error) };
          logger.error('cannot store a scrape', fields);
        })
        .finally(() => {
          this.#running = undefined;
        });
    }
    const { intervalMs } = this.target;
    const behind = Math.max(0, Math.floor((clock.monotonicMs() - this.#nextMs) / intervalMs));
    this.#nextMs += (behind + 1) * intervalMs;
    // The wall clock may have been set; then the rhythm starts anew from it.
    const delayMs = this.#nextMs - clock.monotonicMs();
    const planned = this.#nextWallMs + (behind + 1) * intervalMs;
    const jumped = Math.abs(planned - (wallMs + delayMs)) > ALIGNMENT_MS_MAX;
    this.#nextWallMs = jumped ? wallMs + delayMs : planned;
    this.#timer = clock.schedule(delayMs, () => this.#turn());
  }

  async #scrape(timeMs: number): Promise<void> {
    const { clock, store } = this.#ports;
    const startMs = clock.monotonicMs();
    let failure: unknown;
    let bodyBytes = 0;
    let appender = store.appender();
    this.#state.begin(appender, timeMs);
    try {
      const exposition = await this.#read();
      bodyBytes = exposition.body.length;
      try {
        this.#state.append(exposition.body, exposition.format);
      } finally {
        exposition.release?.();
      }
    } catch (error) {
      failure = error;
      appender.rollback();
      if (this.#stopped) {
        this.#state.cancel();
        return;
      }
      appender = store.appender();
      this.#state.abandon();
      this.#state.fail(appender);
      // As in Prometheus, -1 stands for a body beyond its limit.
      if (bodyBytes === 0 && error instanceof TytoError && error.kind === 'too_large')
        bodyBytes = -1;
    }
    const durationMs = clock.monotonicMs() - startMs;
    this.#report(appender, timeMs, durationMs, failure === undefined, bodyBytes);
    this.#observe(startMs, durationMs, failure, Math.max(0, bodyBytes));
    this.status = {
      health: failure === undefined ? 'up' : 'down',
      lastError: failure === undefined ? '' : printable(errorMessage(failure)),
      lastScrapeMs: timeMs,
      lastScrapeDurationMs: durationMs,
    };
    await appender.commit();
    this.#state.finish(failure === undefined);
  }

  async #read() {
    if (this.forcedError !== undefined) throw new TytoError('too_large', this.forcedError);
    const abort = new AbortController();
    this.#abort = abort;
    const timer = this.#ports.clock.schedule(this.target.timeoutMs, () => abort.abort());
    try {
      return await this.#source.read(abort.signal);
    } finally {
      timer.cancel();
    }
  }

  /** Appends the series about the scrape itself. */
  #report(
    appender: ReturnType<MetricStore['appender']>,
    timeMs: number,
    durationMs: number,
    healthy: boolean,
    bodyBytes: number,
  ): void {
    const { counts } = this.#state;
    const values: [string, number][] = [
      ['up', healthy ? 1 : 0],
      ['scrape_duration_seconds', durationMs / 1000],
      ['scrape_samples_scraped', counts.scraped],
      ['scrape_samples_post_metric_relabeling', counts.kept],
      ['scrape_series_added', counts.added],
    ];
    if (this.#config.extraScrapeMetrics) {
      values.push(['scrape_timeout_seconds', this.target.timeoutMs / 1000]);
      values.push(['scrape_sample_limit', this.#config.sampleLimit]);
      values.push(['scrape_body_size_bytes', bodyBytes]);
    }
    for (const [name, value] of values) {
      // Resolved each time: it is cheap for a few, and the store may have forgotten the reference.
      const ref = appender.series(reportLabels(name, this.target.labels));
      if (ref < 0) continue;
      this.#reportRefs.set(name, ref);
      appender.append(ref, timeMs, value);
    }
  }

  #observe(startMs: number, durationMs: number, failure: unknown, bodyBytes: number): void {
    const { metrics, logger } = this.#ports;
    const { counts } = this.#state;
    const { jobName } = this.#config;
    metrics.onScrape({
      jobName,
      intervalMs: this.target.intervalMs,
      actualIntervalMs: this.#lastStartMs === undefined ? undefined : startMs - this.#lastStartMs,
      durationMs,
      healthy: failure === undefined,
      bodyBytes,
      samplesScraped: counts.scraped,
      samplesPostRelabeling: counts.kept,
      seriesAdded: counts.added,
      cachedSeries: this.#state.cachedSeries,
    });
    this.#lastStartMs = startMs;
    const fields = { job: jobName, url: this.target.url };
    if (failure !== undefined) {
      if (failure instanceof SampleLimitError) metrics.onLimitExceeded('sample', jobName);
      else if (failure instanceof LabelLimitError) metrics.onLimitExceeded('label', jobName);
      else if (this.forcedError !== undefined) metrics.onLimitExceeded('target', jobName);
      else if (failure instanceof TytoError && failure.kind === 'too_large') {
        metrics.onLimitExceeded('body_size', jobName);
      }
      logger.debug('scrape failed', { ...fields, reason: errorMessage(failure) });
    }
    const refused = [
      ['out_of_order', counts.outOfOrder, 'out of order'],
      ['duplicate', counts.duplicates, 'with a second value for their timestamp'],
      ['out_of_bounds', counts.outOfBounds, 'too old or too far in the future'],
      ['series_limit', counts.seriesLimit, 'of new series beyond the limit of the store'],
    ] as const;
    for (const [reason, count, words] of refused) {
      if (count === 0) continue;
      metrics.onRefused(reason, count);
      logger.warn(`samples of a scrape were refused: ${words}`, { ...fields, count });
    }
  }
}

/** Control characters of garbage as escapes: the text goes to pages, terminals and logs. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
