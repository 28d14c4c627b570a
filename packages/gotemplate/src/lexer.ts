/**
 * Tokens of Go's text/template: text outside of {{ }}, and what stands inside.
 * Specification: https://pkg.go.dev/text/template
 */
import { TytoError } from '@tyto/base';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'identifier'
  | 'field'
  | 'variable'
  | 'dot'
  | 'string'
  | 'number'
  | 'char'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'comma'
  | 'assign'
  | 'declare'
  | 'space'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

/** A template that cannot be parsed: the reason and the line, counted from 1. */
export class TemplateError extends TytoError {
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(source: string, offset: number, message: string) {
    const before = source.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    super('bad_data', `template line ${line}: ${message}`, { place: { line, column } });
    this.reason = message;
  }
}

const PUNCTUATION: Readonly<Record<string, TokenKind>> = {
  '|': 'pipe',
  '(': 'leftParen',
  ')': 'rightParen',
  ',': 'comma',
  '=': 'assign',
};

const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['declare', /:=/y],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y,
  ],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n]+?)'/y],
];

/** Splits a template. Throws TemplateError for what is no template. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at <= source.length) {
    const open = source.indexOf('{{', at);
    let text = source.slice(at, open < 0 ? source.length : open);
    if (trimNext) text = text.trimStart();
    const trimsLeft = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    if (trimsLeft) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text, offset: at });
    if (open < 0) break;
    const inside = open + 2 + (trimsLeft ? 2 : 0);
    const end = tokenizeAction(source, open, inside, tokens);
    trimNext = end.trims;
    at = end.at;
  }
  tokens.push({ kind: 'end', text: '', offset: source.length });
  return tokens;
}

function tokenizeAction(
  source: string,
  open: number,
  inside: number,
  tokens: Token[],
): { at: number; trims: boolean } {
  if (source.startsWith('/*', inside)) return skipComment(source, open, inside);
  tokens.push({ kind: 'open', text: '{{', offset: open });
  let at = inside;
  while (at < source.length) {
    const trims = /^[ \t\r\n]-\}\}/.test(source.slice(at, at + 4));
    if (trims || source.startsWith('}}', at)) {
      tokens.push({ kind: 'close', text: '}}', offset: at });
      return { at: at + (trims ? 4 : 2), trims };
    }
    const token = nextToken(source, at);
    tokens.push(token);
    at += token.text.length;
  }
  throw new TemplateError(source, open, 'unclosed action');
}

function skipComment(source: string, open: number, inside: number): { at: number; trims: boolean } {
  const end = source.indexOf('*/', inside);
  if (end < 0) throw new TemplateError(source, open, 'unclosed comment');
  const close = /^(?:\}\}|[ \t\r\n]-\}\})/.exec(source.slice(end + 2, end + 6));
  if (close === null)
    throw new TemplateError(source, open, 'comment ends before closing delimiter');
  return { at: end + 2 + close[0].length, trims: close[0].length > 2 };
}

function nextToken(source: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match !== null) return { kind, text: match[0], offset: at };
  }
  const kind = PUNCTUATION[source[at]];
  if (kind !== undefined) return { kind, text: source[at], offset: at };
  const shown = source[at] === '"' ? 'unterminated quoted string' : `unexpected "${source[at]}"`;
  throw new TemplateError(source, at, `${shown} in an action`);
}
