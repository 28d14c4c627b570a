/** Go's notations of numbers and strings, as PromQL takes them. */

const DURATION_UNITS_S: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** The value of a number token that the lexer accepted, NaN-safe; undefined when malformed. */
export function parseNumber(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (lower === 'nan') return Number.NaN;
  if (/_(?!\d|[a-f])|__/.test(lower)) return undefined;
  const digits = lower.replaceAll('_', '');
  if (/^0x[0-9a-f]+$/.test(digits)) return Number(digits);
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  if (!/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(digits)) return undefined;
  return Number(digits);
}

/** Seconds of a duration token such as `1h30m`; undefined when the units are out of order. */
export function parseDurationSeconds(text: string): number | undefined {
  let milliseconds = 0;
  let previous = Number.POSITIVE_INFINITY;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) {
    const size = DURATION_UNITS_S[unit];
    if (size >= previous) return undefined;
    previous = size;
    milliseconds += Number(count) * Math.round(size * 1000);
  }
  return milliseconds / 1000;
}

/** The problem of a string literal. */
export class StringProblem extends Error {}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

/**
 * The text of a quoted string, its quotes included, as Go's unquote has it. Bytes written as \x
 * or octal escapes are decoded as UTF-8 together. Throws StringProblem.
 */
export function unquote(quoted: string): string {
  return decodeQuoted(quoted, (bytes) => new TextDecoder().decode(Uint8Array.from(bytes)));
}

/**
 * A quoted string as Go would quote it again, where its escapes stand for bytes that are no UTF-8;
 * undefined where they do not. Throws StringProblem.
 */
export function quoteInvalid(quoted: string): string | undefined {
  const text = decodeQuoted(quoted, decodeEscapingInvalid);
  return /[\udc80-\udcff]/u.test(text) ? quoteString(text) : undefined;
}

/** UTF-8 in which a byte that is none becomes half a surrogate pair: 0xff is U+DCFF. */
function decodeEscapingInvalid(bytes: readonly number[]): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    let length = bytes[at] < 0x80 ? 1 : bytes[at] < 0xe0 ? 2 : bytes[at] < 0xf0 ? 3 : 4;
    try {
      out += decoder.decode(Uint8Array.from(bytes.slice(at, at + length)));
    } catch {
      out += String.fromCharCode(0xdc00 + bytes[at]);
      length = 1;
    }
    at += length;
  }
  return out;
}

function decodeQuoted(quoted: string, decode: (bytes: readonly number[]) => string): string {
  const quote = quoted[0];
  const body = quoted.slice(1, -1);
  if (quote === '`') return body;
  if (!body.includes('\\')) return body;
  let out = '';
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length > 0) out += decode(bytes);
    bytes = [];
  };
  for (let i = 0; i < body.length; ) {
    if (body[i] !== '\\') {
      flush();
      out += body[i++];
      continue;
    }
    const found = readEscape(body, i + 1, quote);
    if (found.byte !== undefined) {
      bytes.push(found.byte);
    } else {
      flush();
      out += found.text;
    }
    i = found.end;
  }
  flush();
  return out;
}

interface Escape {
  readonly text: string;
  readonly byte: number | undefined;
  readonly end: number;
}

/** Reads the escape whose letter stands at `at`. */
function readEscape(body: string, at: number, quote: string): Escape {
  const letter = body[at];
  const simple = letter === quote ? quote : SIMPLE_ESCAPES[letter];
  if (simple !== undefined) return { text: simple, byte: undefined, end: at + 1 };
  const numeric = (pattern: RegExp, radix: number, skip: number): number => {
    const digits = pattern.exec(body.slice(at + skip))?.[0];
    if (digits === undefined) throw new StringProblem('invalid escape sequence');
    return Number.parseInt(digits, radix);
  };
  if (letter === 'x') return { text: '', byte: numeric(/^[0-9a-fA-F]{2}/, 16, 1), end: at + 3 };
  if (letter >= '0' && letter <= '7') {
    return { text: '', byte: numeric(/^[0-7]{3}/, 8, 0) & 255, end: at + 3 };
  }
  if (letter === 'u' || letter === 'U') {
    const size = letter === 'u' ? 4 : 8;
    const code = numeric(new RegExp(`^[0-9a-fA-F]{${size}}`), 16, 1);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      throw new StringProblem('escape sequence is an invalid Unicode code point');
    }
    return { text: String.fromCodePoint(code), byte: undefined, end: at + 1 + size };
  }
  const code = letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  throw new StringProblem(`unknown escape sequence U+${code} '${letter}'`);
}

/** A number without exponent, in the fewest digits that read back the same; `+Inf`, `NaN`. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const text = Object.is(value, -0) ? '-0' : String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign, whole, fraction = '', exponent] = match;
  const shift = Number(exponent);
  if (shift < 0) return `${sign}0.${'0'.repeat(-shift - whole.length)}${whole}${fraction}`;
  return sign + whole + fraction.padEnd(shift, '0');
}

/** A string in double quotes with Go's escapes; printable characters stand for themselves. */
export function quoteString(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (char === '"' || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += char;
  }
  return `${out}"`;
}
