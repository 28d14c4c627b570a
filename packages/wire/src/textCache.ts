/**
 * Decodes short texts that come again and again, such as the names and values of labels. One that
 * was there lately is given as the same string, which is faster than decoding and saves memory.
 */
import { decodeText } from './seriesText.ts';

/** A slot holds the last text whose hash fell on it. */
const SLOTS = 8192;
const LENGTH_MAX = 64;

export class TextCache {
  readonly #slots = new Array<string>(SLOTS).fill('');

  /** Text of [start, end); throws TytoError `bad_data` when it is no UTF-8. */
  decode(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > LENGTH_MAX) return decodeText(bytes, start, end);
    let hash = length;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known.length === length && isAscii(bytes, start, known)) return known;
    const text = decodeText(bytes, start, end);
    this.#slots[slot] = text;
    return text;
  }
}

/** Whether the bytes are this text in ASCII. Others are decoded: their bytes are no characters. */
function isAscii(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[start + i];
    if (byte >= 0x80 || text.charCodeAt(i) !== byte) return false;
  }
  return true;
}
