/**
 * Sends alerts on to the Alertmanagers that prometheus.yml names, beside Tyto's own routing, so
 * that a move from Prometheus costs nobody a page. Specification: Alertmanager's API v2.
 */
import { type Clock, errorMessage, type Logger, TytoError } from '@tyto/base';
import {
  type HttpPoster,
  JobDiscovery,
  NodeHttpClient,
  nodeDiscoveryFiles,
  type RelabelConfig,
  relabel,
} from '@tyto/collect';
import { type Alert, type AlertSink, Labels } from '@tyto/model';
import { type AlertmanagerTarget, alertmanagerUrls } from './config/alertingConfig.ts';
import type { PrometheusConfig } from './config/prometheusConfig.ts';
import { VERSION } from './version.ts';

export interface AlertForwarderOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Alerts that wait for one slow Alertmanager; the oldest go first when there are more. */
  readonly queueMax?: number;
  /** Alerts of one request. */
  readonly batchMax?: number;
}

/** Prometheus' defaults. */
const QUEUE_MAX = 10_000;
const BATCH_MAX = 256;
/** An answer says little, and nobody reads more of it. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Of one warning; what else an Alertmanager answers is in its own log. */
const ANSWER_SHOWN_MAX = 300;
const USER_AGENT = `Tyto/${VERSION}`;

/** One address of an Alertmanager, with what waits for it. */
class Destination {
  readonly url: string;
  readonly queueMax: number;
  target: AlertmanagerTarget;
  client: HttpPoster;
  queue: Alert[] = [];
  sending: Promise<void> | undefined;
  sent = 0;
  failed = 0;
  dropped = 0;
  latencySeconds = 0;

  constructor(url: string, target: AlertmanagerTarget, client: HttpPoster, queueMax: number) {
    this.url = url;
    this.target = target;
    this.client = client;
    this.queueMax = queueMax;
  }

  get queueLength(): number {
    return this.queue.length;
  }
}

/** One section `alertmanagers` with what its discovery finds. */
interface Source {
  readonly target: AlertmanagerTarget;
  readonly client: NodeHttpClient;
  readonly discovery: JobDiscovery;
  urls: readonly string[];
  /** Whether all of its discoveries have looked once. */
  isComplete: boolean;
}

export class AlertForwarder implements AlertSink {
  readonly #options: AlertForwarderOptions;
  #sources: Source[] = [];
  /** Those of the configuration before, until all addresses of this one are known. */
  readonly #left: Source[] = [];
  #destinations = new Map<string, Destination>();
  #externalLabels = Labels.empty;
  #relabelConfigs: readonly RelabelConfig[] = [];

  constructor(options: AlertForwarderOptions) {
    this.#options = options;
  }

