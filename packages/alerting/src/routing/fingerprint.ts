/**
 * Alertmanager's fingerprint of a label set: FNV-1a 64 over name 0xff value 0xff, as 16 hex digits.
 * The hash is two halves of 32 bits, multiplied in integers of at most 32: this runs for every
 * alert that comes.
 */
import type { Labels } from '@tyto/model';

const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;
/** The prime is 2^40 and this. */
const PRIME_LOW = 0x1b3;
const SEPARATOR = 0xff;
const encoder = new TextEncoder();
const result = Buffer.alloc(8);

let high = 0;
let low = 0;

export function fingerprint(labels: Labels): string {
  high = OFFSET_HIGH | 0;
  low = OFFSET_LOW | 0;
  for (const text of labels.pairs) {
    let at = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) break;
      mix(code);
    }
    if (at < text.length) for (const byte of encoder.encode(text.slice(at))) mix(byte);
    mix(SEPARATOR);
  }
  result.writeInt32BE(high, 0);
  result.writeInt32BE(low, 4);
  return result.toString('hex');
}

function mix(byte: number): void {
  const mixed = low ^ byte;
  const lower = (mixed & 0xffff) * PRIME_LOW;
  const upper = (mixed >>> 16) * PRIME_LOW + (lower >>> 16);
  high = (Math.imul(high, PRIME_LOW) + (upper >>> 16) + (mixed << 8)) | 0;
  low = (upper << 16) | (lower & 0xffff);
}
