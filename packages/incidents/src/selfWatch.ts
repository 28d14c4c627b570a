/**
 * Watching ourselves: a heartbeat, so that somebody outside notices when Tyto is dead, and an alert
 * when a receiver cannot be told, which goes to another receiver.
 */
import { fingerprint, type NotifyAttempt, type StoredAlert } from '@tyto/alerting';
import { errorMessage, type Timer } from '@tyto/base';
import { type Alert, Labels } from '@tyto/model';
import type { IncidentsConfig } from './config.ts';
import type { History } from './history.ts';
import type { IncidentPorts } from './ports.ts';

export const FAILING_ALERT = 'TytoNotificationsFailing';

const RAISE_INTERVAL_MS = 60_000;
/** Some rounds may be missed before the alert counts as over. */
const VALID_MS = 5 * RAISE_INTERVAL_MS;
const HEARTBEAT_TIMEOUT_MS = 10_000;

interface Failing {
  readonly sinceMs: number;
  error: string;
}

export class SelfWatch {
  readonly #ports: IncidentPorts;
  readonly #history: History;
  readonly #config: () => IncidentsConfig;
  readonly #failing = new Map<string, Failing>();
  #beat: Timer | undefined;
  #raise: Timer | undefined;
  #round = 0;
  #stopped = false;

  constructor(ports: IncidentPorts, history: History, config: () => IncidentsConfig) {
    this.#ports = ports;
    this.#history = history;
    this.#config = config;
  }

  start(): void {
    this.#scheduleBeat();
    this.#scheduleRaise();
  }

  apply(): void {
    this.#scheduleBeat();
  }

  stop(): void {
    this.#stopped = true;
    this.#beat?.cancel();
    this.#raise?.cancel();
  }

  attempted({ receiver, outcome, error, atMs, integration }: NotifyAttempt): void {
    if (!this.#config().selfWatch.isFailureWatched) return;
    if (outcome !== 'delivered' && outcome !== 'failed') return;
    const key = `${receiver}\n${integration}`;
    const known = this.#failing.get(key);
    if (outcome === 'delivered') {
      if (known === undefined) return;
      this.#failing.delete(key);
      this.#send(receiver, integration, known, this.#ports.clock.nowMs());
      return;
    }
    if (known !== undefined) {
      known.error = error;
      return;
    }
    const failing = { sinceMs: atMs, error };
    this.#failing.set(key, failing);
    this.#send(receiver, integration, failing, undefined);
  }

  /** To where all alerts go, and at its begin and end to a receiver that works. */
  #send(
    receiver: string,
    integration: string,
    failing: Failing,
    endedMs: number | undefined,
  ): void {
    const alert = this.#alertOf(receiver, integration, failing, endedMs);
    this.#ports.raise(alert);
    const other = this.#otherThan(receiver);
    if (other === undefined) {
      this.#ports.logger.error('a receiver cannot be told, and there is no other to tell so', {
        receiver,
        error: failing.error,
      });
      return;
    }
    const key = fingerprint(alert.labels);
    const stored: StoredAlert = { ...alert, fingerprint: key, updatedAtMs: alert.startsAtMs };
    void this.#ports.tell(other, [stored], {
      groupKey: `self/${receiver}/${integration}`,
      groupLabels: Labels.of({ alertname: FAILING_ALERT, receiver }),
      reason: endedMs === undefined ? 'first notification' : 'all alerts resolved in group',
      links: undefined,
    });
  }

  #alertOf(
    receiver: string,
    integration: string,
    { sinceMs, error }: Failing,
    endedMs: number | undefined,
  ): Alert {
    return {
      labels: Labels.of({ alertname: FAILING_ALERT, receiver, integration, severity: 'critical' }),
      annotations: Labels.of({
        summary: `The receiver ${receiver} cannot be told of alerts (${integration})`,
        description: error,
      }),
      startsAtMs: sinceMs,
      endsAtMs: endedMs ?? this.#ports.clock.nowMs() + VALID_MS,
      generatorUrl: `${this.#ports.externalUrl}/alerts`,
    };
  }

  /** The one that is configured for it, or the one that was told last. */
  #otherThan(receiver: string): string | undefined {
    const { fallback } = this.#config().selfWatch;
    if (fallback !== '') return fallback === receiver ? undefined : fallback;
    const failing = new Set([...this.#failing.keys()].map((key) => key.split('\n')[0]));
    const known = new Set(this.#ports.receivers());
    return this.#history
      .all()
      .findLast(
        (one) =>
          one.outcome === 'delivered' &&
          one.receiver !== receiver &&
          known.has(one.receiver) &&
          !failing.has(one.receiver),
      )?.receiver;
  }

  #scheduleRaise(): void {
    this.#raise = this.#ports.clock.schedule(RAISE_INTERVAL_MS, () => {
      const receivers = new Set(this.#ports.receivers());
      for (const [key, failing] of this.#failing) {
        const [receiver, integration] = key.split('\n');
        // One that the configuration has no more fails no more.
        const isGone = !receivers.has(receiver);
        if (isGone) this.#failing.delete(key);
        const endedMs = isGone ? this.#ports.clock.nowMs() : undefined;
        this.#ports.raise(this.#alertOf(receiver, integration, failing, endedMs));
      }
      if (!this.#stopped) this.#scheduleRaise();
    });
  }

  /** Begins anew: of two beats under way only the last one goes on. */
  #scheduleBeat(): void {
    const { heartbeatUrl, heartbeatMs } = this.#config().selfWatch;
    const round = ++this.#round;
    this.#beat?.cancel();
    if (heartbeatUrl === '') return;
    const beat = () => {
      void this.#sendBeat(heartbeatUrl).finally(() => {
        if (this.#stopped || this.#round !== round) return;
        this.#beat = this.#ports.clock.schedule(heartbeatMs, beat);
      });
    };
    this.#beat = this.#ports.clock.schedule(0, beat);
  }

  async #sendBeat(url: string): Promise<void> {
    const { clock, externalUrl, logger } = this.#ports;
    const body = {
      status: 'firing',
      alertname: 'TytoHeartbeat',
      externalURL: externalUrl,
      at: new Date(clock.nowMs()).toISOString(),
    };
    await this.#ports.post(url, body, HEARTBEAT_TIMEOUT_MS).catch((error: unknown) => {
      logger.warn('the heartbeat did not arrive', { error: errorMessage(error) });
    });
  }
}
