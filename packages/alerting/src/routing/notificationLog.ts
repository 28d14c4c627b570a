/** Who was told what, and when: what keeps a notification from being lost or doubled. */
import type { NotifyData } from '../notify/notification.ts';
import type { StateStore } from '../stateStore.ts';
import type { StoredAlert } from './alertStore.ts';

export interface LogEntry {
  readonly atMs: number;
  readonly expiresAtMs: number;
  /** Fingerprints of the alerts that were told as firing, and as resolved. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** What the integration wants to know the next time. */
  readonly data?: NotifyData;
}

const PREFIX = 'notified/';
/** Kept at least so long, as Alertmanager's data retention. */
const RETENTION_MS = 120 * 3600_000;

export class NotificationLog {
  readonly #state: StateStore;
  readonly #entries = new Map<string, LogEntry>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const [key, value] of state.entries(PREFIX)) {
      this.#entries.set(key.slice(PREFIX.length), value as LogEntry);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): LogEntry | undefined {
    return this.#entries.get(key);
  }

  /** Whether anybody was told that an alert of a group fires, and not that it is over. */
  knows(groupKey: string, fingerprint: string): boolean {
    for (const [key, entry] of this.#entries) {
      if (key.startsWith(`${groupKey}|`) && entry.firing.includes(fingerprint)) return true;
    }
    return false;
  }

  async put(
    key: string,
    firing: readonly StoredAlert[],
    resolved: readonly StoredAlert[],
    nowMs: number,
    repeatIntervalMs: number,
    data: NotifyData,
  ): Promise<void> {
    const entry: LogEntry = {
      atMs: nowMs,
      expiresAtMs: nowMs + Math.max(RETENTION_MS, 2 * repeatIntervalMs),
      firing: firing.map((alert) => alert.fingerprint),
      resolved: resolved.map((alert) => alert.fingerprint),
      data,
    };
    this.#entries.set(key, entry);
    await this.#state.put(PREFIX + key, entry);
  }

  /** Forgets what nobody will ask for any more. */
  async collect(nowMs: number): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAtMs > nowMs) continue;
      this.#entries.delete(key);
      await this.#state.remove(PREFIX + key);
    }
  }
}

export type NotifyReason =
  | 'first notification'
  | 'new alerts in group'
  | 'alerts resolved in group'
  | 'all alerts resolved in group'
  | 'repeat interval elapsed';

/** Why somebody is to be told, or undefined when they know all of it. */
export function reasonToNotify(
  entry: LogEntry | undefined,
  firing: readonly StoredAlert[],
  resolved: readonly StoredAlert[],
  sendResolved: boolean,
  repeatIntervalMs: number,
  nowMs: number,
): NotifyReason | undefined {
  if (entry === undefined) return firing.length > 0 ? 'first notification' : undefined;
  const toldFiring = new Set(entry.firing);
  if (firing.some((alert) => !toldFiring.has(alert.fingerprint))) return 'new alerts in group';
  if (firing.length === 0) {
    return entry.firing.length > 0 ? 'all alerts resolved in group' : undefined;
  }
  const toldResolved = new Set(entry.resolved);
  if (sendResolved && resolved.some((alert) => !toldResolved.has(alert.fingerprint))) {
    return 'alerts resolved in group';
  }
  // A clock that jumped back must not silence the repetition for good.
  const elapsedMs = nowMs - entry.atMs;
  return elapsedMs >= repeatIntervalMs || elapsedMs < 0 ? 'repeat interval elapsed' : undefined;
}
