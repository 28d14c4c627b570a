/**
 * Numbers in exposition formats, read from bytes: what Go's ParseFloat takes, without hexadecimal
 * and underscores. Short decimals are exact by Clinger's fast path (mantissa below 2^53 and a power
 * of ten that a double holds exactly); all else goes through `Number`.
 */
import { TytoError } from '@tyto/base';
import { QUOTED_BYTES_MAX } from './limits.ts';

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const DIGITS_EXACT_MAX = 15;

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const ZERO = /^[+-]?[0.]+(?:[eE].*)?$/;

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;

/** The number in [start, end). Throws TytoError `bad_data` without a place. */
export function parseFloatBytes(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  const first = bytes[i];
  if (first === MINUS || first === PLUS) i++;
  let mantissa = 0;
  let digitCount = 0;
  let scale = -1;
  for (; i < end; i++) {
    const digit = bytes[i] - 48;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digitCount++;
      if (scale >= 0) scale++;
    } else if (bytes[i] === POINT && scale < 0) scale = 0;
    else break;
  }
  if (digitCount === 0 || digitCount > DIGITS_EXACT_MAX) return parseSlowly(bytes, start, end);
  let exponent = scale > 0 ? -scale : 0;
  if (i < end) {
    const written = smallExponent(bytes, i, end);
    if (written === undefined) return parseSlowly(bytes, start, end);
    exponent += written;
  }
  if (exponent < -22 || exponent > 22) return parseSlowly(bytes, start, end);
  const value =
    exponent < 0 ? mantissa / POWERS_OF_TEN[-exponent] : mantissa * POWERS_OF_TEN[exponent];
  return first === MINUS ? -value : value;
}

/** The exponent `e±dd` that fills [start, end), or undefined when it is something else. */
function smallExponent(bytes: Uint8Array, start: number, end: number): number | undefined {
  if ((bytes[start] | 32) !== 0x65) return undefined;
  let i = start + 1;
  const sign = bytes[i];
  if (sign === PLUS || sign === MINUS) i++;
  const length = end - i;
  if (length < 1 || length > 2) return undefined;
  let exponent = 0;
  for (; i < end; i++) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) return undefined;
    exponent = exponent * 10 + digit;
  }
  return sign === MINUS ? -exponent : exponent;
}

function parseSlowly(bytes: Uint8Array, start: number, end: number): number {
  const text = asciiText(bytes, start, end);
  if (DECIMAL.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value) || ZERO.test(text)) return value;
    throw new TytoError('bad_data', `the number "${text.slice(0, 40)}" is out of range`);
  }
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinity = INFINITY.exec(text);
  if (infinity !== null) return infinity[1] === '-' ? -Infinity : Infinity;
  const shown = JSON.stringify(text.slice(0, QUOTED_BYTES_MAX));
  throw new TytoError(
    'bad_data',
    `expected a number such as 1.5, 2e9, NaN or +Inf, found ${shown}`,
  );
}

/** Bytes as text, one character a byte; for numbers and messages. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** A value as exposition formats write it. */
export function formatFloat(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}
