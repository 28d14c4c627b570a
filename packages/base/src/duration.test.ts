import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '@tyto/base';

describe('parseDuration', () => {
  it('reads every unit, from large to small', () => {
    expect(parseDuration('1h30m')).toBe(5_400_000);
    expect(parseDuration('1y2w3d4h5m6s7ms')).toBe(
      365 * 86400e3 + 17 * 86400e3 + 4 * 3600e3 + 5 * 60e3 + 6007,
    );
    expect(parseDuration('0')).toBe(0);
  });

  it('refuses what Prometheus refuses', () => {
    for (const text of ['', '1', '-1s', '1s1h', '1.5h', '5 m', '99999y']) {
      expect(parseDuration(text), text).toBeUndefined();
    }
  });
});

describe('formatDuration', () => {
  it('writes what parses back', () => {
    expect(formatDuration(0)).toBe('0s');
    expect(formatDuration(90_000)).toBe('1m30s');
    expect(formatDuration(86_400_000)).toBe('1d');
    expect(formatDuration(90_000_000)).toBe('25h');
    for (let ms = 1; ms < 1e12; ms = ms * 3 + 7) expect(parseDuration(formatDuration(ms))).toBe(ms);
  });
});
