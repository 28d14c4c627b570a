/** How a LogQL text is refused: in Loki's words. */
import type { Span } from '../ast.ts';
import { ParseError } from '../problems.ts';

/** `parse error at line 1, col 5: …` */
export function logqlProblem(text: string, span: Span, reason: string): ParseError {
  return new ParseError(text, { start: span.start, end: span.end }, reason, logqlWords);
}

/** `parse error : …`, for what is wrong with a whole expression; its place is kept all the same. */
export function wholeProblem(text: string, span: Span, reason: string): ParseError {
  const { start, end } = span;
  return new ParseError(text, { start, end }, reason, (_line, _column, why) => {
    return `parse error : ${why}`;
  });
}

function logqlWords(line: number, column: number, reason: string): string {
  return `parse error at line ${line}, col ${column}: ${reason}`;
}
