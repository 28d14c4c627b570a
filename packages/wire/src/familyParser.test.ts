import { describe, expect, it } from 'vitest';
import {
  ENTRY_END,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  FamilyParser,
  type HistogramOptions,
} from '@tyto/wire';
import { encodeFamilies, writeExemplar } from './testing.ts';

const CLASSIC: HistogramOptions = {
  readsNative: false,
  keepsClassic: false,
  convertsClassic: false,
};
const NATIVE: HistogramOptions = { ...CLASSIC, readsNative: true };

/** Each sample as a line; a histogram with what tells it apart. */
function read(bytes: Uint8Array, options = CLASSIC): string[] {
  const parser = new FamilyParser(options);
  parser.start(bytes);
  const lines: string[] = [];
  for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
    if (entry === ENTRY_TYPE) lines.push(`# ${parser.metadataName()} ${parser.metadataType()}`);
    if (entry === ENTRY_HISTOGRAM) {
      lines.push(`${parser.labels()} ${JSON.stringify(parser.histogram())}`);
      for (const { labels, value } of parser.exemplars()) lines.push(`# ${labels} ${value}`);
    }
    if (entry !== ENTRY_SAMPLE) continue;
    const time = parser.hasTimestamp ? ` @${parser.timestampMs}` : '';
    const exemplar = parser.exemplar();
    const more =
      exemplar === undefined
        ? ''
        : ` # ${exemplar.labels} ${exemplar.value} ${exemplar.timestampMs}`;
    lines.push(`${parser.labels()} ${parser.value}${time}${more}`);
  }
  return lines;
}

/** Both a classic histogram and a native one: buckets 3 and 4 with 2 and 5 observations. */
const BOTH = encodeFamilies([
  {
    name: 'h',
    type: 'histogram',
    metrics: [
      {
        labels: { path: '/' },
        write(writer) {
          writer.int64(1, 9);
          writer.double(2, 20.5);
          const bucket = writer.begin(3);
          writer.int64(1, 4);
          writer.double(2, 1);
          writeExemplar(writer, 3, { trace_id: 'a' }, 0.5, 7);
          writer.end(bucket);
          writer.sint32(5, 3);
          writer.double(6, 0.001);
          writer.int64(7, 2);
          const span = writer.begin(12);
          writer.sint32(1, 3);
          writer.uint32(2, 2);
          writer.end(span);
          writer.sint64s(13, [2, 3]);
        },
      },
    ],
  },
]);

