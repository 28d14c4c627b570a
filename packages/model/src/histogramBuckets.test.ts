import { type FloatHistogram, populatedBuckets } from '@tyto/model';
import { describe, expect, it } from 'vitest';

const EMPTY: FloatHistogram = {
  counterResetHint: 'unknown',
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 0,
  count: 0,
  sum: 0,
  positiveSpans: [],
  negativeSpans: [],
  positiveBuckets: [],
  negativeBuckets: [],
  customValues: [],
};

/** In Prometheus' notation. */
const shown = (histogram: FloatHistogram) =>
  populatedBuckets(histogram).map((bucket) => {
    const open = bucket.isLowerIncluded ? '[' : '(';
    const close = bucket.isUpperIncluded ? ']' : ')';
    return `${open}${bucket.lower},${bucket.upper}${close}:${bucket.count}`;
  });

describe('the populated buckets of a native histogram', () => {
  it('rise from the most negative over the zero bucket, without empty ones', () => {
    const histogram: FloatHistogram = {
      ...EMPTY,
      zeroCount: 2,
      positiveSpans: [
        { offset: 0, length: 2 },
        { offset: 1, length: 1 },
      ],
      positiveBuckets: [3, 0, 4],
      negativeSpans: [{ offset: 1, length: 2 }],
      negativeBuckets: [5, 6],
    };
    expect(shown(histogram)).toEqual([
      '[-4,-2):6',
      '[-2,-1):5',
      '[-0.001,0.001]:2',
      '(0.5,1]:3',
      '(4,8]:4',
    ]);
  });

  it('have the bounds of their schema', () => {
    const positive = { positiveSpans: [{ offset: 1, length: 2 }], positiveBuckets: [1, 1] };
    expect(shown({ ...EMPTY, ...positive, schema: -1 })).toEqual(['(1,4]:1', '(4,16]:1']);
    const half = Math.SQRT2;
    expect(shown({ ...EMPTY, ...positive, schema: 1 })).toEqual([`(1,${half}]:1`, `(${half},2]:1`]);
  });

  it('with custom bounds begin and end nowhere', () => {
    const histogram: FloatHistogram = {
      ...EMPTY,
      schema: -53,
      customValues: [1, 5],
      positiveSpans: [{ offset: 0, length: 3 }],
      positiveBuckets: [1, 2, 3],
    };
    expect(shown(histogram)).toEqual(['[-Infinity,1]:1', '(1,5]:2', '(5,Infinity]:3']);
    expect(shown(EMPTY)).toEqual([]);
  });
});
