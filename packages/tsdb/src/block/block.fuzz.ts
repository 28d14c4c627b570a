import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createMatcher, Labels, matchesAll, SampleColumns } from '@tyto/model';
import { describe, expect, it } from 'vitest';
import { nodeDisk } from '../disk.ts';
import { findSeries } from '../indexSearch.ts';
import { BlockReader } from './reader.ts';
import { sortSliced } from './sortSliced.ts';
import { BlockWriter } from './writer.ts';

const text = fc
  .oneof(
    fc.constantFrom('a', 'b', 'ab', 'é', '\u{1f600}', '\uff5e', ''),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  .filter((one) => one.isWellFormed());
const labels = fc
  .array(fc.tuple(text, text), { maxLength: 4 })
  .map((pairs) => Labels.fromEntries([...pairs, ['__name__', 'm']]));
const times = fc.uniqueArray(fc.nat({ max: 9999 }), { minLength: 1, maxLength: 5 });
const series = fc.uniqueArray(fc.tuple(labels, times), {
  maxLength: 12,
  selector: ([one]) => one.key,
});

async function write(directory: string, all: readonly (readonly [Labels, number[]])[]) {
  const range = { minTimeMs: 0, maxTimeMs: 10_000, level: 1 };
  const writer = new BlockWriter(nodeDisk, directory, range);
  await writer.open();
  for (const [one, timestamps] of all) {
    const columns = new SampleColumns(8);
    for (const time of [...timestamps].sort((a, b) => a - b)) columns.push(time, time / 2);
    await writer.add(one, columns);
  }
  const path = await writer.finish();
  return path === undefined ? undefined : BlockReader.open(nodeDisk, path);
}

describe('a block', () => {
  it('finds what was put into it, by any matcher, and nothing else', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tyto-block-'));
    await fc.assert(
      fc.asyncProperty(series, text, text, async (all, name, value) => {
        const block = await write(directory, all);
        if (block === undefined) {
          expect(all).toEqual([]);
          return;
        }
        expect(block.seriesCount).toBe(all.length);
        for (let i = 0; i < all.length; i++) {
          const columns = new SampleColumns();
          expect(block.labels(i).pairs).toEqual(all[i][0].pairs);
          block.readInto(i, 0, 5000, columns);
          const inside = all[i][1].filter((time) => time <= 5000).sort((a, b) => a - b);
          expect([...columns.timestamps.subarray(0, columns.length)]).toEqual(inside);
        }
        const values = new Set(all.map(([one]) => one.get(name)).filter((one) => one !== ''));
        expect([...block.labelValues(name)].sort()).toEqual([...values].sort());
        const names = new Set(all.flatMap(([one]) => [...one.entries()].map(([key]) => key)));
        expect([...block.labelNames()].sort()).toEqual([...names].sort());
        for (const type of ['=', '!=', '=~', '!~'] as const) {
          const pattern = type.includes('~') ? '(a|b).*' : value;
          const matchers = [createMatcher(type, name, pattern)];
          const want = all.flatMap(([one], i) => (matchesAll(matchers, one) ? [i] : []));
          expect([...findSeries(block, matchers)]).toEqual(want);
        }
        block.close();
      }),
      { numRuns: 150 },
    );
    rmSync(directory, { recursive: true });
  });

  it('is sorted in slices as it would be at once', async () => {
    for (const count of [0, 1, 4096, 4097, 30_000]) {
      const ids = Uint32Array.from({ length: count }, (_, i) => (i * 7919) % 30_011);
      const want = [...ids].sort((a, b) => b - a);
      expect([...(await sortSliced(ids, (a, b) => b - a))]).toEqual(want);
    }
  });
});
