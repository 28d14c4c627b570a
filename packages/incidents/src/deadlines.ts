/** The next moment at which each of many things is due, with one timer for all of them. */
import type { Clock, Timer } from '@tyto/base';

/** The wall clock may jump under a timer: it is looked at again at least so often. */
const LOOK_MS_MAX = 30_000;
/** Many that are due one after the other are looked at together. */
const LOOK_MS_MIN = 20;

export class Deadlines {
  readonly #clock: Clock;
  readonly #onDue: (id: string) => void;
  readonly #due = new Map<string, number>();
  #timer: Timer | undefined;
  #timerMs = Infinity;
  #stopped = false;

  constructor(clock: Clock, onDue: (id: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** `atMs` replaces what was set before; undefined for never. */
  set(id: string, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.#due.delete(id);
      return;
    }
    this.#due.set(id, atMs);
    if (atMs < this.#timerMs) this.#schedule(atMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(atMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    const nowMs = this.#clock.nowMs();
    const delayMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, atMs - nowMs));
    this.#timerMs = nowMs + delayMs;
    this.#timer = this.#clock.schedule(delayMs, () => this.#look());
  }

  #look(): void {
    this.#timerMs = Infinity;
    const nowMs = this.#clock.nowMs();
    const due = [...this.#due].filter(([, atMs]) => atMs <= nowMs).map(([id]) => id);
    for (const id of due) this.#due.delete(id);
    for (const id of due) this.#onDue(id);
    let next = Infinity;
    for (const atMs of this.#due.values()) next = Math.min(next, atMs);
    if (next < this.#timerMs) this.#schedule(next);
  }
}
