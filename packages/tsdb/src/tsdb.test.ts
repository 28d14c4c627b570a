import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import {
  APPENDED,
  createMatcher,
  DUPLICATE,
  Labels,
  NO_SERIES,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  SampleColumns,
  TOO_OLD,
} from '@tyto/model';
import {
  appendMixed,
  metricStoreSuite,
  mixedSamples,
  readAll,
  readMixed,
  someHistogram,
  SUITE_NOW_MS,
} from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import { FaultyDisk } from './testing/faultyDisk.ts';

const HOUR = 3600_000;
const directories: string[] = [];
const opened: Tsdb[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-tsdb-'));
  directories.push(directory);
  return directory;
}

async function openIn(directory: string, more: Partial<Parameters<typeof Tsdb.open>[0]> = {}) {
  const clock = new ManualClock(SUITE_NOW_MS + 1000 * HOUR);
  const db = await Tsdb.open({ directory, clock, maintenanceIntervalMs: 0, ...more });
  opened.push(db);
  return db;
}

afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

metricStoreSuite('on disk', () => openIn(newDirectory()));

const series = (n: number) => Labels.of({ __name__: 'm', n: String(n), even: String(n % 2 === 0) });

/** Appends a sample to each of `count` series every `stepMs`, a commit a step. */
async function fill(db: Tsdb, count: number, fromMs: number, toMs: number, stepMs: number) {
  for (let time = fromMs; time < toMs; time += stepMs) {
    const appender = db.appender();
    for (let n = 0; n < count; n++) {
      expect(appender.append(appender.series(series(n)), time, time / 1000 + n)).toBe(APPENDED);
    }
    await appender.commit();
  }
}

function expected(count: number, fromMs: number, toMs: number, stepMs: number) {
  const all: Record<string, [number, number][]> = {};
  for (let n = 0; n < count; n++) {
    const samples: [number, number][] = [];
    for (let time = fromMs; time < toMs; time += stepMs) samples.push([time, time / 1000 + n]);
    all[series(n).toString()] = samples;
  }
  return all;
}

const t = SUITE_NOW_MS;

