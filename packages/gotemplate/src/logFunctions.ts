/**
 * The functions of line_format and label_format: those of the sprig library that Loki takes, and
 * its own. Specification: Loki's documentation of template functions.
 */
import { compileSearch } from '@tyto/base';
import { fail, type TemplateFunction } from './execute.ts';
import { formatTime, isTimeZone } from './goTime.ts';
import { mathFunctions, toInt } from './mathFunctions.ts';
import { parseTime } from './parseTime.ts';
import { stringFunctions, textOf } from './stringFunctions.ts';
import { GoInt, GoTime, isTrue, print, type Value, ZERO_TIME_MS } from './values.ts';

/** What one call may make of a short text. */
const TEXT_LENGTH_MAX = 1024 * 1024;

/** Characters other than letters and digits separate words. */
const { title } = stringFunctions;

const texts: Readonly<Record<string, TemplateFunction>> = {
  lower: (text) => textOf(text).toLowerCase(),
  upper: (text) => textOf(text).toUpperCase(),
  title,
  trim: (text) => textOf(text).trim(),
  trimAll: (characters, text) => trimmed(textOf(text), textOf(characters), true, true),
  trimPrefix: (prefix, text) => withoutPrefix(textOf(text), textOf(prefix)),
  trimSuffix: (suffix, text) => withoutSuffix(textOf(text), textOf(suffix)),
  trunc: (count, text) => truncated(intOf(count), textOf(text)),
  substr: (start, end, text) => substring(intOf(start), intOf(end), textOf(text)),
  indent: (spaces, text) => indented(intOf(spaces), textOf(text)),
  nindent: (spaces, text) => `\n${indented(intOf(spaces), textOf(text))}`,
  replace: (old, replacement, text) =>
    bounded(textOf(text).replaceAll(textOf(old), () => textOf(replacement))),
  repeat: (count, text) => repeated(textOf(text), intOf(count)),
  contains: (part, text) => textOf(text).includes(textOf(part)),
  hasPrefix: (prefix, text) => textOf(text).startsWith(textOf(prefix)),
  hasSuffix: (suffix, text) => textOf(text).endsWith(textOf(suffix)),
  alignLeft: (count, text) => aligned(intOf(count), textOf(text), true),
  alignRight: (count, text) => aligned(intOf(count), textOf(text), false),
  default: (fallback, text) => (isTrue(text) ? text : fallback),
  b64enc: (text) => encodeBase64(textOf(text)),
  b64dec: (text) => decodeBase64(textOf(text)),
  urlencode: (text) => encodeURIComponent(wellFormed(textOf(text))).replaceAll('%20', '+'),
  urldecode: (text) => decodeUrl(textOf(text)),
  fromJson: (text) => fromJson(textOf(text)),
};

/** As they were called in the first versions: Go's own functions, with Go's order of arguments. */
const oldNames: Readonly<Record<string, TemplateFunction>> = {
  ToLower: (text) => textOf(text).toLowerCase(),
  ToUpper: (text) => textOf(text).toUpperCase(),
  Replace: (text, old, replacement, count) =>
    replaceSome(textOf(text), textOf(old), textOf(replacement), intOf(count)),
  Trim: (text, characters) => trimmed(textOf(text), textOf(characters), true, true),
  TrimLeft: (text, characters) => trimmed(textOf(text), textOf(characters), true, false),
  TrimRight: (text, characters) => trimmed(textOf(text), textOf(characters), false, true),
  TrimPrefix: (text, prefix) => withoutPrefix(textOf(text), textOf(prefix)),
  TrimSuffix: (text, suffix) => withoutSuffix(textOf(text), textOf(suffix)),
  TrimSpace: (text) => textOf(text).trim(),
};

const patterns: Readonly<Record<string, TemplateFunction>> = {
  regexReplaceAll: (pattern, text, replacement) =>
    stringFunctions.reReplaceAll(pattern, replacement, text),
  regexReplaceAllLiteral: (pattern, text, replacement) => {
    // A dollar sign stands for itself.
    const literal = textOf(replacement).replaceAll('$', '$$$$');
    return stringFunctions.reReplaceAll(pattern, literal, text);
  },
  count: (pattern, text) => {
    const matcher = compileSearch(textOf(pattern)).matcher(textOf(text));
    let count = 0;
    while (matcher.find()) count++;
    return new GoInt(count);
  },
};

const dates: Readonly<Record<string, TemplateFunction>> = {
  date: (layout, time) => formatTime(textOf(layout), timeOf(time)),
  toDate: (layout, text) => parsedTime(textOf(layout), textOf(text), 'UTC'),
  toDateInZone: (layout, zone, text) =>
    parsedTime(textOf(layout), textOf(text), knownZone(textOf(zone))),
  unixEpoch: (time) => String(Math.floor(timeOf(time).ms / 1000)),
  unixEpochMillis: (time) => String(timeOf(time).ms),
  unixEpochNanos: (time) => {
    const { ms, restNs } = timeOf(time);
    return String(BigInt(ms) * 1_000_000n + BigInt(restNs));
  },
  unixToTime: (epoch) => unixToTime(textOf(epoch)),
};

