import { Labels } from '@tyto/model';
import { describe, expect, it } from 'vitest';
import { queryDataPieces } from './queryJson.ts';

const HISTOGRAM = {
  counterResetHint: 'unknown',
  schema: 0,
  zeroThreshold: 0.5,
  zeroCount: 1,
  count: 6,
  sum: 12.5,
  positiveSpans: [{ offset: 1, length: 2 }],
  negativeSpans: [{ offset: 1, length: 1 }],
  positiveBuckets: [2, 0],
  negativeBuckets: [3],
  customValues: [],
} as const;

describe('the answer to a query', () => {
  it('has the buckets of native histograms, with which ends are closed', () => {
    const labels = Labels.of({ __name__: 'h' });
    const samples = [{ labels, timestampMs: 1500, value: 0, histogram: HISTOGRAM }];
    const [...pieces] = queryDataPieces({ type: 'vector', samples });
    expect(JSON.parse(pieces.join(''))).toEqual({
      resultType: 'vector',
      result: [
        {
          metric: { __name__: 'h' },
          histogram: [
            1.5,
            {
              count: '6',
              sum: '12.5',
              buckets: [
                [1, '-2', '-1', '3'],
                [3, '-0.5', '0.5', '1'],
                [0, '1', '2', '2'],
              ],
            },
          ],
        },
      ],
    });
  });

  it('has no buckets where there are none', () => {
    const empty = { ...HISTOGRAM, zeroCount: 0, positiveBuckets: [0, 0], negativeBuckets: [0] };
    const histograms = [{ timestampMs: 0, histogram: empty }];
    const none = new Float64Array(0);
    const series = [{ labels: Labels.empty, timestamps: none, values: none, histograms }];
    const [...pieces] = queryDataPieces({ type: 'matrix', series });
    expect(JSON.parse(pieces.join('')).result).toEqual([
      { metric: {}, histograms: [[0, { count: '6', sum: '12.5' }]] },
    ]);
  });
});