describe('Tsdb', () => {
  it('has everything again after the process died without a word', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 5, t, t + HOUR, 15_000);
    // No close: what a kill leaves behind.
    const again = await openIn(directory);
    expect(again.stats().corruptions).toBe(0);
    expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(
      expected(5, t, t + HOUR, 15_000),
    );
  });

  it('has it from a compressed log too, which is smaller, and from one that changed', async () => {
    const sizes: number[] = [];
    for (const compresses of [false, true]) {
      const directory = newDirectory();
      const db = await openIn(directory);
      db.logCompression = compresses;
      await fill(db, 50, t, t + HOUR / 2, 15_000);
      sizes.push(statSync(join(directory, 'log', '00000001')).size);
      db.logCompression = !compresses;
      await fill(db, 50, t + HOUR / 2, t + HOUR, 15_000);
      const again = await openIn(directory);
      expect(again.stats().corruptions).toBe(0);
      expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(
        expected(50, t, t + HOUR, 15_000),
      );
    }
    expect(sizes[1]).toBeLessThan(0.8 * sizes[0]);
  });

  it('cuts blocks, shortens the log and shows the same samples, before and after a restart', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    const want = expected(4, t, t + 9 * HOUR, 60_000);
    for (let hour = 0; hour < 9; hour++) {
      await fill(db, 4, t + hour * HOUR, t + (hour + 1) * HOUR, 60_000);
      await db.maintain();
    }
    expect(db.stats().blockCount).toBe(3);
    expect(readdirSync(join(directory, 'blocks'))).toEqual([
      `${t}-${t + 2 * HOUR}-1-1`,
      `${t + 2 * HOUR}-${t + 4 * HOUR}-1-2`,
      `${t + 4 * HOUR}-${t + 6 * HOUR}-1-3`,
    ]);
    expect(readdirSync(join(directory, 'log')).some((name) => name.endsWith('00000001'))).toBe(
      false,
    );
    expect(await readAll(db, [['__name__', '=', 'm']])).toEqual(want);
    const again = await openIn(directory);
    expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(want);
    await fill(again, 4, t + 9 * HOUR, t + 10 * HOUR, 60_000);
    await again.maintain();
    expect(await readAll(again, [['n', '=', '3']])).toEqual({
      [series(3).toString()]: expected(4, t, t + 10 * HOUR, 60_000)[series(3).toString()],
    });
  });

  it('reads a selection right although its samples moved into a block meanwhile', async () => {
    const db = await openIn(newDirectory());
    await fill(db, 2, t, t + 4 * HOUR, 60_000);
    const selection = await db.select({
      matchers: [createMatcher('=', 'n', '1')],
      minTimeMs: t,
      maxTimeMs: t + 4 * HOUR,
    });
    await db.maintain();
    expect(db.stats().blockCount).toBe(1);
    const columns = new SampleColumns();
    selection.readInto(0, columns);
    expect(columns.length).toBe(240);
  });

  it('forgets series that ended, and gives their ids to others without mixing them up', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    const appender = db.appender();
    const oldRef = appender.series(series(1));
    appender.append(oldRef, t, 1);
    await appender.commit();
    for (let hour = 0; hour < 12; hour++) {
      const batch = db.appender();
      for (let n = 0; n < 3; n++) {
        const ref = batch.series(
          Labels.of({ __name__: 'churn', hour: String(hour), n: String(n) }),
        );
        for (let m = 0; m < 60; m += 10) {
          expect(batch.append(ref, t + hour * HOUR + m * 60_000, n)).toBe(APPENDED);
        }
      }
      await batch.commit();
      await db.maintain();
    }
    expect(db.stats().seriesCount).toBeLessThan(15);
    const late = db.appender();
    expect(late.append(oldRef, t + 12 * HOUR, 1)).toBe(5);
    late.rollback();
    const want = await readAll(db, [['__name__', '=~', 'churn|m']]);
    expect(Object.keys(want)).toHaveLength(37);
    const again = await openIn(directory);
    expect(await readAll(again, [['__name__', '=~', 'churn|m']])).toEqual(want);
  });

  it('tells values with a byte order mark apart, and refuses endless ones', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    const appender = db.appender();
    for (const value of ['a', '\ufeffa']) {
      appender.append(appender.series(Labels.of({ __name__: 'bom', value })), t, value.length);
    }
    expect(appender.series(Labels.of({ __name__: 'huge', value: 'x'.repeat(2 ** 21) }))).toBe(
      NO_SERIES,
    );
    await appender.commit();
    const want = await readAll(db, [['__name__', '=', 'bom']]);
    expect(Object.keys(want)).toHaveLength(2);
    const again = await openIn(directory);
    expect(await readAll(again, [['__name__', '=', 'bom']])).toEqual(want);
  });

  it('refuses samples from too far behind and too far ahead', async () => {
    const clock = new ManualClock(t);
    const db = await openIn(newDirectory(), { clock });
    const appender = db.appender();
    expect(appender.append(appender.series(series(1)), t, 1)).toBe(APPENDED);
    expect(appender.append(appender.series(series(1)), t + 11 * 60_000, 1)).toBe(OUT_OF_BOUNDS);
    await appender.commit();
    const second = db.appender();
    expect(second.append(second.series(series(2)), t - HOUR - 1, 1)).toBe(OUT_OF_BOUNDS);
    expect(second.append(second.series(series(2)), t - HOUR, 1)).toBe(APPENDED);
  });

  it('takes a batch that brings hours of several series at once', async () => {
    const db = await openIn(newDirectory());
    const appender = db.appender();
    for (let n = 0; n < 3; n++) {
      const ref = appender.series(series(n));
      for (let time = t; time < t + 8 * HOUR; time += 60_000) {
        expect(appender.append(ref, time, time / 1000 + n)).toBe(APPENDED);
      }
    }
    await appender.commit();
    const want = expected(3, t, t + 8 * HOUR, 60_000);
    expect(await readAll(db, [['__name__', '=', 'm']])).toEqual(want);
    await db.maintain();
    expect(await readAll(db, [['__name__', '=', 'm']])).toEqual(want);
  });

  it('finds no names, values or series in a range without samples', async () => {
    const db = await openIn(newDirectory());
    const t = SUITE_NOW_MS + 1000 * HOUR;
    const found = async (minTimeMs: number, maxTimeMs: number) => {
      const request = { matcherSets: [], minTimeMs, maxTimeMs, limit: 0 };
      const names = await db.labelNames(request);
      const values = await db.labelValues('n', request);
      const matcherSets = [[createMatcher('=', '__name__', 'm')]];
      const all = await db.series({ ...request, matcherSets });
      return [names.items.length, values.items.length, all.items.length];
    };
    expect(await found(0, t)).toEqual([0, 0, 0]);
    await fill(db, 2, t - 60_000, t, 15_000);
    expect(await found(t - 30_000, t)).toEqual([3, 2, 2]);
    expect(await found(0, t - 61_000)).toEqual([0, 0, 0]);
    expect(await found(t + 1, t + HOUR)).toEqual([0, 0, 0]);
    expect(await found(t, t - 60_000)).toEqual([0, 0, 0]);
  });

  it('deletes the oldest blocks past the retention, by time and by size', async () => {
    const db = await openIn(newDirectory(), { retentionMs: 5 * HOUR });
    await fill(db, 1, t, t + 1, 1);
    for (let hour = 0; hour < 12; hour++) {
      await fill(db, 2, t + hour * HOUR + 1, t + (hour + 1) * HOUR, 300_000);
      await db.maintain();
    }
    const times = (await readAll(db, [['n', '=', '1']]))[series(1).toString()];
    expect(times[0][0]).toBe(t + 6 * HOUR + 1);
    const small = await openIn(newDirectory(), { retentionBytes: 1 });
    await fill(small, 2, t, t + 4 * HOUR, 300_000);
    await small.maintain();
    expect(small.stats().blockCount).toBe(0);
  });

  it('lets one process have a directory', async () => {
    const directory = newDirectory();
    await openIn(directory);
    writeFileSync(join(directory, 'lock'), `${process.ppid}\n`);
    await expect(Tsdb.open({ directory })).rejects.toThrow(/in use by process \d+; stop that one/);
    writeFileSync(join(directory, 'lock'), '4194304 1\n');
    await openIn(directory);
  });
});

