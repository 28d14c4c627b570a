/** Whatever tree is printed parses back to the same tree. */
import { createMatcher, METRIC_NAME } from '@tyto/model';
import {
  type Aggregation,
  type Expr,
  formatExpr,
  isSetOperator,
  NO_OFFSET,
  parseExpr,
  type VectorMatching,
} from '@tyto/syntax';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const span = { start: 0, end: 0 };
const labelName = fc.constantFrom('job', 'le', 'on', 'sum', 'my.label', 'é');
const text = fc.string({ unit: 'grapheme', maxLength: 6 });

const number: fc.Arbitrary<Expr> = fc
  .oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 1000 }))
  .map((value) => ({ kind: 'number', value, isDuration: false, span }));

const selector: fc.Arbitrary<Expr & { kind: 'vector' }> = fc
  .record({
    kind: fc.constant('vector' as const),
    name: fc.constantFrom('up', 'http_requests_total', 'sum', 'my.metric', 'a:b'),
    matchers: fc.constant([]),
    offset: fc.constantFrom(NO_OFFSET, { kind: 'fixed', ms: -90_000 }),
    at: fc.constantFrom(undefined, { type: 'end' }, { type: 'time', timeMs: 12_345 }),
    anchored: fc.constant(false),
    smoothed: fc.constant(false),
    span: fc.constant(span),
    labels: fc.dictionary(labelName, text, { maxKeys: 2 }),
  })
  .map(({ labels, ...node }) => ({
    ...node,
    matchers: [
      createMatcher('=' as const, METRIC_NAME, node.name),
      ...Object.entries(labels).map(([name, value]) => createMatcher('=' as const, name, value)),
    ],
  })) as fc.Arbitrary<Expr & { kind: 'vector' }>;

const matching = (operator: string): fc.Arbitrary<VectorMatching> =>
  fc.record({
    cardinality: isSetOperator(operator as 'and')
      ? fc.constant('many-to-many' as const)
      : fc.constantFrom('one-to-one' as const, 'many-to-one' as const, 'one-to-many' as const),
    on: fc.boolean(),
    labels: fc.constantFrom(['job'], ['a', 'my.label']),
    include: fc.constant<string[]>([]),
    fillLeft: fc.constant(undefined),
    fillRight: fc.constant(undefined),
  });

const operators = ['+', '-', '*', '/', '%', '^', 'atan2', '==', '<=', 'and', 'or', 'unless'];

const { vector } = fc.letrec<{ vector: Expr; scalar: Expr }>((tie) => ({
  scalar: fc.oneof(
    { maxDepth: 3 },
    number,
    fc.record({
      kind: fc.constant('binary' as const),
      operator: fc.constantFrom('+' as const, '-' as const, '^' as const, '*' as const),
      left: tie('scalar'),
      right: tie('scalar'),
      returnBool: fc.constant(false),
      matching: fc.constant(undefined),
      span: fc.constant(span),
    }),
  ),
  vector: fc.oneof(
    { maxDepth: 4 },
    selector,
    fc.record({
      kind: fc.constant('unary' as const),
      operator: fc.constantFrom('-' as const, '+' as const),
      operand: tie('vector'),
      span: fc.constant(span),
    }),
    fc.constantFrom(...operators).chain((operator) =>
      fc.record({
        kind: fc.constant('binary' as const),
        operator: fc.constant(operator as '+'),
        left: tie('vector'),
        right: tie('vector'),
        returnBool: fc.constant(operator === '=='),
        matching: matching(operator),
        span: fc.constant(span),
      }),
    ),
    fc.tuple(tie('scalar'), tie('vector')).map(
      ([parameter, inner]): Aggregation => ({
        kind: 'aggregation',
        operator: 'topk',
        inner,
        parameter,
        grouping: ['job'],
        without: true,
        span,
      }),
    ),
    tie('vector').map((inner): Expr => {
      const range = { kind: 'fixed' as const, ms: 300_000 };
      const modifiers = { offset: NO_OFFSET, at: undefined };
      const subquery: Expr = { kind: 'subquery', inner, range, step: range, ...modifiers, span };
      return { kind: 'call', name: 'rate', args: [subquery], span };
    }),
  ),
}));

/** The tree as comparable data: without positions, parentheses and compiled patterns. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const node = value as Record<string, unknown>;
  if (node.kind === 'paren') return plain(node.inner);
  const entries = Object.entries(node)
    .filter(([key]) => !['span', 'regexp', 'matches', 'isDuration'].includes(key))
    .map(([key, child]) => [key, key === 'matchers' ? sortedMatchers(child) : plain(child)]);
  return Object.fromEntries(entries);
}

function sortedMatchers(matchers: unknown): string[] {
  const list = matchers as { name: string; value: string }[];
  return list.map(({ name, value }) => `${name}=${value}`).sort();
}

it('a printed tree parses back to itself', () => {
  fc.assert(
    fc.property(vector, (expr) => {
      expect(plain(parseExpr(formatExpr(expr)))).toEqual(plain(expr));
    }),
    { numRuns: 300 },
  );
});
