import { expect, it } from 'vitest';
import { type Frame, field, frame, nameOf, reduceValues, transformFrames } from '@tyto/dashboards';

const series = (refId: string, labels: Record<string, string>, values: (number | null)[]) =>
  frame(refId, '', [
    field(
      'Time',
      'time',
      values.map((_, i) => 1000 * (i + 1)),
    ),
    field('Value', 'number', values, { labels }),
  ]);

const hosts = [series('A', { host: 'a', env: 'x' }, [1, 2]), series('A', { host: 'b' }, [3, null])];

const table = frame('B', '', [
  field('host', 'string', ['a', 'b', 'a']),
  field('cpu', 'number', [1, 5, 3]),
]);

/** Each frame as its names and rows, as somebody sees them. */
function shown(frames: readonly Frame[]) {
  return frames.map((one) => ({
    names: one.fields.map((each) => nameOf(each, one, frames)),
    rows: Array.from({ length: one.length }, (_, row) =>
      one.fields.map(({ values }) => values[row] ?? null),
    ),
  }));
}

function run(frames: readonly Frame[], id: string, options: Record<string, unknown> = {}) {
  const one = { id, isDisabled: false, filter: undefined, options };
  return shown(transformFrames(frames, [one]).frames);
}

it('organize leaves out, orders and renames', () => {
  const options = {
    excludeByName: { cpu: false, Time: true },
    indexByName: { cpu: 0, host: 1 },
    renameByName: { cpu: 'CPU %' },
  };
  expect(run([table], 'organize', options)).toEqual([
    {
      names: ['CPU %', 'host'],
      rows: [
        [1, 'a'],
        [5, 'b'],
        [3, 'a'],
      ],
    },
  ]);
});

it('joinByField puts series side by side at their times', () => {
  expect(run(hosts, 'joinByField', { byField: 'Time', mode: 'outer' })).toEqual([
    {
      names: ['Time', '{host="a", env="x"}', 'b'],
      rows: [
        [1000, 1, 3],
        [2000, 2, null],
      ],
    },
  ]);
});

it('merge makes one table of rows that agree', () => {
  const memory = frame('C', '', [
    field('host', 'string', ['b', 'c']),
    field('memory', 'number', [7, 8]),
  ]);
  const two = frame('B', '', [field('host', 'string', ['a', 'b']), field('cpu', 'number', [1, 5])]);
  expect(run([two, memory], 'merge')).toEqual([
    {
      names: ['host', 'cpu', 'memory'],
      rows: [
        ['a', 1, null],
        ['b', 5, 7],
        ['c', null, 8],
      ],
    },
  ]);
});

it('groupBy calculates for each value', () => {
  const fields = {
    host: { operation: 'groupby' },
    cpu: { operation: 'aggregate', aggregations: ['mean', 'count'] },
  };
  expect(run([table], 'groupBy', { fields })).toEqual([
    {
      names: ['host', 'cpu (mean)', 'cpu (count)'],
      rows: [
        ['a', 2, 2],
        ['b', 5, 1],
      ],
    },
  ]);
});

it.each([
  [{ mode: 'reduceRow', reduce: { reducer: 'sum' } }, 'Total', [4, 2]],
  [{ mode: 'binary', binary: { left: 'b', operator: '*', right: '10' } }, 'b * 10', [30, null]],
  [{ mode: 'index', alias: 'Row' }, 'Row', [0, 1]],
])('calculateField %j', (options, name, values) => {
  const [{ names, rows }] = run(hosts, 'calculateField', options);
  expect(names.at(-1)).toBe(name);
  expect(rows.map((row) => row.at(-1))).toEqual(values);
});

it('reduce makes a row of each series', () => {
  expect(run(hosts, 'reduce', { reducers: ['max', 'lastNotNull'] })).toEqual([
    {
      names: ['Field', 'Max', 'Last *'],
      rows: [
        ['{host="a", env="x"}', 2, 2],
        ['b', 3, 3],
      ],
    },
  ]);
});

it('labels become columns', () => {
  const [{ names, rows }] = run(hosts, 'labelsToFields');
  expect(names).toEqual(['Time', 'host', 'env', 'Value']);
  expect(rows).toContainEqual([1000, 'a', 'x', 1]);
  expect(rows).toContainEqual([1000, 'b', null, 3]);
});

it('a table of series has a small chart in each row', () => {
  const one = { id: 'timeSeriesTable', isDisabled: false, filter: undefined, options: {} };
  const [made] = transformFrames(hosts, [one]).frames;
  const trend = made.fields.at(-1);
  expect(trend).toMatchObject({ name: 'Trend #A', values: [2, 3] });
  expect(trend?.lines?.[0]).toEqual({ times: [1000, 2000], values: [1, 2] });
});

it.each([
  ['renameByRegex', { regex: 'c(.)u', renamePattern: '$1-usage' }, ['host', 'p-usage']],
  ['filterFieldsByName', { include: { names: ['cpu'] } }, ['cpu']],
  ['filterFieldsByName', { exclude: { pattern: '/^c/' } }, ['host']],
])('%s %j', (id, options, names) => {
  expect(run([table], id, options)[0].names).toEqual(names);
});

it.each([
  [
    'sortBy',
    { sort: [{ field: 'cpu', desc: true }] },
    [
      ['b', 5],
      ['a', 3],
      ['a', 1],
    ],
  ],
  ['limit', { limitField: 1 }, [['a', 1]]],
  [
    'filterByValue',
    {
      type: 'include',
      match: 'all',
      filters: [{ fieldName: 'cpu', config: { id: 'greater', options: { value: 1 } } }],
    },
    [
      ['b', 5],
      ['a', 3],
    ],
  ],
])('%s %j', (id, options, rows) => {
  expect(run([table], id, options)[0].rows).toEqual(rows);
});

it('rows and columns change places', () => {
  const two = frame('', '', [
    field('name', 'string', ['cpu', 'disk']),
    field('value', 'number', [1, 2]),
  ]);
  expect(run([two], 'rowsToFields')).toEqual([{ names: ['cpu', 'disk'], rows: [[1, 2]] }]);
  expect(run([two], 'transpose')).toEqual([
    { names: ['name', 'cpu', 'disk'], rows: [['value', 1, 2]] },
  ]);
});

it('what is not known is told, what is disabled or for others is left alone', () => {
  const on = (id: string, more = {}) => ({
    ...{ id, isDisabled: false, filter: undefined, options: { limitField: 1 } },
    ...more,
  });
  const steps = [
    on('spatial'),
    on('limit', { isDisabled: true }),
    on('limit', { filter: { id: 'byRefId', options: 'Z' } }),
  ];
  const { frames, unknown } = transformFrames([table], steps);
  expect([frames, unknown]).toEqual([[table], ['spatial']]);
});

it.each([
  ['mean', 2],
  ['median', 2],
  ['p90', 3],
  ['range', 2],
  ['delta', 2],
  ['diff', -1],
  ['count', 4],
  ['last', null],
  ['firstNotNull', 2],
  ['stdDev', Math.sqrt(2 / 3)],
  ['distinctCount', 4],
])('%s of 2, 3, 1 and nothing', (id, expected) => {
  expect(reduceValues([2, 3, 1, null], id)).toEqual(expected);
});
