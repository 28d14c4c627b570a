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
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ASCII characters.
const IS_ASCII = /^[\x00-\x7f]*$/;
const encoder = new TextEncoder();

export function fingerprint(labels: Labels): string {
  let high = OFFSET_HIGH;
  let low = OFFSET_LOW;
  const mix = (byte: number) => {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * PRIME_LOW;
    // `>>> 0` is the remainder of a division by 2^32.
    high = (high * PRIME_LOW + Math.floor(product / TWO_32) + ((mixed << 8) >>> 0)) >>> 0;
    low = product >>> 0;
  };
  for (const text of labels.pairs) {
    if (IS_ASCII.test(text)) for (let i = 0; i < text.length; i++) mix(text.charCodeAt(i));
    else for (const byte of encoder.encode(text)) mix(byte);
    mix(0xff);
  }
  return hex(high) + hex(low);
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
