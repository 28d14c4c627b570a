/**
 * A cursor over an exposition: the Prometheus text format 0.0.4 and 1.0.0 (quoted UTF-8 names) or
 * OpenMetrics 1.0, as bytes. It builds no object per line; what it stands on is in its fields, as
 * byte ranges, and labels are decoded when they are asked for.
 *
 * It is as strict as Prometheus' parsers, with three courtesies in the text format that are free:
 * blanks before a metric name, a negative timestamp, and (as Prometheus) no comma between labels.
 * What OpenMetrics demands of families as a whole (order, suffixes, values that make sense for a
 * type, no repeated metadata) is not judged, as in Prometheus.
 *
 * A guess makes known series cheap: the caller sets `guess*` to the bytes of the series that it
 * expects next, and a line that starts with them skips the walk over its labels.
 */
import { TytoError } from '@tyto/base';
import type { Labels, MetricType } from '@tyto/model';
import { asciiText, parseFloatBytes } from './floatText.ts';
import {
  BACKSLASH,
  BRACE_CLOSE,
  BRACE_OPEN,
  COMMA,
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
  EQUAL,
  type Entry,
  HASH,
  KIND_DIGIT,
  KINDS,
  LABEL_CHARACTERS,
  METRIC_CHARACTERS,
  NEWLINE,
  OPENMETRICS_TYPES,
  QUOTE,
  quoteRest,
  SPACE,
  TAB,
  TEXT_TYPES,
  wordEnd,
} from './expositionSyntax.ts';
import type { Exemplar, ExpositionFormat } from './expositionReader.ts';
import { LABEL_COUNT_MAX, LINE_BYTES_MAX } from './limits.ts';
import { decodeName, decodeSeries, decodeText, unescapeText } from './seriesText.ts';

export class ExpositionParser {
  readonly format: ExpositionFormat;
  /** The bytes being read; theirs is the owner who called `start`. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The 1-based line that the cursor stands on. */
  line = 0;

  /** Of a sample: the range of `name{labels}`, the value, the time where it has one. */
  seriesStart = 0;
  seriesEnd = 0;
  value = 0;
  hasTimestamp = false;
  timestampMs = 0;
  hasExemplar = false;

  /** The series expected next; none when `guessEnd` is not above `guessStart`. Reset by nobody. */
  guessBytes: Uint8Array = new Uint8Array(0);
  guessStart = 0;
  guessEnd = 0;
  /** Whether the current sample's series is the guessed one. */
  guessed = false;

  #strict: boolean;
  #position = 0;
  #end = 0;
  #lineStart = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #textStart = 0;
  #textEnd = 0;
  #exemplarStart = 0;
  #exemplarEnd = 0;
  #exemplarValue = 0;
  #exemplarMs: number | undefined;

  constructor(format: ExpositionFormat) {
    this.format = format;
    this.#strict = format === 'openmetrics';
  }

  /** Begins a new exposition; the bytes must not change while it is being read. */
  start(bytes: Uint8Array, length = bytes.length): void {
    this.bytes = bytes;
    this.#position = 0;
    this.#end = length;
    this.line = 0;
  }

  /** Where the next line begins. */
  get position(): number {
    return this.#position;
  }
  /** Goes on at the line that begins at `position`; there are `lineCount` lines before it. */
  skip(position: number, lineCount: number): void {
    this.#position = position;
    this.line += lineCount;
  }

