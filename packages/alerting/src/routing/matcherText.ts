/**
 * Matchers as alertmanager.yml and its API write them: `severity="critical"`, `team=~web|db`,
 * `{a="b", c!="d"}`; names and values may be quoted, and must be where they hold special characters.
 */
import { TytoError } from '@tyto/base';
import { createMatcher, type Matcher, type MatchType } from '@tyto/model';

const NAME = /\s*("(?:[^"\\]|\\.)*"|[^\s=!~,{}"'`\\]+)\s*/y;
const OPERATOR = /=~|!~|!=|=/y;
const VALUE = /\s*("(?:[^"\\]|\\.)*"|[^\s,{}"'`\\][^,{}"\n]*|)\s*/y;

/** One or more matchers, with or without braces. Throws TytoError `bad_data`. */
export function parseMatchers(text: string): Matcher[] {
  const trimmed = text.trim();
  const braced = trimmed.startsWith('{');
  if (braced !== trimmed.endsWith('}')) throw bad(text, 'a brace is missing');
  const inside = braced ? trimmed.slice(1, -1) : trimmed;
  const matchers: Matcher[] = [];
  let at = 0;
  while (inside.slice(at).trim() !== '') {
    const name = take(NAME, inside, at) ?? fail(text, inside, at, 'expected a label name');
    at = name.end;
    const operator =
      take(OPERATOR, inside, at) ?? fail(text, inside, at, 'expected =, !=, =~ or !~');
    at = operator.end;
    const value = take(VALUE, inside, at) ?? fail(text, inside, at, 'expected a value');
    at = value.end;
    const type = operator.text as MatchType;
    matchers.push(createMatcher(type, unquote(name.text), unquote(value.text.trim())));
    if (at >= inside.length) break;
    if (inside[at] !== ',') fail(text, inside, at, 'expected a comma');
    at++;
  }
  if (matchers.length === 0 && !braced)
    throw bad(text, 'expected a matcher such as severity="critical"');
  return matchers;
}

function take(
  pattern: RegExp,
  text: string,
  at: number,
): { text: string; end: number } | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match === null ? undefined : { text: match[1] ?? match[0], end: pattern.lastIndex };
}

/** Without its quotes; `\n`, `\"`, `\\` and bytes of UTF-8 as `\xf0` are escapes. */
function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const plain = text.slice(1, -1).replace(/\\([^x])/gs, (all, character: string) => {
    if (character === 'n') return '\n';
    return character === '"' || character === '\\' ? character : all;
  });
  return plain.replace(/(?:\\x[0-9a-fA-F]{2})+/g, (bytes) => decodeBytes(bytes));
}

function decodeBytes(escaped: string): string {
  const bytes = Uint8Array.from(escaped.split('\\x').slice(1), (hex) => Number.parseInt(hex, 16));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TytoError('bad_data', `bad matcher format: ${escaped} is no UTF-8`);
  }
}

function fail(text: string, inside: string, at: number, expected: string): never {
  const found = inside.slice(at, at + 20) || 'the end';
  throw bad(text, `${expected}, found ${found}`);
}

function bad(text: string, reason: string): TytoError {
  return new TytoError('bad_data', `bad matcher format: ${text}: ${reason}`);
}
