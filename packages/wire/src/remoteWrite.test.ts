import { describe, expect, it } from 'vitest';
import { bitsOf, type FloatHistogram, isStaleBits, Labels, writeStaleBits } from '@tyto/model';
import {
  decodeFamilyMetadata,
  decodeLabelPairs,
  decodeSeriesExtras,
  encodeWriteRequest,
  labelsOfPairs,
  ProtobufReader,
  ProtobufWriter,
  type WriteRequest,
} from '@tyto/wire';

const HISTOGRAM: FloatHistogram = {
  isInteger: true,
  counterResetHint: 'not_reset',
  schema: 3,
  zeroThreshold: 1e-128,
  zeroCount: 2,
  count: 21,
  sum: 18.4,
  positiveSpans: [
    { offset: -2, length: 2 },
    { offset: 3, length: 1 },
  ],
  negativeSpans: [{ offset: 0, length: 1 }],
  positiveBuckets: [3, 7, 1],
  negativeBuckets: [8],
  customValues: [],
};
const CUSTOM: FloatHistogram = {
  isInteger: false,
  counterResetHint: 'gauge',
  schema: -53,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 3.5,
  sum: -1,
  positiveSpans: [{ offset: 0, length: 3 }],
  negativeSpans: [],
  positiveBuckets: [1, 2, 0.5],
  negativeBuckets: [],
  customValues: [0.5, 1],
};

const values = Float64Array.of(1, 2);
writeStaleBits(bitsOf(values), 1);
const request: WriteRequest = {
  series: [
    {
      labels: Labels.of({ __name__: 'latency', job: 'api', path: '/ä' }),
      timestamps: Float64Array.of(1_700_000_000_000, -5),
      values,
      histograms: [
        { timestampMs: 1, histogram: HISTOGRAM },
        { timestampMs: 2, histogram: CUSTOM },
        { timestampMs: 3, histogram: undefined },
      ],
      exemplars: [{ labels: Labels.of({ trace_id: 'abc' }), value: 0.5, timestampMs: 7 }],
      metadata: { type: 'histogram', help: 'How long.', unit: 'seconds' },
    },
  ],
  metadata: [{ family: 'latency', type: 'histogram', help: 'How long.', unit: 'seconds' }],
};

/** The series and the other messages of a request, each as the range of its contents. */
function partsOf(bytes: Uint8Array, seriesField: number) {
  const reader = new ProtobufReader(bytes);
  const found = { series: [0, 0], symbols: [] as string[], metadata: [0, 0] };
  while (reader.next()) {
    if (reader.field === seriesField) found.series = [reader.start, reader.end];
    else if (reader.field === 4) found.symbols.push(reader.string());
    else if (reader.field === 3) found.metadata = [reader.start, reader.end];
  }
  return found;
}

describe('remote write', () => {
  for (const version of [1, 2] as const) {
    it(`${version}.0 gives back labels, histograms, exemplars and metadata`, () => {
      const bytes = encodeWriteRequest(request, version);
      const { series, symbols, metadata } = partsOf(bytes, version === 1 ? 1 : 5);
      const lookup = version === 1 ? undefined : (reference: number) => symbols[reference];
      const pairs = decodeLabelPairs(bytes, series[0], series[1], lookup);
      expect(labelsOfPairs(pairs).equals(request.series[0].labels)).toBe(true);
      const extras = decodeSeriesExtras(bytes, series[0], series[1], lookup);
      const { histograms, exemplars, metadata: ofSeries } = request.series[0];
      expect(extras.histograms).toEqual(histograms);
      expect(extras.exemplars).toEqual(exemplars);
      if (version === 2) {
        expect(symbols[0]).toBe('');
        expect(extras.metadata).toEqual(ofSeries);
      } else {
        expect(decodeFamilyMetadata(bytes, metadata[0], metadata[1])).toEqual(
          request.metadata?.[0],
        );
      }
    });
  }

  it('writes stale markers with their bits', () => {
    const bytes = encodeWriteRequest(request, 1);
    const series = new ProtobufReader(bytes);
    series.next();
    const fields = series.message();
    const bits: number[] = [];
    while (fields.next()) {
      if (fields.field !== 2) continue;
      const sample = fields.message();
      while (sample.next()) if (sample.field === 1) bits.push(sample.low, sample.high);
    }
    expect(isStaleBits(Uint32Array.from(bits), 1)).toBe(true);
  });

  it('sorts labels, drops empty ones and refuses a name that is there twice', () => {
    const labels = labelsOfPairs(['b', '1', 'a', '2', 'c', '']);
    expect(labels.pairs).toEqual(['a', '2', 'b', '1']);
    expect(() => labelsOfPairs(['a', '1', 'b', '', 'a', '2'])).toThrow('duplicated label a');
    expect(() => labelsOfPairs(['', '1'])).toThrow('no name');
  });

  it('refuses histograms that cannot be', () => {
    const refused = (change: Partial<FloatHistogram>, base = HISTOGRAM) => {
      const histogram = { ...base, ...change };
      const series = { ...request.series[0], histograms: [{ timestampMs: 1, histogram }] };
      const bytes = encodeWriteRequest({ series: [series] }, 1);
      const [start, end] = partsOf(bytes, 1).series;
      const extras = decodeSeriesExtras(bytes, start, end, undefined);
      // The exemplar beside it is not lost with it.
      expect(extras.exemplars).toHaveLength(1);
      return expect(extras.badHistograms[0]?.message);
    };
    refused({ schema: 9 }).toContain('the schema 9 does not exist');
    refused({ positiveSpans: [{ offset: 0, length: 4_000_000_000 }] }).toContain('there are');
    refused({ positiveBuckets: [3, -7, 1] }).toContain('has the count -7');
    refused({ customValues: [1] }).toContain('only schema -53');
    refused({ customValues: [1, 1] }, CUSTOM).toContain('do not rise');
    refused({ customValues: [1] }, CUSTOM).toContain('no custom bound');
    refused({ zeroCount: 1 }, CUSTOM).toContain('neither');
  });

  it('refuses references of 2.0 that come without their pair', () => {
    const writer = new ProtobufWriter();
    writer.uint32s(1, [1]);
    const bytes = writer.finish();
    expect(() => decodeLabelPairs(bytes, 0, bytes.length, () => 'a')).toThrow('in pairs');
  });
});
