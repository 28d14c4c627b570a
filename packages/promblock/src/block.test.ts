import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FloatHistogram, Labels, SampleColumns } from '@tyto/model';
import {
  comparePairs,
  type Damage,
  mergeSeries,
  openPrometheusBlocks,
  orderedPairs,
  PrometheusBlock,
  PrometheusBlockWriter,
  readMerged,
  readPrometheusHead,
  verifyBlock,
} from '@tyto/promblock';
import { decodeSnappy } from '@tyto/kernels';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { compareTexts } from './order.ts';
import { labelSets } from './testing/generators.ts';
import {
  customHistogramRecord,
  encodeSegment,
  headChunksFile,
  packSnappy,
  samplesRecord,
  seriesRecord,
} from './testing/logEncoder.ts';
import { makeUlid } from './ulid.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const directory = mkdtempSync(join(tmpdir(), 'tyto-promblock-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let made = 0;

function newDirectory(): string {
  const path = join(directory, String(made++));
  mkdirSync(path);
  return path;
}

async function writeBlock(sets: readonly Labels[], segmentBytes?: number): Promise<string> {
  const parent = newDirectory();
  const ulid = makeUlid(1_700_000_000_000, new Uint8Array(16));
  const range = { ulid, minTimeMs: 0, maxTimeMs: 7_200_000 };
  const writer = new PrometheusBlockWriter(parent, range, segmentBytes);
  await writer.open();
  const ordered = [...sets].sort((a, b) => comparePairs(orderedPairs(a), orderedPairs(b)));
  const columns = new SampleColumns();
  for (const [i, labels] of ordered.entries()) {
    columns.clear();
    for (let k = 0; k < 300; k++) columns.push(k * 15_000, i + k * 0.37);
    await writer.add(labels, columns);
  }
  await writer.finish();
  return join(parent, ulid);
}

async function readBlock(path: string) {
  const damages: Damage[] = [];
  const block = PrometheusBlock.open(path, (damage) => damages.push(damage));
  if (block === undefined) return { keys: [], counts: [], damages };
  await verifyBlock(block, (damage) => damages.push(damage));
  const keys: string[] = [];
  const counts: number[] = [];
  for await (const series of block.series()) {
    const columns = new SampleColumns();
    series.readInto(-Infinity, Infinity, columns);
    keys.push(series.labels.key);
    counts.push(columns.length);
  }
  block.release();
  return { keys, counts, damages };
}

describe(`a block (seed ${seed})`, () => {
  it('gives back every series, in the order of the bytes of its labels', async () => {
    await fc.assert(
      fc.asyncProperty(labelSets, async (sets) => {
        const { keys, counts, damages } = await readBlock(await writeBlock(sets));
        expect(damages).toEqual([]);
        expect([...keys].sort()).toEqual(sets.map(({ key }) => key).sort());
        expect(counts.every((count) => count === 300)).toBe(true);
      }),
      { seed, numRuns: 30 },
    );
  });

  it('has as many files of chunks as it needs', async () => {
    const sets = Array.from({ length: 40 }, (_, i) => Labels.of({ i: String(i) }));
    const path = await writeBlock(sets, 5000);
    expect(readdirSync(join(path, 'chunks')).length).toBeGreaterThan(3);
    const { counts, damages } = await readBlock(path);
    expect(damages).toEqual([]);
    expect(counts).toEqual(new Array(40).fill(300));
  });

  it('loses a damaged chunk and nothing else', async () => {
    const path = await writeBlock([Labels.of({ a: '1' }), Labels.of({ a: '2' })]);
    const file = join(path, 'chunks', '000001');
    const bytes = readFileSync(file);
    bytes[60] ^= 1;
    writeFileSync(file, bytes);
    const { counts, damages } = await readBlock(path);
    expect(counts).toEqual([180, 300]);
    expect(damages[0]).toEqual({ file, offset: 8, what: 'the checksum of a chunk is wrong' });
  });

  it('loses a damaged series and nothing else, also without the list of all series', async () => {
    const sets = ['1', '2', '3'].map((a) => Labels.of({ a, b: 'x'.repeat(40) }));
    const path = await writeBlock(sets);
    const file = join(path, 'index');
    const whole = readFileSync(file);
    const contents = whole.length - 52;
    const seriesAt = Number(whole.readBigUInt64BE(contents + 8));
    const postingsAt = Number(whole.readBigUInt64BE(contents + 32));
    const damaged = Buffer.from(whole);
    damaged[seriesAt + 3] ^= 1;
    writeFileSync(file, damaged);
    expect((await readBlock(path)).keys.length).toBe(2);
    damaged[postingsAt + 6] ^= 1;
    writeFileSync(file, damaged);
    const { keys, damages } = await readBlock(path);
    expect(keys.length).toBe(2);
    expect(damages.some(({ offset }) => offset === seriesAt)).toBe(false);
    expect(damages.some(({ what }) => what.includes('postings'))).toBe(true);
  });
});

