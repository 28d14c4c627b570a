/** The alphabet of the exposition formats: entries, bytes, what they may be part of, types. */
import type { MetricType } from '@tyto/model';
import { asciiText } from './floatText.ts';
import { QUOTED_BYTES_MAX } from './limits.ts';

export const ENTRY_END = 0;
export const ENTRY_SAMPLE = 1;
export const ENTRY_HELP = 2;
export const ENTRY_TYPE = 3;
export const ENTRY_UNIT = 4;
/** A native histogram. The text formats have none. */
export const ENTRY_HISTOGRAM = 5;
export type Entry = 0 | 1 | 2 | 3 | 4 | 5;

export const TEXT_TYPES: Readonly<Record<string, MetricType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  untyped: 'unknown',
};
export const OPENMETRICS_TYPES: Readonly<Record<string, MetricType>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  gaugehistogram: 'gaugehistogram',
  summary: 'summary',
  info: 'info',
  stateset: 'stateset',
  unknown: 'unknown',
};

export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const COMMA = 0x2c;
export const EQUAL = 0x3d;
export const BACKSLASH = 0x5c;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;

const KIND_LETTER = 1;
const KIND_COLON = 2;
export const KIND_DIGIT = 4;
/** What a byte may be part of: letters and `_`, `:`, digits. */
export const KINDS = new Uint8Array(256);
for (let i = 0; i < 256; i++) {
  const character = String.fromCharCode(i);
  if (/[a-zA-Z_]/.test(character)) KINDS[i] = KIND_LETTER;
  else if (character === ':') KINDS[i] = KIND_COLON;
  else if (/[0-9]/.test(character)) KINDS[i] = KIND_DIGIT;
}
export const METRIC_CHARACTERS = KIND_LETTER | KIND_COLON | KIND_DIGIT;
export const LABEL_CHARACTERS = KIND_LETTER | KIND_DIGIT;

/** What stands at `at`, as messages show it: the rest of its line, or that there is none. */
export function quoteRest(bytes: Uint8Array, at: number, end: number): string {
  if (at >= end) return 'the end of the text';
  const rest = asciiText(bytes, at, Math.min(at + QUOTED_BYTES_MAX, end));
  return JSON.stringify(rest.split('\n', 1)[0]);
}

/** Where the word at `start` ends: at a blank or newline, in the text format also at a brace. */
export function wordEnd(bytes: Uint8Array, start: number, end: number, strict: boolean): number {
  let i = start;
  while (i < end) {
    const byte = bytes[i];
    if (byte === SPACE || byte === NEWLINE) break;
    if (!strict && (byte === TAB || byte === BRACE_OPEN)) break;
    i++;
  }
  return i;
}
