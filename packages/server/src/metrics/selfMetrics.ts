/**
 * What Tyto says of itself, under Prometheus' and Alertmanager's own names where they exist, so
 * that the dashboards and alerts that people have for those go on working.
 */
import { readdir, readFile } from 'node:fs/promises';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { NotifyObserver } from '@tyto/alerting';
import type { Clock } from '@tyto/base';
import type { RefusedReason, ScrapeLimitName, ScrapeMetrics } from '@tyto/collect';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { VERSION } from '../version.ts';

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Whose counters are there before anything is sent, so that rates see the first failure. */
const INTEGRATIONS = [
  'discord',
  'email',
  'incidentio',
  'jira',
  'mattermost',
  'msteams',
  'msteamsv2',
  'opsgenie',
  'pagerduty',
  'pushover',
  'rocketchat',
  'slack',
  'sns',
  'telegram',
  'victorops',
  'webex',
  'webhook',
  'wechat',
];

type LabelledValue = readonly [labels: Record<string, string>, value: number];

export class SelfMetrics {
  readonly registry = new Registry();
  readonly scrape: ScrapeMetrics;
  readonly notify: NotifyObserver;
  readonly reloadSuccessful = this.#gauge(
    'prometheus_config_last_reload_successful',
    'Whether the last configuration reload attempt was successful.',
  );
  readonly reloadTimestamp = this.#gauge(
    'prometheus_config_last_reload_success_timestamp_seconds',
    'Timestamp of the last successful configuration reload.',
  );
  readonly httpRequests = new Counter({
    name: 'prometheus_http_requests_total',
    help: 'Counter of HTTP requests.',
    labelNames: ['handler', 'code'],
    registers: [this.registry],
  });
  readonly httpDuration = new Histogram({
    name: 'prometheus_http_request_duration_seconds',
    help: 'Histogram of latencies for HTTP requests.',
    labelNames: ['handler'],
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  });
  readonly queryDuration = new Summary({
    name: 'prometheus_engine_query_duration_seconds',
    help: 'Query timings',
    labelNames: ['slice'],
    percentiles: [0.5, 0.9, 0.99],
    maxAgeSeconds: 600,
    ageBuckets: 5,
    registers: [this.registry],
  });
  readonly queriesRunning = this.#gauge(
    'prometheus_engine_queries',
    'The current number of queries being executed or waiting.',
  );
  readonly queriesMax = this.#gauge(
    'prometheus_engine_queries_concurrent_max',
    'The max number of concurrent queries.',
  );

  constructor(clock: Clock) {
    const build = new Gauge({
      name: 'prometheus_build_info',
      help: "A metric with a constant '1' value labeled by version and runtime.",
      labelNames: ['version', 'revision', 'branch', 'goversion'],
      registers: [this.registry],
    });
    build.set(
      { version: VERSION, revision: 'tyto', branch: 'HEAD', goversion: process.version },
      1,
    );
    this.scrape = this.#scrapeMetrics();
    this.notify = this.#notifyMetrics();
    this.#processMetrics(clock);
  }

  /** A gauge whose value is asked for at each scrape. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  /** The value of a gauge without labels, for one that has the same under another name. */
  async valueOf(gauge: Gauge): Promise<number> {
    return (await gauge.get()).values[0]?.value ?? 0;
  }

  /** A counter that somebody else counts. */
  counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** A gauge or counter with labels, all of whose values are asked for at each scrape. */
  labelled(
    kind: 'gauge' | 'counter',
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<LabelledValue> | Promise<Iterable<LabelledValue>>,
  ): void {
    const options = { name, help, labelNames: [...labelNames], registers: [this.registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...options,
        async collect() {
          const values = await read();
          this.reset();
          for (const [labels, value] of values) this.set(labels, value);
        },
      });
    } else {
      new Counter({
        ...options,
        async collect() {
          const values = await read();
          this.reset();
          for (const [labels, value] of values) this.inc(labels, value);
        },
      });
    }
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  #scrapeMetrics(): ScrapeMetrics {
    const interval = new Summary({
      name: 'prometheus_target_interval_length_seconds',
      help: 'Actual intervals between scrapes.',
      labelNames: ['interval'],
      percentiles: [0.01, 0.05, 0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers: [this.registry],
    });
    const count = (name: string, help: string) =>
      new Counter({ name, help, registers: [this.registry] });
    const limits: Record<ScrapeLimitName, Counter> = {
      body_size: count(
        'prometheus_target_scrapes_exceeded_body_size_limit_total',
        'Total number of scrapes that hit the body size limit',
      ),
      sample: count(
        'prometheus_target_scrapes_exceeded_sample_limit_total',
        'Total number of scrapes that hit the sample limit and were rejected.',
      ),
      label: count(
        'prometheus_target_scrape_pool_exceeded_label_limits_total',
        'Total number of times scrape pools hit the label limits, during sync or config reload.',
      ),
      target: count(
        'prometheus_target_scrape_pool_exceeded_target_limit_total',
        'Total number of times scrape pools hit the target limit, during sync or config reload.',
      ),
    };
    const refused: Record<RefusedReason, Counter> = {
      out_of_order: count(
        'prometheus_target_scrapes_sample_out_of_order_total',
        'Total number of samples rejected due to not being out of the expected order.',
      ),
      duplicate: count(
        'prometheus_target_scrapes_sample_duplicate_timestamp_total',
        'Total number of samples rejected due to duplicate timestamps but different values.',
      ),
      out_of_bounds: count(
        'prometheus_target_scrapes_sample_out_of_bounds_total',
        'Total number of samples rejected due to timestamp falling outside of the time bounds.',
      ),
      series_limit: count(
        'tyto_scrapes_series_limit_total',
        'Samples rejected because the store takes no more series.',
      ),
    };
    const targets = new Gauge({
      name: 'prometheus_target_scrape_pool_targets',
      help: 'Current number of targets in this scrape pool.',
      labelNames: ['scrape_job'],
      registers: [this.registry],
    });
    return {
      onScrape(event) {
        if (event.actualIntervalMs === undefined) return;
        interval.observe(
          { interval: `${event.intervalMs / 1000}s` },
          event.actualIntervalMs / 1000,
        );
      },
      onLimitExceeded: (limit) => limits[limit].inc(),
      onRefused: (reason, samples) => refused[reason].inc(samples),
      onTargets(job, active) {
        if (active === 0) targets.remove({ scrape_job: job });
        else targets.set({ scrape_job: job }, active);
      },
    };
  }

  #notifyMetrics(): NotifyObserver {
    const labelNames = ['integration'];
    const registers = [this.registry];
    const total = new Counter({
      name: 'alertmanager_notifications_total',
      help: 'The total number of attempted notifications.',
      labelNames,
      registers,
    });
    const failed = new Counter({
      name: 'alertmanager_notifications_failed_total',
      help: 'The total number of failed notifications.',
      labelNames,
      registers,
    });
    const latency = new Histogram({
      name: 'alertmanager_notification_latency_seconds',
      help: 'The latency of notifications in seconds.',
      labelNames,
      buckets: [1, 5, 10, 15, 20],
      registers,
    });
    const requests = new Counter({
      name: 'alertmanager_notification_requests_total',
      help: 'The total number of attempted notification requests.',
      labelNames,
      registers,
    });
    const requestsFailed = new Counter({
      name: 'alertmanager_notification_requests_failed_total',
      help: 'The total number of failed notification requests.',
      labelNames,
      registers,
    });
    for (const integration of INTEGRATIONS) {
      for (const counter of [total, failed, requests, requestsFailed]) {
        counter.inc({ integration }, 0);
      }
    }
    return {
      attempt(integration, durationMs, isDelivered) {
        latency.observe({ integration }, durationMs / 1000);
        requests.inc({ integration });
        if (!isDelivered) requestsFailed.inc({ integration });
      },
      told(integration, wasTold) {
        total.inc({ integration });
        if (!wasTold) failed.inc({ integration });
      },
    };
  }

  #processMetrics(clock: Clock): void {
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    this.counter(
      'process_cpu_seconds_total',
      'Total user and system CPU time spent in seconds.',
      () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    );
    this.gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () =>
      process.memoryUsage.rss(),
    );
    const startSeconds = clock.nowMs() / 1000 - process.uptime();
    this.gauge(
      'process_start_time_seconds',
      'Start time of the process since unix epoch in seconds.',
      () => startSeconds,
    );
    this.gauge(
      'nodejs_heap_size_used_bytes',
      'Bytes of the JavaScript heap that are in use.',
      () => process.memoryUsage().heapUsed,
    );
    this.gauge(
      'nodejs_external_memory_bytes',
      'Bytes that JavaScript holds outside of its heap.',
      () => process.memoryUsage().external,
    );
    this.gauge(
      'nodejs_eventloop_lag_p99_seconds',
      '99th percentile of the delay of the event loop since the last scrape.',
      () => {
        const seconds = delay.percentile(99) / 1e9;
        delay.reset();
        return seconds;
      },
    );
    let last = performance.eventLoopUtilization();
    this.gauge(
      'nodejs_eventloop_utilization_ratio',
      'Share of time that the event loop was busy since the last scrape.',
      () => {
        const now = performance.eventLoopUtilization();
        const { utilization } = performance.eventLoopUtilization(now, last);
        last = now;
        return utilization;
      },
    );
    this.#asked('process_open_fds', 'Number of open file descriptors.', async () => {
      const names = await readdir('/proc/self/fd');
      return names.length;
    });
    this.#asked('process_max_fds', 'Maximum number of open file descriptors.', async () => {
      const match = /Max open files\s+(\d+)/.exec(await readFile('/proc/self/limits', 'utf8'));
      return match === null ? undefined : Number(match[1]);
    });
  }

  /** A gauge that may not be there on every system. */
  #asked(name: string, help: string, read: () => Promise<number | undefined>): void {
    const collect = async (gauge: Gauge) => {
      const value = await read().catch(() => undefined);
      if (value === undefined) gauge.reset();
      else gauge.set(value);
    };
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        return collect(this);
      },
    });
  }
}