  /** Moves to the next entry. Throws TytoError `bad_data` with the line that is at fault. */
  next(): Entry {
    const bytes = this.bytes;
    for (;;) {
      this.#lineStart = this.#position;
      this.line++;
      if (this.#position >= this.#end) {
        if (this.#strict) this.#fail('expected "# EOF" at the end', this.#end);
        return ENTRY_END;
      }
      if (!this.#strict) this.#skipBlanks();
      const first = bytes[this.#position];
      if (first === HASH) {
        const entry = this.#strict ? this.#strictComment() : this.#comment();
        if (entry !== undefined) return entry;
        continue;
      }
      if (first === NEWLINE && !this.#strict) {
        this.#position++;
        continue;
      }
      if (!this.#strict && this.#position >= this.#end) return ENTRY_END;
      this.#sample();
      return ENTRY_SAMPLE;
    }
  }

  /** The current sample's labels, decoded now. */
  labels(): Labels {
    return this.#placed(() => decodeSeries(this.bytes, this.seriesStart, this.seriesEnd));
  }

  exemplar(): Exemplar | undefined {
    if (!this.hasExemplar) return undefined;
    return {
      labels: this.#placed(() => decodeSeries(this.bytes, this.#exemplarStart, this.#exemplarEnd)),
      value: this.#exemplarValue,
      timestampMs: this.#exemplarMs,
    };
  }

  /** The metric that the current HELP, TYPE or UNIT is about. */
  metadataName(): string {
    return this.#placed(() => decodeName(this.bytes, this.#nameStart, this.#nameEnd));
  }

  /** The text of the current HELP or UNIT, escapes undone. */
  metadataText(): string {
    return this.#placed(() => unescapeText(decodeText(this.bytes, this.#textStart, this.#textEnd)));
  }

  /** The type that the current TYPE declares. */
  metadataType(): MetricType {
    const text = asciiText(
      this.bytes,
      this.#textStart,
      Math.min(this.#textEnd, this.#textStart + 40),
    );
    const types = this.#strict ? OPENMETRICS_TYPES : TEXT_TYPES;
    if (Object.hasOwn(types, text)) return types[text];
    return this.#fail(
      `invalid metric type "${text}"; known are ${Object.keys(types).join(', ')}`,
      this.#textStart,
    );
  }

  /** A text format comment: HELP and TYPE mean something, the rest is skipped. */
  #comment(): Entry | undefined {
    const hashAt = this.#position;
    this.#position++;
    this.#skipBlanks();
    const entry = this.#position > hashAt + 1 ? this.#keyword(false) : undefined;
    if (entry === undefined) {
      this.#position = this.#lineEnd();
      this.#position++;
      return undefined;
    }
    this.#skipBlanks();
    this.#metadata(entry);
    return entry;
  }

  #strictComment(): Entry {
    this.#position++;
    if (this.bytes[this.#position] !== SPACE) {
      this.#fail('expected "# HELP", "# TYPE", "# UNIT" or "# EOF"', this.#position);
    }
    this.#position++;
    const entry = this.#keyword(true);
    if (entry === undefined) {
      return this.#fail('expected "# HELP", "# TYPE", "# UNIT" or "# EOF"', this.#position);
    }
    if (entry !== ENTRY_END) {
      this.#metadata(entry);
      if (entry === ENTRY_UNIT) this.#checkUnit();
      return entry;
    }
    if (this.bytes[this.#position] === NEWLINE) this.#position++;
    if (this.#position < this.#end) this.#fail('expected nothing after "# EOF"', this.#position);
    return entry;
  }

  /** HELP, TYPE, UNIT with the blank behind them, or EOF; moves behind what it knows. */
  #keyword(strict: boolean): Entry | undefined {
    const word = asciiText(this.bytes, this.#position, Math.min(this.#position + 4, this.#end));
    if (strict && word.slice(0, 3) === 'EOF') {
      const after = this.bytes[this.#position + 3];
      if (this.#position + 3 < this.#end && after !== NEWLINE) return undefined;
      this.#position += 3;
      return ENTRY_END;
    }
    let entry: Entry | undefined;
    if (word === 'HELP') entry = ENTRY_HELP;
    else if (word === 'TYPE') entry = ENTRY_TYPE;
    else if (word === 'UNIT' && strict) entry = ENTRY_UNIT;
    const blank = this.#byteAt(this.#position + 4);
    if (entry === undefined || !(blank === SPACE || (blank === TAB && !strict))) return undefined;
    this.#position += 5;
    return entry;
  }

  /** `name text` behind a keyword; the text runs to the end of the line. */
  #metadata(entry: Entry): void {
    this.#nameStart = this.#position;
    if (this.#byteAt(this.#position) === QUOTE) this.#quoted('the metric name');
    else this.#identifier(METRIC_CHARACTERS, 'a metric name');
    this.#nameEnd = this.#position;
    const after = this.#byteAt(this.#position);
    const blank = after === SPACE || (after === TAB && !this.#strict);
    if (!blank && (this.#strict || (after !== NEWLINE && after !== -1))) {
      this.#fail('expected a text after the metric name', this.#position);
    }
    this.#textStart = blank ? this.#position + 1 : this.#position;
    this.#textEnd = this.#lineEnd();
    if (this.#strict && this.#textEnd >= this.#end) {
      this.#fail('expected "# EOF" at the end', this.#end);
    }
    this.#position = this.#textEnd + 1;
    // Judged here, so that a type that nobody asks for is refused as well.
    if (entry === ENTRY_TYPE) this.metadataType();
  }

  #checkUnit(): void {
    const unit = this.metadataText();
    if (unit === '' || this.metadataName().endsWith(`_${unit}`)) return;
    const name = this.metadataName();
    this.#fail(`unit "${unit}" is not a suffix of metric "${name}"`, this.#textStart);
  }

  #sample(): void {
    this.hasExemplar = false;
    this.#series();
    this.#beforeValue();
    const valueStart = this.#position;
    this.#position = wordEnd(this.bytes, valueStart, this.#end, this.#strict);
    if (this.#position === valueStart) this.#fail('expected a value after the metric', valueStart);
    this.value = this.#float(valueStart, this.#position);
    if (this.#strict) this.#strictRest();
    else this.#rest();
  }

  /** Finds the range of `name{labels}` at the cursor. */
  #series(): void {
    this.seriesStart = this.#position;
    this.guessed = this.#isGuess();
    if (this.guessed) {
      this.seriesEnd = this.#position;
      return;
    }
    const named = this.bytes[this.#position] !== BRACE_OPEN;
    if (named) this.#identifier(METRIC_CHARACTERS, 'a metric name');
    this.seriesEnd = this.#position;
    if (!this.#strict) this.#skipBlanks();
    if (this.#byteAt(this.#position) === BRACE_OPEN) {
      this.#labelSet(named);
      this.seriesEnd = this.#position;
    }
    if (this.seriesEnd - this.seriesStart > LINE_BYTES_MAX) {
      this.#fail(`expected a series of at most ${LINE_BYTES_MAX} bytes`, this.seriesStart);
    }
  }

  /** Whether the guessed series stands at the cursor; then moves behind it. */
  #isGuess(): boolean {
    const length = this.guessEnd - this.guessStart;
    const position = this.#position;
    if (length <= 0 || position + length >= this.#end) return false;
    const bytes = this.bytes;
    // The series may go on; one blank and no brace behind it show that it does not.
    if (bytes[position + length] !== SPACE) return false;
    const after = bytes[position + length + 1];
    if (after === SPACE || after === TAB || after === BRACE_OPEN) return false;
    const guess = this.guessBytes;
    const offset = this.guessStart - position;
    // From the end, where series of one metric differ.
    for (let i = position + length - 1; i >= position; i--) {
      if (bytes[i] !== guess[i + offset]) return false;
    }
    this.#position = position + length;
    return true;
  }

  /** `{…}`; a name within the braces is allowed where there was none before them. */
  #labelSet(named: boolean): void {
    let nameSet = named;
    let count = 0;
    this.#position++;
    for (;;) {
      if (!this.#strict) this.#skipBlanks();
      const first = this.#byteAt(this.#position);
      if (first === BRACE_CLOSE) break;
      if (++count > LABEL_COUNT_MAX) {
        this.#fail(`expected at most ${LABEL_COUNT_MAX} labels`, this.#position);
      }
      const tokenStart = this.#position;
      if (first === QUOTE) this.#quoted('a label name');
      else this.#identifier(LABEL_CHARACTERS, 'a label name');
      if (!this.#strict) this.#skipBlanks();
      const after = this.#byteAt(this.#position);
      if (first === QUOTE && !nameSet && (after === COMMA || after === BRACE_CLOSE)) {
        if (this.bytes[tokenStart + 1] === QUOTE) this.#fail('expected a metric name', tokenStart);
        nameSet = true;
      } else {
        if (after !== EQUAL) this.#fail('expected "=" after the label name', this.#position);
        this.#position++;
        if (!this.#strict) this.#skipBlanks();
        if (this.#byteAt(this.#position) !== QUOTE) {
          this.#fail('expected a label value in double quotes', this.#position);
        }
        this.#quoted('the label value');
      }
      this.#separator();
    }
    this.#position++;
    if (!nameSet) this.#fail('expected a metric name', this.#lineStart);
  }

  /** The comma between labels, or nothing before the closing brace. */
  #separator(): void {
    if (!this.#strict) this.#skipBlanks();
    const separator = this.#byteAt(this.#position);
    if (separator === COMMA) this.#position++;
    else if (this.#strict && separator !== BRACE_CLOSE) {
      this.#fail('expected "," or "}" after the label value', this.#position);
    }
  }

  /** Exactly one blank in OpenMetrics, any number (even none behind a brace) in the text format. */
  #beforeValue(): void {
    if (!this.#strict) {
      this.#skipBlanks();
      const before = this.bytes[this.#position - 1];
      if (before === SPACE || before === TAB || before === BRACE_CLOSE) return;
    } else if (this.#byteAt(this.#position) === SPACE) {
      this.#position++;
      return;
    }
    this.#fail('expected a value after the metric', this.#position);
  }

  /** What follows a value in the text format: an optional timestamp in milliseconds. */
  #rest(): void {
    this.#skipBlanks();
    this.hasTimestamp = this.#position < this.#end && this.bytes[this.#position] !== NEWLINE;
    if (this.hasTimestamp) {
      const start = this.#position;
      this.#position = wordEnd(this.bytes, start, this.#end, this.#strict);
      const text = asciiText(this.bytes, start, Math.min(this.#position, start + 32));
      this.timestampMs = Number(text);
      if (!/^-?\d{1,16}$/.test(text)) {
        this.#fail('expected a timestamp in milliseconds or the end of the line', start);
      }
      this.#skipBlanks();
      if (this.#position < this.#end && this.bytes[this.#position] !== NEWLINE) {
        this.#fail('expected the end of the line after the timestamp', this.#position);
      }
    }
    this.#position++;
  }

  /** What follows a value in OpenMetrics: a timestamp in seconds, an exemplar. */
  #strictRest(): void {
    this.hasTimestamp =
      this.#byteAt(this.#position) === SPACE && this.#byteAt(this.#position + 1) !== HASH;
    if (this.hasTimestamp) this.timestampMs = this.#seconds('the timestamp');
    if (this.#byteAt(this.#position) === SPACE) this.#readExemplar();
    if (this.#byteAt(this.#position) !== NEWLINE) {
      const expected = this.#position >= this.#end ? '"# EOF" at the end' : 'the end of the line';
      this.#fail(`expected ${expected}`, this.#position);
    }
    this.#position++;
  }

  /** ` # {labels} value [timestamp]` */
  #readExemplar(): void {
    for (const expected of [SPACE, HASH, SPACE, BRACE_OPEN]) {
      if (this.#byteAt(this.#position) !== expected) {
        this.#fail('expected the end of the line or an exemplar " # {…} value"', this.#position);
      }
      this.#position++;
    }
    this.#exemplarStart = --this.#position;
    this.#labelSet(true);
    this.#exemplarEnd = this.#position;
    if (this.#byteAt(this.#position) !== SPACE) {
      this.#fail('expected a value after the exemplar labels', this.#position);
    }
    const start = ++this.#position;
    this.#position = wordEnd(this.bytes, start, this.#end, this.#strict);
    this.#exemplarValue = this.#float(start, this.#position);
    const timed = this.#byteAt(this.#position) === SPACE;
    this.#exemplarMs = timed ? this.#seconds('the exemplar timestamp') : undefined;
    this.hasExemplar = true;
  }

  /** A blank and a time in seconds, as milliseconds. */
  #seconds(what: string): number {
    const start = ++this.#position;
    this.#position = wordEnd(this.bytes, start, this.#end, this.#strict);
    const ms = Math.trunc(this.#float(start, this.#position) * 1000);
    if (!Number.isSafeInteger(ms)) this.#fail(`expected a time in seconds as ${what}`, start);
    return ms;
  }

  #float(start: number, end: number): number {
    try {
      return parseFloatBytes(this.bytes, start, end);
    } catch (error) {
      this.#rethrow(error);
    }
  }

  #identifier(kinds: number, what: string): void {
    const bytes = this.bytes;
    let i = this.#position;
    if (i >= this.#end || (KINDS[bytes[i]] & kinds & ~KIND_DIGIT) === 0) {
      this.#fail(`expected ${what}`, i);
    }
    while (i < this.#end && (KINDS[bytes[i]] & kinds) !== 0) i++;
    this.#position = i;
  }

  /** A double-quoted string; may span lines in the text format, as in Prometheus. */
  #quoted(what: string): void {
    const bytes = this.bytes;
    let i = this.#position + 1;
    while (i < this.#end && bytes[i] !== QUOTE) {
      if (bytes[i] === BACKSLASH) i++;
      if (i < this.#end && bytes[i] === NEWLINE) {
        if (this.#strict) break;
        this.line++;
      }
      i++;
    }
    if (i >= this.#end || bytes[i] !== QUOTE) this.#fail(`expected ${what} to end with """`, i);
    this.#position = i + 1;
  }

  #lineEnd(): number {
    const at = this.bytes.indexOf(NEWLINE, this.#position);
    return at < 0 || at > this.#end ? this.#end : at;
  }

  #skipBlanks(): void {
    const bytes = this.bytes;
    while (this.#position < this.#end) {
      const byte = bytes[this.#position];
      if (byte !== SPACE && byte !== TAB) return;
      this.#position++;
    }
  }

  #byteAt(index: number): number {
    return index < this.#end ? this.bytes[index] : -1;
  }

  #placed<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      this.#rethrow(error);
    }
  }

  #rethrow(error: unknown): never {
    if (!(error instanceof TytoError)) throw error;
    const place = { line: this.line, column: 1 };
    throw new TytoError('bad_data', `line ${this.line}: ${error.message}`, { place });
  }

  #fail(message: string, at: number): never {
    const found = quoteRest(this.bytes, at, this.#end);
    const place = { line: this.line, column: Math.max(1, at - this.#lineStart + 1) };
    throw new TytoError('bad_data', `line ${this.line}: ${message}, found ${found}`, { place });
  }
}
