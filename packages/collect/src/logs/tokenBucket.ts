/** A rate with a burst: tokens come at the rate, up to the burst; what is sent takes them. */

export class TokenBucket {
  #tokens: number;
  #atMs: number;

  constructor(burst: number, nowMs: number) {
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes them all or none. `rate` is tokens a second; 0 gives every time. */
  take(count: number, rate: number, burst: number, nowMs: number): boolean {
    if (rate <= 0) return true;
    const earned = ((nowMs - this.#atMs) / 1000) * rate;
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, earned));
    this.#atMs = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
