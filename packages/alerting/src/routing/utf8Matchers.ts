/**
 * Matchers in the notation of Alertmanager 0.27 and later: names and values are any UTF-8, quoted
 * where they hold what the notation needs. Errors say from which to which character, as there.
 */
import { TytoError } from '@tyto/base';
import { createMatcher, type Matcher, type MatchType } from '@tyto/model';
import { quoteInvalid, unquote } from '@tyto/syntax';

type TokenKind = 'end' | '{' | '}' | ',' | 'operator' | 'quoted' | 'unquoted';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Counted in characters from 0; `to` is behind the last one. */
  readonly from: number;
  readonly to: number;
}

/** What has to be in quotes. */
const RESERVED = /[\s{}!=~,\\"'`]/u;
const END_OF_INPUT = 'end of input';

/** A list, with or without braces. Throws TytoError `bad_data`. */
export function parseUtf8Matchers(text: string): Matcher[] {
  const tokens = new Tokens(text);
  const matchers: Matcher[] = [];
  if (tokens.peek().kind === 'end') return matchers;
  const isBraced = tokens.take('{') !== undefined;
  while (tokens.peek().kind !== '}') {
    if (isBraced && tokens.peek().kind === 'end') break;
    matchers.push(parseMatcher(tokens));
    const { kind } = tokens.peek();
    if (kind === 'end' || kind === '}') break;
    tokens.expect([','], 'expected a comma or close brace');
    const next = tokens.peek();
    if (next.kind === 'end') break;
    if (next.kind !== '}' && next.kind !== 'quoted' && next.kind !== 'unquoted') {
      throw unexpected(next, 'expected a matcher or close brace after comma');
    }
  }
  closeBrace(tokens, isBraced);
  const rest = tokens.next();
  if (rest.kind !== 'end') throw bad(`${place(rest)}: ${rest.text}: expected end of input`);
  return matchers;
}

function closeBrace(tokens: Tokens, isBraced: boolean): void {
  const token = tokens.peek();
  if (token.kind === '}') {
    tokens.next();
    if (!isBraced) throw bad(`0:${token.to}: }: expected opening brace`);
  } else if (isBraced) {
    const found = token.kind === 'end' ? END_OF_INPUT : `${place(token)}: unexpected ${token.text}`;
    throw bad(`0:${tokens.column}: ${found}: expected close brace`);
  }
}

function parseMatcher(tokens: Tokens): Matcher {
  const name = tokens.expect(['quoted', 'unquoted'], 'expected label name');
  const label = unquoted(name);
  const operator = tokens.expect(
    ['operator'],
    "expected an operator such as '=', '!=', '=~' or '!~'",
  );
  const value = tokens.expect(['quoted', 'unquoted'], 'expected label value');
  return createMatcher(operator.text as MatchType, label, unquoted(value));
}

function unquoted(token: Token): string {
  if (token.kind !== 'quoted') return token.text;
  try {
    if (!token.text.includes('\n') && quoteInvalid(token.text) === undefined) {
      return unquote(token.text);
    }
  } catch {
    // An escape that Go does not have: refused below.
  }
  throw bad(`${place(token)}: ${token.text}: invalid input`);
}

class Tokens {
  readonly #characters: readonly string[];
  #at = 0;
  #peeked: Token | undefined;

  constructor(text: string) {
    this.#characters = [...text];
  }

  /** How many characters were read. */
  get column(): number {
    return this.#peeked?.from ?? this.#at;
  }

  peek(): Token {
    this.#peeked ??= this.#scan();
    return this.#peeked;
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    return token;
  }

  take(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.next() : undefined;
  }

  expect(kinds: readonly TokenKind[], expected: string): Token {
    const token = this.peek();
    if (kinds.includes(token.kind)) return this.next();
    throw unexpected(token, expected);
  }

  #scan(): Token {
    const characters = this.#characters;
    while (this.#at < characters.length && /\s/u.test(characters[this.#at])) this.#at++;
    const from = this.#at;
    const first = characters[from];
    if (first === undefined) return { kind: 'end', text: '', from, to: from };
    if (first === '{' || first === '}' || first === ',') return this.#emit(first, from + 1);
    if (first === '=' || first === '!') return this.#operator(first);
    if (first === '"') return this.#quoted();
    if (RESERVED.test(first)) throw bad(`${from}:${from + 1}: ${first}: invalid input`);
    let to = from + 1;
    while (to < characters.length && !RESERVED.test(characters[to])) to++;
    return this.#emit('unquoted', to);
  }

  #operator(first: string): Token {
    const from = this.#at;
    const second = this.#characters[from + 1];
    if (second === '~' || (first === '!' && second === '='))
      return this.#emit('operator', from + 2);
    if (first === '=') return this.#emit('operator', from + 1);
    const expected = "expected one of '=~'";
    throw second === undefined
      ? bad(`${from}:${from + 1}: unexpected end of input, ${expected}`)
      : bad(`${from}:${from + 1}: !: ${expected}`);
  }

  #quoted(): Token {
    const from = this.#at;
    let to = from + 1;
    while (to < this.#characters.length && this.#characters[to] !== '"') {
      to += this.#characters[to] === '\\' ? 2 : 1;
    }
    if (to < this.#characters.length) return this.#emit('quoted', to + 1);
    const text = this.#characters.slice(from).join('');
    throw bad(`${from}:${this.#characters.length}: ${text}: missing end "`);
  }

  #emit(kind: TokenKind, to: number): Token {
    const from = this.#at;
    this.#at = to;
    return { kind, text: this.#characters.slice(from, to).join(''), from, to };
  }
}

function place({ from, to }: Token): string {
  return `${from}:${to}`;
}

function unexpected(token: Token, expected: string): TytoError {
  const found = token.kind === 'end' ? END_OF_INPUT : `${place(token)}: unexpected ${token.text}`;
  return bad(`${found}: ${expected}`);
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}
