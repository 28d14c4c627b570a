/** All jobs: applies configurations, and tells how the targets are doing. */
import { hostname } from 'node:os';
import { type Clock, type Logger, TytoError } from '@tyto/base';
import { Labels, type MetricMetadata, type MetricStore } from '@tyto/model';
import { DEFAULT_GLOBAL, type GlobalScrapeConfig } from '../config/globalConfig.ts';
import { DEFAULT_HTTP_CLIENT } from '../config/httpClientConfig.ts';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { type DiscoveryFiles, nodeDiscoveryFiles } from '../discovery/fileDiscoverer.ts';
import type { HttpClientFactory } from '../http/httpClient.ts';
import { NodeHttpClient } from '../http/nodeHttpClient.ts';
import { ScrapeLoop, type TargetHealth } from './scrapeLoop.ts';
import { noScrapeMetrics, type ScrapeMetrics } from './scrapeMetrics.ts';
import { type PoolPorts, ScrapePool } from './scrapePool.ts';
import { InternalSource, type InternalTarget } from './scrapeSource.ts';
import type { Target } from './target.ts';

export interface ScrapeManagerOptions {
  readonly store: MetricStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the header User-Agent: `Tyto/<version>`. */
  readonly version: string;
  /** The host under which others reach this machine; stands for localhost in global URLs. */
  readonly externalHost?: string | undefined;
  /** Decides when targets have their turns; the host's name unless given. */
  readonly seed?: string | undefined;
  readonly metrics?: ScrapeMetrics | undefined;
  readonly createHttpClient?: HttpClientFactory | undefined;
  readonly files?: DiscoveryFiles | undefined;
  /** Whether start times are stored with the samples: the feature `st-storage`. */
  readonly keepsStartTimes?: boolean | undefined;
}

export interface ActiveTarget {
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  /** The job's name. */
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  /** '' when the last scrape was good. */
  readonly lastError: string;
  /** 0 before the first scrape. */
  readonly lastScrapeMs: number;
  readonly lastScrapeDurationMs: number;
  readonly health: TargetHealth;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
}

export interface DroppedTarget {
  readonly discoveredLabels: Labels;
  readonly scrapePool: string;
}

export interface Targets {
  readonly active: readonly ActiveTarget[];
  readonly dropped: readonly DroppedTarget[];
  /** By job; counts also those that are not kept. */
  readonly droppedCounts: Readonly<Record<string, number>>;
}

export interface TargetMetadata {
  readonly labels: Labels;
  readonly metadata: ReadonlyMap<string, MetricMetadata>;
}

