/**
 * Deliveries that are under way, noted before each begins. One that the end of the process cut off
 * may have arrived: it is told again, and the history says so.
 */
import type { Clock } from '@tyto/base';
import type { NotifyReason } from './notificationLog.ts';
import type { StateKeeper } from './stateKeeper.ts';

/** Of a delivery of more alerts, only the first are noted. */
export const NOTED_ALERTS_MAX = 100;

export interface DeliveryNote {
  readonly atMs: number;
  readonly receiver: string;
  readonly integration: string;
  readonly index: number;
  readonly groupKey: string;
  readonly reason: NotifyReason;
  readonly attempt: number;
  /** Fingerprints; no more than NOTED_ALERTS_MAX each. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
}

const PREFIX = 'delivering/';
const WRITE_MS_MAX = 1000;

export class DeliveriesUnderWay {
  readonly #clock: Clock;
  readonly #keeper: StateKeeper;
  #lastId = 0;
  #cutOff: DeliveryNote[] = [];
  #oldKeys: string[] = [];

  constructor(clock: Clock, keeper: StateKeeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    for (const [key, value] of keeper.entries(PREFIX)) {
      this.#lastId = Math.max(this.#lastId, Number(key.slice(PREFIX.length)));
      this.#cutOff.push(value as DeliveryNote);
      this.#oldKeys.push(key);
    }
  }

  /** Those that the end of the last process cut off; empty when it is asked again. */
  takeCutOff(): readonly DeliveryNote[] {
    const found = this.#cutOff;
    this.#cutOff = [];
    this.#forget(this.#oldKeys);
    this.#oldKeys = [];
    return found;
  }

  /**
   * Resolves with what ends it, when the note would survive the death of the process or cannot be
   * written soon: a disk that refuses keeps nobody from being told.
   */
  async begin(note: DeliveryNote): Promise<() => void> {
    const key = PREFIX + ++this.#lastId;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.schedule(WRITE_MS_MAX, resolve);
      // The keeper counts what could not be written.
      const written = this.#keeper.putOrForget(key, note).catch(() => {});
      void written.then(() => {
        timer.cancel();
        resolve();
      });
    });
    return () => this.#forget([key]);
  }

  #forget(keys: readonly string[]): void {
    this.#keeper.removeAll(keys).catch(() => {
      // What was not removed is told of after the next start, and removed then.
    });
  }
}
