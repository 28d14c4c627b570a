/**
 * The labels of a log stream as Loki's senders write them, `{app="shop", env="prod"}`: matchers
 * with `=` only, values quoted as Go quotes strings.
 */
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';

const NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANKS = /[ \t\r\n]*/y;
const QUOTED = /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g;
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** Throws TytoError `bad_data` for what is none, or has a name twice. */
export function parseStreamLabels(text: string): Labels {
  const cursor = new Cursor(text);
  const labels = new Map<string, string>();
  cursor.expect('{');
  while (!cursor.take('}')) {
    const name = cursor.match(NAME, 'the name of a label');
    cursor.expect('=');
    const value = unquote(cursor.match(QUOTED, 'a value in quotes'));
    if (labels.has(name)) throw malformed(`the label "${name}" is there twice`);
    labels.set(name, value);
    if (cursor.take('}')) break;
    cursor.expect(',');
  }
  cursor.end();
  return Labels.fromEntries(labels);
}

class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  match(pattern: RegExp, what: string): string {
    this.#skip(BLANKS);
    const found = this.#skip(pattern);
    if (found === '') throw malformed(`expected ${what} at position ${this.#at + 1}`);
    return found;
  }

  take(character: string): boolean {
    this.#skip(BLANKS);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  expect(character: string): void {
    if (!this.take(character)) {
      throw malformed(`expected "${character}" at position ${this.#at + 1}`);
    }
  }

  end(): void {
    this.#skip(BLANKS);
    if (this.#at < this.#text.length) {
      throw malformed(`unexpected text at position ${this.#at + 1}`);
    }
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

function unquote(quoted: string): string {
  const inside = quoted.slice(1, -1);
  if (quoted[0] === '`' || !inside.includes('\\')) return inside;
  return inside.replace(ESCAPE, (whole, hex, short, long, octal, simple) => {
    if (hex !== undefined || octal !== undefined) {
      return String.fromCharCode(hex === undefined ? parseInt(octal, 8) : parseInt(hex, 16));
    }
    if (simple === undefined) {
      const code = parseInt(short ?? long, 16);
      return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
    }
    const character = SIMPLE[simple];
    if (character === undefined) throw malformed(`there is no escape ${whole}`);
    return character;
  });
}

function malformed(what: string): TytoError {
  return new TytoError('bad_data', what);
}
