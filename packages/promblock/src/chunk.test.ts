import { type FloatHistogram, SampleColumns } from '@tyto/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitReader, BitWriter } from './bits.ts';
import { chunkSampleCount, decodeChunk, encodeChunks } from './chunk.ts';
import { highWord, lowWord } from './floatBits.ts';
import { bitsOf } from '@tyto/model';
import { floatColumns, mixedColumns } from './testing/generators.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const options = { seed, numRuns: 200 };

function decodeAll(columns: SampleColumns): SampleColumns {
  const decoded = new SampleColumns();
  for (const { encoding, data, sampleCount } of encodeChunks(columns)) {
    expect(chunkSampleCount(encoding, data)).toBe(sampleCount);
    decodeChunk(encoding, data, decoded);
  }
  return decoded;
}

const words = (columns: SampleColumns) => [
  ...bitsOf(columns.values).subarray(0, 2 * columns.length),
];

const times = (columns: SampleColumns) => [...columns.timestamps.subarray(0, columns.length)];

/** A histogram without its hint, which a chunk keeps for its first sample only. */
function plain(histogram: FloatHistogram | undefined) {
  if (histogram === undefined) return undefined;
  const { counterResetHint, ...rest } = histogram;
  return { ...rest, isGauge: counterResetHint === 'gauge' };
}

/** Bytes from a text of bits; blanks are for the eye. */
function bits(text: string): Uint8Array {
  const all = text.replaceAll(' ', '');
  const count = Math.ceil(all.length / 8);
  return Uint8Array.from({ length: count }, (_, i) =>
    Number.parseInt(all.slice(8 * i, 8 * i + 8).padEnd(8, '0'), 2),
  );
}

const floatBits = (value: number) =>
  highWord(value).toString(2).padStart(32, '0') + lowWord(value).toString(2).padStart(32, '0');

const byte = (value: number) => value.toString(2).padStart(8, '0');

describe(`chunks (seed ${seed})`, () => {
  it('of floats give back times and values, bit by bit', () => {
    fc.assert(
      fc.property(floatColumns, (columns) => {
        const decoded = decodeAll(columns);
        expect(times(decoded)).toEqual(times(columns));
        expect(words(decoded)).toEqual(words(columns));
        expect(decoded.staleCount).toBe(columns.staleCount);
      }),
      options,
    );
  });

  it('of histograms, floats and stale markers give back what was put in', () => {
    fc.assert(
      fc.property(mixedColumns, (columns) => {
        const decoded = decodeAll(columns);
        expect(times(decoded)).toEqual(times(columns));
        expect(decoded.staleCount).toBe(columns.staleCount);
        expect(decoded.histograms?.map(plain)).toEqual(columns.histograms?.map(plain));
      }),
      options,
    );
  });

  it('begin anew where counts fall, and say so', () => {
    const columns = new SampleColumns();
    const histogram = (count: number): FloatHistogram => ({
      isInteger: true,
      counterResetHint: 'unknown',
      schema: 0,
      zeroThreshold: 0,
      zeroCount: 0,
      count,
      sum: count,
      positiveSpans: [{ offset: 0, length: 1 }],
      negativeSpans: [],
      positiveBuckets: [count],
      negativeBuckets: [],
      customValues: [],
    });
    for (const [i, count] of [3, 5, 2, 7].entries()) columns.pushHistogram(i, histogram(count));
    const hints = decodeAll(columns).histograms?.map((one) => one?.counterResetHint);
    expect(hints).toEqual(['unknown', 'not_reset', 'reset', 'not_reset']);
  });

  it('of more than 120 samples are cut', () => {
    const columns = new SampleColumns();
    for (let i = 0; i < 250; i++) columns.push(i * 1000, i);
    expect([...encodeChunks(columns)].map(({ sampleCount }) => sampleCount)).toEqual([
      120, 120, 10,
    ]);
  });
});

describe('an XOR chunk', () => {
  it('has the bits that the description draws', () => {
    const columns = new SampleColumns();
    for (const [time, value] of [
      [1000, 1],
      [2000, 1],
      [3001, 1.5],
    ])
      columns.push(time, value);
    const [{ data }] = encodeChunks(columns);
    // Count; 1000 as a zig-zag varint; 1.0; a delta of 1000; the same value; one more than the
    // last delta in 14 bits; a new window of 12 leading zeros and one bit.
    const wanted = `${byte(0)} ${byte(3)} ${byte(0xd0)} ${byte(0x0f)} ${floatBits(1)} ${byte(0xe8)}
      ${byte(0x07)} 0 10 00000000000001 11 01100 000001 1`.replace(/\s/g, '');
    expect(data).toEqual(bits(wanted));
  });
});

describe('an XOR2 chunk', () => {
  it('is read: joint prefixes, stale markers, times of starts', () => {
    const data = bits(
      [
        `${byte(0)} ${byte(7)} 1 0000101`,
        // 1000, 1.0, a start 16 before it; 1000 later the same value.
        `${byte(0xd0)} ${byte(0x0f)} ${floatBits(1)} ${byte(32)}`,
        `${byte(0xe8)} ${byte(0x07)} 0`,
        // The same again; another value; one later and stale; the start changes from the fifth on.
        '0',
        '10 1 01100 000001 1',
        '110 0000000000001 111',
        '11111 10 001',
        '1110 11111111111111111111 10 1 0',
      ].join(''),
    );
    const columns = new SampleColumns();
    decodeChunk(4, data, columns);
    expect(times(columns)).toEqual([1000, 2000, 3000, 4000, 5001, 6002, 7002]);
    expect([...columns.values.subarray(0, 4)]).toEqual([1, 1, 1, 1.5]);
    expect([4, 5].every((i) => columns.isStale(i))).toBe(true);
    expect(columns.values[6]).toBe(1);
  });
});

describe(`bits (seed ${seed})`, () => {
  it('give back numbers of every width', () => {
    const number = fc.oneof(
      fc.integer({ min: -70, max: 70 }),
      fc.integer({ min: -(2 ** 26), max: 2 ** 26 }),
      fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map((value) => value * 2 ** 25),
    );
    const kind = fc.constantFrom('signed', 'timestampDelta', 'varint', 'unsigned', 'uvarint');
    fc.assert(
      fc.property(fc.array(fc.tuple(kind, number), { maxLength: 40 }), (values) => {
        const writer = new BitWriter();
        const sized = values.map(([one, value]) => {
          const isUnsigned = one === 'unsigned' || one === 'uvarint';
          const limited = one === 'varint' ? Math.trunc(value / 2 ** 10) : value;
          return [one, isUnsigned ? Math.abs(limited) : limited] as const;
        });
        for (const [one, value] of sized) writer[one](value);
        const reader = new BitReader(writer.take(), 0);
        for (const [one, value] of sized) expect(reader[one]()).toBe(value === 0 ? 0 : value);
      }),
      options,
    );
  });

  it('are the shortest that hold a number', () => {
    const length = (value: number) => {
      const writer = new BitWriter();
      writer.signed(value);
      writer.bits(0xff, 8);
      return writer.take().length;
    };
    // -3 to 4 in 5 bits, -31 to 32 in 9: with 8 more of them two and three bytes.
    expect([-3, 4].map(length)).toEqual([2, 2]);
    expect([-4, 5, -31, 32].map(length)).toEqual([3, 3, 3, 3]);
  });
});
