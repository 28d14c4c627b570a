/**
 * Which alerts fire, so that each beginning and each end is told once to those who keep the
 * history: also the end of an alert that nobody sends any more.
 */
import type { AlertEvents } from '../events.ts';
import type { AlertStore, StoredAlert } from './alertStore.ts';

export class FiringAlerts {
  readonly #alerts: AlertStore;
  readonly #events: AlertEvents | undefined;
  readonly #firing = new Set<string>();
  /** No end of a firing alert is before this time. */
  #nextEndMs = Infinity;

  /** What was firing when it was last heard of is known already. */
  constructor(alerts: AlertStore, events: AlertEvents | undefined) {
    this.#alerts = alerts;
    this.#events = events;
    for (const { fingerprint, endsAtMs, updatedAtMs } of alerts.all()) {
      if (endsAtMs <= updatedAtMs) continue;
      this.#firing.add(fingerprint);
      this.#nextEndMs = Math.min(this.#nextEndMs, endsAtMs);
    }
  }

  /** Called with every alert that was put. */
  note(alert: StoredAlert): void {
    const { fingerprint, endsAtMs } = alert;
    if (this.#alerts.isResolved(alert)) {
      if (this.#firing.delete(fingerprint)) this.#events?.resolved(alert);
      return;
    }
    this.#nextEndMs = Math.min(this.#nextEndMs, endsAtMs);
    if (this.#firing.has(fingerprint)) return;
    this.#firing.add(fingerprint);
    this.#events?.fired(alert);
  }

  /** Tells the ends that have come by themselves. */
  expire(nowMs: number): void {
    if (nowMs < this.#nextEndMs) return;
    this.#nextEndMs = Infinity;
    for (const key of this.#firing) {
      const alert = this.#alerts.get(key);
      if (alert !== undefined && alert.endsAtMs > nowMs) {
        this.#nextEndMs = Math.min(this.#nextEndMs, alert.endsAtMs);
        continue;
      }
      this.#firing.delete(key);
      if (alert !== undefined) this.#events?.resolved(alert);
    }
  }

  /** After the wall clock was set. */
  shift(jumpMs: number): void {
    this.#nextEndMs += jumpMs;
  }
}
