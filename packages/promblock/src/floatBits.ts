/**
 * The bits of floats as two 32-bit words, so that the payload of a stale marker survives; a number
 * that is a NaN may lose it.
 */

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Which of the two words of a float in a Uint32Array is which. */
export const LOW = LITTLE_ENDIAN ? 0 : 1;
export const HIGH = 1 - LOW;

const scratch = new Float64Array(1);
const words = new Uint32Array(scratch.buffer);

export function floatOf(high: number, low: number): number {
  words[HIGH] = high;
  words[LOW] = low;
  return scratch[0];
}

export function highWord(value: number): number {
  scratch[0] = value;
  return words[HIGH];
}

export function lowWord(value: number): number {
  scratch[0] = value;
  return words[LOW];
}

/** Whether the words are Prometheus' stale marker. */
export function isStaleWords(high: number, low: number): boolean {
  return high >>> 0 === 0x7ff00000 && low >>> 0 === 2;
}
