/**
 * The level of a log entry, as one of a few words whatever its program calls it: from the label or
 * metadata that says it, OpenTelemetry's number, a field of JSON or logfmt, or a word of the line.
 */
import type { Labels } from '@tyto/model';

export const LEVEL_LABEL = 'detected_level';
const UNKNOWN = 'unknown';

const WORDS: ReadonlyMap<string, string> = new Map([
  ['trace', 'trace'],
  ['trc', 'trace'],
  ['debug', 'debug'],
  ['dbg', 'debug'],
  ['info', 'info'],
  ['inf', 'info'],
  ['information', 'info'],
  ['informational', 'info'],
  ['warn', 'warn'],
  ['wrn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['err', 'error'],
  ['critical', 'critical'],
  ['crit', 'critical'],
  ['fatal', 'fatal'],
]);

/** Pino and Bunyan write numbers. */
const NUMBERS: ReadonlyMap<string, string> = new Map([
  ['10', 'trace'],
  ['20', 'debug'],
  ['30', 'info'],
  ['40', 'warn'],
  ['50', 'error'],
  ['60', 'fatal'],
]);

const FIELDS = ['level', 'log.level', 'severity', 'SeverityText', 'lvl', 'severity_text'];
const FIELD_NAMES = new Set(
  FIELDS.flatMap((name) => [name, name.toUpperCase(), name[0].toUpperCase() + name.slice(1)]),
);
const FIELD_NAMES_LIST = [...FIELD_NAMES];

const NAMES = '(?:log\\.level|level|severity(?:_?text)?|lvl)';
const JSON_FIELD = new RegExp(`"${NAMES}"\\s*:\\s*(?:"([^"\\\\]{1,32})"|([1-6]0)[,}\\s])`, 'i');
const LOGFMT_FIELD = new RegExp(`(?:^|\\s)${NAMES}=(?:"([^"\\\\]{1,32})"|([^\\s"]{1,32}))`, 'i');
/** A word of its own: in `information_schema` and `/errors` it says nothing. */
const LINE_WORDS = [
  'trace',
  'debug',
  'info',
  'warn',
  'warning',
  'error',
  'err',
  'critical',
  'fatal',
];
const SPELLINGS = LINE_WORDS.flatMap((word) => [
  word,
  word.toUpperCase(),
  word[0].toUpperCase() + word.slice(1),
]);
const LINE_WORD = new RegExp(`(?<![\\w/.-])(?:${SPELLINGS.join('|')})(?![\\w/-])`);
/** A line that is longer says its level in its beginning, or not at all. */
const WORD_LENGTH_MAX = 512;
const FIELD_LENGTH_MAX = 4096;

/** The level that labels say themselves; undefined where they don't. */
export function levelOfLabels(labels: Labels): string | undefined {
  const { pairs } = labels;
  for (let i = 0; i < pairs.length; i += 2) {
    // Most names are none of them, and more than one hardly ever is.
    if (!FIELD_NAMES.has(pairs[i])) continue;
    const name = FIELD_NAMES_LIST.find((field) => labels.has(field)) ?? pairs[i];
    return wordOf(labels.get(name)) ?? labels.get(name);
  }
  return undefined;
}

/** The level of OpenTelemetry's severity number, 1 to 24. */
export function levelOfSeverity(number: number): string {
  if (!(number >= 1 && number <= 24)) return UNKNOWN;
  return ['trace', 'debug', 'info', 'warn', 'error', 'fatal'][Math.floor((number - 1) / 4)];
}

export function levelOfLine(line: string): string {
  const head = line.length > FIELD_LENGTH_MAX ? line.slice(0, FIELD_LENGTH_MAX) : line;
  const isJson = line.charCodeAt(0) === 0x7b || /^\s*\{/.test(head);
  const field = isJson ? JSON_FIELD.exec(head) : head.includes('=') && LOGFMT_FIELD.exec(head);
  if (field) {
    const level = wordOf(field[1] ?? field[2]);
    if (level !== undefined) return level;
  }
  const start = head.length > WORD_LENGTH_MAX ? head.slice(0, WORD_LENGTH_MAX) : head;
  const word = LINE_WORD.exec(start)?.[0];
  return (word === undefined ? undefined : wordOf(word)) ?? UNKNOWN;
}

function wordOf(text: string): string | undefined {
  return WORDS.get(text) ?? WORDS.get(text.toLowerCase()) ?? NUMBERS.get(text);
}
