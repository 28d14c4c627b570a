/** Lets so many queries of logs run at once; more wait in their order, and too many are refused. */
import { TytoError } from '@tyto/base';

const RUNNING_MAX = 8;
const WAITING_MAX = 256;

export class LogGate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** Runs `work` when it is its turn. Rejects with TytoError `unavailable`. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= RUNNING_MAX) {
      if (this.#waiting.length >= WAITING_MAX) {
        throw new TytoError('unavailable', 'too many outstanding requests');
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
