import { parseSampleValue } from '@tyto/api';
import { expect, it } from 'vitest';

it('reads the numbers that JSON cannot carry', () => {
  expect(['NaN', '+Inf', '-Inf', '1e-3', '0x'].map(parseSampleValue)).toEqual([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0.001,
    Number.NaN,
  ]);
});
