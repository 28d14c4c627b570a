/** Alertmanager's fingerprint of a label set: FNV-1a 64 over name 0xff value 0xff, as 16 hex digits. */
import type { Labels } from '@tyto/model';

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const encoder = new TextEncoder();

export function fingerprint(labels: Labels): string {
  let hash = OFFSET;
  const add = (byte: number) => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  };
  for (const text of labels.pairs) {
    for (const byte of encoder.encode(text)) add(byte);
    add(0xff);
  }
  return hash.toString(16).padStart(16, '0');
}
