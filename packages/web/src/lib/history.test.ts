import { expect, it } from 'vitest';
import { parseHistory, remember } from './history.ts';

it('the history keeps a query once, the last use first', () => {
  expect(remember(['a', 'b'], ' b ')).toEqual(['b', 'a']);
  expect(remember(['a'], '  ')).toEqual(['a']);
});

it('a history that was damaged is forgotten', () => {
  expect([parseHistory('{'), parseHistory('[1,"up"]'), parseHistory(undefined)]).toEqual([
    [],
    ['up'],
    [],
  ]);
});
