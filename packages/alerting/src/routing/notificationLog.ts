/** Who was told what, and when: what keeps a notification from being lost or doubled. */
import type { Clock } from '@tyto/base';
import type { NotifyData } from '../notify/notification.ts';
import type { StoredAlert } from './alertStore.ts';
import type { StateKeeper } from './stateKeeper.ts';

export interface LogEntry {
  readonly groupKey: string;
  readonly atMs: number;
  readonly expiresAtMs: number;
  /** Fingerprints of the alerts that were told as firing, and as resolved. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** What the integration wants to know the next time. */
  readonly data: NotifyData;
}

/** Whose entry it is. */
export interface LogKey {
  readonly groupKey: string;
  readonly receiver: string;
  readonly integration: string;
  readonly index: number;
}

const PREFIX = 'notified/';

export class NotificationLog {
  readonly #clock: Clock;
  readonly #keeper: StateKeeper;
  readonly #retentionMs: number;
  readonly #entries = new Map<string, LogEntry>();
  /** Keys of the entries of each group. */
  readonly #groups = new Map<string, Set<string>>();
  readonly #firingSets = new WeakMap<LogEntry, ReadonlySet<string>>();

  /** Entries are kept for `retentionMs` at least. */
  constructor(clock: Clock, keeper: StateKeeper, retentionMs: number) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.#retentionMs = retentionMs;
    const nowMs = clock.nowMs();
    for (const [key, value] of keeper.entries(PREFIX)) {
      const entry = reviveEntry(key.slice(PREFIX.length), value, nowMs);
      if (entry !== undefined) this.#set(key.slice(PREFIX.length), entry);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: LogKey): LogEntry | undefined {
    return this.#entries.get(textOf(key));
  }

  /** Whether anybody was told that an alert of a group fires, and not that it is over. */
  knows(groupKey: string, fingerprint: string): boolean {
    for (const key of this.#groups.get(groupKey) ?? []) {
      const entry = this.#entries.get(key);
      if (entry !== undefined && this.#firingOf(entry).has(fingerprint)) return true;
    }
    return false;
  }

  /** It counts as told at once. Resolves when that would survive; rejects with TytoError `io`. */
  put(
    key: LogKey,
    firing: readonly StoredAlert[],
    resolved: readonly StoredAlert[],
    repeatIntervalMs: number,
    data: NotifyData,
  ): Promise<void> {
    const nowMs = this.#clock.nowMs();
    return this.#write(textOf(key), {
      groupKey: key.groupKey,
      atMs: nowMs,
      expiresAtMs: nowMs + Math.max(this.#retentionMs, 2 * repeatIntervalMs),
      firing: firing.map((alert) => alert.fingerprint),
      resolved: resolved.map((alert) => alert.fingerprint),
      data,
    });
  }

  /** Keeps what an integration wants to know, and nothing of who was told. Rejects as `put`. */
  async putData(key: LogKey, data: NotifyData): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const none = { groupKey: key.groupKey, atMs: nowMs, firing: [], resolved: [] };
    const known = this.get(key) ?? { ...none, expiresAtMs: nowMs + this.#retentionMs };
    await this.#write(textOf(key), { ...known, data });
  }

  /** Forgets what nobody will ask for any more. */
  async collect(nowMs: number): Promise<void> {
    const old = [...this.#entries].filter(([, entry]) => entry.expiresAtMs <= nowMs);
    for (const [key, entry] of old) {
      this.#entries.delete(key);
      const keys = this.#groups.get(entry.groupKey);
      keys?.delete(key);
      if (keys?.size === 0) this.#groups.delete(entry.groupKey);
    }
    await this.#keeper.removeAll(old.map(([key]) => PREFIX + key));
  }

  /** After the wall clock was set: what was told some time ago was told that time ago. */
  shift(jumpMs: number): void {
    for (const [key, entry] of [...this.#entries]) {
      const [atMs, expiresAtMs] = [entry.atMs + jumpMs, entry.expiresAtMs + jumpMs];
      this.#entries.set(key, { ...entry, atMs, expiresAtMs });
    }
  }

  #write(key: string, entry: LogEntry): Promise<void> {
    this.#set(key, entry);
    return this.#keeper.put(PREFIX + key, () => entry);
  }

  #set(key: string, entry: LogEntry): void {
    this.#entries.set(key, entry);
    const keys = this.#groups.get(entry.groupKey) ?? new Set();
    this.#groups.set(entry.groupKey, keys.add(key));
  }

  #firingOf(entry: LogEntry): ReadonlySet<string> {
    let set = this.#firingSets.get(entry);
    if (set === undefined) {
      set = new Set(entry.firing);
      this.#firingSets.set(entry, set);
    }
    return set;
  }
}

function textOf({ groupKey, receiver, integration, index }: LogKey): string {
  return `${groupKey}|${receiver}/${integration}/${index}`;
}

/** A time ahead is of a clock that was wrong: it counts as now, so that the repetition comes. */
function reviveEntry(key: string, value: unknown, nowMs: number): LogEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entry = value as Partial<LogEntry>;
  const [atMs, expiresAtMs] = [Number(entry.atMs), Number(entry.expiresAtMs)];
  if (!Array.isArray(entry.firing) || !Array.isArray(entry.resolved)) return undefined;
  if (!Number.isFinite(atMs) || !Number.isFinite(expiresAtMs)) return undefined;
  return {
    groupKey: entry.groupKey ?? key.slice(0, key.lastIndexOf('|')),
    atMs: Math.min(atMs, nowMs),
    expiresAtMs,
    firing: entry.firing,
    resolved: entry.resolved,
    data: entry.data ?? {},
  };
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
  return nowMs - entry.atMs >= repeatIntervalMs ? 'repeat interval elapsed' : undefined;
}
