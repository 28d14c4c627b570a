import { describe, expect, it } from 'vitest';
import {
  compareLabelMaps,
  distinctNames,
  formatSeries,
  matrixToCsv,
  vectorToCsv,
} from './series.ts';

describe('the name of a series', () => {
  it('is written as PromQL selects it', () => {
    expect(formatSeries({ __name__: 'up', job: 'node', instance: 'a' })).toBe(
      'up{instance="a", job="node"}',
    );
    expect(formatSeries({ __name__: 'up' })).toBe('up');
    expect(formatSeries({})).toBe('{}');
  });

  it('quotes names outside the classic alphabet', () => {
    expect(formatSeries({ __name__: '주문.성공률', 'service.name': 'a"b' })).toBe(
      '{"주문.성공률", "service.name"="a\\"b"}',
    );
  });

  it('among others leaves out what they all share', () => {
    expect(
      distinctNames([
        { __name__: 'up', job: 'node', instance: 'a' },
        { __name__: 'up', job: 'node', instance: 'b' },
      ]),
    ).toEqual(['{instance="a"}', '{instance="b"}']);
  });
});

it('series keep one order, whatever the order of their labels', () => {
  expect(compareLabelMaps({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(0);
  expect(compareLabelMaps({ a: '1' }, { a: '2' })).toBe(-1);
});

describe('a table to take away', () => {
  it('has a column for every label', () => {
    const result = [
      { metric: { __name__: 'up', job: 'a,b' }, value: [1.5, '1'] as const },
      { metric: { instance: 'x' }, value: [1.5, 'NaN'] as const },
    ];
    expect(vectorToCsv(result)).toBe(
      '__name__,instance,job,timestamp,value\nup,,"a,b",1.5,1\n,x,,1.5,NaN\n',
    );
  });

  it('never carries a formula', () => {
    expect(vectorToCsv([{ metric: { a: '=1+1' }, value: [1, '-2'] }])).toBe(
      "a,timestamp,value\n'=1+1,1,-2\n",
    );
  });

  it('of a range has a row for every sample', () => {
    expect(
      matrixToCsv([
        {
          metric: {},
          values: [
            [1, '2'],
            [2, '3'],
          ],
        },
      ]),
    ).toBe('timestamp,value\n1,2\n2,3\n');
  });
});
