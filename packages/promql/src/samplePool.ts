/**
 * What queries hold together. Each has an account in the pool, which is open for as long as its
 * samples are in memory: until its answer is sent, if it is one that is sent.
 */
import { TytoError } from '@tyto/base';
import { ACCOUNT_FREE_SAMPLES } from './limits.ts';

export class SamplePool {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  open(): SampleAccount {
    return new SampleAccount(this);
  }

  /** Throws `unavailable` where there is no room; then nothing has changed. */
  move(difference: number): void {
    const held = this.#held + difference;
    if (difference > 0 && held > this.#limit) {
      throw new TytoError(
        'unavailable',
        'query processing would load too many samples into memory in query execution: ' +
          `queries hold ${this.#held} of at most ${this.#limit} together; try again later`,
      );
    }
    this.#held = held;
  }
}

export class SampleAccount {
  readonly #pool: SamplePool;
  #counted = 0;
  #isClosed = false;

  constructor(pool: SamplePool) {
    this.#pool = pool;
  }

  /** Says how much the query holds now. Throws `unavailable` where that is too much for all. */
  hold(count: number): void {
    if (this.#isClosed) return;
    // What is small is answered while a few large queries hold everything.
    const counted = Math.max(0, count - ACCOUNT_FREE_SAMPLES);
    this.#pool.move(counted - this.#counted);
    this.#counted = counted;
  }

  close(): void {
    if (!this.#isClosed) this.#pool.move(-this.#counted);
    this.#isClosed = true;
  }
}