export class ScrapeManager {
  readonly #ports: PoolPorts;
  readonly #externalHost: string;
  readonly #pools = new Map<string, ScrapePool>();
  readonly #internal = new Map<string, ScrapeLoop>();
  /** Configurations are applied one after the other. */
  #applying: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ScrapeManagerOptions) {
    this.#externalHost = options.externalHost ?? hostname();
    this.#ports = {
      store: options.store,
      clock: options.clock,
      logger: options.logger,
      metrics: options.metrics ?? noScrapeMetrics,
      seed: options.seed ?? hostname(),
      files: options.files ?? nodeDiscoveryFiles,
      createHttpClient: options.createHttpClient ?? ((config) => new NodeHttpClient(config)),
      userAgent: `Tyto/${options.version}`,
      keepsStartTimes: options.keepsStartTimes ?? false,
    };
  }

  /** Makes these the jobs. What did not change runs on; resolves when the change is done. */
  async apply(jobs: readonly ScrapeConfig[]): Promise<void> {
    const done = this.#applying.then(() => this.#apply(jobs));
    this.#applying = done.catch(() => {});
    await done;
  }

  /**
   * Scrapes something in this process, from now on until it is removed. Interval and timeout are
   * those of `global` (the default one unless given).
   */
  addInternal(internal: InternalTarget, global: GlobalScrapeConfig = DEFAULT_GLOBAL): void {
    const key = internalKey(internal);
    if (this.#stopped) return;
    if (this.#internal.has(key)) {
      throw new TytoError('bad_data', `the internal target ${key} is there already`);
    }
    const config = internalConfig(internal, global);
    const target = createInternalTarget(internal, config);
    const loop = new ScrapeLoop(target, config, new InternalSource(internal), this.#ports);
    this.#internal.set(key, loop);
    loop.start();
  }

  /** Ends an internal target and its series. */
  async removeInternal(jobName: string, instance: string): Promise<void> {
    const key = internalKey({ jobName, instance });
    const loop = this.#internal.get(key);
    this.#internal.delete(key);
    await loop?.stop(true);
  }

  targets(): Targets {
    const active: ActiveTarget[] = [];
    const dropped: DroppedTarget[] = [];
    const droppedCounts: Record<string, number> = Object.create(null);
    for (const [scrapePool, pool] of this.#pools) {
      for (const loop of pool.loops()) active.push(this.#describe(loop, scrapePool));
      for (const discoveredLabels of pool.droppedTargets) {
        dropped.push({ discoveredLabels, scrapePool });
      }
      droppedCounts[scrapePool] = pool.droppedCount;
    }
    for (const loop of this.#internal.values()) {
      active.push(this.#describe(loop, loop.target.labels.get('job')));
    }
    return { active, dropped, droppedCounts };
  }

  /** The jobs that are scraped, with or without targets, and those of this process. */
  jobs(): ScrapeConfig[] {
    const internal = [...this.#internal.values()].map((loop) => loop.config);
    return [...[...this.#pools.values()].map((pool) => pool.config), ...internal];
  }

  /** What the targets say of their metrics, by metric name. */
  metadata(): TargetMetadata[] {
    const loops = [...this.#pools.values()].flatMap((pool) => pool.loops());
    return [...loops, ...this.#internal.values()].map((loop) => ({
      labels: loop.target.labels,
      metadata: loop.metadata,
    }));
  }

  /** Ends all loops; the series just stop, for a restart to go on with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#applying;
    const loops = [...this.#internal.values()].map((loop) => loop.stop(false));
    const pools = [...this.#pools.values()].map((pool) => pool.stop(false));
    await Promise.all([...loops, ...pools]);
  }

  async #apply(jobs: readonly ScrapeConfig[]): Promise<void> {
    if (this.#stopped) return;
    const names = new Set(jobs.map((job) => job.jobName));
    const changes: Promise<void>[] = [];
    for (const [name, pool] of this.#pools) {
      if (names.has(name)) continue;
      this.#pools.delete(name);
      changes.push(pool.stop(true));
      this.#ports.metrics.onTargets(name, 0);
    }
    for (const job of jobs) {
      const pool = this.#pools.get(job.jobName);
      if (pool === undefined) {
        const created = new ScrapePool(job, this.#ports);
        this.#pools.set(job.jobName, created);
        created.start();
      } else if (JSON.stringify(pool.config) !== JSON.stringify(job)) {
        changes.push(pool.reload(job));
      }
    }
    await Promise.all(changes);
  }

  #describe(loop: ScrapeLoop, scrapePool: string): ActiveTarget {
    const { target, status } = loop;
    return {
      discoveredLabels: target.discoveredLabels,
      labels: target.labels,
      scrapePool,
      scrapeUrl: target.url,
      globalUrl: globalUrl(target.url, this.#externalHost),
      lastError: status.lastError,
      lastScrapeMs: status.lastScrapeMs,
      lastScrapeDurationMs: status.lastScrapeDurationMs,
      health: status.health,
      scrapeIntervalMs: target.intervalMs,
      scrapeTimeoutMs: target.timeoutMs,
    };
  }
}

function globalUrl(url: string, externalHost: string): string {
  return url.replace(
    /^(https?:\/\/)(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/?]|$)/,
    `$1${externalHost}`,
  );
}

function internalKey(internal: Pick<InternalTarget, 'jobName' | 'instance'>): string {
  return `${internal.jobName}/${internal.instance}`;
}

function createInternalTarget(internal: InternalTarget, config: ScrapeConfig): Target {
  const { jobName, instance } = internal;
  const labels = Labels.of({ ...internal.labels, job: jobName, instance });
  return {
    key: labels.key,
    discoveredLabels: labels,
    labels,
    ...(internal.hasOwnLabels === true ? { sampleLabels: Labels.empty } : {}),
    url: `internal:${jobName}`,
    intervalMs: config.scrapeIntervalMs,
    timeoutMs: config.scrapeTimeoutMs,
  };
}

function internalConfig(internal: InternalTarget, global: GlobalScrapeConfig): ScrapeConfig {
  return {
    ...DEFAULT_GLOBAL,
    jobName: internal.jobName,
    scrapeIntervalMs: global.scrapeIntervalMs,
    scrapeTimeoutMs: global.scrapeTimeoutMs,
    scrapeProtocols: ['PrometheusText0.0.4'],
    fallbackScrapeProtocol: undefined,
    metricsPath: '/metrics',
    scheme: 'http',
    params: {},
    honorLabels: false,
    honorTimestamps: true,
    trackTimestampsStaleness: false,
    enableCompression: true,
    histograms: { readsNative: true, keepsClassic: true, convertsClassic: false },
    histogramBucketLimit: 0,
    histogramMinBucketFactor: 0,
    nameEscaping: 'allow-utf-8',
    http: DEFAULT_HTTP_CLIENT,
    staticConfigs: [],
    fileDiscoveries: [],
    httpDiscoveries: [],
    relabelConfigs: [],
    metricRelabelConfigs: [],
  };
}
