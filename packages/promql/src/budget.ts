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
  readonly ending: AbortController;
  readonly clock: Clock;
  /** Its part of what queries hold together. */
  readonly account?: SampleAccount | undefined;
}

/** Within so many microtasks a store answers that has everything at hand; a timer costs more. */
const SOON_TURNS = 16;

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
    const { signal } = this.#options.ending;
    if (signal.aborted) {
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

  /** The same for work that ends with a signal: the query ends where it fails. */
  async waitFor<T>(work: (ended: AbortSignal) => Promise<T>): Promise<T> {
    const { ending } = this.#options;
    try {
      return await this.wait(work(ending.signal));
    } catch (error) {
      ending.abort(error);
      throw error;
    }
  }

  /** Waits for a store, no longer than the query may run. Throws as `due`. */
  async wait<T>(work: Promise<T>): Promise<T> {
    let isSettled = await settlesSoon(work);
    for (;;) {
      // Answers that have come meanwhile go first, so this is no pause for everything else.
      if (this.due()) await this.pause();
      if (isSettled) return await work;
      isSettled = await this.#settles(work);
    }
  }

  /** Whether the work has settled, once it has or the query must end. */
  async #settles(work: Promise<unknown>): Promise<boolean> {
    const { clock, ending } = this.#options;
    return await new Promise<boolean>((resolve) => {
      const finish = (isSettled: boolean) => {
        timer.cancel();
        ending.signal.removeEventListener('abort', end);
        resolve(isSettled);
      };
      const end = () => finish(false);
      const settle = () => finish(true);
      const timer = clock.schedule(this.#deadlineMs - clock.monotonicMs() + 1, end);
      ending.signal.addEventListener('abort', end);
      work.then(settle, settle);
    });
  }
}

async function settlesSoon(work: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  work.then(settle, settle);
  for (let turn = 0; turn < SOON_TURNS && !isSettled; turn++) await undefined;
  return isSettled;
}
