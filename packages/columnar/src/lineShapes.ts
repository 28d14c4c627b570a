/**
 * The fast way through lines of flat JSON: programs write the same names in the same order again
 * and again, so that a line is compared with what earlier ones looked like. What fits no shape
 * takes the slow way, which makes a shape of it.
 */

/** A name as it stands in the line, with its quotes and colon. */
interface ShapeField {
  readonly text: string;
  /** The index of its column, -1 for none. */
  readonly hotIndex: number;
}

type Shape = readonly ShapeField[];

/** Programs write a few kinds of lines, some with an error and some without. */
const SHAPES_MAX = 6;
const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSE = 0x7d;
/** Control characters and the backslash: everything but the rest. */
const SPECIAL = /[^\u0020-\u005b\u005d-\uffff]/;
const WORDS = ['true', 'false', 'null'] as const;

export class LineShapes {
  /** The most recent first. */
  readonly #shapes: Shape[] = [];
  readonly #hot: string[];
  readonly #hotLengthMax: number;

  /** `hot` is filled where a line fits. */
  constructor(hot: string[], hotLengthMax: number) {
    this.#hot = hot;
    this.#hotLengthMax = hotLengthMax;
  }

  /** Whether the line is flat JSON of a known shape. `hot` has to be empty before. */
  fits(line: string): boolean {
    if (this.#shapes.length === 0 || SPECIAL.test(line)) return false;
    for (let i = 0; i < this.#shapes.length; i++) {
      const shape = this.#shapes[i];
      if (!this.#fitsShape(line, shape)) continue;
      if (i > 0) {
        this.#shapes.splice(i, 1);
        this.#shapes.unshift(shape);
      }
      return true;
    }
    return false;
  }

  /** To be called for flat JSON without spaces, with its names, none of them twice. */
  learn(names: readonly string[], hotIndexOf: (name: string) => number): void {
    if (names.length === 0) return;
    this.#shapes.unshift(names.map((name) => ({ text: `"${name}":`, hotIndex: hotIndexOf(name) })));
    if (this.#shapes.length > SHAPES_MAX) this.#shapes.pop();
  }

  #fitsShape(line: string, shape: Shape): boolean {
    let at = 1;
    for (let i = 0; i < shape.length; i++) {
      const { text, hotIndex } = shape[i];
      if (!line.startsWith(text, at)) return this.#refuse();
      const start = at + text.length;
      const end = endOfValue(line, start);
      if (end < 0) return this.#refuse();
      if (hotIndex >= 0) {
        const isText = line.charCodeAt(start) === QUOTE;
        const value = isText ? line.slice(start + 1, end - 1) : line.slice(start, end);
        if (value.length > this.#hotLengthMax) return this.#refuse();
        this.#hot[hotIndex] = value === 'null' && !isText ? '' : value;
      }
      if (line.charCodeAt(end) !== (i + 1 < shape.length ? COMMA : CLOSE)) return this.#refuse();
      at = end + 1;
    }
    return at === line.length || this.#refuse();
  }

  #refuse(): false {
    this.#hot.fill('');
    return false;
  }
}

/** Behind a text, number or word that starts there; -1 for anything else. No escapes in sight. */
function endOfValue(line: string, start: number): number {
  const code = line.charCodeAt(start);
  if (code === QUOTE) {
    const end = line.indexOf('"', start + 1);
    return end < 0 ? -1 : end + 1;
  }
  for (const word of WORDS) {
    if (code === word.charCodeAt(0)) return line.startsWith(word, start) ? start + word.length : -1;
  }
  return endOfNumber(line, start);
}

function endOfNumber(line: string, start: number): number {
  let at = start;
  if (line.charCodeAt(at) === 0x2d) at++;
  const whole = endOfDigits(line, at);
  if (whole === at || (line.charCodeAt(at) === 0x30 && whole > at + 1)) return -1;
  at = whole;
  if (line.charCodeAt(at) === 0x2e) {
    const end = endOfDigits(line, at + 1);
    if (end === at + 1) return -1;
    at = end;
  }
  const code = line.charCodeAt(at);
  if (code !== 0x65 && code !== 0x45) return at;
  const sign = line.charCodeAt(at + 1);
  const digits = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1;
  const end = endOfDigits(line, digits);
  return end === digits ? -1 : end;
}

function endOfDigits(line: string, start: number): number {
  let at = start;
  for (;;) {
    const code = line.charCodeAt(at);
    if (!(code >= 0x30 && code <= 0x39)) return at;
    at++;
  }
}