describe('an exposition in protobuf', () => {
  it('has the samples that it would have as text', () => {
    const bytes = encodeFamilies([
      {
        name: 'requests_total',
        type: 'counter',
        help: 'How many.',
        metrics: [
          {
            labels: { path: '/ä', empty: '' },
            timestampMs: 1234,
            write(writer) {
              writer.double(1, 7);
              writeExemplar(writer, 2, { trace_id: 'abc' }, 1, 5);
            },
          },
        ],
      },
      { name: 'g', type: 'gauge', metrics: [{ write: (writer) => writer.double(1, -0.5) }] },
      { name: 'u', type: 'untyped', metrics: [{ write: (writer) => writer.double(1, 3) }] },
      {
        name: 's',
        type: 'summary',
        metrics: [
          {
            write(writer) {
              writer.int64(1, 10);
              writer.double(2, 2.5);
              const quantile = writer.begin(3);
              writer.double(1, 1);
              writer.double(2, 0.25);
              writer.end(quantile);
            },
          },
        ],
      },
    ]);
    expect(read(bytes)).toEqual([
      '# requests_total counter',
      'requests_total{path="/ä"} 7 @1234 # {trace_id="abc"} 1 5500',
      '# g gauge',
      'g -0.5',
      '# u unknown',
      'u 3',
      '# s summary',
      's_count 10',
      's_sum 2.5',
      's{quantile="1.0"} 0.25',
    ]);
  });

  it('has the classic parts of a histogram, with the bucket of +Inf that it left out', () => {
    expect(read(BOTH)).toEqual([
      '# h histogram',
      'h_count{path="/"} 9',
      'h_sum{path="/"} 20.5',
      'h_bucket{le="1.0", path="/"} 4 # {trace_id="a"} 0.5 7500',
      'h_bucket{le="+Inf", path="/"} 9',
    ]);
  });

  it('has native histograms where they are asked for, and both where both are', () => {
    const native = JSON.stringify({
      isInteger: true,
      counterResetHint: 'unknown',
      schema: 3,
      zeroThreshold: 0.001,
      zeroCount: 2,
      count: 9,
      sum: 20.5,
      positiveSpans: [{ offset: 3, length: 2 }],
      negativeSpans: [],
      positiveBuckets: [2, 5],
      negativeBuckets: [],
      customValues: [],
    });
    const lines = ['# h histogram', `h{path="/"} ${native}`, '# {trace_id="a"} 0.5'];
    expect(read(BOTH, NATIVE)).toEqual(lines);
    expect(read(BOTH, { ...NATIVE, convertsClassic: true })).toEqual(lines);
    expect(read(BOTH, { ...NATIVE, keepsClassic: true })).toEqual([
      ...lines,
      ...read(BOTH).slice(1),
    ]);
  });

  it('has classic histograms as native ones with custom buckets', () => {
    const [, line] = read(BOTH, { ...CLASSIC, convertsClassic: true });
    expect(line).toContain('"schema":-53');
    expect(line).toContain('"positiveBuckets":[4,5]');
    expect(line).toContain('"customValues":[1]');
  });

  it('takes a histogram without observations, which only a span without buckets shows', () => {
    const bytes = encodeFamilies([
      {
        name: 'h',
        type: 'gaugehistogram',
        metrics: [
          {
            write(writer) {
              writer.end(writer.begin(12));
            },
          },
        ],
      },
    ]);
    expect(read(bytes, NATIVE)[1]).toContain('"counterResetHint":"gauge","schema":0');
    expect(read(bytes, { ...NATIVE, keepsClassic: true })).toHaveLength(2);
  });

  it('takes float counts', () => {
    const bytes = encodeFamilies([
      {
        name: 'h',
        type: 'histogram',
        metrics: [
          {
            write(writer) {
              writer.double(4, 2.5);
              writer.double(8, 0.5);
              const span = writer.begin(9);
              writer.sint32(1, -1);
              writer.uint32(2, 1);
              writer.end(span);
              writer.doubles(11, [2]);
            },
          },
        ],
      },
    ]);
    expect(read(bytes, NATIVE)[1]).toContain('"negativeBuckets":[2]');
    expect(read(bytes, NATIVE)[1]).toContain('"count":2.5');
  });
});

describe('what is refused, with the family', () => {
  const gauge = (labels: Record<string, string>, name = 'g', unit?: string) =>
    encodeFamilies([
      {
        name,
        type: 'gauge',
        ...(unit === undefined ? {} : { unit }),
        metrics: [{ labels, write: (writer) => writer.double(1, 1) }],
      },
    ]);

  it.each([
    ['a length beyond the end', Uint8Array.of(5, 0x0a), 'longer than the exposition'],
    ['an endless length', new Uint8Array(9).fill(0xff), 'no 32-bit number'],
    ['no name', gauge({}, ''), 'it has no name'],
    ['a label without a name', gauge({ '': 'x' }), '"g": a label has no name'],
    ['a second metric name', gauge({ __name__: 'x' }), '"g": duplicated label __name__'],
    ['a unit that is no suffix', gauge({}, 'g', 'seconds'), 'unit "seconds" is no suffix'],
  ])('%s', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(message);
  });

  it('a histogram whose spans have other buckets', () => {
    const broken = Uint8Array.from(BOTH);
    broken[broken.length - 1] = 0x80;
    expect(() => read(broken, NATIVE)).toThrow('metric family "h": ');
  });
});
