import { expect, it } from 'vitest';
import { skewOf } from './serverClock.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 18, 20, 3);

it("a device whose clock is ten minutes late follows the server's", () => {
  expect(skewOf('Sat, 21 Nov 2026 18:30:03 GMT', NOW_MS)).toBe(600_000);
});

it('a difference of a second or an answer without a date changes nothing', () => {
  expect(skewOf('Sat, 21 Nov 2026 18:20:02 GMT', NOW_MS)).toBe(0);
  expect(skewOf(null, NOW_MS)).toBe(0);
  expect(skewOf('soon', NOW_MS)).toBe(0);
});
