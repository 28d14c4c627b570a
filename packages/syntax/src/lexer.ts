/**
 * The lexer. A text becomes one list of tokens; what `=` and `:` mean depends on the kind of
 * brackets around them, which is all the state there is. Malformed text throws ParseError.
 */
import { parseNumber } from './literals.ts';
import { ParseError } from './problems.ts';

export type TokenType =
  | 'number'
  | 'duration'
  | 'string'
  | 'identifier'
  | 'metric'
  | 'keyword'
  | 'aggregator'
  | 'operator'
  | 'punctuation'
  // Of LogQL only: `20MB`, `[5m]` and `--strict`.
  | 'bytes'
  | 'range'
  | 'flag'
  | 'eof';

export interface Token {
  readonly type: TokenType;
  /** The text as written; of keywords and word operators in lower case. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export const AGGREGATORS: ReadonlySet<string> = new Set([
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);

const WORD_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'atan2']);

const KEYWORDS: ReadonlySet<string> = new Set([
  'offset',
  'smoothed',
  'anchored',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'fill',
  'fill_left',
  'fill_right',
  'bool',
  'start',
  'end',
  'step',
  'range',
]);

const SPACE = /(?:\s+|#[^\n\r]*)*/y;
const WORD = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const METRIC_WORD = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const DURATION = /(?:\d+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_.])/y;
const NUMBER = /(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y;
const OUTSIDE_OPERATOR = /==|!=|=~|>=|<=|<\/|>\/|[-+*/%^<>]/y;

type Mode = 'outside' | 'braces' | 'brackets';

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #mode: Mode = 'outside';
  #parens = 0;
  #gotColon = false;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Token[] {
    for (;;) {
      this.#match(SPACE, true);
      if (this.#at >= this.#text.length) break;
      if (this.#mode === 'braces') this.#insideBraces();
      else if (this.#mode === 'brackets') this.#insideBrackets();
      else this.#outside();
    }
    const end = this.#text.length;
    if (this.#mode === 'braces') throw this.#problem('unexpected end of input inside braces', end);
    if (this.#mode === 'brackets') throw this.#problem('unclosed left bracket', end);
    if (this.#parens > 0) throw this.#problem('unclosed left parenthesis', end);
    this.#push('eof', '', end);
    return this.#tokens;
  }

  #outside(): Token {
    const char = this.#text[this.#at];
    if (char === '(' || char === ')') {
      this.#parens += char === '(' ? 1 : -1;
      if (this.#parens < 0) throw this.#problem("unexpected right parenthesis ')'");
      return this.#punctuation(char);
    }
    if (char === '{') {
      this.#mode = 'braces';
      return this.#punctuation(char);
    }
    if (char === '[') {
      this.#mode = 'brackets';
      this.#gotColon = false;
      return this.#punctuation(char);
    }
    if (char === ',' || char === '@') return this.#punctuation(char);
    if (isQuote(char)) return this.#string();
    if (this.#startsNumber()) return this.#number();
    const operator = this.#match(OUTSIDE_OPERATOR);
    if (operator !== undefined) return this.#push('operator', operator, this.#at + operator.length);
    if (char === '=') return this.#punctuation(char);
    if (char === '!') {
      const next = this.#text[this.#at + 1];
      throw this.#problem(
        next === undefined
          ? 'unexpected end of input'
          : `unexpected character after '!': '${next}'`,
      );
    }
    const word = this.#match(METRIC_WORD);
    if (word === undefined) throw this.#problem(`unexpected character: ${goQuote(this.#char())}`);
    return this.#word(word);
  }

  #insideBraces(): Token {
    const char = this.#text[this.#at];
    if (char === '{') throw this.#problem("unexpected left brace '{'");
    if (char === '}') {
      this.#mode = 'outside';
      return this.#punctuation(char);
    }
    if (char === ',') return this.#punctuation(char);
    if (isQuote(char)) return this.#string();
    const word = this.#match(WORD);
    if (word !== undefined) return this.#push('identifier', word, this.#at + word.length);
    for (const operator of ['=~', '!~', '!=', '=']) {
      if (this.#text.startsWith(operator, this.#at)) {
        return this.#push('punctuation', operator, this.#at + operator.length);
      }
    }
    if (char === '!') {
      const next = this.#text[this.#at + 1] ?? '';
      throw this.#problem(`unexpected character after '!' inside braces: ${goQuote(next)}`);
    }
    throw this.#problem(`unexpected character inside braces: ${goQuote(this.#char())}`);
  }

  #insideBrackets(): Token {
    const char = this.#text[this.#at];
    if (char === ']') {
      this.#mode = 'outside';
      return this.#punctuation(char);
    }
    if (char === ':') {
      if (this.#gotColon) throw this.#problem("unexpected second colon ':'");
      this.#gotColon = true;
      return this.#punctuation(char);
    }
    if (char === '(' || char === ')' || char === ',') return this.#punctuation(char);
    if (this.#startsNumber()) return this.#number();
    if ('+-*/%^'.includes(char)) return this.#push('operator', char, this.#at + 1);
    const word = this.#match(WORD);
    if (word !== undefined && DURATION_FUNCTIONS.has(word.toLowerCase())) {
      return this.#push('identifier', word.toLowerCase(), this.#at + word.length);
    }
    const shown = goQuote(this.#char());
    const afterOperand = ['number', 'duration'].includes(this.#tokens.at(-1)?.type ?? '');
    if (afterOperand && !isQuote(char)) {
      throw this.#problem(`unexpected character: ${shown}, expected ':'`);
    }
    throw this.#problem(`unexpected character in duration expression: ${shown}`);
  }

  #word(word: string): Token {
    const lower = word.toLowerCase();
    const end = this.#at + word.length;
    if (lower === 'inf' || lower === 'nan') return this.#push('number', word, end);
    if (WORD_OPERATORS.has(lower)) return this.#push('operator', lower, end);
    if (AGGREGATORS.has(lower)) return this.#push('aggregator', lower, end);
    if (KEYWORDS.has(lower)) return this.#push('keyword', lower, end);
    return this.#push(word.includes(':') ? 'metric' : 'identifier', word, end);
  }

  #string(): Token {
    const quote = this.#text[this.#at];
    for (let i = this.#at + 1; i < this.#text.length; i++) {
      const char = this.#text[i];
      if (char === quote) return this.#push('string', this.#text.slice(this.#at, i + 1), i + 1);
      if (quote === '`') continue;
      if (char === '\\') i++;
      else if (char === '\n') throw this.#problem('unterminated quoted string');
    }
    const kind = quote === '`' ? 'raw' : 'quoted';
    throw this.#problem(`unterminated ${kind} string`, this.#at);
  }

  #startsNumber(): boolean {
    return /^\.?\d/.test(this.#text.slice(this.#at, this.#at + 2));
  }

  #number(): Token {
    const duration = this.#match(DURATION);
    if (duration !== undefined) return this.#push('duration', duration, this.#at + duration.length);
    const number = this.#match(NUMBER) ?? '';
    const after = this.#text[this.#at + number.length] ?? '';
    if (number !== '' && !/[a-zA-Z0-9_.]/.test(after) && parseNumber(number) !== undefined) {
      return this.#push('number', number, this.#at + number.length);
    }
    const rest = /^[a-zA-Z0-9_.]*/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    throw this.#problem(`bad number or duration syntax: ${JSON.stringify(rest)}`);
  }

  #match(pattern: RegExp, consume = false): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined && consume) this.#at += found.length;
    return found;
  }

  #char(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at) as number);
  }

  #punctuation(text: string): Token {
    return this.#push('punctuation', text, this.#at + text.length);
  }

  #push(type: TokenType, text: string, end: number): Token {
    const token: Token = { type, text, start: this.#at, end };
    this.#tokens.push(token);
    this.#at = end;
    return token;
  }

  #problem(reason: string, at = this.#at): ParseError {
    return new ParseError(this.#text, { start: at, end: this.#text.length }, reason);
  }
}

const DURATION_FUNCTIONS: ReadonlySet<string> = new Set(['step', 'range', 'min_of', 'max_of']);

/** All tokens of `text`, an `eof` at the end. */
export function tokenize(text: string): Token[] {
  return new Lexer(text).run();
}

function isQuote(char: string): boolean {
  return char === '"' || char === "'" || char === '`';
}

/** A character as Go's %q shows it. */
function goQuote(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '\\') return "'\\\\'";
  return `'${char}'`;
}

/** A token as Prometheus names it in messages. */
export function describeToken(token: Token, text: string): string {
  const written = text.slice(token.start, token.end);
  if (token.type === 'eof') return 'end of input';
  if (token.type === 'operator') return `<op:${written}>`;
  if (token.type === 'aggregator') return `<aggr:${written}>`;
  if (token.type === 'keyword') return `<${written}>`;
  const shown =
    written.length > 10 ? `${JSON.stringify(written.slice(0, 10))}...` : JSON.stringify(written);
  if (token.type === 'punctuation') return shown;
  return `${token.type === 'metric' ? 'metric identifier' : token.type} ${shown}`;
}
