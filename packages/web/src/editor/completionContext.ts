/**
 * What a PromQL expression expects at a position, from the text before it: a scan that knows
 * strings, comments and brackets, and so works on unfinished expressions, where a parser gives up.
 */

export type CompletionContext =
  | { readonly kind: 'expression'; readonly from: number }
  | { readonly kind: 'labelName'; readonly from: number; readonly metric: string | undefined }
  | {
      readonly kind: 'labelValue';
      readonly from: number;
      readonly metric: string | undefined;
      readonly label: string;
    }
  | { readonly kind: 'duration'; readonly from: number }
  | { readonly kind: 'nothing' };

interface Bracket {
  readonly character: string;
  readonly start: number;
}

interface Scan {
  readonly brackets: readonly Bracket[];
  /** Where the string that is open at the end begins, or undefined. */
  readonly stringStart: number | undefined;
  readonly isInComment: boolean;
}

const WORD_END = /[a-zA-Z0-9_:]*$/;
const GROUPING_BEFORE = /\b(?:by|without|on|ignoring|group_left|group_right)\s*$/i;
const METRIC_BEFORE = /([a-zA-Z_:][a-zA-Z0-9_:]*)\s*$/;
const LABEL_BEFORE = /(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\.)*)")\s*(?:=~|!~|!=|=)\s*$/;
const METRIC_ANYWHERE = /([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{|\[)/;

export function completionContextAt(text: string, position: number): CompletionContext {
  const before = text.slice(0, position);
  const scan = scanTo(before);
  if (scan.isInComment) return { kind: 'nothing' };
  const from = position - (WORD_END.exec(before)?.[0].length ?? 0);
  const bracket = scan.brackets.at(-1);
  if (scan.stringStart !== undefined) return inString(before, scan.stringStart, bracket);
  if (bracket?.character === '{') {
    const isName = /[{,]\s*$/.test(before.slice(0, from));
    return isName
      ? { kind: 'labelName', from, metric: metricBefore(before, bracket.start) }
      : { kind: 'nothing' };
  }
  if (bracket?.character === '[') {
    return /[[:]\s*\d+$/.test(before.slice(bracket.start))
      ? { kind: 'duration', from: position - (/\d+$/.exec(before)?.[0].length ?? 0) }
      : { kind: 'duration', from: position };
  }
  if (bracket !== undefined && GROUPING_BEFORE.test(before.slice(0, bracket.start))) {
    const metric = METRIC_ANYWHERE.exec(text)?.[1];
    return { kind: 'labelName', from, metric };
  }
  return /^\d/.test(before.slice(from)) ? { kind: 'nothing' } : { kind: 'expression', from };
}

function inString(
  before: string,
  stringStart: number,
  bracket: Bracket | undefined,
): CompletionContext {
  if (bracket?.character !== '{') return { kind: 'nothing' };
  const label = LABEL_BEFORE.exec(before.slice(bracket.start + 1, stringStart));
  const name = label?.[1] ?? label?.[2];
  if (name === undefined) return { kind: 'nothing' };
  const metric = metricBefore(before, bracket.start);
  return { kind: 'labelValue', from: stringStart + 1, metric, label: name };
}

function metricBefore(text: string, bracketStart: number): string | undefined {
  return METRIC_BEFORE.exec(text.slice(0, bracketStart))?.[1];
}

function scanTo(before: string): Scan {
  const brackets: Bracket[] = [];
  let stringStart: number | undefined;
  let isInComment = false;
  for (let i = 0; i < before.length; i++) {
    const character = before[i] ?? '';
    if (isInComment) {
      isInComment = character !== '\n';
    } else if (stringStart !== undefined) {
      const quote = before[stringStart];
      if (character === '\\' && quote !== '`') i++;
      else if (character === quote) stringStart = undefined;
    } else if (character === '"' || character === "'" || character === '`') {
      stringStart = i;
    } else if (character === '#') {
      isInComment = true;
    } else if (character === '(' || character === '{' || character === '[') {
      brackets.push({ character, start: i });
    } else if (character === ')' || character === '}' || character === ']') {
      brackets.pop();
    }
  }
  return { brackets, stringStart, isInComment };
}