describe('the head', () => {
  const labels = (a: string) => Labels.of({ __name__: 'm', a });
  const histogram: FloatHistogram = {
    counterResetHint: 'gauge',
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 3.5,
    sum: 1.25,
    positiveSpans: [{ offset: 0, length: 2 }],
    negativeSpans: [],
    positiveBuckets: [1, 2.5],
    negativeBuckets: [],
    customValues: [0.5, 1],
  };

  async function readHead(segments: Record<string, Uint8Array>) {
    const path = newDirectory();
    for (const [name, bytes] of Object.entries(segments)) {
      mkdirSync(join(path, name, '..'), { recursive: true });
      writeFileSync(join(path, name), bytes);
    }
    const damages: Damage[] = [];
    const report = (damage: Damage) => damages.push(damage);
    const head = readPrometheusHead(path, openPrometheusBlocks(path, report), report);
    const found: Record<string, SampleColumns> = {};
    for await (const group of mergeSeries([head.series()])) {
      found[group[0].labels.get('a')] = readMerged(group, -Infinity, Infinity, new SampleColumns());
    }
    return { found, damages };
  }

  const many = Array.from({ length: 9000 }, (_, i) => [1, 1000 + i, i] as const);
  const records = (isPacked: boolean) =>
    encodeSegment(
      [
        seriesRecord([
          [1, labels('1')],
          [2, labels('2')],
        ]),
        samplesRecord([...many, [2, 500, 7]]),
        customHistogramRecord(2, 900, histogram),
      ].map((bytes) => ({ bytes, isPacked })),
    );

  it('is read from records over several pages, plain and packed', async () => {
    for (const isPacked of [false, true]) {
      const { found, damages } = await readHead({ 'wal/00000000': records(isPacked) });
      expect(damages).toEqual([]);
      expect(found[1].length).toBe(9000);
      expect(found[1].values[8999]).toBe(8999);
      expect([...found[2].timestamps.subarray(0, 2)]).toEqual([500, 900]);
      expect(found[2].histograms?.[1]).toEqual(histogram);
    }
  });

  it('begins with the newest checkpoint', async () => {
    const before = encodeSegment([{ bytes: samplesRecord([[9, 1, 1]]), isPacked: false }]);
    const after = encodeSegment([{ bytes: samplesRecord([[1, 20_000, 5]]), isPacked: false }]);
    const { found, damages } = await readHead({
      'wal/00000000': before,
      'wal/checkpoint.00000000/00000000': records(true),
      'wal/00000001': after,
    });
    expect(damages).toEqual([]);
    expect(found[1].length).toBe(9001);
  });

  it('has late samples in their places', async () => {
    const late = encodeSegment([
      { bytes: samplesRecord([[2, 700, 1]]), isPacked: false },
      { bytes: samplesRecord([[2, 100, 2]]), isPacked: false },
    ]);
    const { found } = await readHead({ 'wal/00000000': records(true), 'wbl/00000000': late });
    expect([...found[2].timestamps.subarray(0, 4)]).toEqual([100, 500, 700, 900]);
  });

  it('has the chunks that are on disk, late ones among them', async () => {
    const columns = new SampleColumns();
    for (let i = 0; i < 200; i++) columns.push(2000 + i, i);
    const late = new SampleColumns();
    late.push(10, 1);
    const { found, damages } = await readHead({
      'wal/00000000': records(true),
      'chunks_head/000001': headChunksFile(2, columns, false),
      'chunks_head/000002': headChunksFile(2, late, true),
    });
    expect(damages).toEqual([]);
    expect([...found[2].timestamps.subarray(0, 4)]).toEqual([10, 500, 900, 2000]);
    expect(found[2].length).toBe(203);
    const cut = headChunksFile(2, columns, false);
    cut[100] ^= 1;
    const left = await readHead({ 'wal/00000000': records(true), 'chunks_head/000001': cut });
    expect(left.damages[0]).toMatchObject({ offset: 8, what: 'the checksum of a chunk is wrong' });
    expect(left.found[2].length).toBe(82);
  });

  it('tells the times of single samples where a clock was wrong', async () => {
    const path = newDirectory();
    mkdirSync(join(path, 'wal'));
    const samples = [
      [1, 1000, 1],
      [1, 1.7e15, 2],
    ] as const;
    const bytes = [seriesRecord([[1, labels('1')]]), samplesRecord(samples)];
    const segment = encodeSegment(bytes.map((one) => ({ bytes: one, isPacked: false })));
    writeFileSync(join(path, 'wal', '00000000'), segment);
    const head = readPrometheusHead(path, [], () => undefined);
    expect([...head.timeRanges()]).toEqual([
      { minTimeMs: 1000, maxTimeMs: 1000 },
      { minTimeMs: 1.7e15, maxTimeMs: 1.7e15 },
    ]);
  });

  it('loses the record that is damaged, and reads on at the next page', async () => {
    const whole = records(false);
    whole[40_000] ^= 1;
    const { found, damages } = await readHead({ 'wal/00000000': whole });
    expect(damages.length).toBe(1);
    expect(damages[0].offset).toBe(32_768);
    expect(found[2].length).toBe(1);
    expect(found[2].timestamps[0]).toBe(900);
  });

  it('tells of records that are packed with zstd and damaged', async () => {
    const bytes = encodeSegment([{ bytes: Uint8Array.of(1, 2, 3), isPacked: false }]);
    bytes[0] |= 0b10000;
    const { damages } = await readHead({ 'wal/00000000': bytes });
    expect(damages[0].what).toContain('zstd');
  });

  it('reads records that are packed with zstd', async () => {
    // A frame with one raw block: magic, single segment, size, last block of that size, bytes.
    const packed = (bytes: Uint8Array) => {
      const header = Buffer.alloc(10);
      header.writeUInt32LE(0xfd2fb528, 0);
      header[4] = 0x20 | 0x40;
      header.writeUInt16LE(bytes.length - 256, 5);
      header.writeUIntLE((bytes.length << 3) | 1, 7, 3);
      return Buffer.concat([header, bytes]);
    };
    const samples = Array.from({ length: 30 }, (_, i) => [1, 1000 + i, i] as const);
    const plain = [seriesRecord([[1, labels('1')]]), samplesRecord(samples)];
    const segments = [
      encodeSegment([{ bytes: plain[0], isPacked: false }]),
      encodeSegment([{ bytes: packed(plain[1]), isPacked: false }]),
    ];
    segments[1][0] |= 0b10000;
    const { found, damages } = await readHead({
      'wal/00000000': segments[0],
      'wal/00000001': segments[1],
    });
    expect(damages).toEqual([]);
    expect(found[1].length).toBe(30);
  });
});

describe('small parts', () => {
  it('CRC-32C has the value that everybody checks', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('texts are compared as their UTF-8 bytes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 5 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const wanted = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareTexts(a, b))).toBe(wanted);
      }),
      { seed },
    );
  });

  it('Snappy gives back what was packed', () => {
    const bytes = fc.uint8Array({ maxLength: 400, max: 3 });
    fc.assert(
      fc.property(bytes, (plain) => {
        expect(decodeSnappy(packSnappy(plain), 1000)).toEqual(plain);
      }),
      { seed },
    );
  });

  it('a ULID has the time in front', () => {
    // The example of the ULID specification: this time is 01ARYZ6S41.
    const ulid = makeUlid(1_469_918_176_385, new Uint8Array(16));
    expect(ulid).toBe('01ARYZ6S410000000000000000');
  });
});
