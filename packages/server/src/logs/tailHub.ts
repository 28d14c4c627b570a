/**
 * Live tail: whoever follows a query is told of entries as they are stored. A follower that reads
 * slowly loses entries, and is told which; it never slows down those who write.
 */
import type { Clock, Timer } from '@tyto/base';
import type { Labels, LogStreamEntries } from '@tyto/model';
import type { LogqlEntry } from '@tyto/logql';
import type { Follow } from './logService.ts';

export interface FollowedEntry {
  readonly labels: Labels;
  readonly entry: LogqlEntry;
}

export interface FollowerOptions {
  readonly tenant: string;
  readonly follow: Follow;
  /** Entries are held back for so long and told in order of time. */
  readonly delayMs: number;
  /** Whether it takes more now. */
  isReady(): boolean;
  send(entries: readonly FollowedEntry[], dropped: readonly DroppedEntry[]): void;
}

export interface DroppedEntry {
  readonly timestampNs: bigint;
  readonly labels: Labels;
}

interface WaitingEntry extends FollowedEntry {
  readonly dueMs: number;
}

export interface Follower {
  close(): void;
}

/** Entries that wait for one follower. */
const WAITING_MAX = 10_000;
/** Of the entries that were lost so many are named. */
const DROPPED_MAX = 1000;
const SEND_MS = 200;
/** Entries in one message. */
const SENT_MAX = 1000;

export class TailHub {
  readonly #clock: Clock;
  readonly #followers = new Set<TailFollower>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#followers.size;
  }

  /** How many follow, of one tenant. */
  count(tenant: string): number {
    let count = 0;
    for (const follower of this.#followers) if (follower.tenant === tenant) count++;
    return count;
  }

  isFollowed(tenant: string): boolean {
    for (const follower of this.#followers) if (follower.tenant === tenant) return true;
    return false;
  }

  publish(tenant: string, streams: readonly LogStreamEntries[]): void {
    for (const follower of this.#followers) {
      if (follower.tenant !== tenant) continue;
      try {
        follower.take(streams);
      } catch {
        // What is stored is stored: whoever cannot follow it is let go.
        follower.close();
      }
    }
  }

  follow(options: FollowerOptions): Follower {
    const follower = new TailFollower(options, this.#clock, () => this.#followers.delete(follower));
    this.#followers.add(follower);
    return follower;
  }

  close(): void {
    for (const follower of [...this.#followers]) follower.close();
  }
}

class TailFollower implements Follower {
  readonly tenant: string;
  readonly #options: FollowerOptions;
  readonly #clock: Clock;
  readonly #onClose: () => void;
  #waiting: WaitingEntry[] = [];
  #dropped: DroppedEntry[] = [];
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: FollowerOptions, clock: Clock, onClose: () => void) {
    this.tenant = options.tenant;
    this.#options = options;
    this.#clock = clock;
    this.#onClose = onClose;
  }

  take(streams: readonly LogStreamEntries[]): void {
    const dueMs = this.#clock.monotonicMs() + this.#options.delayMs;
    for (const { labels, entries } of streams) {
      for (const entry of entries) {
        const wanted = this.#options.follow(labels, entry);
        if (wanted === undefined) continue;
        if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ ...wanted, dueMs });
        else if (this.#dropped.length < DROPPED_MAX) {
          this.#dropped.push({ timestampNs: entry.timestampNs, labels: wanted.labels });
        }
      }
    }
    if (this.#waiting.length > 0) this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#waiting = [];
    this.#onClose();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#clock.schedule(SEND_MS, () => this.#send());
  }

  #send(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    if (this.#options.isReady()) {
      const due: FollowedEntry[] = [];
      const rest: WaitingEntry[] = [];
      for (const entry of this.#waiting) {
        (entry.dueMs <= nowMs && due.length < SENT_MAX ? due : rest).push(entry);
      }
      due.sort((a, b) => (a.entry.timestampNs < b.entry.timestampNs ? -1 : 1));
      if (due.length > 0 || this.#dropped.length > 0) this.#options.send(due, this.#dropped);
      this.#dropped = [];
      this.#waiting = rest;
    }
    if (this.#waiting.length > 0) this.#schedule();
  }
}
