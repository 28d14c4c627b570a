/**
 * Alertmanager's fingerprint of a label set: FNV-1a 64 over name 0xff value 0xff, as 16 hex digits.
 * The hash is two halves of 32 bits, which are plain numbers: this runs for every alert that comes.
 */
import type { Labels } from '@tyto/model';

const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;
/** The prime is 2^40 and this. */
const PRIME_LOW = 0x1b3;
const TWO_32 = 2 ** 32;
const encoder = new TextEncoder();

export function fingerprint(labels: Labels): string {
  let high = OFFSET_HIGH;
  let low = OFFSET_LOW;
  for (const text of labels.pairs) {
    const bytes = encoder.encode(text);
    for (let i = 0; i <= bytes.length; i++) {
      const byte = i < bytes.length ? bytes[i] : 0xff;
      const mixed = (low ^ byte) >>> 0;
      const product = mixed * PRIME_LOW;
      high = (high * PRIME_LOW + Math.floor(product / TWO_32) + ((mixed << 8) >>> 0)) % TWO_32;
      low = product % TWO_32;
    }
  }
  return hex(high) + hex(low);
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
