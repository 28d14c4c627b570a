/**
 * The lexer of LogQL: a text becomes one list of tokens. What a word or `!=` means depends on its
 * place, which the parser knows.
 */
import type { Token, TokenType } from '../lexer.ts';
import { logqlProblem } from './problems.ts';
import { parseBytes, parseQueryDuration } from './units.ts';

const SPACE = /(?:[\s\ufeff]+|#[^\n\r]*)*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const FLAG = /--(?:strict|keep-empty)(?![\w-])/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.µμ])/y;
const UNIT_NUMBER = /[\d.][\w.µμ]*/y;
const PUNCTUATION = /\|[=~>]|![=~>]|=~|==|>=|<=|[|={}(),+\-*/%^<>]/y;

const KEYWORDS: ReadonlySet<string> = new Set([
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'bool',
  'offset',
]);

/** They join metric expressions; as the rest of punctuation they may also be something else. */
const OPERATORS: ReadonlySet<string> = new Set([
  ...['and', 'or', 'unless', '+', '-', '*', '/', '%', '^'],
  ...['==', '!=', '>', '>=', '<', '<='],
]);

/** All tokens of `text`, an `eof` at the end. Throws ParseError. */
export function tokenizeLogql(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (type: TokenType, shown: string, length = shown.length) => {
    tokens.push({ type, text: shown, start: at, end: at + length });
    at += length;
  };
  for (;;) {
    at += match(SPACE)?.length ?? 0;
    if (at >= text.length) break;
    const char = text[at];
    const digits = /^\.?\d/.test(text.slice(at, at + 2));
    const word = digits ? undefined : match(WORD);
    const flag = char === '-' ? match(FLAG) : undefined;
    if (char === '"' || char === '`') push('string', stringAt(text, at));
    else if (char === '[') push('range', ...rangeAt(text, at));
    else if (digits) push(...numberAt(text, at, match));
    else if (flag !== undefined) push('flag', flag);
    else if (word !== undefined) push(typeOfWord(word), word);
    else {
      const punctuation = match(PUNCTUATION);
      if (punctuation === undefined) throw unexpectedCharacter(text, at);
      push(OPERATORS.has(punctuation) ? 'operator' : 'punctuation', punctuation);
    }
  }
  push('eof', '');
  return tokens;
}

function typeOfWord(word: string): TokenType {
  if (OPERATORS.has(word)) return 'operator';
  return KEYWORDS.has(word) ? 'keyword' : 'identifier';
}

function stringAt(text: string, start: number): string {
  const quote = text[start];
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i];
    if (char === quote) return text.slice(start, i + 1);
    if (quote === '`') continue;
    if (char === '\\') i++;
    else if (char === '\n') break;
  }
  throw logqlProblem(text, { start, end: text.length }, 'literal not terminated');
}

/** What is between the brackets, and how long the whole is. */
function rangeAt(text: string, start: number): [shown: string, length: number] {
  const end = text.indexOf(']', start);
  if (end < 0) {
    throw logqlProblem(text, { start, end: text.length }, "missing closing ']' in duration");
  }
  return [text.slice(start + 1, end).trim(), end + 1 - start];
}

function numberAt(
  text: string,
  start: number,
  match: (pattern: RegExp) => string | undefined,
): [TokenType, string] {
  const number = match(NUMBER);
  if (number !== undefined) return ['number', number];
  const written = match(UNIT_NUMBER) ?? '';
  if (parseQueryDuration(written) !== undefined) return ['duration', written];
  if (parseBytes(written) !== undefined) return ['bytes', written];
  const span = { start, end: start + written.length };
  throw logqlProblem(text, span, `not a number, duration or size: ${JSON.stringify(written)}`);
}

function unexpectedCharacter(text: string, at: number) {
  const char = String.fromCodePoint(text.codePointAt(at) as number);
  return logqlProblem(
    text,
    { start: at, end: at + char.length },
    `syntax error: unexpected ${JSON.stringify(char)}`,
  );
}
