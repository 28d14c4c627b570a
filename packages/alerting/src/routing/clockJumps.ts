/**
 * Tells when the wall clock was set: by somebody, by NTP after a long time, or because the machine
 * slept. Ends of alerts and times of notifications move with it, so that neither all alerts end at
 * once nor all notifications are repeated.
 */
import type { Clock } from '@tyto/base';

/** Less is a clock that is being slewed, and harms nobody. */
const JUMP_MS_MIN = 10_000;

export class ClockJumps {
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = this.#offset();
  }

  /** By how much the clock was set since the last time this was asked; 0 for not at all. */
  take(): number {
    const jumpMs = this.#offset() - this.#offsetMs;
    if (Math.abs(jumpMs) < JUMP_MS_MIN) return 0;
    this.#offsetMs += jumpMs;
    return jumpMs;
  }

  #offset(): number {
    return this.#clock.nowMs() - this.#clock.monotonicMs();
  }
}
