import { expect, it } from 'vitest';
import { growthPercent } from './garbageCollector.ts';

it('lets a small heap grow by much and a large one by little', () => {
  const megabyte = 1024 * 1024;
  expect(growthPercent(4 * megabyte)).toBe(400);
  expect(growthPercent(16 * megabyte)).toBe(100);
  expect(growthPercent(2048 * megabyte)).toBe(15);
});
