/** How a text is refused: Prometheus' words and a place. */
import { TytoError } from '@tyto/base';
import type { Span } from './ast.ts';

/** 1-based line and column of an offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** `1:5: parse error: …`; `span` is kept for editors that underline it. */
export class ParseError extends TytoError {
  readonly span: Span;
  /** The message without its position. */
  readonly reason: string;

  /** `words` puts place and reason into a sentence, where it is not Prometheus' own. */
  constructor(text: string, span: Span, reason: string, words = promqlWords) {
    const place = lineAndColumn(text, span.start);
    super('bad_data', words(place.line, place.column, reason), { place });
    this.span = span;
    this.reason = reason;
  }
}

function promqlWords(line: number, column: number, reason: string): string {
  return `${line}:${column}: parse error: ${reason}`;
}
