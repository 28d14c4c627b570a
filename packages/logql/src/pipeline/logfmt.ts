/** logfmt: `key=value key="quoted value" flag`. */
import type { LabelExtraction } from '@tyto/syntax';
import { unescaped } from './jsonScanner.ts';
import { labelValue } from './jsonStages.ts';
import { KeyNames, sanitizedName } from './labelNames.ts';
import type { NeededLabels, Stage } from './stage.ts';
import { PARSED } from './workingEntry.ts';

const LOGFMT_ERROR = 'LogfmtParserErr';
const SPACE = 32;
const QUOTE = 34;
const EQUALS = 61;
const BACKSLASH = 92;

/** A cursor over the pairs of a line. */
class LogfmtScanner {
  key = '';
  value = '';
  /** What is wrong with the line, '' while nothing is. */
  problem = '';
  #line = '';
  #at = 0;

  begin(line: string): void {
    this.#line = line;
    this.#at = 0;
    this.problem = '';
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#line.length;
  }

  /** Goes to the next pair; false where there is none, or one that is malformed. */
  next(): boolean {
    const line = this.#line;
    this.key = '';
    this.value = '';
    let at = this.#at;
    while (at < line.length && line.charCodeAt(at) <= SPACE) at++;
    this.#at = at;
    if (at >= line.length) return false;
    const start = at;
    let code = Number.NaN;
    for (; at < line.length; at++) {
      code = line.charCodeAt(at);
      if (code === EQUALS || code === QUOTE || code <= SPACE) break;
    }
    this.#at = at;
    if (at < line.length && (code === QUOTE || (code === EQUALS && at === start))) {
      return this.#unexpected(at);
    }
    this.key = line.slice(start, at);
    if (this.key.includes('\ufffd')) return this.#refuse(at, 'invalid key');
    if (at >= line.length || code !== EQUALS) return true;
    return this.#readValue(at + 1);
  }

  #readValue(start: number): boolean {
    const line = this.#line;
    this.#at = start;
    if (start >= line.length || line.charCodeAt(start) <= SPACE) return true;
    if (line.charCodeAt(start) === QUOTE) return this.#readQuoted(start);
    let at = start;
    for (; at < line.length; at++) {
      const code = line.charCodeAt(at);
      if (code === EQUALS || code === QUOTE) return this.#unexpected(at);
      if (code <= SPACE) break;
    }
    this.value = line.slice(start, at);
    this.#at = at;
    return true;
  }

  #readQuoted(start: number): boolean {
    const line = this.#line;
    let escapes = false;
    for (let at = start + 1; at < line.length; at++) {
      const code = line.charCodeAt(at);
      if (code === BACKSLASH) {
        escapes = true;
        at++;
      } else if (code === QUOTE) {
        const inside = line.slice(start + 1, at);
        this.#at = at + 1;
        this.value = escapes ? unescaped(inside) : inside;
        if (escapes && this.value === '') return this.#refuse(at + 1, 'invalid quoted value');
        return true;
      }
    }
    this.#at = line.length;
    return this.#refuse(line.length, 'unterminated quoted value');
  }

  #refuse(at: number, reason: string): false {
    this.problem = `logfmt syntax error at pos ${at + 1} : ${reason}`;
    return false;
  }

  /** What follows up to the next space is no pair. */
  #unexpected(at: number): false {
    const line = this.#line;
    const char = line[at] === '"' ? `'"'` : `'='`;
    let end = at;
    while (end < line.length && line.charCodeAt(end) > SPACE) end++;
    this.#at = end;
    return this.#refuse(at, `unexpected ${char}`);
  }
}

export interface LogfmtOptions {
  readonly strict: boolean;
  readonly keepEmpty: boolean;
}

/** All pairs; what is malformed is passed over, or, with `strict`, ends the line with an error. */
export function logfmtStage({ strict, keepEmpty }: LogfmtOptions, needed: NeededLabels): Stage {
  const names = new KeyNames(needed);
  const scanner = new LogfmtScanner();
  return (entry) => {
    scanner.begin(entry.line);
    let left = needed === undefined ? Number.POSITIVE_INFINITY : needed.size;
    while (!scanner.isAtEnd && left > 0) {
      if (!scanner.next()) {
        if (strict && scanner.problem !== '') break;
        continue;
      }
      if (scanner.value === '' && !keepEmpty) continue;
      const label = names.labelOf(names.nameOf('', scanner.key), entry);
      if (label === undefined) continue;
      if (needed !== undefined && entry.kindOf(label) !== PARSED) left--;
      entry.setFound(label, labelValue(scanner.value));
    }
    if (strict && scanner.problem !== '') entry.fail(LOGFMT_ERROR, scanner.problem);
    return true;
  };
}

/** Only some pairs, under names of their own; those that are not there are empty. */
export function logfmtPathStage(
  extractions: readonly LabelExtraction[],
  strict: boolean,
  needed: NeededLabels,
): Stage {
  const labels = new Map<string, string[]>();
  for (const { label, expression } of extractions) {
    labels.set(expression, [...(labels.get(expression) ?? []), label]);
  }
  const scanner = new LogfmtScanner();
  return (entry) => {
    for (const { label } of extractions) {
      if (entry.isTaken(label) || (needed !== undefined && !needed.has(label))) continue;
      entry.set(PARSED, label, '');
    }
    scanner.begin(entry.line);
    while (!scanner.isAtEnd) {
      if (!scanner.next()) {
        if (strict && scanner.problem !== '') break;
        continue;
      }
      for (const label of labels.get(sanitizedName(scanner.key)) ?? []) {
        const name = entry.isTaken(label) ? `${label}_extracted` : label;
        if (needed !== undefined && !needed.has(name)) continue;
        entry.set(PARSED, name, labelValue(scanner.value));
      }
    }
    if (strict && scanner.problem !== '') entry.fail(LOGFMT_ERROR, scanner.problem);
    return true;
  };
}
