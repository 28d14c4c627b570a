import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type LogFields, ManualClock, silentLogger } from '@tyto/base';
import { createMatcher, Labels, type MetricStore, SampleColumns } from '@tyto/model';
import { appendMixed, mixedSamples, readAll, readMixed, SUITE_NOW_MS } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import { BlockWriter } from './block/writer.ts';
import { mergedRangesMs, planCompaction } from './compaction.ts';
import { nodeDisk } from './disk.ts';
import { FaultyDisk } from './testing/faultyDisk.ts';

const HOUR = 3600_000;
const t = SUITE_NOW_MS;
const directories: string[] = [];
const opened: Tsdb[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-compaction-'));
  directories.push(directory);
  return directory;
}

async function openIn(directory: string, more: Partial<Parameters<typeof Tsdb.open>[0]> = {}) {
  const clock = new ManualClock(t + 1000 * HOUR);
  const db = await Tsdb.open({ directory, clock, maintenanceIntervalMs: 0, ...more });
  opened.push(db);
  return db;
}

afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

describe('the plan of merges', () => {
  const block = (from: number, to: number, outOfOrder?: true) => ({
    minTimeMs: from * HOUR,
    maxTimeMs: to * HOUR,
    ...(outOfOrder === undefined ? {} : { outOfOrder }),
  });
  const plan = (...blocks: ReturnType<typeof block>[]) =>
    planCompaction(blocks, mergedRangesMs(0)).map((one) => [
      one.minTimeMs / HOUR,
      one.maxTimeMs / HOUR,
    ]);

  it('has ranges that triple up to 31 days and a tenth of the retention', () => {
    const hours = (retentionMs: number) => mergedRangesMs(retentionMs).map((ms) => ms / HOUR);
    expect(hours(0)).toEqual([6, 18, 54, 162, 486]);
    expect(hours(15 * 24 * HOUR)).toEqual([6, 18]);
    expect(hours(10 * HOUR)).toEqual([]);
  });

  it('fills aligned ranges, never with the newest block', () => {
    expect(plan()).toEqual([]);
    expect(plan(block(0, 2), block(2, 4), block(4, 6))).toEqual([]);
    const first = [block(0, 2), block(2, 4), block(4, 6)];
    const of6 = [
      [0, 2],
      [2, 4],
      [4, 6],
    ];
    expect(plan(...first, block(6, 8))).toEqual(of6);
    // A range with a hole is done when there is something behind it.
    expect(plan(block(0, 2), block(4, 6), block(6, 8), block(8, 10))).toEqual([
      [0, 2],
      [4, 6],
    ]);
    expect(plan(block(0, 2), block(2, 4), block(6, 8))).toEqual([]);
    expect(plan(block(2, 4), block(4, 6), block(6, 8), block(8, 10))).toEqual([
      [2, 4],
      [4, 6],
    ]);
  });

  it('goes on to the next larger range', () => {
    expect(plan(block(0, 6), block(6, 12), block(12, 18), block(18, 20))).toEqual([
      [0, 6],
      [6, 12],
      [12, 18],
    ]);
    // A block that reaches over the border of a range stays what it is.
    expect(plan(block(0, 6), block(6, 20), block(20, 22), block(22, 24))).toEqual([]);
  });

  it('merges blocks that overlap before all others, the newest too', () => {
    expect(plan(block(0, 2), block(1, 3), block(2, 4), block(8, 10))).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
    ]);
    expect(plan(block(0, 2), block(2, 4), block(2, 4))).toEqual([
      [2, 4],
      [2, 4],
    ]);
    expect(plan(block(0, 20), block(2, 4), block(6, 8), block(20, 22))).toEqual([
      [0, 20],
      [2, 4],
      [6, 8],
    ]);
  });

  it('leaves late samples alone while the head owns their time', () => {
    expect(plan(block(0, 2), block(0, 4, true))).toEqual([]);
    expect(plan(block(0, 2), block(2, 4), block(0, 4, true))).toEqual([
      [0, 2],
      [0, 4],
      [2, 4],
    ]);
    expect(plan(block(0, 4, true), block(2, 6, true))).toEqual([
      [0, 4],
      [2, 6],
    ]);
  });
});

const series = (n: number) => Labels.of({ __name__: 'm', n: String(n) });

async function fill(db: MetricStore, count: number, fromMs: number, toMs: number, stepMs: number) {
  const appender = db.appender();
  for (let time = fromMs; time < toMs; time += stepMs) {
    for (let n = 0; n < count; n++) appender.append(appender.series(series(n)), time, time + n);
  }
  await appender.commit();
}

function expected(count: number, fromMs: number, toMs: number, stepMs: number) {
  const all: Record<string, [number, number][]> = {};
  for (let n = 0; n < count; n++) {
    const samples: [number, number][] = [];
    for (let time = fromMs; time < toMs; time += stepMs) samples.push([time, time + n]);
    all[series(n).toString()] = samples;
  }
  return all;
}

const everything = (db: MetricStore) => readAll(db, [['__name__', '=', 'm']]);
const blocksOf = (directory: string) => readdirSync(join(directory, 'blocks'));

/** A database of `hours` whose blocks are not merged yet: they are cut beyond its retention. */
async function unmerged(directory: string, hours: number): Promise<void> {
  const db = await openIn(directory, { retentionMs: hours * HOUR });
  await fill(db, 3, t, t + hours * HOUR, 60_000);
  await db.maintain();
  await db.close();
}

