import { expect, it } from 'vitest';
import { Labels } from '@tyto/model';

it('labels of an object are in order and without empty values, few or many', () => {
  expect(Labels.of({ b: '2', a: '1', d: '', c: '3' }).pairs).toEqual([
    'a',
    '1',
    'b',
    '2',
    'c',
    '3',
  ]);
  const names = Array.from({ length: 40 }, (_, i) => `n${(i * 7) % 40}`);
  const many = Labels.of(Object.fromEntries(names.map((name) => [name, 'x'])));
  expect(many.pairs.filter((_, i) => i % 2 === 0)).toEqual([...names].sort());
  expect(Labels.of(JSON.parse('{"b":"1","__proto__":"2"}')).get('__proto__')).toBe('2');
  expect(Labels.of({})).toBe(Labels.empty);
});
