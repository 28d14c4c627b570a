import { describe, expect, it } from 'vitest';
import { diskSpaceQueries, hostSignals, levelOf, rateWindow, timeToFull } from './hostSignals.ts';

describe('the signals of a host', () => {
  it('select exactly that host, whatever is in its name', () => {
    for (const signal of hostSignals('node', 'a"b:9100', '60s')) {
      expect(signal.expr).toContain('job="node",instance="a\\"b:9100"');
    }
    expect(diskSpaceQueries('node', 'a').available).toContain('instance="a"');
  });

  it('use a window that holds four scrapes', () => {
    expect([rateWindow(undefined), rateWindow(5000), rateWindow(60_000)]).toEqual([
      '60s',
      '60s',
      '240s',
    ]);
  });
});

describe('the time until a disk is full', () => {
  it('is space over pace', () => {
    expect(timeToFull(3600, -1)).toBe(3_600_000);
  });

  it('is not told when the disk does not fill, or not soon', () => {
    expect([timeToFull(1e9, 5), timeToFull(1e9, 0), timeToFull(1e12, -1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

it('a level follows its limits', () => {
  expect([levelOf(0.5, 0.8, 0.9), levelOf(0.8, 0.8, 0.9), levelOf(1, 0.8, 0.9)]).toEqual([
    'good',
    'warning',
    'critical',
  ]);
});