describe('merging', () => {
  it('makes larger blocks of small ones and shows the same', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 3, t, t + 46 * HOUR, 60_000);
    const before = await db.select({
      matchers: [createMatcher('=', 'n', '1')],
      minTimeMs: t,
      maxTimeMs: t + 46 * HOUR,
    });
    await db.maintain();
    const names = blocksOf(directory).map((name) => name.split('-').slice(0, 3));
    const ranges = names.map(([from, to, level]) => [
      (Number(from) - t) / HOUR,
      (Number(to) - t) / HOUR,
      Number(level),
    ]);
    expect(ranges.sort((a, b) => a[0] - b[0])).toEqual([
      [0, 18, 3],
      [18, 36, 3],
      [36, 42, 2],
      [42, 44, 1],
    ]);
    const want = expected(3, t, t + 46 * HOUR, 60_000);
    expect(await everything(db)).toEqual(want);
    const columns = new SampleColumns();
    before.readInto(0, columns);
    expect(columns.length).toBe(46 * 60);
    const again = await openIn(directory);
    expect(await everything(again)).toEqual(want);
  });

  it('keeps native histograms, stale markers and start times', async () => {
    const db = await openIn(newDirectory());
    const samples = mixedSamples(t, 13 * 3600);
    const rest = [...samples];
    while (rest.length > 0) {
      const appender = db.appender();
      const ref = appender.series(series(1));
      for (const sample of rest.splice(0, 5000)) appendMixed(appender, ref, sample);
      await appender.commit();
    }
    await db.maintain();
    expect(db.stats().blockCount).toBe(3);
    expect(await readMixed(db, series(1))).toEqual(samples);
  });

  it('merges blocks of late samples; of two at one time the one in order counts', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 8 * HOUR, 60_000);
    await db.maintain();
    await db.close();
    const range = { minTimeMs: t, maxTimeMs: t + 4 * HOUR, level: 1, outOfOrder: true };
    const writer = new BlockWriter(nodeDisk, join(directory, 'blocks'), range);
    await writer.open();
    const columns = new SampleColumns();
    for (let time = t; time < t + 4 * HOUR; time += 30_000) columns.push(time, -1);
    await writer.add(series(1), columns);
    columns.length = 1;
    await writer.add(series(7), columns);
    await writer.finish();
    const want = expected(2, t, t + 8 * HOUR, 60_000);
    for (let time = t + 30_000; time < t + 4 * HOUR; time += 60_000) {
      want[series(1).toString()].push([time, -1]);
    }
    want[series(1).toString()].sort((a, b) => a[0] - b[0]);
    want[series(7).toString()] = [[t, -1]];
    const again = await openIn(directory);
    expect(await everything(again)).toEqual(want);
    await again.maintain();
    expect(again.stats().blockCount).toBe(2);
    expect(await everything(again)).toEqual(want);
  });

  it('leaves a damaged chunk out, says so, and keeps the block for its owner', async () => {
    const directory = newDirectory();
    await unmerged(directory, 10);
    const [first] = blocksOf(directory);
    const path = join(directory, 'blocks', first, 'chunks');
    const bytes = readFileSync(path);
    bytes[20] ^= 1;
    writeFileSync(path, bytes);
    const errors: (LogFields | undefined)[] = [];
    const logger = { ...silentLogger, error: (_: string, more?: LogFields) => errors.push(more) };
    const db = await openIn(directory, { logger });
    await db.maintain();
    const want = expected(3, t, t + 10 * HOUR, 60_000);
    want[series(0).toString()] = want[series(0).toString()].filter(
      ([time]) => time >= t + 2 * HOUR,
    );
    expect(await everything(db)).toEqual(want);
    expect(db.stats().corruptions).toBe(1);
    expect(blocksOf(directory)).toContain(`damaged-${first}`);
    expect(errors).toContainEqual({
      series: 'm{n="0"}',
      error: `${path} is damaged at byte 8`,
    });
  });

  it('shows all samples once, wherever the disk gets full', async () => {
    const directory = newDirectory();
    await unmerged(directory, 10);
    const want = expected(3, t, t + 10 * HOUR, 60_000);
    for (let freeBytes = 0; freeBytes < 12_000; freeBytes += 1500) {
      const copy = newDirectory();
      cpSync(directory, copy, { recursive: true });
      const disk = new FaultyDisk();
      const db = await openIn(copy, { disk });
      disk.freeBytes = freeBytes;
      await db.maintain();
      expect(await everything(db)).toEqual(want);
      disk.freeBytes = Infinity;
      const again = await openIn(copy);
      await again.maintain();
      expect(await everything(again)).toEqual(want);
      expect(again.stats().blockCount).toBe(2);
    }
  });

  it('drops the sources that a crash left behind', async () => {
    const directory = newDirectory();
    await unmerged(directory, 10);
    const before = newDirectory();
    cpSync(directory, before, { recursive: true });
    const db = await openIn(directory);
    await db.maintain();
    await db.close();
    for (const name of blocksOf(before)) {
      cpSync(join(before, 'blocks', name), join(directory, 'blocks', name), { recursive: true });
    }
    expect(blocksOf(directory)).toHaveLength(5);
    const again = await openIn(directory);
    expect(again.stats()).toMatchObject({ blockCount: 2, corruptions: 0 });
    expect(blocksOf(directory)).toHaveLength(2);
    expect(await everything(again)).toEqual(expected(3, t, t + 10 * HOUR, 60_000));
  });
});
