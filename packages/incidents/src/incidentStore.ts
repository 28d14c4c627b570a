/**
 * All incidents, in memory and in the state store. What changes in one turn of the event loop is
 * written once; `save` resolves when it would survive the death of the process.
 */
import type { StateStore } from '@tyto/alerting';
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import { firingAlerts, type Incident, isOpen, plainIncident, reviveIncident } from './incident.ts';
import { INCIDENTS_MAX, OVER_ALERTS_MAX } from './limits.ts';

const PREFIX = 'incident/';
const DAY_MS = 86_400_000;
/** What is only told about comes behind the notification log in the queue for the disk. */
const SOON_MS = 50;

export class IncidentStore {
  readonly #clock: Clock;
  readonly #state: StateStore;
  readonly #logger: Logger;
  /** In the order in which they first fired. */
  readonly #all = new Map<string, Incident>();
  readonly #byKey = new Map<string, Incident>();
  /** Of alerts that fire: also of those whose incident somebody closed by hand. */
  readonly #byFingerprint = new Map<string, Incident>();
  readonly #dirty = new Set<Incident>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** Whether an incident may be over: with none, a storm looks for one in vain each time. */
  #mayForget = true;
  #soon: Timer | undefined;

  constructor(clock: Clock, state: StateStore, logger: Logger) {
    this.#clock = clock;
    this.#state = state;
    this.#logger = logger;
    const revived = [...state.entries(PREFIX)].flatMap(([, value]) => reviveIncident(value) ?? []);
    revived.sort((a, b) => a.firstTriggeredAtMs - b.firstTriggeredAtMs);
    for (const incident of revived) this.#index(incident);
  }

  get size(): number {
    return this.#all.size;
  }

  all(): IterableIterator<Incident> {
    return this.#all.values();
  }

  get(id: string): Incident | undefined {
    return this.#all.get(id);
  }

  /** The newest incident of a key, open or over. */
  ofKey(key: string): Incident | undefined {
    return this.#byKey.get(key);
  }

  ofAlert(fingerprint: string): Incident | undefined {
    return this.#byFingerprint.get(fingerprint);
  }

  /** Makes room for one more; false when there are so many open ones that none is forgotten. */
  hasRoom(): boolean {
    return this.#all.size < INCIDENTS_MAX || (this.#mayForget && this.#forgetOldest());
  }

  /** To be asked for room before. */
  add(incident: Incident): void {
    this.#index(incident);
    this.saveLater(incident);
  }

  /** An alert belongs to an incident from now on. */
  attach(fingerprint: string, incident: Incident): void {
    this.#byFingerprint.set(fingerprint, incident);
  }

  detach(fingerprint: string): void {
    this.#byFingerprint.delete(fingerprint);
  }

  save(incident: Incident): Promise<void> {
    this.#dirty.add(incident);
    this.#mayForget ||= !isOpen(incident);
    // What changes while a write is under way is in the next one, however often it does.
    this.#next ??= this.#writing
      .catch(() => {
        // Whoever asked for that write was told.
      })
      .then(() => {
        this.#next = undefined;
        this.#writing = this.#write();
        return this.#writing;
      });
    return this.#next;
  }

  saveLater(incident: Incident): void {
    this.save(incident).catch((error: unknown) => {
      this.#logger.error('cannot keep an incident', { error: errorMessage(error) });
    });
  }

  /** For what nobody waits for, and what may be lost with the process. */
  saveSoon(incident: Incident): void {
    this.#dirty.add(incident);
    this.#soon ??= this.#clock.schedule(SOON_MS, () => {
      this.#soon = undefined;
      this.saveLater(incident);
    });
  }

  /** Writes at once what `saveSoon` would have. */
  flush(): void {
    this.#soon?.cancel();
    this.#soon = undefined;
    for (const incident of this.#dirty) this.saveLater(incident);
  }

  /** Forgets what has been over since before `horizonMs`, and most alerts of what is over. */
  collect(horizonMs: number): void {
    const overMs = this.#clock.nowMs() - DAY_MS;
    for (const incident of [...this.#all.values()]) {
      const { alerts, resolvedAtMs = Infinity } = incident;
      if (resolvedAtMs < overMs && alerts.length > OVER_ALERTS_MAX) {
        alerts.splice(OVER_ALERTS_MAX);
        this.saveSoon(incident);
      }
      if ((incident.resolvedAtMs ?? Infinity) < horizonMs && !isOpen(incident)) {
        this.#forget(incident);
      }
    }
  }

  #index(incident: Incident): void {
    this.#all.set(incident.id, incident);
    this.#byKey.set(incident.key, incident);
    for (const alert of firingAlerts(incident)) {
      this.#byFingerprint.set(alert.fingerprint, incident);
    }
  }

  #forgetOldest(): boolean {
    for (const incident of this.#all.values()) {
      if (isOpen(incident)) continue;
      this.#forget(incident);
      return true;
    }
    this.#mayForget = false;
    return false;
  }

  #forget(incident: Incident): void {
    this.#all.delete(incident.id);
    this.#dirty.delete(incident);
    if (this.#byKey.get(incident.key) === incident) this.#byKey.delete(incident.key);
    for (const { fingerprint } of incident.alerts) {
      if (this.#byFingerprint.get(fingerprint) === incident) this.detach(fingerprint);
    }
    this.#state.remove(PREFIX + incident.id).catch((error: unknown) => {
      this.#logger.error('cannot forget an incident', { error: errorMessage(error) });
    });
  }

  async #write(): Promise<void> {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    await this.#state.putAll(
      dirty.map((incident) => [PREFIX + incident.id, plainIncident(incident)] as const),
    );
  }
}
