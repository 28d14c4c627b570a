/**
 * A cursor over JSON text that builds nothing: it tells where values are, so that a stage takes
 * only those that are asked for.
 */

/** Deeper objects and lists are refused; nobody logs them. */
const DEPTH_MAX = 200;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

export const UNCLOSED_OBJECT = "Value looks like object, but can't find closing '}' symbol";
const UNCLOSED_LIST = "Value is array, but can't find closing ']' symbol";
const UNCLOSED_STRING = "Value is string, but can't find closing '\"' symbol";
const MALFORMED = 'Malformed JSON error';

export class JsonProblem extends Error {}

export type JsonKind = 'object' | 'list' | 'string' | 'number' | 'boolean' | 'null';

export class JsonScanner {
  text = '';
  at = 0;
  /** The value that was passed last. */
  start = 0;
  end = 0;

  begin(text: string): void {
    this.text = text;
    this.at = 0;
    this.#space();
  }

  /** The code of the character that comes next; NaN at the end. */
  peek(): number {
    return this.text.charCodeAt(this.at);
  }

  #space(): void {
    const { text } = this;
    let { at } = this;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break;
    }
    this.at = at;
  }

  #fail(reason: string): never {
    throw new JsonProblem(reason);
  }

  /** Enters an object or a list; throws JsonProblem where none begins. */
  enter(open: '{' | '['): void {
    if (this.text[this.at] !== open) {
      this.#fail(open === '{' ? UNCLOSED_OBJECT : UNCLOSED_LIST);
    }
    this.at++;
    this.#space();
  }

  /** Goes to the next key and past its colon; undefined at the end of the object. */
  nextKey(isFirst: boolean): string | undefined {
    if (this.peek() === CLOSE_OBJECT) {
      this.at++;
      this.#space();
      return undefined;
    }
    if (!isFirst) {
      if (this.peek() !== COMMA)
        this.#fail(Number.isNaN(this.peek()) ? UNCLOSED_OBJECT : MALFORMED);
      this.at++;
      this.#space();
    }
    if (this.peek() !== QUOTE) this.#fail(Number.isNaN(this.peek()) ? UNCLOSED_OBJECT : MALFORMED);
    this.#string();
    const key = this.stringValue();
    if (this.peek() !== COLON) this.#fail(MALFORMED);
    this.at++;
    this.#space();
    return key;
  }

  /** Goes to the next item of a list; false at its end. */
  nextItem(isFirst: boolean): boolean {
    if (this.peek() === CLOSE_LIST) {
      this.at++;
      this.#space();
      return false;
    }
    if (isFirst) return true;
    if (this.peek() !== COMMA) this.#fail(Number.isNaN(this.peek()) ? UNCLOSED_LIST : MALFORMED);
    this.at++;
    this.#space();
    return true;
  }

  kind(): JsonKind {
    switch (this.peek()) {
      case OPEN_OBJECT:
        return 'object';
      case OPEN_LIST:
        return 'list';
      case QUOTE:
        return 'string';
      case 116:
      case 102:
        return 'boolean';
      case 110:
        return 'null';
      default:
        return 'number';
    }
  }

  /** Passes a value; `start` and `end` are its place, of a string that of its inside. */
  skip(depth = 0): void {
    const code = this.peek();
    if (code === QUOTE) this.#string();
    else if (code === OPEN_OBJECT || code === OPEN_LIST) this.#skipNested(code, depth);
    else this.#word();
  }

  #skipNested(code: number, depth: number): void {
    if (depth > DEPTH_MAX) this.#fail('the value is nested too deeply');
    const start = this.at;
    this.enter(code === OPEN_OBJECT ? '{' : '[');
    let end = this.at;
    if (code === OPEN_OBJECT) {
      for (let isFirst = true; this.nextKey(isFirst) !== undefined; isFirst = false) {
        this.skip(depth + 1);
      }
    } else {
      for (let isFirst = true; this.nextItem(isFirst); isFirst = false) this.skip(depth + 1);
    }
    end = this.at;
    while (end > start && !'}]'.includes(this.text[end - 1])) end--;
    this.start = start;
    this.end = end;
  }

  #word(): void {
    const { text } = this;
    const start = this.at;
    let { at } = this;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_LIST || code <= 32) break;
    }
    if (!isWord(text, start, at)) this.#fail('Unknown value type');
    this.start = start;
    this.end = at;
    this.at = at;
    this.#space();
  }

  #string(): void {
    const { text } = this;
    const start = this.at + 1;
    let end = text.indexOf('"', start);
    while (end >= 0 && text.charCodeAt(end - 1) === BACKSLASH) {
      let slashes = 1;
      while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
      if (slashes % 2 === 0) break;
      end = text.indexOf('"', end + 1);
    }
    if (end < 0) this.#fail(UNCLOSED_STRING);
    this.start = start;
    this.end = end;
    this.at = end + 1;
    this.#space();
  }

  /** What was passed last, as it is written. */
  rawValue(): string {
    return this.text.slice(this.start, this.end);
  }

  /** The string that was passed last; '' where its escapes are wrong. */
  stringValue(): string {
    return unescaped(this.rawValue());
  }
}

function isWord(text: string, start: number, end: number): boolean {
  const code = text.charCodeAt(start);
  if (code === 45 || (code >= 48 && code <= 57)) return true;
  const word = text.slice(start, end);
  return word === 'true' || word === 'false' || word === 'null';
}

/** The text of a string's inside; '' where its escapes are wrong. */
export function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw.replace(/[\n\r\t]/g, (char) => JSON.stringify(char).slice(1, -1))}"`);
  } catch {
    return '';
  }
}
