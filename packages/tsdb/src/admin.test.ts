import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { createMatcher, Labels } from '@tyto/model';
import { readAll, SUITE_NOW_MS } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import { CrashingDisk } from './testing/crashingDisk.ts';
import { FaultyDisk } from './testing/faultyDisk.ts';

const HOUR = 3600_000;
const t = SUITE_NOW_MS;
const directories: string[] = [];
const opened: Tsdb[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-admin-'));
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

const series = (n: number) => Labels.of({ __name__: 'm', n: String(n) });

async function fill(db: Tsdb, count: number, fromMs: number, toMs: number, stepMs = 60_000) {
  const appender = db.appender();
  for (let time = fromMs; time < toMs; time += stepMs) {
    for (let n = 0; n < count; n++) appender.append(appender.series(series(n)), time, n);
  }
  await appender.commit();
}

/** The hours of which a series has samples, counted from t. */
async function hoursOf(db: Tsdb, n: number): Promise<number[]> {
  const samples = (await readAll(db, [['n', '=', String(n)]]))[series(n).toString()] ?? [];
  return [...new Set(samples.map(([time]) => Math.floor((time - t) / HOUR)))];
}

const always = { minTimeMs: -8e15, maxTimeMs: 8e15, limit: 0 };
const of = (n: string) => [createMatcher('=~', 'n', n)];

async function shown(db: Tsdb): Promise<string[]> {
  return (await db.series({ matcherSets: [of('.+')], ...always })).items.map(String);
}

describe('deleting', () => {
  it('hides samples of blocks and of the head at once, and still after a crash', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 3, t, t + 6 * HOUR);
    await db.maintain();
    expect(db.stats().blockCount).toBe(2);
    const range = { minTimeMs: t + HOUR, maxTimeMs: t + 5 * HOUR - 1 };
    expect(await db.deleteSeries({ matcherSets: [of('0'), of('0|1')], ...range })).toBe(2);
    expect(await db.deleteSeries({ matcherSets: [of('9')], ...range })).toBe(0);
    const crashed = await openIn(directory);
    for (const one of [db, crashed]) {
      expect(await hoursOf(one, 0)).toEqual([0, 5]);
      expect(await hoursOf(one, 1)).toEqual([0, 5]);
      expect(await hoursOf(one, 2)).toEqual([0, 1, 2, 3, 4, 5]);
    }
    await crashed.close();
    const closed = await openIn(directory);
    expect(await hoursOf(closed, 0)).toEqual([0, 5]);
  });

  it('does not mean what comes later, and lets a wholly deleted series vanish', async () => {
    const db = await openIn(newDirectory());
    await fill(db, 2, t, t + 6 * HOUR);
    await db.maintain();
    await db.deleteSeries({ matcherSets: [of('1')], ...always });
    expect(await shown(db)).toEqual([series(0).toString()]);
    expect(await hoursOf(db, 1)).toEqual([]);
    await fill(db, 2, t + 6 * HOUR, t + 7 * HOUR);
    expect(await hoursOf(db, 1)).toEqual([6]);
    expect(await shown(db)).toHaveLength(2);
  });

  it('gives the space back when tombstones are cleaned', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 8 * HOUR);
    await db.maintain();
    const before = db.stats();
    await db.deleteSeries({ matcherSets: [of('1')], ...always, maxTimeMs: t + 3 * HOUR - 1 });
    await db.cleanTombstones();
    expect(await hoursOf(db, 1)).toEqual([3, 4, 5, 6, 7]);
    expect(before.blockSamples - db.stats().blockSamples).toBe(180);
    const blocks = readdirSync(join(directory, 'blocks'));
    expect(blocks).toHaveLength(before.blockCount);
    for (const name of blocks) {
      expect(readdirSync(join(directory, 'blocks', name))).not.toContain('tombstones');
    }
    expect(await hoursOf(await openIn(directory), 1)).toEqual([3, 4, 5, 6, 7]);
  });

  it('changes nothing in a block where the disk is full', async () => {
    const directory = newDirectory();
    const disk = new FaultyDisk();
    const db = await openIn(directory, { disk });
    await fill(db, 2, t, t + 4 * HOUR);
    await db.maintain();
    const request = { matcherSets: [of('1')], ...always, maxTimeMs: t + 2 * HOUR - 1 };
    disk.freeBytes = 5;
    await expect(db.deleteSeries(request)).rejects.toThrow('no space left');
    disk.freeBytes = Infinity;
    expect(await hoursOf(db, 1)).toEqual([0, 1, 2, 3]);
    expect(await db.deleteSeries(request)).toBe(1);
    expect(await hoursOf(db, 1)).toEqual([2, 3]);
  });

  it('never lets deleted samples come back because their tombstones are damaged', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 4 * HOUR);
    await db.maintain();
    await db.deleteSeries({ matcherSets: [of('1')], ...always, maxTimeMs: t + HOUR });
    await db.close();
    const [block] = readdirSync(join(directory, 'blocks'));
    const path = join(directory, 'blocks', block, 'tombstones');
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 4;
      writeFileSync(path, damaged);
      const again = await openIn(directory);
      expect(again.stats()).toMatchObject({ corruptions: 1, blockCount: 0 });
      await again.close();
      rmSync(join(directory, 'blocks', block), { recursive: true, force: true });
      renameSync(join(directory, 'blocks', `damaged-${block}`), join(directory, 'blocks', block));
    }
  });
});

