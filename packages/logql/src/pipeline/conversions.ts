/** Texts of labels as numbers, and what is wrong with them in Go's words. */
import { parseBytes, parseGoDuration } from '@tyto/syntax';

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WORD = /^[+-]?(?:inf|infinity|nan)$/i;
const SHOWN_MAX = 100;

/** A number, or what is wrong. */
function readFloat(text: string): number | string {
  if (FLOAT.test(text)) return Number(text);
  if (WORD.test(text)) return wordValue(text);
  return `strconv.ParseFloat: parsing ${shown(text)}: invalid syntax`;
}

function wordValue(text: string): number {
  if (/nan/i.test(text)) return Number.NaN;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Nanoseconds, or what is wrong. */
function readDuration(text: string): number | string {
  return parseGoDuration(text) ?? `time: invalid duration ${shown(text)}`;
}

function readBytes(text: string): number | string {
  return parseBytes(text) ?? `unhandled size name: ${shown(text)}`;
}

/** How label filters and unwrap read a kind of number; durations are nanoseconds. */
export function numberReader(
  kind: 'number' | 'duration' | 'bytes',
): (text: string) => number | string {
  if (kind === 'number') return readFloat;
  return kind === 'duration' ? readDuration : readBytes;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_MAX));
}
