/** A place in the list of tokens, how deep it is, and how problems there are told. */
import { ParseError } from './problems.ts';
import type { Span } from './ast.ts';
import { quoteInvalid, StringProblem, unquote } from './literals.ts';
import { describeToken, type Token, tokenize } from './lexer.ts';

/** A deeper nesting than anybody writes; it keeps the stack from running out. */
const DEPTH_MAX = 400;
/** A chain of operators is a tree as deep as it is long. */
const OPERATOR_COUNT_MAX = 1500;

export class TokenCursor {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #operatorCount = 0;

  constructor(text: string, tokens: readonly Token[] = tokenize(text)) {
    this.text = text;
    this.#tokens = tokens;
  }

  /** Where the last token taken ends. */
  get previousEnd(): number {
    return this.#index === 0 ? 0 : this.#tokens[this.#index - 1].end;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)];
  }

  next(): Token {
    const token = this.peek();
    this.#index++;
    return token;
  }

  /** Begins something inside what is being parsed; `ascend` ends it. */
  descend(): void {
    if (++this.#depth > DEPTH_MAX) {
      throw this.problem(this.peek(), 'the query is nested too deeply');
    }
  }

  ascend(): void {
    this.#depth--;
  }

  countOperator(token: Span): void {
    if (++this.#operatorCount > OPERATOR_COUNT_MAX) {
      throw this.problem(token, `the query has more than ${OPERATOR_COUNT_MAX} operators`);
    }
  }

  /** Takes the punctuation if it comes next. */
  take(punctuation: string): boolean {
    const token = this.peek();
    if (token.type !== 'punctuation' || token.text !== punctuation) return false;
    this.#index++;
    return true;
  }

  expect(punctuation: string, context = '', expected = `"${punctuation}"`): Token {
    const token = this.peek();
    if (token.type === 'punctuation' && token.text === punctuation) return this.next();
    throw context === '' ? this.unexpected() : this.unexpected(context, expected);
  }

  /** Takes a string token and returns its value. */
  stringValue(): string {
    const token = this.next();
    try {
      return unquote(token.text);
    } catch (error) {
      if (error instanceof StringProblem) throw this.problem(token, error.message);
      throw error;
    }
  }

  /** Takes a string token, whose bytes may be no UTF-8. */
  stringLiteral(): { readonly value: string; readonly invalid?: string } {
    const { text } = this.peek();
    const value = this.stringValue();
    const invalid = value.includes('\ufffd') ? quoteInvalid(text) : undefined;
    return invalid === undefined ? { value } : { value, invalid };
  }

  /** The token as it was written. */
  textOf(token: Token): string {
    return this.text.slice(token.start, token.end);
  }

  unexpected(context = '', expected = ''): ParseError {
    const token = this.peek();
    let reason = `unexpected ${describeToken(token, this.text)}`;
    if (context !== '') reason += ` in ${context}`;
    if (expected !== '') reason += `, expected ${expected}`;
    return this.problem(token, reason);
  }

  problem(span: Span, reason: string): ParseError {
    return new ParseError(this.text, { start: span.start, end: span.end }, reason);
  }
}