export const logFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...texts,
  ...oldNames,
  ...patterns,
  ...dates,
  ...mathFunctions,
};

function intOf(value: Value): number {
  return value instanceof GoInt || typeof value === 'number'
    ? toInt(value)
    : fail(`expected integer; found ${print(value).slice(0, 40)}`);
}

function bounded(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : fail(`a text is longer than ${TEXT_LENGTH_MAX}`);
}

function trimmed(text: string, characters: string, left: boolean, right: boolean): string {
  const cut = new Set(characters);
  let start = 0;
  let end = text.length;
  while (left && start < end && cut.has(text[start])) start++;
  while (right && end > start && cut.has(text[end - 1])) end--;
  return text.slice(start, end);
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function withoutSuffix(text: string, suffix: string): string {
  return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

function truncated(count: number, text: string): string {
  if (count >= 0) return text.slice(0, count);
  return text.length + count > 0 ? text.slice(count) : text;
}

function substring(start: number, end: number, text: string): string {
  if (start < 0) return text.slice(0, Math.max(0, end));
  if (end < 0 || end > text.length) return text.slice(start);
  return text.slice(start, Math.max(start, end));
}

function indented(spaces: number, text: string): string {
  const pad = ' '.repeat(Math.min(Math.max(0, spaces), 1000));
  return bounded(pad + text.replaceAll('\n', `\n${pad}`));
}

function repeated(text: string, count: number): string {
  if (count < 0) return fail('strings: negative Repeat count');
  if (text.length * count > TEXT_LENGTH_MAX) return fail('a text is repeated too often');
  return text.repeat(count);
}

function replaceSome(text: string, old: string, replacement: string, count: number): string {
  if (count < 0) return bounded(text.replaceAll(old, () => replacement));
  let left = count;
  return bounded(text.replaceAll(old, (found) => (left-- > 0 ? replacement : found)));
}

function aligned(count: number, text: string, isLeft: boolean): string {
  const characters = [...text];
  if (count < 0 || characters.length === count) return text;
  if (characters.length > count) {
    return (isLeft ? characters.slice(0, count) : characters.slice(-count || text.length)).join('');
  }
  const pad = repeated(' ', count - characters.length);
  return isLeft ? text + pad : pad + text;
}

function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, '\ufffd');
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function encodeBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += BASE64[group >> 18] + BASE64[(group >> 12) & 63];
    out += i + 1 < bytes.length ? BASE64[(group >> 6) & 63] : '=';
    out += i + 2 < bytes.length ? BASE64[group & 63] : '=';
  }
  return out;
}

/** Where it is no base64, the text tells so, as sprig does. */
function decodeBase64(text: string): string {
  try {
    const bytes = Uint8Array.from(atob(text.replace(/\s/g, '')), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return 'illegal base64 data';
  }
}

function decodeUrl(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return fail(`invalid URL escape in ${text.slice(0, 40)}`);
  }
}

function fromJson(text: string): Value {
  try {
    return fromJsonValue(JSON.parse(text));
  } catch {
    return '';
  }
}

function fromJsonValue(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJsonValue);
  if (typeof json !== 'object' || json === null) return json as Value;
  return new Map(Object.entries(json).map(([key, value]) => [key, fromJsonValue(value)]));
}

function timeOf(value: Value): GoTime {
  if (value instanceof GoTime) return value;
  if (value instanceof GoInt) return new GoTime(value.value * 1000);
  return fail(`wrong type for value; expected time.Time; got ${print(value).slice(0, 40)}`);
}

function knownZone(zone: string): string {
  return zone !== 'Local' && isTimeZone(zone) ? zone : 'UTC';
}

/** A time that does not fit the layout is Go's zero time. */
function parsedTime(layout: string, text: string, zone: string): GoTime {
  const ms = parseTime(layout, text);
  if (ms === undefined) return new GoTime(ZERO_TIME_MS);
  const saysZone = /MST|Z07|-07/.test(layout);
  if (zone === 'UTC' || saysZone) return new GoTime(ms, zone);
  // The text is on a clock of that zone.
  const offset = formatTime('-07:00', new GoTime(ms, zone));
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(offset) ?? ['', '+', '0', '0'];
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return new GoTime(sign === '-' ? ms + offsetMs : ms - offsetMs, zone);
}

/** How many digits tell which unit. */
const EPOCH_UNITS_NS: Readonly<Record<number, bigint>> = {
  5: 86_400_000_000_000n,
  10: 1_000_000_000n,
  13: 1_000_000n,
  16: 1000n,
  19: 1n,
};

function unixToTime(epoch: string): GoTime {
  const unitNs = EPOCH_UNITS_NS[epoch.length];
  if (unitNs === undefined || !/^\d+$/.test(epoch)) {
    return fail(`unable to parse time '${epoch.slice(0, 40)}'`);
  }
  const nanoseconds = BigInt(epoch) * unitNs;
  return new GoTime(Number(nanoseconds / 1_000_000n), 'UTC', Number(nanoseconds % 1_000_000n));
}
