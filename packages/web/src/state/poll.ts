/**
 * Data that keeps itself fresh. Readers of the same key share one entry and one request; the entry
 * asks again at its interval while somebody reads it, more slowly while the page is hidden, and
 * with growing pauses while the server fails. Old data stays visible beside an error, and an entry
 * outlives its readers for a while, so that going back to a page shows it at once.
 */

import { ApiError } from '@tyto/api';
import { useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { onRecovery } from './connection.ts';

/** Pauses after the first, second, … failure in a row; the last one repeats. */
const RETRY_MS: readonly number[] = [2000, 3000, 5000, 8000];
const HIDDEN_INTERVAL_MS = 30_000;
/** Entries without readers that are kept for going back. */
const IDLE_ENTRIES_MAX = 60;

export interface Polled<Data> {
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  readonly updatedMs: number | undefined;
}

export interface PollOptions {
  /** Undefined asks once. */
  readonly intervalMs: number | undefined;
}

type Load = (signal: AbortSignal) => Promise<unknown>;

const NOTHING: Polled<never> = { data: undefined, error: undefined, updatedMs: undefined };

class Entry {
  state: Polled<unknown> = NOTHING;
  load: Load;
  intervalMs: number | undefined;
  readonly #listeners = new Set<() => void>();
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failureCount = 0;

  constructor(load: Load, intervalMs: number | undefined) {
    this.load = load;
    this.intervalMs = intervalMs;
  }

  get hasReaders(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: () => void): () => void {
    const isFirst = this.#listeners.size === 0;
    this.#listeners.add(listener);
    if (isFirst && this.#isDue()) void this.refresh();
    else if (isFirst) this.#schedule();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  async refresh(): Promise<void> {
    this.#stop();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const data = await this.load(abort.signal);
      if (this.#abort !== abort) return;
      this.#failureCount = 0;
      this.#publish({ data, error: undefined, updatedMs: Date.now() });
    } catch (thrown) {
      if (this.#abort !== abort) return;
      const error = thrown instanceof ApiError ? thrown : new ApiError('internal', String(thrown));
      this.#failureCount++;
      this.#publish({ ...this.state, error });
    }
    this.#abort = undefined;
    if (this.hasReaders) this.#schedule();
  }

  #publish(state: Polled<unknown>): void {
    this.state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  #isDue(): boolean {
    const { updatedMs, error } = this.state;
    if (updatedMs === undefined || error !== undefined) return true;
    return this.intervalMs !== undefined && Date.now() - updatedMs >= this.intervalMs;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const delayMs = this.#delayMs();
    if (delayMs !== undefined) this.#timer = setTimeout(() => void this.refresh(), delayMs);
  }

  #delayMs(): number | undefined {
    if (this.#failureCount > 0) {
      return RETRY_MS[Math.min(this.#failureCount, RETRY_MS.length) - 1] ?? HIDDEN_INTERVAL_MS;
    }
    if (this.intervalMs === undefined) return undefined;
    return document.hidden ? Math.max(HIDDEN_INTERVAL_MS, this.intervalMs) : this.intervalMs;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = undefined;
  }
}

const entries = new Map<string, Entry>();

onRecovery(() => refreshWhere((entry) => entry.state.error !== undefined));

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) refreshWhere((entry) => entry.intervalMs !== undefined);
});

/** Asks for everything that is on the page again. */
export function refreshAll(): void {
  refreshWhere(() => true);
}

/**
 * The data behind `key`. `load` may differ from call to call, but for one key must always mean the
 * same; an undefined key reads nothing.
 */
export function usePoll<Data>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Data>,
  options: PollOptions,
): Polled<Data> {
  const { intervalMs } = options;
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });
  const subscribe = useCallback(
    (listener: () => void) => {
      if (key === undefined) return () => {};
      const entry = entryOf(key, (signal) => latest.current(signal), intervalMs);
      return entry.subscribe(listener);
    },
    [key, intervalMs],
  );
  const read = () => (key === undefined ? NOTHING : (entries.get(key)?.state ?? NOTHING));
  return useSyncExternalStore(subscribe, read) as Polled<Data>;
}

function entryOf(key: string, load: Load, intervalMs: number | undefined): Entry {
  const known = entries.get(key);
  if (known === undefined) {
    const entry = new Entry(load, intervalMs);
    entries.set(key, entry);
    forgetIdle();
    return entry;
  }
  known.load = load;
  known.intervalMs = intervalMs;
  return known;
}

function forgetIdle(): void {
  const idle = [...entries].filter(([, entry]) => !entry.hasReaders).map(([key]) => key);
  // The entry just made has no reader yet and is last, so it is never among the oldest.
  for (const key of idle.slice(0, Math.max(0, idle.length - IDLE_ENTRIES_MAX))) entries.delete(key);
}

function refreshWhere(applies: (entry: Entry) => boolean): void {
  for (const entry of entries.values()) {
    if (entry.hasReaders && applies(entry)) void entry.refresh();
  }
}
