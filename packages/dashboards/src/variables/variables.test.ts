import { describe, expect, it } from 'vitest';
import {
  customOptions,
  interpolate,
  intervalMs,
  optionsOf,
  referencesOf,
  timeVariables,
} from '@tyto/dashboards';

const chosen = new Map([
  ['host', { values: ['a.b', 'c'], texts: ['A', 'C'], isMulti: true }],
  ['one', { values: ['x.y'], isMulti: true }],
  ['job', { values: ['it\'s "x"'], isMulti: false }],
  ['all', { values: ['a', 'b'], isMulti: true, literal: '.*' }],
  ['at', { values: ['1700000000000'], isMulti: false }],
]);
const promql = (text: string) => interpolate(text, (name) => chosen.get(name), 'promql');

describe('a reference', () => {
  it.each([
    ['up{host=~"$host"}', 'up{host=~"(a\\\\.b|c)"}'],
    ['up{host=~"[[one]]"}', 'up{host=~"x\\\\.y"}'],
    ['up{job="$job"}', 'up{job="it\\\'s \\"x\\""}'],
    ['up{host=~"$all"}', 'up{host=~".*"}'],
    ['$unknown ${unknown:csv} $$', '$unknown ${unknown:csv} $$'],
    ['${host:csv} ${host:pipe} ${host:json}', 'a.b,c a.b|c ["a.b","c"]'],
    ['${host:glob} ${one:glob}', '{a.b,c} x.y'],
    ['${host:regex} ${host:text}', '(a\\.b|c) A + C'],
    ['${host:doublequote} ${host:singlequote}', '"a.b","c" \'a.b\',\'c\''],
    ['${job:sqlstring} ${host:queryparam}', "'it''s \"x\"' var-host=a.b&var-host=c"],
    ['${host:percentencode} ${host:distributed}', '%7Ba.b%2Cc%7D a.b,host=c'],
    ['${at:date:YYYY-MM-DD} ${at:date:seconds}', '2023-11-14 1700000000'],
    ['${at:date}', '2023-11-14T22:13:20.000Z'],
  ])('%s becomes %s', (text, expected) => {
    expect(promql(text)).toBe(expected);
  });

  it('is found in a text', () => {
    expect([...referencesOf('$a ${b:csv} [[c]] ${d.x}')]).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('options', () => {
  it('are filtered by the regex, without repetitions', () => {
    const found = ['node-1:9100', 'node-2:9100', 'node-1:9200', 'other'];
    expect(optionsOf({ regex: '/([^:]+):.*/', sort: 0 }, found)).toEqual([
      { text: 'node-1', value: 'node-1' },
      { text: 'node-2', value: 'node-2' },
    ]);
    const named = '/(?<text>[^:]+):(?<value>\\d+)/';
    expect(optionsOf({ regex: named, sort: 0 }, found.slice(0, 1))).toEqual([
      { text: 'node-1', value: '9100' },
    ]);
    const without = optionsOf({ regex: '(?!node-1).+', sort: 0 }, found);
    expect(without.map(({ value }) => value)).toEqual(['node-2:9100', 'other']);
    expect(() => optionsOf({ regex: '/(/', sort: 0 }, found)).toThrow('error parsing regexp');
  });

  it.each([
    [1, ['B10', 'B9', 'a2']],
    [2, ['a2', 'B9', 'B10']],
    [3, ['a2', 'B9', 'B10']],
    [4, ['B10', 'B9', 'a2']],
    [5, ['a2', 'B10', 'B9']],
    [7, ['a2', 'B9', 'B10']],
  ])('come in the order %i', (sort, expected) => {
    const options = optionsOf({ regex: '', sort }, ['B9', 'a2', 'B10']);
    expect(options.map(({ value }) => value)).toEqual(expected);
  });

  it('that are written have texts and commas of their own', () => {
    expect(customOptions('1m, five : 5m, a\\, b,')).toEqual([
      { text: '1m', value: '1m' },
      { text: 'five', value: '5m' },
      { text: 'a, b', value: 'a, b' },
    ]);
  });
});

it('intervals are steps that people know, and rates have four scrapes', () => {
  const hour = { fromMs: 0, toMs: 3_600_000, points: 1000, minMs: 1000, scrapeMs: 15_000 };
  expect(intervalMs(hour)).toBe(5000);
  expect(intervalMs({ ...hour, minMs: 15_000 })).toBe(15_000);
  expect(intervalMs({ ...hour, toMs: 30 * 86_400_000 })).toBe(3_600_000 * 0.5);
  const variables = timeVariables(hour);
  const text = (name: string) => variables.get(name)?.values[0];
  expect(['__interval', '__rate_interval', '__range', '__range_ms'].map(text)).toEqual([
    '5s',
    '1m',
    '3600s',
    '3600000',
  ]);
});