describe('native histograms and start times', () => {
  it('are the same after a crash, a checkpoint and in blocks', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    const samples = mixedSamples(t, 9 * 3600);
    const later = [...samples];
    while (later.length > 0) {
      const appender = db.appender();
      const ref = appender.series(series(1));
      for (const sample of later.splice(0, 500)) appendMixed(appender, ref, sample);
      await appender.commit();
    }
    const crashed = await openIn(directory);
    expect(await readMixed(crashed, series(1))).toEqual(samples);
    await crashed.maintain();
    expect(crashed.stats().blockCount).toBe(3);
    expect(await readMixed(crashed, series(1))).toEqual(samples);
    await crashed.close();
    const again = await openIn(directory);
    expect(again.stats().corruptions).toBe(0);
    expect(await readMixed(again, series(1))).toEqual(samples);
  });

  it('are repeated, duplicates or out of order as floats are; unsound ones fail', async () => {
    const db = await openIn(newDirectory());
    const appender = db.appender();
    const ref = appender.series(series(1));
    appender.appendHistogram(ref, t, someHistogram(1, 4, true));
    await appender.commit();
    const more = db.appender();
    expect(more.appendHistogram(ref, t, someHistogram(1, 4, true))).toBe(REPEATED);
    expect(more.appendHistogram(ref, t, someHistogram(2, 4, true))).toBe(DUPLICATE);
    expect(more.append(ref, t, 5)).toBe(DUPLICATE);
    expect(more.appendHistogram(ref, t - 1, someHistogram(1, 4, true))).toBe(OUT_OF_ORDER);
    const unsound = { ...someHistogram(1, 4, true), positiveBuckets: [1] };
    expect(() => more.appendHistogram(ref, t + 1, unsound)).toThrow('not those of its buckets');
    more.rollback();
  });
});

