import { describe, expect, it } from 'vitest';
import {
  encodeSnappy,
  readWriteRequestSlowly,
  sipHashSlowly,
  WriteRequestReader,
} from '@tyto/kernels';
import { KEY, label, message, readFast, sample, text } from './testing.ts';

const STALE = 0x7ff0000000000002n;
const ONE = 0x3ff0000000000000n;

const series = (labels: number[], ...samples: number[][]) =>
  message(1, [...labels, ...samples.flatMap((contents) => message(2, contents))]);

describe('the hash of labels', () => {
  it('is SipHash-1-3 with 128 bits, as OpenSSL computes it', () => {
    const view = new DataView(KEY.buffer);
    const keys = [view.getBigUint64(0, true), view.getBigUint64(8, true)] as const;
    const bytes = new TextEncoder().encode('hello world, this is a test');
    const [low, high] = sipHashSlowly(keys, bytes);
    const out = new DataView(new ArrayBuffer(16));
    out.setBigUint64(0, low, true);
    out.setBigUint64(8, high, true);
    // openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:16
    //   -macopt c-rounds:1 -macopt d-rounds:3 SIPHASH
    const expected = '7b374f74f57c0c9eef4605e05ffe6fdc';
    expect(Buffer.from(out.buffer).toString('hex')).toBe(expected);
  });
});

describe('a remote write 1.0 request', () => {
  it('becomes records and samples, with every bit of the values', () => {
    const labels = [...label('__name__', 'up'), ...label('job', 'a')];
    const body = Uint8Array.from([
      ...series(labels, sample(1_700_000_000_000, ONE), sample(1_700_000_015_000, STALE)),
      ...message(3, [0x08, 1, ...text(2, 'up')]),
      ...series(labels, sample(0, 0n), sample(-5n, ONE), sample(2n ** 62n, 7n)),
    ]);
    const read = readFast(body, 1);
    expect(read).toEqual(readWriteRequestSlowly(body, 1, KEY));
    expect(read.map(({ kind }) => kind)).toEqual(['series', 'metadata', 'series']);
    expect(read[0]).toMatchObject({
      timestamps: [1_700_000_000_000, 1_700_000_015_000],
      valueBits: [ONE, STALE],
    });
    expect(read[2].timestamps).toEqual([0, -5, 2 ** 62]);
    expect(read[0].hash).toEqual(read[2].hash);
  });

  it('with a series of more samples than a batch is read in parts', () => {
    const samples = Array.from({ length: 20_000 }, (_, i) => message(2, sample(i + 1, BigInt(i))));
    const body = Uint8Array.from([
      ...series(label('a', 'b'), sample(1, ONE)),
      ...message(1, [...label('c', 'd'), ...samples.flat(), ...message(3, [])]),
      ...series(label('e', 'f'), sample(1, ONE)),
    ]);
    expect(readFast(body, 1)).toEqual(readWriteRequestSlowly(body, 1, KEY));
    const late = Uint8Array.from(message(1, [...samples.flat(), ...label('a', 'b')]));
    expect(() => readFast(late, 1)).toThrow('labels behind them');
  });

  it('with thousands of series, or none, is read to its end', () => {
    const body = Uint8Array.from(
      Array.from({ length: 3000 }, (_, i) => series(label('i', `${i}`), sample(i, ONE))).flat(),
    );
    expect(readFast(body, 1)).toEqual(readWriteRequestSlowly(body, 1, KEY));
    expect(readFast(new Uint8Array(0), 1)).toEqual([]);
  });

  it('that is malformed anywhere is refused', () => {
    const good = Uint8Array.from(
      series([...label('__name__', 'up')], sample(1_700_000_000_000, ONE), sample(5, 1n)),
    );
    for (let length = 1; length < good.length; length++) {
      expect(() => readFast(good.subarray(0, length), 1), `cut to ${length}`).toThrow('malformed');
    }
    // A tag in two bytes could hide labels from the hash.
    const hidden = message(1, [0x8a, 0x00, 2, ...text(1, '')]);
    expect(() => readFast(Uint8Array.from(hidden), 1)).toThrow('malformed');
  });
});

describe('a remote write 2.0 request', () => {
  const request = (symbols: string[], refs: number[]) =>
    Uint8Array.from([
      ...symbols.flatMap((symbol) => text(4, symbol)),
      ...message(5, [...message(1, refs), ...message(2, sample(5, ONE)), ...message(5, [8, 1])]),
    ]);

  it('gives a series one hash, however its symbols are numbered', () => {
    const one = readFast(request(['', '__name__', 'up', 'job', 'a'], [1, 2, 3, 4]), 2);
    const other = readFast(request(['', 'a', 'job', 'x', '__name__', 'up'], [4, 5, 2, 1]), 2);
    expect(one[0].hash).toEqual(other[0].hash);
    expect(one[0]).toMatchObject({ hasMetadata: true, hasExtras: false, timestamps: [5] });
    const swapped = readFast(request(['', 'a', 'job', 'x', '__name__', 'up'], [4, 5, 1, 2]), 2);
    expect(swapped[0].hash).not.toEqual(one[0].hash);
  });

  it('with a reference to no symbol, or too many of them, is refused', () => {
    expect(() => readFast(request([''], [1]), 2)).toThrow('malformed');
    expect(() => readFast(request(['', 'a'], new Array(9000).fill(1)), 2)).toThrow('labels');
  });

  it('read as 1.0 is empty, and the other way round', () => {
    const v1 = Uint8Array.from(series(label('a', 'b'), sample(1, ONE)));
    expect(readFast(v1, 2)).toEqual([]);
    expect(readFast(request(['', 'a'], [1, 1]), 1)).toEqual([]);
  });
});

describe('the reader of requests', () => {
  it('gives the memory of a giant back, and reads on', () => {
    const reader = new WriteRequestReader(KEY);
    const small = Uint8Array.from(series(label('a', 'b'), sample(1, ONE)));
    const giant = new Uint8Array(60 << 20);
    // Unknown fields of two bytes.
    for (let i = 0; i < giant.length; i += 2) giant[i] = 0x78;
    for (const body of [small, giant, small]) {
      reader.open([encodeSnappy(body)], 1, 1 << 26);
      expect(reader.next()).toBe(body === small ? 1 : 0);
      reader.close();
      expect(reader.records.buffer.byteLength).toBeLessThan(4 << 20);
    }
    expect(() => reader.open([encodeSnappy(giant)], 1, 1 << 20)).toThrow('at most 1048576');
  });
});