  get urls(): string[] {
    return [...this.#destinations.keys()];
  }

  get destinations(): readonly Destination[] {
    return [...this.#destinations.values()];
  }

  /** What waits for an address that stays is sent there with the new settings. */
  apply(config: PrometheusConfig): void {
    const { clock, logger } = this.#options;
    this.#externalLabels = config.externalLabels;
    this.#relabelConfigs = config.alerting.alertRelabelConfigs;
    for (const { discovery } of this.#sources) discovery.stop();
    this.#left.push(...this.#sources);
    this.#sources = config.alerting.alertmanagers.map((target) => {
      const ports = {
        clock,
        logger,
        files: nodeDiscoveryFiles,
        createHttpClient: (http: AlertmanagerTarget['http']) => new NodeHttpClient(http),
        userAgent: USER_AGENT,
      };
      const discovery = new JobDiscovery(target.discovery, ports, (groups, isComplete) => {
        source.urls = alertmanagerUrls(target, groups).urls;
        source.isComplete = isComplete;
        if (this.#sources.includes(source)) this.#sync();
      });
      const client = new NodeHttpClient(target.http);
      const source: Source = { target, client, discovery, urls: [], isComplete: false };
      return source;
    });
    for (const { discovery } of this.#sources) discovery.start();
    this.#sync();
  }

  /** The alerts with external labels and after `alert_relabel_configs`. */
  labelled(alerts: readonly Alert[]): Alert[] {
    return alerts.flatMap((alert) => {
      const labels = this.#labelsOf(alert);
      return labels === undefined ? [] : [{ ...alert, labels }];
    });
  }

  send(alerts: readonly Alert[]): void {
    if (this.#destinations.size === 0) return;
    const labelled = this.labelled(alerts);
    for (const destination of this.#destinations.values()) {
      for (const alert of labelled) {
        const labels = relabel(alert.labels, destination.target.alertRelabelConfigs);
        if (labels !== undefined) destination.queue.push({ ...alert, labels });
      }
      const excess = destination.queue.length - destination.queueMax;
      if (excess > 0) {
        destination.queue.splice(0, excess);
        destination.dropped += excess;
        const about = { url: destination.url, alerts: excess };
        this.#options.logger.warn('the queue of an Alertmanager is full; alerts are lost', about);
      }
      this.#start(destination);
    }
  }

  /** Waits until everything is sent, for `graceMs` at most. */
  async stop(graceMs: number): Promise<void> {
    for (const { discovery } of this.#sources) discovery.stop();
    const sending = this.destinations.map((destination) => destination.sending);
    let timer = { cancel() {} };
    const late = new Promise<void>((resolve) => {
      timer = this.#options.clock.schedule(graceMs, resolve);
    });
    await Promise.race([Promise.all(sending), late]);
    timer.cancel();
    for (const destination of this.#destinations.values()) {
      destination.dropped += destination.queue.length;
      destination.queue = [];
    }
    for (const { client } of [...this.#sources, ...this.#left]) client.close();
  }

  /** The destinations of what is found now. */
  #sync(): void {
    const before = this.#destinations;
    this.#destinations = new Map();
    for (const { target, client, urls } of this.#sources) {
      for (const url of urls) {
        if (this.#destinations.has(url)) continue;
        const { queueMax = QUEUE_MAX } = this.#options;
        const destination = before.get(url) ?? new Destination(url, target, client, queueMax);
        destination.target = target;
        destination.client = client;
        this.#destinations.set(url, destination);
      }
    }
    const isComplete = this.#sources.every((source) => source.isComplete);
    for (const [url, destination] of before) {
      if (this.#destinations.has(url)) continue;
      if (isComplete) destination.queue = [];
      else this.#destinations.set(url, destination);
    }
    if (isComplete) for (const { client } of this.#left.splice(0)) client.close();
  }

  #labelsOf(alert: Alert): Labels | undefined {
    const merged = Labels.fromEntries([
      ...this.#externalLabels.entries(),
      ...alert.labels.entries(),
    ]);
    return relabel(merged, this.#relabelConfigs);
  }

  #start(destination: Destination): void {
    if (destination.queue.length === 0) return;
    destination.sending ??= this.#drain(destination).finally(() => {
      destination.sending = undefined;
    });
  }

  async #drain(destination: Destination): Promise<void> {
    const { batchMax = BATCH_MAX, clock, logger } = this.#options;
    while (destination.queue.length > 0) {
      const batch = destination.queue.splice(0, batchMax);
      const startedMs = clock.monotonicMs();
      try {
        await post(destination, batch);
        destination.sent += batch.length;
      } catch (error) {
        // Firing alerts come again with the next resend; a queue of old ones helps nobody.
        destination.failed += batch.length;
        destination.dropped += batch.length;
        logger.warn('an Alertmanager of prometheus.yml took no alerts', {
          url: destination.url,
          alerts: batch.length,
          error: errorMessage(error),
        });
      }
      destination.latencySeconds = (clock.monotonicMs() - startedMs) / 1000;
    }
  }
}

async function post({ url, client, target }: Destination, alerts: readonly Alert[]): Promise<void> {
  const text = JSON.stringify(
    alerts.map((alert) => ({
      labels: alert.labels.toRecord(),
      annotations: alert.annotations.toRecord(),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: new Date(alert.endsAtMs).toISOString(),
      generatorURL: alert.generatorUrl,
    })),
  );
  const { status, body } = await client.post({
    url,
    headers: { 'User-Agent': USER_AGENT, 'Content-Type': 'application/json' },
    body: Buffer.from(text),
    signal: AbortSignal.timeout(Math.max(1, target.timeoutMs)),
    bodyBytesMax: ANSWER_BYTES_MAX,
    mayRepeat: true,
  });
  if (status >= 200 && status < 300) return;
  const answer = Buffer.from(body).toString('utf8').slice(0, ANSWER_SHOWN_MAX).trim();
  throw new TytoError('unavailable', `bad response status ${status}${answer && `: ${answer}`}`);
}
