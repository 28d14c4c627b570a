/**
 * What decoders of logs tell: streams, and the entries of each right after it. Nothing is built
 * beside a line, its time and its metadata. Whoever visits keeps what it is told until the decoder
 * returns: it throws in the middle of a malformed body, of which nothing counts then.
 */
import { TytoError } from '@tyto/base';
import type { Labels } from '@tyto/model';

export interface LogVisitor {
  /** The labels as text, which the visitor parses: texts come again and again. */
  streamText(text: string): void;
  stream(labels: Labels): void;
  /** `metadata` of entries that follow one another may be the same object. */
  entry(timestampNs: bigint, line: string, lineBytes: number, metadata: Labels): void;
}

/** Senders pass on what programs print: a byte that is no UTF-8 must not cost a whole batch. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function decodeLossy(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** The bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    // Both halves of a pair count two, four together.
    bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** Throws TytoError `bad_data` with the reason of JSON.parse. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new TytoError('bad_data', `malformed JSON: ${message}`);
  }
}
