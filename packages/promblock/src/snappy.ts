/**
 * Unpacks a block of Snappy: the length of the result as a varint, then literals and copies of what
 * is there already. Throws TytoError `io` for bytes that are none.
 */
import { ByteCursor } from './byteCursor.ts';
import { damaged } from './damage.ts';

const LITERAL = 0;
const COPY_1 = 1;
const COPY_2 = 2;
/** Literals up to this length have it in their tag; longer ones in 1 to 4 bytes behind it. */
const SHORT_LITERAL_MAX = 60;

export function decodeSnappy(packed: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  const cursor = new ByteCursor(packed);
  const length = cursor.count(bytesMax, 'the length of packed bytes');
  // No element of Snappy gives more than 64 bytes for two.
  if (length > packed.length * 64) throw damaged('they claim to be too many');
  const target = new Uint8Array(length);
  let at = 0;
  while (cursor.left > 0) {
    const tag = cursor.byte();
    const kind = tag & 3;
    if (kind === LITERAL) {
      const count = literalLength(cursor, tag >>> 2);
      if (count > cursor.left || at + count > length) throw damaged('they do not fit together');
      target.set(packed.subarray(cursor.at, cursor.at + count), at);
      cursor.at += count;
      at += count;
      continue;
    }
    const count = kind === COPY_1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const offset = copyOffset(cursor, kind, tag);
    if (offset === 0 || offset > at || at + count > length) {
      throw damaged('they do not fit together');
    }
    // Byte by byte, because a copy may overlap what it writes.
    for (let i = 0; i < count; i++, at++) target[at] = target[at - offset];
  }
  if (at !== length) throw damaged('they end too soon');
  return target;
}

function literalLength(cursor: ByteCursor, code: number): number {
  if (code < SHORT_LITERAL_MAX) return code + 1;
  return 1 + littleEndian(cursor, code - SHORT_LITERAL_MAX + 1);
}

function copyOffset(cursor: ByteCursor, kind: number, tag: number): number {
  if (kind === COPY_1) return ((tag >>> 5) << 8) | cursor.byte();
  return littleEndian(cursor, kind === COPY_2 ? 2 : 4);
}

function littleEndian(cursor: ByteCursor, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += cursor.byte() * 256 ** i;
  return value;
}