describe('late samples', () => {
  const late = { outOfOrderWindowMs: 12 * HOUR };

  it('are taken within the window, and told from repeated and too old ones', async () => {
    const db = await openIn(newDirectory(), late);
    await fill(db, 1, t + 10 * HOUR, t + 11 * HOUR, 60_000);
    const appender = db.appender();
    const ref = appender.series(series(0));
    expect(appender.append(ref, t + HOUR, 1)).toBe(APPENDED);
    expect(appender.append(ref, t - 4 * HOUR, 1)).toBe(TOO_OLD);
    const times = Float64Array.of(t + 2 * HOUR, t + 3 * HOUR, t + 11 * HOUR);
    expect(appender.appendRun(ref, times, Float64Array.of(2, 3, 11), 0, 3)).toBe(APPENDED);
    await appender.commit();
    const more = db.appender();
    expect(more.append(ref, t + 2 * HOUR, 2)).toBe(REPEATED);
    expect(more.append(ref, t + 2 * HOUR, 5)).toBe(DUPLICATE);
    more.rollback();
    const read = (await readAll(db, [['n', '=', '0']]))[series(0).toString()];
    expect(read.slice(0, 3)).toEqual([
      [t + HOUR, 1],
      [t + 2 * HOUR, 2],
      [t + 3 * HOUR, 3],
    ]);
    expect(read).toHaveLength(64);
    expect(read.at(-1)).toEqual([t + 11 * HOUR, 11]);
  });

  it('are deleted and copied as others are', async () => {
    const directory = newDirectory();
    const db = await openIn(directory, late);
    await fill(db, 1, t + 10 * HOUR, t + 10 * HOUR + 60_000, 60_000);
    await fill(db, 1, t + HOUR, t + 2 * HOUR, 60_000);
    const matcherSets = [[createMatcher('=', 'n', '0')]];
    const range = { minTimeMs: t + HOUR, maxTimeMs: t + 1.5 * HOUR };
    expect(await db.deleteSeries({ matcherSets, ...range })).toBe(1);
    const left = await readAll(db, [['n', '=', '0']]);
    expect(left[series(0).toString()]).toHaveLength(30);
    const snapshot = await openIn(await db.snapshot({ skipHead: false }));
    expect(await readAll(snapshot, [['n', '=', '0']])).toEqual(left);
    const again = await openIn(directory, late);
    expect(await readAll(again, [['n', '=', '0']])).toEqual(left);
  });

  it('are the same in any order, after a crash, a checkpoint, and in blocks', async () => {
    const directory = newDirectory();
    const db = await openIn(directory, late);
    const samples = mixedSamples(t, 3 * 3600);
    // The last one first, so that all others are late, and those in no order.
    const order = samples.map((_, i) => (i * 7919) % samples.length).reverse();
    const put = async (tsdb: Tsdb, indices: readonly number[]) => {
      const appender = tsdb.appender();
      const ref = appender.series(series(1));
      for (const i of indices) appendMixed(appender, ref, samples[i]);
      await appender.commit();
    };
    await put(db, [samples.length - 1]);
    for (let i = 0; i < order.length; i += 1000) await put(db, order.slice(i, i + 1000));
    expect(await readMixed(db, series(1))).toEqual(samples);
    const crashed = await openIn(directory, late);
    expect(await readMixed(crashed, series(1))).toEqual(samples);
    await crashed.close();
    const again = await openIn(directory, late);
    expect(await readMixed(again, series(1))).toEqual(samples);
    await fill(again, 3, t + 8 * HOUR, t + 9 * HOUR, 60_000);
    await again.maintain();
    expect(again.stats().blockCount).toBeGreaterThan(0);
    const blocks = again.stats().blockSamples;
    expect(blocks).toBeGreaterThanOrEqual(samples.length - 1);
    const read = await readMixed(again, series(1));
    expect(read.slice(0, samples.length)).toEqual(samples);
    await again.close();
    const last = await openIn(directory, late);
    expect((await readMixed(last, series(1))).slice(0, samples.length)).toEqual(samples);
  });
});

