import { describe, expect, it } from 'vitest';
import { NOT_KNOWN, SeriesHashTable } from './seriesHashTable.ts';

/** Hashes that share their slots a lot. */
const hash = (n: number) => Uint32Array.of(n % 977, n, 7);

describe('the table of series hashes', () => {
  it('finds what was set, and only that', () => {
    const table = new SeriesHashTable(1_000_000);
    for (let n = 0; n < 20_000; n++) table.set(hash(n), 0, n * 2 ** 32 + 1);
    expect(table.size).toBe(20_000);
    const numbers = Array.from({ length: 20_000 }, (_, n) => n);
    expect(numbers.every((n) => table.find(hash(n), 0) === n * 2 ** 32 + 1)).toBe(true);
    expect(table.find(hash(20_000), 0)).toBe(NOT_KNOWN);
    table.set(hash(5), 0, 9);
    expect(table.find(hash(5), 0)).toBe(9);
    expect(table.size).toBe(20_000);
  });

  it('forgets what is not found any more before it grows', () => {
    const table = new SeriesHashTable(1_000_000);
    let lost = 0;
    for (let n = 0; n < 100_000; n++) {
      table.set(hash(n), 0, n);
      if (n % 100 === 0) table.beginEpoch();
      for (let alive = 0; alive < Math.min(n, 3); alive++) {
        if (table.find(hash(alive), 0) !== alive) lost++;
      }
    }
    expect(lost).toBe(0);
    expect(table.size).toBeLessThan(1000);
  });

  it('starts anew at its limit', () => {
    const table = new SeriesHashTable(3000);
    let wrong = 0;
    for (let n = 0; n < 50_000; n++) {
      table.set(hash(n), 0, n);
      if (table.find(hash(n), 0) !== n || table.size > 3000) wrong++;
    }
    expect(wrong).toBe(0);
  });
});
