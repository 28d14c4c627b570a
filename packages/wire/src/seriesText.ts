/**
 * Decodes the bytes of one series, `name{label="value",…}`, which the parser has walked over
 * already, into labels. Done once a series: a scrape cache knows its bytes from then on.
 */
import { TytoError } from '@tyto/base';
import { Labels, METRIC_NAME } from '@tyto/model';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUAL = 0x3d;
const BACKSLASH = 0x5c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/**
 * The labels of the series in [start, end), as the parser reported it. Throws TytoError `bad_data`
 * when a label is there twice or the text is no UTF-8.
 */
export function decodeSeries(bytes: Uint8Array, start: number, end: number): Labels {
  const pairs: string[] = [];
  let i = start;
  while (i < end && bytes[i] !== BRACE_OPEN && !isBlank(bytes[i])) i++;
  if (i > start) addPair(pairs, METRIC_NAME, decodeText(bytes, start, i));
  while (i < end && bytes[i] !== BRACE_OPEN) i++;
  i++;
  while (i < end) {
    while (i < end && (isBlank(bytes[i]) || bytes[i] === COMMA)) i++;
    if (i >= end || bytes[i] === BRACE_CLOSE) break;
    const nameStart = i;
    i = bytes[i] === QUOTE ? quotedEnd(bytes, i, end) : identifierEnd(bytes, i, end);
    const name = decodeName(bytes, nameStart, i);
    while (i < end && isBlank(bytes[i])) i++;
    if (bytes[i] !== EQUAL) {
      addPair(pairs, METRIC_NAME, name);
      continue;
    }
    i++;
    while (i < end && isBlank(bytes[i])) i++;
    const valueStart = i;
    i = quotedEnd(bytes, i, end);
    addPair(pairs, name, decodeQuoted(bytes, valueStart, i));
  }
  return Labels.fromSorted(withoutEmpty(pairs));
}

/** Text of [start, end); throws TytoError `bad_data` when it is no UTF-8. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch (error) {
    throw new TytoError('bad_data', 'the text is not valid UTF-8', { cause: error });
  }
}

/** An identifier, or a quoted string of any characters. */
export function decodeName(bytes: Uint8Array, start: number, end: number): string {
  return bytes[start] === QUOTE ? decodeQuoted(bytes, start, end) : decodeText(bytes, start, end);
}

/** Undoes `\\`, `\n` and `\"`; any other backslash stands for itself, as in Prometheus. */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(["\\n])/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
}

function decodeQuoted(bytes: Uint8Array, start: number, end: number): string {
  return unescapeText(decodeText(bytes, start + 1, end - 1));
}

/** Inserts in order of names; there are few, and expositions mostly have them in order. */
function addPair(pairs: string[], name: string, value: string): void {
  let at = pairs.length;
  while (at > 0 && pairs[at - 2] > name) at -= 2;
  if (at > 0 && pairs[at - 2] === name) {
    throw new TytoError('bad_data', `the label "${name}" is there twice`);
  }
  if (at === pairs.length) pairs.push(name, value);
  else pairs.splice(at, 0, name, value);
}

function withoutEmpty(pairs: string[]): string[] {
  for (let i = pairs.length - 2; i >= 0; i -= 2) {
    if (pairs[i + 1] === '') pairs.splice(i, 2);
  }
  return pairs;
}

function quotedEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start + 1;
  while (i < end && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return Math.min(i + 1, end);
}

function identifierEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i] !== EQUAL && bytes[i] !== BRACE_CLOSE && !isBlank(bytes[i])) i++;
  return i;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}
