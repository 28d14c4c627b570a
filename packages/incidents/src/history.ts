/** Every attempt to notify somebody, kept for a while: the newest in memory and the state store. */
import type { NotifyAttempt, StateStore } from '@tyto/alerting';
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import { shorten } from './incident.ts';
import { ATTEMPTS_MAX } from './limits.ts';

export interface AttemptRecord {
  /** Rises with each attempt. */
  readonly id: number;
  readonly atMs: number;
  readonly durationMs: number;
  readonly receiver: string;
  readonly integration: string;
  readonly reason: string;
  readonly outcome: NotifyAttempt['outcome'];
  readonly attempt: number;
  readonly error: string;
  readonly firing: number;
  readonly resolved: number;
  /** Names of the alerts, and their incidents; of many only the first. */
  readonly alertnames: readonly string[];
  readonly incidents: readonly string[];
}

const PREFIX = 'attempt/';
const NAMES_MAX = 10;
/** So that the notification log, which keeps people from being told twice, comes first. */
const SOON_MS = 50;

export class History {
  readonly #clock: Clock;
  readonly #state: StateStore;
  readonly #logger: Logger;
  #records: AttemptRecord[];
  #lastId: number;
  #unwritten: AttemptRecord[] = [];
  #soon: Timer | undefined;

  constructor(clock: Clock, state: StateStore, logger: Logger) {
    this.#clock = clock;
    this.#state = state;
    this.#logger = logger;
    this.#records = [...state.entries(PREFIX)].map(([, value]) => value as AttemptRecord);
    this.#records.sort((a, b) => a.id - b.id);
    this.#lastId = this.#records.at(-1)?.id ?? 0;
  }

  /** From the oldest to the newest. */
  all(): readonly AttemptRecord[] {
    return this.#records;
  }

  add(attempt: NotifyAttempt, incidents: readonly string[]): void {
    const alerts = [...attempt.firing, ...attempt.resolved];
    const names = new Set(alerts.map(({ labels }) => labels.get('alertname')));
    const record: AttemptRecord = {
      id: ++this.#lastId,
      atMs: attempt.atMs,
      durationMs: attempt.durationMs,
      receiver: attempt.receiver,
      integration: attempt.integration,
      reason: attempt.reason,
      outcome: attempt.outcome,
      attempt: attempt.attempt,
      error: shorten(attempt.error),
      firing: attempt.firing.length,
      resolved: attempt.resolved.length,
      alertnames: [...names].slice(0, NAMES_MAX),
      incidents: incidents.slice(0, NAMES_MAX),
    };
    this.#records.push(record);
    this.#unwritten.push(record);
    this.#soon ??= this.#clock.schedule(SOON_MS, () => this.flush());
    // A tenth more, so that the list is not copied for each.
    if (this.#records.length > ATTEMPTS_MAX * 1.1) this.#drop(this.#records.length - ATTEMPTS_MAX);
  }

  /** Writes at once what waits to be written. */
  flush(): void {
    this.#soon?.cancel();
    this.#soon = undefined;
    const records = this.#unwritten.splice(0);
    for (const record of records) this.#keep(this.#state.put(PREFIX + record.id, record));
  }

  collect(horizonMs: number): void {
    const kept = this.#records.findIndex(({ atMs }) => atMs >= horizonMs);
    this.#drop(kept < 0 ? this.#records.length : kept);
  }

  #drop(count: number): void {
    if (count === 0) return;
    const dropped = this.#records.slice(0, count);
    this.#records = this.#records.slice(count);
    for (const { id } of dropped) this.#keep(this.#state.remove(PREFIX + id));
  }

  #keep(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.#logger.error('cannot keep the history of notifications', {
        error: errorMessage(error),
      });
    });
  }
}