describe('a snapshot', () => {
  it('is a database of its own with the same answers', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 6 * HOUR);
    await db.maintain();
    await db.deleteSeries({ matcherSets: [of('1')], ...always, maxTimeMs: t + 3 * HOUR - 1 });
    const path = await db.snapshot({ skipHead: false });
    expect(path).toMatch(/snapshots\/20260211T160000Z-[0-9a-f]{16}$/);
    const withoutHead = await db.snapshot({ skipHead: true });
    const want = await readAll(db, [['__name__', '=', 'm']]);
    await db.deleteSeries({ matcherSets: [of('.+')], ...always });
    await db.cleanTombstones();
    const copy = await openIn(path);
    expect(await readAll(copy, [['__name__', '=', 'm']])).toEqual(want);
    expect(await hoursOf(await openIn(withoutHead), 0)).toEqual([0, 1, 2, 3]);
    await fill(copy, 2, t + 6 * HOUR, t + 7 * HOUR);
    expect(await hoursOf(copy, 1)).toEqual([3, 4, 5, 6]);
  });

  it('leaves nothing behind where the disk is full', async () => {
    const directory = newDirectory();
    const disk = new FaultyDisk();
    const db = await openIn(directory, { disk });
    await fill(db, 2, t, t + 6 * HOUR);
    await db.maintain();
    disk.freeBytes = 100;
    await expect(db.snapshot({ skipHead: false })).rejects.toThrow('no space left');
    disk.freeBytes = Infinity;
    expect(readdirSync(join(directory, 'snapshots'))).toEqual([]);
  });
});

describe('retention', () => {
  it('counts the log, and deletes the oldest blocks first', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 8 * HOUR);
    await db.maintain();
    await db.close();
    const logBytes = readdirSync(join(directory, 'log'))
      .map((name) => readFileSync(join(directory, 'log', name)).length)
      .reduce((a, b) => a + b);
    const small = await openIn(directory, { retentionBytes: logBytes });
    await small.maintain();
    expect(small.stats().blockCount).toBe(0);
    expect(await hoursOf(small, 0)).toEqual([6, 7]);
  });

  it('differs for series that a rule names', async () => {
    const rules = [
      { matchers: of('0'), retentionMs: 20 * HOUR },
      { matchers: of('0|1'), retentionMs: 4 * HOUR },
    ];
    const db = await openIn(newDirectory(), { retentionMs: 8 * HOUR, retentionRules: rules });
    for (let hour = 0; hour < 16; hour++) {
      await fill(db, 3, t + hour * HOUR, t + (hour + 1) * HOUR);
      await db.maintain();
    }
    expect((await hoursOf(db, 0))[0]).toBe(0);
    expect((await hoursOf(db, 1))[0]).toBe(10);
    expect((await hoursOf(db, 2))[0]).toBe(6);
    expect(await shown(db)).toHaveLength(3);
  });
});

describe('a crash at any moment', () => {
  /** What each step leaves: hours of series 0 and 1. */
  const steps: readonly (readonly [string, (db: Tsdb) => Promise<unknown>])[] = [
    ['maintenance', (db) => db.maintain()],
    ['deleting', (db) => db.deleteSeries({ matcherSets: [of('1')], ...always })],
    ['cleaning', (db) => db.cleanTombstones()],
    ['a snapshot', (db) => db.snapshot({ skipHead: false })],
  ];

  it('leaves the samples once, and what was deleted deleted', async () => {
    const start = newDirectory();
    const first = await openIn(start, { retentionMs: 12 * HOUR });
    await fill(first, 3, t, t + 12 * HOUR, 30 * 60_000);
    // Blocks are cut and, with this retention, not merged.
    await first.maintain();
    await first.deleteSeries({ matcherSets: [of('0')], ...always, maxTimeMs: t + 5 * HOUR - 1 });
    await first.close();
    const hours = Array.from({ length: 12 }, (_, i) => i);
    for (const [name, step] of steps) {
      let moments = 0;
      for (let left = 0; ; left += 3) {
        const directory = newDirectory();
        cpSync(start, directory, { recursive: true });
        const disk = new CrashingDisk();
        const db = await openIn(directory, { disk });
        disk.left = left;
        await step(db).catch(() => undefined);
        const crashed = disk.left < 0;
        opened.splice(opened.indexOf(db), 1);
        disk.left = 0;
        await db.close().catch(() => undefined);
        const again = await openIn(directory);
        const what = `${name}, after ${left} operations`;
        expect(again.stats().corruptions, what).toBe(0);
        expect(await hoursOf(again, 0), what).toEqual(hours.slice(5));
        expect(await hoursOf(again, 2), what).toEqual(hours);
        await again.maintain();
        expect(await hoursOf(again, 0), what).toEqual(hours.slice(5));
        if (name === 'deleting' && !crashed) expect(await hoursOf(again, 1)).toEqual([]);
        if (name !== 'deleting') expect(await hoursOf(again, 1), what).toEqual(hours);
        await again.close();
        rmSync(directory, { recursive: true });
        directories.splice(directories.indexOf(directory), 1);
        moments++;
        if (!crashed) break;
      }
      expect(moments, name).toBeGreaterThan(5);
    }
  }, 60_000);
});
