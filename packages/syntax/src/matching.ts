/** What may stand between a binary operator and its right side, and lists of labels. */
import type { Cardinality, VectorMatching } from './ast.ts';
import { parseNumber } from './literals.ts';
import type { TokenCursor } from './tokenCursor.ts';

/** `matching` is absent where nothing was written; the type check fills in the default. */
export interface MatchingClause {
  readonly returnBool: boolean;
  readonly matching: VectorMatching | undefined;
}

export const DEFAULT_MATCHING: VectorMatching = {
  cardinality: 'one-to-one',
  on: false,
  labels: [],
  include: [],
  fillLeft: undefined,
  fillRight: undefined,
};

/**
 * Reads `bool`, `on (…)`, `ignoring (…)`, `group_left (…)`, `group_right (…)` and the fill
 * modifiers, as far as they are there.
 */
export function parseMatching(cursor: TokenCursor): MatchingClause {
  const returnBool = takeKeyword(cursor, 'bool');
  const on = takeKeyword(cursor, 'on');
  const ignoring = !on && takeKeyword(cursor, 'ignoring');
  let matching = DEFAULT_MATCHING;
  if (on || ignoring) {
    matching = { ...matching, on, labels: parseLabelList(cursor) };
    const left = takeKeyword(cursor, 'group_left');
    const right = !left && takeKeyword(cursor, 'group_right');
    if (left || right) {
      const cardinality: Cardinality = left ? 'many-to-one' : 'one-to-many';
      const include = cursor.peek().text === '(' ? parseLabelList(cursor) : [];
      matching = { ...matching, cardinality, include };
    }
  }
  matching = parseFill(cursor, matching);
  return { returnBool, matching: matching === DEFAULT_MATCHING ? undefined : matching };
}

function parseFill(cursor: TokenCursor, matching: VectorMatching): VectorMatching {
  let { fillLeft, fillRight } = matching;
  let found = false;
  for (;;) {
    const token = cursor.peek();
    const isFill = token.type === 'keyword' && token.text.startsWith('fill');
    // A metric may be called `fill`; only what is followed by a parenthesis is the modifier.
    if (!isFill || cursor.peek(1).text !== '(') break;
    cursor.next();
    const value = parseFillValue(cursor);
    if (token.text !== 'fill_right') fillLeft = value;
    if (token.text !== 'fill_left') fillRight = value;
    found = true;
  }
  return found ? { ...matching, fillLeft, fillRight } : matching;
}

function parseFillValue(cursor: TokenCursor): number {
  cursor.expect('(');
  const sign = cursor.peek().text;
  const signed = cursor.peek().type === 'operator' && (sign === '-' || sign === '+');
  if (signed) cursor.next();
  const token = cursor.peek();
  if (token.type !== 'number') throw cursor.unexpected('fill modifier', 'number');
  cursor.next();
  cursor.expect(')');
  return (signed && sign === '-' ? -1 : 1) * (parseNumber(token.text) ?? NaN);
}

/** `(a, "b c", …)`; a trailing comma is fine. */
export function parseLabelList(cursor: TokenCursor): string[] {
  cursor.expect('(', 'grouping opts');
  const labels: string[] = [];
  while (!cursor.take(')')) {
    const token = cursor.peek();
    if (token.type === 'string') {
      const label = cursor.stringValue();
      if (label === '') throw cursor.problem(token, 'invalid label name for grouping: ""');
      labels.push(label);
    } else if (isLabelToken(token.type, cursor.textOf(token))) {
      labels.push(cursor.textOf(cursor.next()));
    } else {
      throw cursor.unexpected('grouping opts', 'label');
    }
    if (cursor.take(')')) break;
    if (!cursor.take(',')) throw cursor.unexpected('grouping opts', '"," or ")"');
  }
  return labels;
}

function isLabelToken(type: string, text: string): boolean {
  if (type === 'identifier' || type === 'keyword' || type === 'aggregator') return true;
  return (type === 'operator' || type === 'number') && /^[a-zA-Z]/.test(text);
}

function takeKeyword(cursor: TokenCursor, keyword: string): boolean {
  const token = cursor.peek();
  if (token.type !== 'keyword' || token.text !== keyword) return false;
  // `bool` and its like are operators here only; after them something must still follow.
  cursor.next();
  return true;
}
