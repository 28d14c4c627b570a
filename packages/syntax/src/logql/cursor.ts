/** A place in the tokens of a LogQL text, with problems told as Loki's grammar tells them. */
import type { Span } from '../ast.ts';
import type { Token } from '../lexer.ts';
import type { ParseError } from '../problems.ts';
import { TokenCursor } from '../tokenCursor.ts';
import { tokenizeLogql } from './lexer.ts';
import { logqlProblem, wholeProblem } from './problems.ts';
import { parseQueryDuration } from './units.ts';

const SHOWN: Partial<Record<Token['type'], string>> = {
  eof: '$end',
  string: 'STRING',
  number: 'NUMBER',
  duration: 'DURATION',
  bytes: 'BYTES',
  range: 'RANGE',
  identifier: 'IDENTIFIER',
  flag: 'PARSER_FLAG',
};

export class LogqlCursor extends TokenCursor {
  constructor(text: string) {
    super(text, tokenizeLogql(text));
  }

  /** Whether the next token is this word or sign. */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && token.type !== 'string' && token.type !== 'range';
  }

  /** Takes this word or sign if it comes next. */
  takeText(text: string): boolean {
    const found = this.at(text);
    if (found) this.next();
    return found;
  }

  expectText(text: string): Token {
    if (this.at(text)) return this.next();
    throw this.unexpected('', text);
  }

  /** Takes the name of a label: any word may be one. */
  labelName(): string {
    const token = this.peek();
    const isWord = token.type === 'identifier' || token.type === 'keyword';
    if (isWord || (token.type === 'operator' && /^[a-z]/.test(token.text))) {
      return this.next().text;
    }
    throw this.unexpected('', 'IDENTIFIER');
  }

  /** Takes a string and gives its value. */
  stringText(): string {
    if (this.peek().type !== 'string') throw this.unexpected('', 'STRING');
    return this.stringValue();
  }

  /** Takes a number with an optional sign. */
  number(): number {
    const sign = this.takeText('-') ? -1 : 1;
    if (sign === 1) this.takeText('+');
    if (this.peek().type !== 'number') throw this.unexpected('', 'NUMBER');
    return sign * Number(this.next().text);
  }

  /** Milliseconds of a token's duration. */
  durationMs(token: Token): number {
    const nanoseconds = parseQueryDuration(token.text);
    if (nanoseconds !== undefined) return nanoseconds / 1e6;
    throw this.problem(token, `not a valid duration string: ${JSON.stringify(token.text)}`);
  }

  override unexpected(_context = '', expected = ''): ParseError {
    const token = this.peek();
    const shown = SHOWN[token.type] ?? token.text;
    const reason = `syntax error: unexpected ${shown}`;
    return this.problem(token, expected === '' ? reason : `${reason}, expecting ${expected}`);
  }

  override problem(span: Span, reason: string): ParseError {
    return logqlProblem(this.text, span, reason);
  }

  wholeProblem(span: Span, reason: string): ParseError {
    return wholeProblem(this.text, span, reason);
  }
}
