import { describe, expect, it } from 'vitest';
import { goBytes, goDuration, goFloat, goHistogram, goLabels, goTime } from './goText.ts';

// The expected texts are what promtool 2.42 and Go's documentation of fmt and strconv give.
describe('texts as promtool writes them', () => {
  it('numbers have an exponent below 1e-4 and from 1e6 on', () => {
    const shown = [0, -0, 0.0001, 0.00001, 100000, 999999, 1e6, 1234567, 1e21, 1.5e300, 1e-320];
    expect(shown.map(goFloat)).toEqual(
      '0 -0 0.0001 1e-05 100000 999999 1e+06 1.234567e+06 1e+21 1.5e+300 1e-320'.split(' '),
    );
    expect([Number.NaN, Infinity, -Infinity].map(goFloat)).toEqual(['NaN', '+Inf', '-Inf']);
  });

  it('labels are quoted, and what cannot be seen is escaped', () => {
    expect(goLabels(['a', 'x\n"\\', 'b', '\u0001\u007f\ue000é😀'])).toBe(
      '{a="x\\n\\"\\\\", b="\\x01\\x7f\\ue000é😀"}',
    );
  });

  it('durations, times and sizes', () => {
    expect([0, 5, 1500, 61_000, 6_390_001, 7_200_000].map(goDuration)).toEqual([
      '0s',
      '5ms',
      '1.5s',
      '1m1s',
      '1h46m30.001s',
      '2h0m0s',
    ]);
    expect(goTime(1_700_000_000_999)).toBe('2023-11-14 22:13:20 +0000 UTC');
    expect([0, 272, 6416, 1024 ** 2].map(goBytes)).toEqual(['0B', '272B', '6KiB272B', '1MiB']);
  });

  it('histograms as their buckets, lowest first, without empty ones', () => {
    const histogram = {
      counterResetHint: 'unknown' as const,
      schema: 0,
      zeroThreshold: 0.001,
      zeroCount: 2,
      count: 7,
      sum: 18.4,
      positiveSpans: [
        { offset: 0, length: 2 },
        { offset: 1, length: 1 },
      ],
      negativeSpans: [{ offset: 0, length: 1 }],
      positiveBuckets: [1, 0, 3],
      negativeBuckets: [1],
      customValues: [],
    };
    expect(goHistogram(histogram)).toBe(
      '{count:7, sum:18.4, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1, (4,8]:3}',
    );
  });
});
