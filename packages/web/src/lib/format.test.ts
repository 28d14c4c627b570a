import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatPercent,
  formatSeconds,
  formatSi,
  formatSpan,
  formatUnit,
  formatValue,
} from './format.ts';

const MINUTE_MS = 60_000;

describe('bytes', () => {
  it('are binary with three significant digits', () => {
    expect([0, 512, 1536, 1024 ** 3 * 12.34, -2048].map(formatBytes)).toEqual([
      '0 B',
      '512 B',
      '1.5 KiB',
      '12.3 GiB',
      '-2 KiB',
    ]);
  });

  it('never read 1024 of a unit', () => {
    expect(formatBytes(1023.9)).toBe('1 KiB');
    expect(formatBytes(1024 ** 2 - 1)).toBe('1 MiB');
  });

  it('per second carry their unit', () => {
    expect(formatUnit(1536, 'bytesPerSecond')).toBe('1.5 KiB/s');
  });
});

describe('numbers', () => {
  it('take prefixes from nano to exa', () => {
    expect([0, 1, 999, 1000, 45_600, 1.234e6, 999_999, 0.5, 0.00012].map(formatSi)).toEqual([
      '0',
      '1',
      '999',
      '1k',
      '45.6k',
      '1.23M',
      '1M',
      '0.5',
      '120µ',
    ]);
  });

  it('fall back to powers of ten beyond the prefixes', () => {
    expect(formatSi(1e25)).toBe('1.00e+25');
    expect(formatSi(1e-25)).toBe('1.00e-25');
  });

  it('say what is no number', () => {
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(formatSi)).toEqual([
      'NaN',
      '+Inf',
      '-Inf',
    ]);
  });

  it('as sample values are exact', () => {
    expect(formatValue(1795252588.247)).toBe('1795252588.247');
  });

  it('as counts are grouped in both languages', () => {
    expect([formatCount(1234567, 'ko'), formatCount(1234567, 'en')]).toEqual([
      '1,234,567',
      '1,234,567',
    ]);
  });

  it('as shares are percentages that never claim a false 100.0%', () => {
    expect([0, 0.1234, 0.9994, 0.99951, 1].map(formatPercent)).toEqual([
      '0%',
      '12.3%',
      '99.9%',
      '100%',
      '100%',
    ]);
  });
});

describe('durations', () => {
  it('show their two largest units in English', () => {
    expect(formatSpan(192 * MINUTE_MS, 'en')).toBe('3 h 12 min');
    expect(formatSpan(26 * 60 * MINUTE_MS, 'en')).toBe('1 d 2 h');
    expect(formatSpan(450, 'en')).toBe('450 ms');
    expect(formatSpan(0, 'en')).toBe('0 s');
  });

  it('show their two largest units in Korean', () => {
    expect(formatSpan(192 * MINUTE_MS, 'ko')).toBe('3시간 12분');
    expect(formatSpan(12_400, 'ko')).toBe('12초');
  });

  it('round up to the next unit instead of showing 60 of the lower one', () => {
    expect(formatSpan(59_900, 'en')).toBe('1 min');
  });

  it('into the past read naturally', () => {
    expect([formatAgo(12_000, 'en'), formatAgo(12_000, 'ko'), formatAgo(300, 'ko')]).toEqual([
      '12 s ago',
      '12초 전',
      '방금',
    ]);
  });

  it('into the past leave the seconds out once it is long ago', () => {
    expect(formatAgo(30 * MINUTE_MS + 7000, 'en')).toBe('30 min ago');
    expect(formatAgo(9 * MINUTE_MS + 7000, 'ko')).toBe('9분 7초 전');
  });

  it('of scrapes keep small ones visible', () => {
    expect([0, 0.00034, 0.0123, 1.25].map(formatSeconds)).toEqual([
      '0 ms',
      '0.34 ms',
      '12.3 ms',
      '1.25 s',
    ]);
  });
});
