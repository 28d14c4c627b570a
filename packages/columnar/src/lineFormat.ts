/**
 * What a line is, told once when it comes in one pass over it, with the fields that queries group
 * by most. The kinds say how much a query in SQL may rely on:
 *
 * - `json` is an object without nesting, escapes, spaces around names and repeated names, so that
 *   the text behind `"name":` is the value of a field.
 * - `nested` is any other valid JSON object; its hot fields are right, the others need a parser.
 * - `logfmt` has unique names, values without escapes, and no `=` in quotes.
 * - `odd` begins as an object and is not valid; parsers may differ in what they make of it.
 * - `text` is the rest.
 */

import { LineShapes } from './lineShapes.ts';

export const LINE_KINDS = ['text', 'json', 'nested', 'logfmt', 'odd'] as const;
const TEXT = 0;
const JSON_FLAT = 1;
const JSON_NESTED = 2;
const LOGFMT = 3;
const ODD = 4;

/** Fields with a column of their own. A column more costs some 20 ns for every line. */
export const HOT_FIELDS = ['level', 'logger', 'status', 'method', 'path'] as const;

/** Longer values are left in the line: a dictionary of them would be none. */
const HOT_LENGTH_MAX = 256;
/** Lines with more fields than this are not looked at for repeated names. */
const FIELDS_MAX = 64;
const DEPTH_MAX = 64;
/** Longer lines are not parsed; they would cost more than all others together. */
const LINE_LENGTH_MAX = 64 * 1024;

const LOGFMT_PAIR = /([A-Za-z_][\w.-]*)=(?:"([^"\\=]*)"|([^\s"=\\]*))(?: |$)/y;

export class LineScanner {
  /** Of the last line, '' where a field is not there. */
  readonly hot: string[] = HOT_FIELDS.map(() => '');
  #line = '';
  #at = 0;
  #isFlat = true;
  #hasSpace = false;
  readonly #names: string[] = [];
  readonly #shapes = new LineShapes(this.hot, HOT_LENGTH_MAX);

