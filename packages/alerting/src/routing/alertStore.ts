/**
 * All alerts that were sent here and are not long over, by fingerprint. They are kept in the state
 * store too: after a restart one whose rule is quiet by then still ends, and its end is told.
 */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import { type Alert, Labels } from '@tyto/model';
import type { StateStore } from '../stateStore.ts';
import { fingerprint } from './fingerprint.ts';

export interface StoredAlert extends Alert {
  readonly fingerprint: string;
  readonly updatedAtMs: number;
}

const PREFIX = 'alert/';

/** Firing alerts kept at most; more would not be read by anybody and cost memory each. */
const ALERTS_MAX = 200_000;

export class AlertStore {
  readonly #clock: Clock;
  readonly #state: StateStore;
  readonly #logger: Logger;
  readonly #alerts = new Map<string, StoredAlert>();
  #rejected = 0;

  constructor(clock: Clock, state: StateStore, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.#state = state;
    for (const [, value] of state.entries(PREFIX)) {
      const alert = reviveAlert(value);
      if (alert !== undefined) this.#alerts.set(alert.fingerprint, alert);
    }
  }

  get rejected(): number {
    return this.#rejected;
  }

  all(): IterableIterator<StoredAlert> {
    return this.#alerts.values();
  }

  get(key: string): StoredAlert | undefined {
    return this.#alerts.get(key);
  }

  /** Whether an alert's end has passed. */
  isResolved(alert: Alert): boolean {
    return alert.endsAtMs <= this.#clock.nowMs();
  }

  /** Merges an alert with what is known of it. Undefined when there are too many. */
  put(alert: Alert): StoredAlert | undefined {
    const key = fingerprint(alert.labels);
    const known = this.#alerts.get(key);
    if (known === undefined && this.#alerts.size >= ALERTS_MAX) {
      this.#rejected++;
      return undefined;
    }
    // The same outage told again keeps its beginning.
    const overlaps = known !== undefined && alert.startsAtMs <= known.endsAtMs;
    const startsAtMs = overlaps ? Math.min(known.startsAtMs, alert.startsAtMs) : alert.startsAtMs;
    const updatedAtMs = this.#clock.nowMs();
    const stored = { ...alert, startsAtMs, fingerprint: key, updatedAtMs };
    this.#alerts.set(key, stored);
    if (known === undefined || isNews(known, stored, updatedAtMs))
      this.#keep(this.#persist(stored));
    return stored;
  }

  remove(key: string): void {
    if (this.#alerts.delete(key)) this.#keep(this.#state.remove(PREFIX + key));
  }

  /** An alert that cannot be kept is told all the same; only a restart would forget it. */
  #keep(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.#logger.error('cannot keep the state of an alert', { error: errorMessage(error) });
    });
  }

  #persist(alert: StoredAlert): Promise<void> {
    return this.#state.put(PREFIX + alert.fingerprint, {
      ...alert,
      labels: alert.labels.toRecord(),
      annotations: alert.annotations.toRecord(),
    });
  }
}

/** A firing alert that is only told again is not written each time, as long as its end is ahead. */
function isNews(known: StoredAlert, stored: StoredAlert, nowMs: number): boolean {
  const isOver = stored.endsAtMs <= nowMs;
  const wasOver = known.endsAtMs <= nowMs;
  return isOver !== wasOver || stored.endsAtMs - known.endsAtMs > 60_000;
}

function reviveAlert(value: unknown): StoredAlert | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const alert = value as Record<string, unknown>;
  const { labels, annotations, fingerprint: key } = alert;
  if (typeof labels !== 'object' || labels === null || typeof key !== 'string') return undefined;
  return {
    labels: Labels.of(labels as Record<string, string>),
    annotations: Labels.of((annotations ?? {}) as Record<string, string>),
    startsAtMs: Number(alert.startsAtMs),
    endsAtMs: Number(alert.endsAtMs),
    generatorUrl: String(alert.generatorUrl ?? ''),
    fingerprint: key,
    updatedAtMs: Number(alert.updatedAtMs),
  };
}
