import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TytoError } from '@tyto/base';
import { Labels, SampleColumns } from '@tyto/model';
import {
  openPrometheusBlocks,
  PrometheusBlockWriter,
  readPrometheusHead,
  verifyBlock,
} from '@tyto/promblock';
import { decodeSnappy } from '@tyto/kernels';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeChunk } from './chunk.ts';
import { mixedColumns } from './testing/generators.ts';
import {
  encodeSegment,
  headChunksFile,
  samplesRecord,
  seriesRecord,
} from './testing/logEncoder.ts';
import { makeUlid } from './ulid.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const directory = mkdtempSync(join(tmpdir(), 'tyto-promblock-fuzz-'));
const data = join(directory, 'data');
/** By path, as they were written. */
const files = new Map<string, Buffer>();
let whole = new Map<string, string>();

afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeAll(async () => {
  mkdirSync(join(data, 'wal'), { recursive: true });
  const ulid = makeUlid(1_700_000_000_000, new Uint8Array(16));
  const writer = new PrometheusBlockWriter(data, { ulid, minTimeMs: 0, maxTimeMs: 7_200_000 });
  await writer.open();
  const [mixed] = fc.sample(mixedColumns, { seed: 1, numRuns: 1 });
  for (let i = 0; i < 6; i++) {
    const columns = new SampleColumns();
    for (let k = 0; k < 200; k++) columns.push(k * 15_000, Math.sin(k));
    await writer.add(Labels.of({ __name__: 'm', i: String(i) }), i === 3 ? mixed : columns);
  }
  await writer.finish();
  const records = [
    seriesRecord([
      [1, Labels.of({ a: '1' })],
      [2, Labels.of({ a: '2' })],
    ]),
    samplesRecord(Array.from({ length: 4000 }, (_, i) => [1 + (i % 2), 7_200_000 + i, i] as const)),
  ];
  const segment = encodeSegment(records.map((bytes, i) => ({ bytes, isPacked: i === 0 })));
  writeFileSync(join(data, 'wal', '00000000'), segment);
  const mapped = new SampleColumns();
  for (let i = 0; i < 200; i++) mapped.push(7_100_000 + i * 1000, i);
  mkdirSync(join(data, 'chunks_head'));
  writeFileSync(join(data, 'chunks_head', '000001'), headChunksFile(1, mapped, false));
  remember(data);
  const clean = await readAll();
  expect(clean.damageCount).toBe(0);
  whole = clean.series;
});

function remember(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) remember(child);
    else files.set(child, readFileSync(child));
  }
}

/** Everything that can be read, by labels: times and values. */
async function readAll(): Promise<{ series: Map<string, string>; damageCount: number }> {
  const series = new Map<string, string>();
  let damageCount = 0;
  const report = () => {
    damageCount++;
  };
  const blocks = openPrometheusBlocks(data, report);
  const head = readPrometheusHead(data, blocks, report);
  for (const source of [...blocks, head]) {
    for await (const { labels, readInto } of source.series()) {
      const columns = new SampleColumns();
      readInto(-Infinity, Infinity, columns);
      const times = columns.timestamps.subarray(0, columns.length);
      series.set(
        labels.key,
        `${times.join()} ${columns.values.subarray(0, columns.length).join()}`,
      );
    }
  }
  for (const block of blocks) {
    await verifyBlock(block, report);
    block.release();
  }
  return { series, damageCount };
}

test(`damage is reported or does no harm (seed ${seed})`, async () => {
  const paths = [...files.keys()];
  const damage = fc.record({
    file: fc.nat(paths.length - 1),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    bit: fc.nat(7),
    isCut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ file, at, bit, isCut }) => {
      const path = paths[file];
      const original = files.get(path) ?? Buffer.alloc(0);
      const place = Math.floor(at * original.length);
      const changed = isCut ? original.subarray(0, place) : Buffer.from(original);
      if (!isCut) changed[place] ^= 1 << bit;
      writeFileSync(path, changed);
      try {
        const { series, damageCount } = await readAll();
        // A changed meta.json may tell of another version or time and still be one.
        const mayHide = path.endsWith('meta.json');
        // What has no end of its own may be cut between two records without anybody knowing.
        const isLogCut = isCut && /wal|chunks_head/.test(path);
        if (damageCount === 0 && !mayHide && !isLogCut) expect(series).toEqual(whole);
      } finally {
        writeFileSync(path, original);
      }
    }),
    { seed, numRuns: 300 },
  );
}, 60_000);

test(`random bytes are no chunk, or one (seed ${seed})`, () => {
  const chunk = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.nat(6), chunk, (encoding, bytes) => {
      const columns = new SampleColumns();
      try {
        decodeChunk(encoding, bytes, columns);
      } catch (error) {
        expect(error).toBeInstanceOf(TytoError);
        expect(columns.length).toBe(0);
      }
    }),
    { seed, numRuns: 5000 },
  );
});

test(`random bytes are unpacked or refused (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        expect(decodeSnappy(bytes, 10_000).length).toBeLessThanOrEqual(10_000);
      } catch (error) {
        expect(error).toBeInstanceOf(TytoError);
      }
    }),
    { seed, numRuns: 5000 },
  );
});
