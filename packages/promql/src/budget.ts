/**
 * What a running query may still use: samples in memory, time, and the patience of its caller.
 * Long loops ask `due()` once a series and await `pause()` when it says so.
 */
import { type Clock, TytoError } from '@tyto/base';
import { PACE_MS } from './limits.ts';
import type { SampleAccount } from './samplePool.ts';
import { nextTurn } from './turns.ts';

export interface BudgetOptions {
  readonly sampleLimit: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  /** Its part of what queries hold together. */
  readonly account?: SampleAccount | undefined;
}

export class QueryBudget {
  readonly #options: BudgetOptions;
  readonly #deadlineMs: number;
  #pausedAtMs: number;
  #held = 0;
  #pinned = 0;
  #peak = 0;
  #read = 0;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#pausedAtMs = options.clock.monotonicMs();
    this.#deadlineMs = this.#pausedAtMs + options.timeoutMs;
  }

  /** Samples and points in memory now, besides the pinned ones. */
  get held(): number {
    return this.#held;
  }

  /** Samples that were read from the store. */
  get read(): number {
    return this.#read;
  }

  noteRead(count: number): void {
    this.#read += count;
  }

  /** The most that were in memory at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Counts samples or points that the query holds. Throws `execution` beyond the limit. */
  acquire(count: number): void {
    this.settle(this.#held + count);
  }

  /** Counts samples that the query keeps to its end. */
  pin(count: number): void {
    this.#pinned += count;
    this.settle(this.#held);
  }

  /** Refuses what would be too much in passing, before it is allocated. */
  check(count: number): void {
    const held = this.#held;
    this.settle(held + count);
    this.settle(held);
  }

  /** Says how much is held now besides what is pinned, after temporary values are gone. */
  settle(held: number): void {
    this.#held = held;
    const total = held + this.#pinned;
    this.#options.account?.hold(total);
    if (total > this.#peak) this.#peak = total;
    if (total > this.#options.sampleLimit) {
      throw new TytoError(
        'execution',
        'query processing would load too many samples into memory in query execution',
      );
    }
  }

  /** Whether it is time to pause. Throws `timeout` or `canceled` when the query must end. */
  due(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const { signal } = this.#options;
    if (signal?.aborted === true) {
      // Whoever ended it may have said why.
      if (signal.reason instanceof TytoError) throw signal.reason;
      throw new TytoError('canceled', 'query was canceled in query execution');
    }
    if (nowMs > this.#deadlineMs) {
      throw new TytoError('timeout', 'query timed out in query execution');
    }
    return nowMs - this.#pausedAtMs >= PACE_MS;
  }

  /** Lets everything else run that waits. */
  async pause(): Promise<void> {
    await nextTurn();
    this.#pausedAtMs = this.#options.clock.monotonicMs();
  }

  /** The same for work that ends with a signal. */
  async waitFor<T>(
    signal: AbortSignal | undefined,
    work: (ended: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const end = () => controller.abort(signal?.reason);
    if (signal?.aborted === true) end();
    signal?.addEventListener('abort', end);
    try {
      return await this.wait(work(controller.signal));
    } catch (error) {
      controller.abort();
      throw error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  /** Waits for a store, no longer than the query may run. Throws as `due`. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const { clock, signal } = this.#options;
    let finish = () => {};
    const ended = new Promise<undefined>((resolve) => {
      finish = () => resolve(undefined);
    });
    const timer = clock.schedule(this.#deadlineMs - clock.monotonicMs() + 1, finish);
    signal?.addEventListener('abort', finish);
    let result: T | undefined;
    try {
      result = await Promise.race([work, ended]);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
    }
    // Answers that have come meanwhile go first, so this is no pause for everything else.
    if (this.due()) await this.pause();
    return result as T;
  }
}
