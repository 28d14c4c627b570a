/**
 * Sends alerts on to the Alertmanagers that prometheus.yml names, beside Tyto's own routing, so
 * that a move from Prometheus costs nobody a page. Specification: Alertmanager's API v2.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { errorMessage, type Logger } from '@tyto/base';
import { type RelabelConfig, relabel } from '@tyto/collect';
import { type Alert, type AlertSink, Labels } from '@tyto/model';
import type { AlertmanagerTarget, PrometheusConfig } from './config/prometheusConfig.ts';

/** Alerts that wait for a slow Alertmanager; the oldest go first when there are more. */
const QUEUE_MAX = 10_000;
const BATCH_MAX = 256;

interface Destination {
  readonly url: string;
  readonly target: AlertmanagerTarget;
  readonly queue: Alert[];
  busy: boolean;
}

export class AlertForwarder implements AlertSink {
  readonly #logger: Logger;
  #destinations: Destination[] = [];
  #externalLabels = Labels.empty;
  #relabelConfigs: readonly RelabelConfig[] = [];
  sent = 0;
  failed = 0;
  dropped = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get urls(): string[] {
    return this.#destinations.map(({ url }) => url);
  }

  get queueLength(): number {
    return this.#destinations.reduce((sum, { queue }) => sum + queue.length, 0);
  }

  apply(config: PrometheusConfig): void {
    this.#externalLabels = config.externalLabels;
    this.#relabelConfigs = config.alertRelabelConfigs;
    this.#destinations = config.alertmanagers.flatMap((target) =>
      target.urls.map((url) => ({ url, target, queue: [], busy: false })),
    );
  }

  /** The alerts with external labels and after `alert_relabel_configs`. */
  labelled(alerts: readonly Alert[]): Alert[] {
    return alerts.flatMap((alert) => {
      const labels = this.#labelsOf(alert);
      return labels === undefined ? [] : [{ ...alert, labels }];
    });
  }

  send(alerts: readonly Alert[]): void {
    for (const destination of this.#destinations) {
      for (const alert of this.labelled(alerts)) {
        const labels = relabel(alert.labels, destination.target.alertRelabelConfigs);
        if (labels !== undefined) destination.queue.push({ ...alert, labels });
      }
      const excess = destination.queue.length - QUEUE_MAX;
      if (excess > 0) {
        destination.queue.splice(0, excess);
        this.dropped += excess;
      }
      if (!destination.busy) void this.#drain(destination);
    }
  }

  #labelsOf(alert: Alert): Labels | undefined {
    const merged = Labels.fromEntries([
      ...this.#externalLabels.entries(),
      ...alert.labels.entries(),
    ]);
    return relabel(merged, this.#relabelConfigs);
  }

  async #drain(destination: Destination): Promise<void> {
    destination.busy = true;
    while (destination.queue.length > 0) {
      const batch = destination.queue.splice(0, BATCH_MAX);
      try {
        await post(destination.url, batch, destination.target.timeoutMs);
        this.sent += batch.length;
      } catch (error) {
        // Firing alerts come again with the next resend; a queue of old ones helps nobody.
        this.failed += batch.length;
        this.#logger.warn('an Alertmanager of prometheus.yml took no alerts', {
          url: destination.url,
          alerts: batch.length,
          error: errorMessage(error),
        });
      }
    }
    destination.busy = false;
  }
}

function post(url: string, alerts: readonly Alert[], timeoutMs: number): Promise<void> {
  const body = JSON.stringify(
    alerts.map((alert) => ({
      labels: alert.labels.toRecord(),
      annotations: alert.annotations.toRecord(),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: new Date(alert.endsAtMs).toISOString(),
      generatorURL: alert.generatorUrl,
    })),
  );
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(Math.max(1, timeoutMs));
    const call = send(url, { method: 'POST', headers, signal }, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve();
      else reject(new Error(`unexpected status code ${status}`));
    });
    call.on('error', reject);
    call.end(body);
  });
}
