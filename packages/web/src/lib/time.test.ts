import { describe, expect, it } from 'vitest';
import { axisTimes, formatTime, formatTimeZoned, parseServerTime, parseTime } from './time.ts';

const MOMENT_MS = Date.UTC(2026, 10, 21, 18, 20, 3);

describe('points in time', () => {
  it('are written so that they sort and can be read back', () => {
    expect(formatTime(MOMENT_MS, 'utc')).toBe('2026-11-21 18:20:03');
    expect(parseTime('2026-11-21 18:20:03', 'utc')).toBe(MOMENT_MS);
    expect(parseTime(formatTime(MOMENT_MS, 'local'), 'local')).toBe(MOMENT_MS);
  });

  it('name their zone where asked', () => {
    expect(formatTimeZoned(MOMENT_MS, 'utc')).toBe('2026-11-21 18:20:03 UTC');
  });

  it('may leave the clock out', () => {
    expect(parseTime('2026-11-21', 'utc')).toBe(Date.UTC(2026, 10, 21));
    expect(parseTime('2026-11-21 18:20', 'utc')).toBe(Date.UTC(2026, 10, 21, 18, 20));
  });

  it('that do not exist are refused', () => {
    for (const text of ['', 'now', '2026-02-30', '2026-11-21 25:00', '2026-13-01']) {
      expect(parseTime(text, 'utc')).toBeUndefined();
    }
  });

  it("never come from Go's zero time", () => {
    expect(parseServerTime('0001-01-01T00:00:00Z')).toBeNaN();
    expect(parseServerTime('2026-11-21T18:20:03Z')).toBe(MOMENT_MS);
  });
});

describe('a time axis', () => {
  it('names the day only where it changes', () => {
    const midnight = Date.UTC(2026, 10, 22) / 1000;
    expect(axisTimes([midnight - 1800, midnight, midnight + 1800], 'utc')).toEqual([
      '23:30',
      '00:00\n11-22',
      '00:30',
    ]);
  });
});