  /** The index of the line's kind; `hot` is filled. */
  scan(line: string): number {
    const { hot } = this;
    for (let i = 0; i < hot.length; i++) hot[i] = '';
    const first = line.charCodeAt(0);
    if (first === 0x7b && line.length <= LINE_LENGTH_MAX && this.#shapes.fits(line)) {
      return JSON_FLAT;
    }
    if (line.length > LINE_LENGTH_MAX) return line.trimStart()[0] === '{' ? ODD : TEXT;
    this.#line = line;
    this.#at = 0;
    this.#isFlat = true;
    this.#hasSpace = false;
    this.#names.length = 0;
    this.#skipSpace();
    if (line.charCodeAt(this.#at) === 0x7b) return this.#scanObject();
    return this.#scanLogfmt() ? LOGFMT : TEXT;
  }

  #scanObject(): number {
    const isWhole = this.#object(0);
    if (isWhole) this.#skipSpace();
    if (!isWhole || this.#at !== this.#line.length) {
      this.hot.fill('');
      return ODD;
    }
    if (new Set(this.#names).size !== this.#names.length) {
      this.hot.fill('');
      return ODD;
    }
    if (!this.#isFlat) return JSON_NESTED;
    if (!this.#hasSpace) this.#shapes.learn(this.#names, hotIndex);
    return JSON_FLAT;
  }

  #object(depth: number): boolean {
    if (depth > DEPTH_MAX) return false;
    if (depth > 0) this.#isFlat = false;
    this.#at++;
    this.#skipSpace();
    if (this.#is(0x7d)) return true;
    for (;;) {
      const nameStart = this.#at;
      if (!this.#string()) return false;
      const nameEnd = this.#at;
      if (this.#line.charCodeAt(this.#at) !== 0x3a) this.#isFlat = false;
      this.#skipSpace();
      if (!this.#is(0x3a)) return false;
      if (this.#skipSpace()) this.#isFlat = false;
      const valueStart = this.#at;
      if (!this.#value(depth)) return false;
      if (depth === 0 && !this.#note(nameStart, nameEnd, valueStart)) return false;
      if (this.#skipSpace()) this.#isFlat = false;
      if (this.#is(0x7d)) return true;
      if (!this.#is(0x2c)) return false;
      this.#skipSpace();
    }
  }

  #value(depth: number): boolean {
    const code = this.#line.charCodeAt(this.#at);
    if (code === 0x22) return this.#string();
    if (code === 0x7b) return this.#object(depth + 1);
    if (code === 0x5b) return this.#array(depth + 1);
    if (code === 0x74) return this.#word('true');
    if (code === 0x66) return this.#word('false');
    if (code === 0x6e) return this.#word('null');
    return this.#number();
  }

  #array(depth: number): boolean {
    if (depth > DEPTH_MAX) return false;
    this.#isFlat = false;
    this.#at++;
    this.#skipSpace();
    if (this.#is(0x5d)) return true;
    for (;;) {
      if (!this.#value(depth)) return false;
      this.#skipSpace();
      if (this.#is(0x5d)) return true;
      if (!this.#is(0x2c)) return false;
      this.#skipSpace();
    }
  }

  #string(): boolean {
    const line = this.#line;
    let at = this.#at;
    if (line.charCodeAt(at++) !== 0x22) return false;
    for (;;) {
      const code = line.charCodeAt(at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        this.#isFlat = false;
        const next = line[at + 1];
        if (next === 'u' && HEX4.test(line.slice(at + 2, at + 6))) at += 6;
        else if (next !== undefined && next !== 'u' && '"\\/bfnrt'.includes(next)) at += 2;
        else return false;
      } else if (code >= 0x20) at++;
      // Control characters, and NaN at the end of the line.
      else return false;
    }
    this.#at = at + 1;
    return true;
  }

  #number(): boolean {
    NUMBER.lastIndex = this.#at;
    if (!NUMBER.test(this.#line)) return false;
    this.#at = NUMBER.lastIndex;
    return true;
  }

  #word(word: string): boolean {
    if (!this.#line.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** False for what the kinds do not describe: an escaped name, too many names. */
  #note(nameStart: number, nameEnd: number, valueStart: number): boolean {
    const name = this.#line.slice(nameStart + 1, nameEnd - 1);
    if (name.includes('\\') || this.#names.push(name) > FIELDS_MAX) return false;
    const index = hotIndex(name);
    if (index < 0) return true;
    const code = this.#line.charCodeAt(valueStart);
    if (code === 0x7b || code === 0x5b || code === 0x6e) return true;
    const raw = this.#line.slice(valueStart, this.#at);
    const value = code === 0x22 ? unquoted(raw) : raw;
    if (value.length > HOT_LENGTH_MAX) return false;
    this.hot[index] = value;
    return true;
  }

  #scanLogfmt(): boolean {
    const line = this.#line;
    if (this.#at > 0 || line === '' || !FIRST_PAIR.test(line)) return false;
    LOGFMT_PAIR.lastIndex = 0;
    while (LOGFMT_PAIR.lastIndex < line.length) {
      const pair = LOGFMT_PAIR.exec(line);
      if (pair === null || this.#names.push(pair[1]) > FIELDS_MAX) return this.#noLogfmt();
      const index = hotIndex(pair[1]);
      const value = pair[2] ?? pair[3];
      if (value.length > HOT_LENGTH_MAX && index >= 0) return this.#noLogfmt();
      if (index >= 0) this.hot[index] = value;
    }
    const areUnique = new Set(this.#names).size === this.#names.length;
    return (areUnique && !line.endsWith(' ')) || this.#noLogfmt();
  }

  #noLogfmt(): false {
    this.hot.fill('');
    return false;
  }

  #is(code: number): boolean {
    if (this.#line.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  /** Whether there was any. */
  #skipSpace(): boolean {
    const from = this.#at;
    for (;;) {
      const code = this.#line.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) break;
      this.#at++;
    }
    if (this.#at === from) return false;
    this.#hasSpace = true;
    return true;
  }
}

const HEX4 = /^[0-9a-fA-F]{4}$/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const FIRST_PAIR = /^[A-Za-z_][\w.-]*=/;
const HOT_INDEXES: ReadonlyMap<string, number> = new Map(
  HOT_FIELDS.map((name, index) => [name, index]),
);

function hotIndex(name: string): number {
  return HOT_INDEXES.get(name) ?? -1;
}

function unquoted(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}
