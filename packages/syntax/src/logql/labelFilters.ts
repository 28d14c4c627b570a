/** Label filters: comparisons with texts, numbers, durations, sizes and addresses, combined. */
import { errorMessage } from '@tyto/base';
import { createMatcher, type Matcher, type MatchType } from '@tyto/model';
import type { Token } from '../lexer.ts';
import type { LabelComparison, LabelFilter } from './ast.ts';
import type { LogqlCursor } from './cursor.ts';
import { parseBytes, parseQueryDuration } from './units.ts';

const MATCH_TYPES: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~']);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '==', '!=', '>', '>=', '<', '<=']);

/**
 * `a="b" and (c>5 or d!=ip("…")), e<=1s`. `and` binds tighter than `or`, and a comma, or nothing
 * between two conditions, is an `and` that binds weaker than both.
 */
export function parseLabelFilter(cursor: LogqlCursor): LabelFilter {
  cursor.descend();
  let left = parseAlternatives(cursor);
  while (cursor.takeText(',') || startsFilter(cursor)) {
    cursor.countOperator(cursor.peek());
    left = { kind: 'and', left, right: parseAlternatives(cursor) };
  }
  cursor.ascend();
  return left;
}

function parseAlternatives(cursor: LogqlCursor): LabelFilter {
  let left = parseConjunction(cursor);
  while (cursor.at('or')) {
    cursor.countOperator(cursor.next());
    left = { kind: 'or', left, right: parseConjunction(cursor) };
  }
  return left;
}

function parseConjunction(cursor: LogqlCursor): LabelFilter {
  let left = parseUnit(cursor);
  while (cursor.at('and')) {
    cursor.countOperator(cursor.next());
    left = { kind: 'and', left, right: parseUnit(cursor) };
  }
  return left;
}

function startsFilter(cursor: LogqlCursor): boolean {
  const token = cursor.peek();
  if (cursor.at('(')) return true;
  return token.type === 'identifier' && COMPARISONS_OR_MATCHES.has(cursor.peek(1).text);
}

const COMPARISONS_OR_MATCHES: ReadonlySet<string> = new Set([...MATCH_TYPES, ...COMPARISONS]);

function parseUnit(cursor: LogqlCursor): LabelFilter {
  if (cursor.takeText('(')) {
    const inner = parseLabelFilter(cursor);
    cursor.expectText(')');
    return inner;
  }
  const label = cursor.labelName();
  const token = cursor.peek();
  const operator = token.text;
  if (token.type === 'string' || !COMPARISONS_OR_MATCHES.has(operator)) {
    throw cursor.unexpected();
  }
  cursor.next();
  if (cursor.peek().type === 'string') {
    if (!MATCH_TYPES.has(operator)) throw cursor.unexpected('', 'BYTES or NUMBER or DURATION');
    const matcher = parseMatcherValue(cursor, operator as MatchType, label);
    return { kind: 'string', matcher };
  }
  if (cursor.at('ip')) return parseIp(cursor, label, operator);
  return parseNumeric(cursor, label, operator, token);
}

/** Takes the string of a matcher. */
export function parseMatcherValue(cursor: LogqlCursor, type: MatchType, label: string): Matcher {
  const token = cursor.peek();
  const value = cursor.stringText();
  try {
    return createMatcher(type, label, value);
  } catch (error) {
    throw cursor.problem(token, errorMessage(error));
  }
}

function parseIp(cursor: LogqlCursor, label: string, operator: string): LabelFilter {
  if (operator !== '=' && operator !== '!=') {
    throw cursor.unexpected('', 'BYTES or NUMBER or DURATION');
  }
  cursor.next();
  cursor.expectText('(');
  const value = cursor.stringText();
  cursor.expectText(')');
  return { kind: 'ip', label, negated: operator === '!=', value };
}

function parseNumeric(
  cursor: LogqlCursor,
  label: string,
  written: string,
  operatorToken: Token,
): LabelFilter {
  if (!COMPARISONS.has(written)) {
    throw cursor.unexpected('', 'STRING');
  }
  const operator = (written === '=' ? '==' : written) as LabelComparison;
  const negative = cursor.takeText('-');
  if (!negative) cursor.takeText('+');
  const token = cursor.next();
  const sign = negative ? -1 : 1;
  switch (token.type) {
    case 'number':
      return { kind: 'number', label, operator, value: sign * Number(token.text) };
    case 'duration': {
      const value = sign * (parseQueryDuration(token.text) ?? Number.NaN);
      return { kind: 'duration', label, operator, value };
    }
    case 'bytes':
      if (!negative) {
        return { kind: 'bytes', label, operator, value: parseBytes(token.text) ?? Number.NaN };
      }
      break;
    default:
  }
  const shown = token.type === 'eof' ? '$end' : cursor.textOf(token);
  const place = token.type === 'eof' ? operatorToken : token;
  throw cursor.problem(place, `syntax error: unexpected ${shown || token.type}`);
}
