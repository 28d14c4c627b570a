/**
 * Matchers in the classic notation, as Alertmanager read them before 0.27: lenient with quotes and
 * braces. Names are of the classic alphabet.
 */
import { TytoError } from '@tyto/base';
import { createMatcher, type Matcher, type MatchType } from '@tyto/model';

const SPACE = '[\\t\\n\\f\\r ]*';
const START = new RegExp(`^${SPACE}([a-zA-Z_:][a-zA-Z0-9_:]*)${SPACE}(=~|=|!=|!~)`);
const SPACES_AROUND = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g;

/** A list, with or without braces. Throws TytoError `bad_data`. */
export function parseClassicMatchers(text: string): Matcher[] {
  const inside = text.replace(/^\{/, '').replace(/\}$/, '');
  return splitAtCommas(inside).map(parseClassicMatcher);
}

/** Commas in quotes separate nothing, and one at the end is dropped. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  let isEscaped = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === ',' && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    } else if (character === '"') {
      if (!isEscaped) isQuoted = !isQuoted;
      isEscaped = false;
    } else {
      isEscaped = character === '\\' && !isEscaped;
    }
  }
  const last = text.slice(start).trim();
  if (last !== '') parts.push(last);
  return parts;
}

/** One matcher. Throws TytoError `bad_data`. */
export function parseClassicMatcher(text: string): Matcher {
  const match = START.exec(text);
  if (match === null) throw bad(`bad matcher format: ${text}`);
  const [start, name, type] = match;
  const written = trim(text.slice(start.length));
  return createMatcher(type as MatchType, name, unescaped(written));
}

function trim(text: string): string {
  // From the end by hand: a pattern would be tried at each of many spaces.
  let end = text.length;
  while (end > 0 && '\t\n\f\r '.includes(text[end - 1])) end--;
  return text.slice(0, end).replace(SPACES_AROUND, '');
}

function unescaped(written: string): string {
  const isQuoted = written.startsWith('"');
  const text = isQuoted ? written.slice(1) : written;
  let isClosed = false;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const isLast = i === text.length - 1;
    if (text[i] === '\\' && !isLast) {
      const next = text[++i];
      if (next === 'n') out += '\n';
      else out += next === '"' || next === '\\' ? next : `\\${next}`;
    } else if (text[i] === '"') {
      if (!isQuoted || !isLast) throw strayQuote(written);
      isClosed = true;
    } else {
      out += text[i];
    }
  }
  if (isQuoted && !isClosed) throw strayQuote(written);
  return out;
}

function strayQuote(written: string): TytoError {
  return bad(`matcher value contains unescaped double quote: ${written}`);
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}
