import { describe, expect, it } from 'vitest';
import { lastValue, stackColumns, toColumns } from './chartData.ts';

describe('the columns of a chart', () => {
  it('have a gap where a series has no sample', () => {
    const columns = toColumns(
      [
        {
          metric: {},
          values: [
            [100, '1'],
            [130, '4'],
          ],
        },
        { metric: {}, values: [[110, '2.5']] },
      ],
      100,
      130,
      10,
    );
    expect(columns.times).toEqual([100, 110, 120, 130]);
    expect(columns.values).toEqual([
      [1, null, null, 4],
      [null, 2.5, null, null],
    ]);
  });

  it('have a gap where a value is not a number or infinite', () => {
    const values = [
      [0, 'NaN'],
      [1, '+Inf'],
      [2, '3'],
    ] as const;
    expect(toColumns([{ metric: {}, values }], 0, 2, 1).values).toEqual([[null, null, 3]]);
  });

  it('keep to the grid with fractional seconds', () => {
    const values = [
      [0.1, '1'],
      [0.4, '2'],
    ] as const;
    expect(toColumns([{ metric: {}, values }], 0.1, 0.4, 0.1).values).toEqual([[1, null, null, 2]]);
  });

  it('show the average of a native histogram', () => {
    const histograms = [[0, { count: '4', sum: '10' }]] as const;
    expect(toColumns([{ metric: {}, histograms }], 0, 0, 1).values).toEqual([[2.5]]);
  });
});

describe('stacked columns', () => {
  it('add up, and a gap adds nothing', () => {
    expect(
      stackColumns(
        [
          [1, 2, null],
          [10, null, 30],
        ],
        [true, true],
      ),
    ).toEqual([
      [1, 2, null],
      [11, null, 30],
    ]);
  });

  it('leave out what is hidden', () => {
    expect(stackColumns([[1], [2]], [false, true])).toEqual([[null], [2]]);
  });
});

it('the last value skips gaps at the end', () => {
  expect([lastValue([1, 2, null]), lastValue([null])]).toEqual([2, undefined]);
});