describe('unread series', () => {
  it('are those that no query has found for so many days, also over a restart', async () => {
    const directory = newDirectory();
    const clock = new ManualClock(t);
    const db = await openIn(directory, { clock });
    await fill(db, 4, t, t + 60_000, 60_000);
    expect(db.unreadMetrics(1)).toEqual([]);
    clock.jump(40 * 24 * HOUR);
    expect(db.unreadMetrics(30)).toEqual([{ metric: 'm', series: 4, unread: 4 }]);
    await readAll(db, [['even', '=', 'true']]);
    expect(db.unreadMetrics(30)).toEqual([{ metric: 'm', series: 4, unread: 2 }]);
    await db.close();
    const again = await openIn(directory, { clock });
    expect(again.unreadMetrics(30)).toEqual([{ metric: 'm', series: 4, unread: 2 }]);
    expect(again.unreadMetrics(41)).toEqual([]);
  });
});

describe('checkpoints', () => {
  it('hold the whole head at a close, and the log is empty then', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 50, t, t + HOUR, 15_000);
    const exemplar = { labels: Labels.of({ trace_id: 'abc' }), value: 3, timestampMs: t + 5 };
    const appender = db.appender();
    appender.appendExemplar(appender.series(series(7)), exemplar);
    await appender.commit();
    await db.close();
    expect(readdirSync(join(directory, 'log'))).toEqual(['checkpoint-00000002']);
    const again = await openIn(directory);
    expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(
      expected(50, t, t + HOUR, 15_000),
    );
    const matcherSets = [[createMatcher('=', 'n', '7')]];
    expect(await again.exemplars({ matcherSets, minTimeMs: t, maxTimeMs: t + 9 })).toEqual([
      { seriesLabels: series(7), exemplars: [exemplar] },
    ]);
    // Samples go on right behind the restored ones.
    const more = again.appender();
    const ref = more.series(series(3));
    const lastMs = t + HOUR - 15_000;
    expect(more.append(ref, lastMs, lastMs / 1000 + 3)).toBe(REPEATED);
    expect(more.append(ref, lastMs, 0)).toBe(DUPLICATE);
    expect(more.append(ref, lastMs + 1, 0)).toBe(APPENDED);
  });

  it('are written while the log grows, and lose nothing that comes meanwhile', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    const perRun = 400;
    for (let from = 0; from < 24 * perRun; from += perRun) {
      const maintained = db.maintain();
      const times = Float64Array.from({ length: perRun }, (_, i) => t + (from + i) * 500);
      const values = times.map((time) => Math.sin(time));
      const appender = db.appender();
      for (let n = 0; n < 200; n++) {
        expect(appender.appendRun(appender.series(series(n)), times, values, 0, perRun)).toBe(0);
      }
      await appender.commit();
      await maintained;
    }
    const names = readdirSync(join(directory, 'log'));
    expect(names.filter((name) => name.startsWith('checkpoint'))).toHaveLength(1);
    const again = await openIn(directory);
    expect(again.stats().corruptions).toBe(0);
    const read = await readAll(again, [['__name__', '=', 'm']]);
    expect(Object.keys(read)).toHaveLength(200);
    for (const samples of Object.values(read)) {
      expect(samples).toHaveLength(24 * perRun);
      expect(samples.every(([time, value]) => value === Math.sin(time))).toBe(true);
    }
  });
});

