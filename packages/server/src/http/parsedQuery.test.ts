import { parseExpr } from '@tyto/syntax';
import { describe, expect, it } from 'vitest';
import { parsedQuery, plainDecimal } from './parsedQuery.ts';

const parsed = (text: string) => parsedQuery(parseExpr(text));
const UP = {
  type: 'vectorSelector',
  name: 'up',
  matchers: [{ name: '__name__', value: 'up', type: '=' }],
  offset: 0,
  timestamp: null,
  startOrEnd: null,
  anchored: false,
  smoothed: false,
};

/** The shapes of Prometheus 3's web/api/v1/translate_ast.go. */
describe('a parsed query', () => {
  it('of selectors has their matchers and times', () => {
    expect(parsed('up')).toEqual(UP);
    expect(parsed('up offset -5m @ 1700000000.5')).toEqual({
      ...UP,
      offset: -300_000,
      timestamp: 1_700_000_000_500,
    });
    const matchers = [{ name: 'job', value: 'a|b', type: '=~' }];
    expect(parsed('{job=~"a|b"}[5m] @ end()')).toEqual({
      ...{ ...UP, type: 'matrixSelector', name: '', matchers },
      range: 300_000,
      startOrEnd: 'end',
    });
    expect(parsed('up[1h:1m] offset 1m')).toEqual({
      type: 'subquery',
      expr: UP,
      range: 3_600_000,
      step: 60_000,
      offset: 60_000,
      timestamp: null,
      startOrEnd: null,
    });
  });

  it('of operations has their operands', () => {
    expect(parsed('sum by (job) (up)')).toEqual({
      type: 'aggregation',
      op: 'sum',
      expr: UP,
      param: null,
      grouping: ['job'],
      without: false,
    });
    expect(parsed('topk without () (3, -up)')).toMatchObject({
      param: { type: 'numberLiteral', val: '3' },
      expr: { type: 'unaryExpr', op: '-', expr: UP },
      grouping: [],
      without: true,
    });
    expect(parsed('up == bool on (job) group_left (a) up')).toEqual({
      type: 'binaryExpr',
      op: '==',
      lhs: UP,
      rhs: UP,
      bool: true,
      matching: {
        card: 'many-to-one',
        labels: ['job'],
        on: true,
        include: ['a'],
        fillValues: { lhs: null, rhs: null },
      },
    });
    expect(parsed('(up) + 1')).toMatchObject({
      lhs: { type: 'parenExpr', expr: UP },
      matching: null,
      bool: false,
    });
  });

  it('of calls has the function with its types', () => {
    expect(parsed('label_join(up, "a", ",")')).toMatchObject({
      type: 'call',
      func: { name: 'label_join', variadic: -1, returnType: 'vector' },
      args: [UP, { type: 'stringLiteral', val: 'a' }, { type: 'stringLiteral', val: ',' }],
    });
    expect(parsed('round(up)')).toMatchObject({
      func: { argTypes: ['vector', 'scalar'], variadic: 1 },
    });
    expect(parsed('time()')).toEqual({
      type: 'call',
      func: { name: 'time', argTypes: [], variadic: 0, returnType: 'scalar' },
      args: [],
    });
  });
});

describe('a number without exponent', () => {
  it.each([
    [0, '0'],
    [-0, '-0'],
    [1.5, '1.5'],
    [1e21, '1000000000000000000000'],
    [1.25e-7, '0.000000125'],
    [-12345.678, '-12345.678'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [Number.NaN, 'NaN'],
  ])('%d', (value, text) => {
    expect(plainDecimal(value)).toBe(text);
  });
});
