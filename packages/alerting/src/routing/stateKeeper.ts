/**
 * Writes of alerts and of the notification log: each has a time within which it must be on disk.
 * What could not be written is kept here with its newest value, and tried again.
 */
import { type Clock, errorMessage, TytoError } from '@tyto/base';
import type { StateStore } from '../stateStore.ts';
import { STATE_WRITE_MS_MAX } from './limits.ts';

/** Tried again at once; more wait for the next time. */
const RETRIED_MAX = 10_000;
/** Removed at once; then other work has its turn. */
const REMOVED_MAX = 1000;

export class StateKeeper {
  readonly #clock: Clock;
  readonly #state: StateStore;
  /** By key, what is to be written; undefined for what is to be removed. */
  readonly #owed = new Map<string, () => unknown>();
  #writes = 0;
  #failures = 0;

  constructor(clock: Clock, state: StateStore) {
    this.#clock = clock;
    this.#state = state;
  }

  /** Writes that failed or took too long. */
  get failures(): number {
    return this.#failures;
  }

  /** Values that are not on disk yet and will be tried again. */
  get owedCount(): number {
    return this.#owed.size;
  }

  entries(prefix: string): Iterable<readonly [key: string, value: unknown]> {
    return this.#state.entries(prefix);
  }

  /**
   * Resolves when all values would survive the death of the process. Rejects with TytoError `io`
   * where one was not written in time; all are tried again by `retry`.
   */
  async putAll(entries: readonly (readonly [key: string, value: () => unknown])[]): Promise<void> {
    // Until it is written it is owed: a write that is slow may fail in the end.
    for (const [key, value] of entries) this.#owed.set(key, value);
    await this.#inTime([this.#write(entries)]);
  }

  async #write(entries: readonly (readonly [key: string, value: () => unknown])[]): Promise<void> {
    this.#writes++;
    try {
      await this.#state.putAll(entries.map(([key, value]) => [key, value()] as const));
    } finally {
      this.#writes--;
    }
    for (const [key, value] of entries) if (this.#owed.get(key) === value) this.#owed.delete(key);
  }

  put(key: string, value: () => unknown): Promise<void> {
    return this.putAll([[key, value]]);
  }

  /** The same of a value that is not used, and not tried again, unless it is on disk. */
  async putOrForget(key: string, value: unknown): Promise<void> {
    await this.#inTime([this.#state.put(key, value)]);
  }

  /** Rejects as `putAll`; what was not removed comes back with a restart, and goes again. */
  async removeAll(keys: readonly string[]): Promise<void> {
    for (let i = 0; i < keys.length; i += REMOVED_MAX) {
      const some = keys.slice(i, i + REMOVED_MAX);
      for (const key of some) this.#owed.delete(key);
      await this.#inTime(some.map((key) => this.#state.remove(key)));
    }
  }

  /** Tries again what is owed, some at a time, once the disk has answered. Rejects as `putAll`. */
  async retry(): Promise<void> {
    if (this.#writes > 0) return;
    const some = [...this.#owed].slice(0, RETRIED_MAX);
    if (some.length > 0) await this.putAll(some);
  }

  async #inTime(writes: Promise<unknown>[]): Promise<void> {
    let giveUp = () => {};
    const late = new Promise<never>((_, reject) => {
      const message = `the state was not written within ${STATE_WRITE_MS_MAX / 1000} s`;
      const timer = this.#clock.schedule(STATE_WRITE_MS_MAX, () => reject(new Error(message)));
      giveUp = () => timer.cancel();
    });
    try {
      await Promise.race([Promise.all(writes), late]);
    } catch (error) {
      this.#failures++;
      const reason = errorMessage(error);
      throw new TytoError('io', `cannot keep the state: ${reason}`, { cause: error });
    } finally {
      giveUp();
      // Those that fail later are owed already.
      void Promise.allSettled(writes);
    }
  }
}