describe('Tsdb on a bad disk', () => {
  it('steps over a torn end and over damage in the middle of the log', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 100_000, 1000);
    const path = join(directory, 'log', '00000001');
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)] ^= 0x40;
    writeFileSync(path, bytes);
    appendFileSync(path, Buffer.from([0x52, 0x59, 0x54, 0xc3, 0xff, 0, 0, 0, 1, 2, 3]));
    const again = await openIn(directory);
    expect(again.stats().corruptions).toBe(1);
    const read = await readAll(again, [['__name__', '=', 'm']]);
    // One record, that is one sample of each series, is lost and nothing else.
    expect(read[series(0).toString()]).toHaveLength(99);
    expect(read[series(1).toString()]).toHaveLength(99);
  });

  it.each([3, 40])(
    'survives any damage to the log of %d series and keeps what is good before it',
    async (count) => {
      const directory = newDirectory();
      const db = await openIn(directory);
      db.logCompression = count > 3;
      await fill(db, count, t, t + 50_000, 1000);
      const path = join(directory, 'log', '00000001');
      const good = readFileSync(path);
      let seed = 42;
      const random = (below: number) => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
        return seed % below;
      };
      for (let round = 0; round < 40; round++) {
        const bytes = Buffer.from(good);
        const at = 200 + random(bytes.length - 200);
        for (let i = 0; i < 8; i++) bytes[Math.min(bytes.length - 1, at + i)] = random(256);
        writeFileSync(path, random(2) === 0 ? bytes : bytes.subarray(0, at));
        const again = await openIn(directory);
        const read = await readAll(again, [['n', '=', '1']]);
        const before = Math.floor(at / (good.length / 50)) - 5;
        const count = read[series(1).toString()]?.length ?? 0;
        expect(count, `round ${round}, damage at ${at}`).toBeGreaterThanOrEqual(before);
        await again.close();
        for (const name of readdirSync(join(directory, 'log'))) {
          if (name !== '00000001') rmSync(join(directory, 'log', name));
        }
      }
    },
  );

  it('mends a block whose index or meta.json is damaged, and misses nothing', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 11 * HOUR, 60_000);
    await db.maintain();
    await db.close();
    const names = readdirSync(join(directory, 'blocks'));
    expect(names.length).toBeGreaterThan(1);
    const before = names.map((name) => readFileSync(join(directory, 'blocks', name, 'meta.json')));
    for (let i = 0; i < names.length; i++) {
      const bytes = Buffer.from(before[i]);
      bytes[40 + 37 * i] ^= 4;
      writeFileSync(join(directory, 'blocks', names[i], 'meta.json'), bytes);
      const index = readFileSync(join(directory, 'blocks', names[i], 'index'));
      index[20 + 37 * i] ^= 4;
      writeFileSync(join(directory, 'blocks', names[i], 'index'), index);
      const chunks = readFileSync(join(directory, 'blocks', names[i], 'chunks'));
      chunks[i] ^= 4;
      writeFileSync(join(directory, 'blocks', names[i], 'chunks'), chunks);
    }
    const again = await openIn(directory);
    expect(again.stats().corruptions).toBe(names.length);
    expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(
      expected(2, t, t + 11 * HOUR, 60_000),
    );
    await fill(again, 2, t + 11 * HOUR, t + 16 * HOUR, 60_000);
    await again.maintain();
    await again.close();
    const meta = JSON.parse(readFileSync(join(directory, 'blocks', names[0], 'meta.json'), 'utf8'));
    const { sampleCount, seriesCount, minTimeMs } = JSON.parse(before[0].toString());
    expect(meta).toMatchObject({ sampleCount, seriesCount, minTimeMs });
    const third = await openIn(directory);
    expect(third.stats().corruptions).toBe(0);
    expect(await readAll(third, [['__name__', '=', 'm']])).toEqual(
      expected(2, t, t + 16 * HOUR, 60_000),
    );
  });

  it('sets a damaged block aside and shows the rest', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 6 * HOUR, 60_000);
    await db.maintain();
    await db.close();
    const [first] = readdirSync(join(directory, 'blocks'));
    const index = join(directory, 'blocks', first, 'index');
    const bytes = readFileSync(index);
    bytes[bytes.length - 20] ^= 1;
    writeFileSync(index, bytes);
    // With what could mend it gone, too.
    rmSync(join(directory, 'blocks', first, 'index.parity'));
    const again = await openIn(directory);
    expect(readdirSync(join(directory, 'blocks'))).toContain(`damaged-${first}`);
    expect(again.stats().corruptions).toBe(1);
    const read = await readAll(again, [['n', '=', '0']]);
    expect(read[series(0).toString()][0][0]).toBe(t + 2 * HOUR);
  });

  it('leaves out the samples of a damaged chunk, and says so', async () => {
    const directory = newDirectory();
    const db = await openIn(directory);
    await fill(db, 2, t, t + 4 * HOUR, 60_000);
    await db.maintain();
    await db.close();
    const [block] = readdirSync(join(directory, 'blocks'));
    const path = join(directory, 'blocks', block, 'chunks');
    const bytes = readFileSync(path);
    bytes[20] ^= 1;
    writeFileSync(path, bytes);
    const again = await openIn(directory);
    const selection = await again.select({
      matchers: [createMatcher('=', '__name__', 'm')],
      minTimeMs: t,
      maxTimeMs: t + 4 * HOUR,
    });
    const counts = [0, 1].map((i) => {
      const columns = new SampleColumns();
      selection.readInto(i, columns);
      selection.readInto(i, new SampleColumns());
      return columns.length;
    });
    expect(counts.sort()).toEqual([120, 240]);
    expect([...(selection.warnings ?? [])]).toEqual([
      expect.stringMatching(/^samples are missing: .*chunks is damaged at byte 8$/),
    ]);
    expect(again.stats().corruptions).toBe(1);
  });

  it('tells writers that the disk is full, and loses nothing acknowledged once it is not', async () => {
    const directory = newDirectory();
    const disk = new FaultyDisk();
    const clock = new ManualClock(t + HOUR);
    const db = await openIn(directory, { disk, clock });
    await fill(db, 2, t, t + 10_000, 1000);
    disk.freeBytes = 10;
    await expect(fill(db, 2, t + 10_000, t + 11_000, 1000)).rejects.toThrow('no space left');
    await expect(fill(db, 2, t + 11_000, t + 12_000, 1000)).rejects.toThrow('no space left');
    expect((await readAll(db, [['n', '=', '1']]))[series(1).toString()]).toHaveLength(12);
    disk.freeBytes = Infinity;
    await fill(db, 2, t + 12_000, t + 13_000, 1000);
    const again = await openIn(directory);
    expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(
      expected(2, t, t + 13_000, 1000),
    );
  });

  it('never empties a segment that could not be ended or repaired', async () => {
    const directory = newDirectory();
    const disk = new FaultyDisk();
    const db = await openIn(directory, { disk });
    await fill(db, 2, t, t + 4 * HOUR, 60_000);
    // Cutting a block ends the segment, and that fails.
    disk.failsSync = true;
    await db.maintain();
    disk.failsSync = false;
    await db.maintain();
    disk.failsSync = true;
    await fill(db, 2, t + 4 * HOUR, t + 5 * HOUR, 60_000);
    await db.maintain();
    disk.failsSync = false;
    await fill(db, 2, t + 5 * HOUR, t + 6 * HOUR, 60_000);
    // A torn record that cannot be cut off, good ones, and a torn one that can.
    disk.freeBytes = 30;
    disk.failsTruncate = true;
    await expect(fill(db, 2, t + 6 * HOUR, t + 6 * HOUR + 1, 60_000)).rejects.toThrow('no space');
    disk.freeBytes = Infinity;
    disk.failsTruncate = false;
    await fill(db, 2, t + 6 * HOUR + 60_000, t + 7 * HOUR, 60_000);
    disk.freeBytes = 30;
    await expect(fill(db, 2, t + 7 * HOUR, t + 7 * HOUR + 1, 60_000)).rejects.toThrow('no space');
    disk.freeBytes = Infinity;
    await fill(db, 2, t + 7 * HOUR + 60_000, t + 8 * HOUR, 60_000);
    const want = expected(2, t, t + 8 * HOUR, 60_000);
    expect(await readAll(db, [['__name__', '=', 'm']])).toEqual(want);
    const again = await openIn(directory);
    expect(await readAll(again, [['__name__', '=', 'm']])).toEqual(want);
  });

  it('leaves no half block behind when the disk fills up while one is cut', async () => {
    const directory = newDirectory();
    const disk = new FaultyDisk();
    const db = await openIn(directory, { disk });
    await fill(db, 2, t, t + 4 * HOUR, 60_000);
    disk.freeBytes = 100;
    await db.maintain();
    expect(db.stats()).toMatchObject({ blockCount: 0, compactionsFailed: 1 });
    expect(readdirSync(join(directory, 'blocks'))).toEqual([]);
    disk.freeBytes = Infinity;
    await db.maintain();
    expect(db.stats().blockCount).toBe(1);
    expect(await readAll(db, [['__name__', '=', 'm']])).toEqual(
      expected(2, t, t + 4 * HOUR, 60_000),
    );
  });
});
