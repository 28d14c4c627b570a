/** Randomness that a seed repeats: xorshift32, fast enough for a draw for each of 40 M samples. */

export class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A number from 0 to 1, 1 excluded. */
  next() {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 4294967296;
  }

  /**
   * A whole number below `limit`.
   * @param {number} limit
   */
  below(limit) {
    return Math.floor(this.next() * limit);
  }

  /**
   * As many hexadecimal digits.
   * @param {number} digits
   */
  hex(digits) {
    let text = '';
    while (text.length < digits) text += this.below(16).toString(16);
    return text;
  }
}
