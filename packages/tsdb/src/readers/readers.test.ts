import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LogFields, ManualClock, silentLogger } from '@tyto/base';
import { encodeChunk } from '@tyto/kernels';
import { createMatcher, Labels, SampleColumns, type SeriesSelection } from '@tyto/model';
import { SUITE_NOW_MS } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import { READ_BYTES_MAX } from '../limits.ts';
import type { SeriesSource } from '../seriesSource.ts';
import { joinPlaces } from '../seriesPlaces.ts';
import { bundleReaderThread } from '../testing/childBundle.ts';
import { ReadAhead } from './readAhead.ts';
import { SeriesTable } from '../series/seriesTable.ts';
import { ReaderPool } from './readerPool.ts';
import { ReadPlan } from './readPlan.ts';
import { ChunkFiles } from './chunkFiles.ts';
import { ColumnScan } from './columnScan.ts';
import { Scanner } from './scanner.ts';
import { TaskReader } from './taskReader.ts';

const HOUR = 3600_000;
const SAMPLES = 500;
const SERIES = 400;

let script: URL;
let directory: string;
const logged: string[] = [];
const pools: ReaderPool[] = [];
const databases: Tsdb[] = [];
const clock = new ManualClock();
const logger = {
  ...silentLogger,
  error: (message: string, fields: LogFields = {}) => {
    logged.push(`${message}: ${String(fields.error)}`);
  },
};

beforeAll(async () => {
  script = await bundleReaderThread();
  directory = mkdtempSync(join(tmpdir(), 'tyto-readers-'));
});

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
  for (const db of databases.splice(0)) await db.close();
  logged.length = 0;
});

afterAll(() => {
  rmSync(dirname(fileURLToPath(script)), { recursive: true });
  rmSync(directory, { recursive: true });
});

/** A thread that says it is ready and then does as `body` says with each task. */
function threadThat(name: string, body: string): URL {
  const path = join(directory, `${name}.mjs`);
  writeFileSync(
    path,
    `import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (task) => { ${body} });
    parentPort.postMessage('ready');`,
  );
  return pathToFileURL(path);
}

function poolOf(from: URL, count = 1): ReaderPool {
  const pool = new ReaderPool({ script: from, count, taskSamples: 4000 }, clock, logger);
  pools.push(pool);
  return pool;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Every series has the same chunk, in shared memory. */
function sharedSource(): SeriesSource {
  const timestamps = Float64Array.from({ length: SAMPLES }, (_, i) => 1000 * i);
  const values = Float64Array.from({ length: SAMPLES }, (_, i) => i);
  const chunk = encodeChunk(timestamps, values, 0, SAMPLES);
  const page = new Uint8Array(new SharedArrayBuffer(chunk.length));
  page.set(chunk);
  const source: Partial<SeriesSource> = {
    planRead: (_id, _minTimeMs, _maxTimeMs, plan) => {
      plan.addShared(page.buffer, 0, chunk.length, SAMPLES);
      return 7;
    },
    planScan: (_id, _minTimeMs, _maxTimeMs, plan) => {
      plan.addShared(page.buffer, 0, chunk.length, SAMPLES);
      return true;
    },
  };
  return source as SeriesSource;
}

function scanOf(pool: ReaderPool): ColumnScan {
  const source = sharedSource();
  const ids = Uint32Array.from({ length: SERIES }, (_, i) => i);
  const selection = {
    sources: [source],
    places: joinPlaces([source], [ids], new SeriesTable()),
    minTimeMs: 0,
    maxTimeMs: 1000 * SAMPLES,
    isCurrent: () => true,
  };
  const rangeMs = 1000 * SAMPLES;
  const request = {
    name: 'count_over_time',
    startMs: rangeMs,
    stepMs: 0,
    count: 1,
    rangeMs,
  } as const;
  return new ColumnScan(pool, new Scanner(new ChunkFiles()), selection, request);
}

function aheadOf(pool: ReaderPool): ReadAhead {
  const source = sharedSource();
  const places = joinPlaces(
    [source],
    [Uint32Array.from({ length: SERIES }, (_, i) => i)],
    new SeriesTable(),
  );
  return new ReadAhead(pool, [source], places, 0, 1000 * SAMPLES);
}

/** Goes through all series; how many of them threads had decoded. */
async function goThrough(ahead: ReadAhead): Promise<number> {
  let decoded = 0;
  for (let index = 0; index < SERIES; index++) {
    await ahead.prepare(index);
    const run = ahead.decoded(index, index);
    if (run !== undefined) {
      decoded++;
      expect(run.count).toBe(SAMPLES);
      expect(run.mark).toBe(7);
      expect(run.values[run.from + 9]).toBe(9);
    }
    ahead.used(index);
  }
  return decoded;
}

describe('a pool of readers', () => {
  it('decodes all of a wide selection, within a few tasks of memory', async () => {
    const pool = poolOf(script, 2);
    await until(() => pool.isReady());
    expect(await goThrough(aheadOf(pool))).toBe(SERIES);
    expect(pool.bytes).toBeLessThanOrEqual(4 * 4000 * 16);
    expect(pool.tasksAnswered).toBe(SERIES / 8);
  });

  it('gives out no more memory than its limit', () => {
    const pool = poolOf(script);
    const size = 4000 * 16;
    let count = 0;
    const buffers: SharedArrayBuffer[] = [];
    for (; ; count++) {
      const buffer = pool.acquire();
      if (buffer === undefined) break;
      buffers.push(buffer);
    }
    expect(count).toBe(Math.floor(READ_BYTES_MAX / size));
    pool.release(buffers[0]);
    expect(pool.acquire()).toBe(buffers[0]);
    expect(pool.acquire()).toBeUndefined();
  });

  it('has all memory back from a reading that ends in the middle', async () => {
    const pool = poolOf(script);
    await until(() => pool.isReady());
    for (let i = 0; i < 50; i++) {
      const ahead = aheadOf(pool);
      const first = ahead.prepare(0);
      if (i % 2 === 0) await first;
      ahead.release();
      ahead.release();
      await first;
      await until(() => pool.tasksAnswered >= 3 * (i + 1));
    }
    expect(pool.bytes).toBe(3 * 4000 * 16);
    expect(await goThrough(aheadOf(pool))).toBe(SERIES);
    expect(pool.bytes).toBe(3 * 4000 * 16);
  });

  it('has all memory back from columns that nobody waits for any more', async () => {
    const pool = poolOf(script);
    await until(() => pool.isReady());
    let most = 0;
    for (let i = 0; i < 50; i++) {
      const scan = scanOf(pool);
      const first = scan.next();
      // Two queries of three end while they wait, the third one after a batch.
      if (i % 3 > 0) scan.release();
      expect((await first)?.sampleCounts[0]).toBe(SAMPLES);
      if (i % 3 === 0) scan.release();
      await until(() => pool.tasksAnswered >= 3 * (i + 1));
      if (i === 5) most = pool.bytes;
    }
    expect(pool.bytes).toBeLessThanOrEqual(most + 4 * 4000 * 16);
  });

  it('leaves reading to others when a thread dies, says so once, and starts another', async () => {
    const first = "if (task.id > 1) throw new Error('a bug');";
    const answer = 'const counts = new Int32Array(task.slotCount).fill(500);';
    const post = 'parentPort.postMessage({ id: task.id, counts, staleCounts: counts });';
    const pool = poolOf(threadThat('dies', first + answer + post));
    await until(() => pool.isReady());
    const ahead = aheadOf(pool);
    await ahead.prepare(0);
    expect(ahead.decoded(0, 0)?.count).toBe(500);
    await ahead.prepare(8);
    await ahead.prepare(16);
    expect(ahead.decoded(16, 16)).toBeUndefined();
    const message = 'a thread that reads samples ended; the main thread reads meanwhile: a bug';
    expect(logged).toEqual([message]);
    ahead.release();
    await until(() => pool.isReady());
    // This one dies before it has done anything: the next one has to wait.
    await aheadOf(pool).prepare(0);
    expect(pool.isReady()).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(logged).toEqual([message, message]);
    await clock.advance(61_000);
    await until(() => pool.isReady());
  });

  it('waits before it tries again where threads cannot be started', async () => {
    const pool = poolOf(pathToFileURL(join(directory, 'nowhere.mjs')), 3);
    expect(pool.isReady()).toBe(false);
    await until(() => logged.length > 0);
    for (let i = 0; i < 20; i++) {
      expect(pool.isReady()).toBe(false);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(logged.length).toBe(1);
    await clock.advance(61_000);
    expect(pool.isReady()).toBe(false);
    await until(() => logged.length === 2);
  });

  it('answers what is under way when it is closed or made anew', async () => {
    for (const end of ['close', 'renew'] as const) {
      const pool = poolOf(script);
      await until(() => pool.isReady());
      const ahead = aheadOf(pool);
      const first = ahead.prepare(0);
      await pool[end]();
      await first;
      expect(pool.isReady()).toBe(false);
      ahead.release();
      if (end === 'close') continue;
      await until(() => pool.isReady());
      expect(await goThrough(aheadOf(pool))).toBe(SERIES);
    }
    expect(logged).toEqual([]);
  });

  it('leaves a selection alone once threads leave out most of it', async () => {
    const nothing =
      'parentPort.postMessage({ id: task.id, counts: new Int32Array(task.slotCount).fill(-1) })';
    const pool = poolOf(threadThat('lazy', nothing));
    await until(() => pool.isReady());
    const ahead = aheadOf(pool);
    expect(await goThrough(ahead)).toBe(0);
    expect(pool.tasksAnswered).toBeLessThanOrEqual(6);
  });
});

describe('a task', () => {
  /** Ten samples from `fromMs` on, a second apart. */
  const chunkFrom = (fromMs: number) => {
    const timestamps = Float64Array.from({ length: 10 }, (_, i) => fromMs + 1000 * i);
    return encodeChunk(timestamps, timestamps, 0, 10);
  };
  const stored = (chunk: Uint8Array) => {
    const trailer = new Uint8Array(4);
    new DataView(trailer.buffer).setUint32(0, crc32(chunk), true);
    return Buffer.concat([chunk, trailer]);
  };

  it('brings together chunks from anywhere, and leaves out what is damaged or too much', () => {
    const [first, second, third] = [chunkFrom(0), chunkFrom(10_000), chunkFrom(20_000)];
    const page = new Uint8Array(new SharedArrayBuffer(second.length));
    page.set(second);
    const file = join(directory, 'chunks');
    const pieces = [stored(third), Buffer.alloc(7), stored(first), stored(second)];
    writeFileSync(file, Buffer.concat(pieces));
    const firstAt = pieces[0].length + 7;
    const secondAt = firstAt + pieces[2].length;
    const plan = new ReadPlan();
    const run = (slot: number, add: () => void, minTimeMs = 0) => {
      plan.beginRun(slot, minTimeMs, 24_000);
      add();
      plan.endRun();
    };
    const add = (offset: number, length: number) => plan.addStored(file, offset, length, 10);
    run(1, () => {
      add(firstAt, first.length);
      plan.addShared(page.buffer, 0, second.length, 10);
      add(0, third.length);
    });
    run(2, () => add(firstAt + 1, first.length));
    run(3, () => {
      add(firstAt, first.length);
      add(secondAt, second.length);
    });
    run(4, () => add(secondAt, second.length), 12_000);
    run(5, () => plan.addStored(join(directory, 'gone'), 0, 9, 10));
    run(6, () => {});
    expect(plan.runCount).toBe(5);
    const target = new SharedArrayBuffer(36 * 16);
    const { files, pages } = plan;
    const task = { id: 1, plan: plan.words(), slotCount: 7, files, pages, target };
    const { counts } = new TaskReader().read(task);
    // The third would have fitted but for the first; the fourth does.
    expect([...counts]).toEqual([-1, 25, -1, -1, 8, -1, -1]);
    const seconds = Array.from(new Float64Array(target, 0, 33), (time) => time / 1000);
    const upTo25 = Array.from({ length: 25 }, (_, i) => i);
    expect(seconds).toEqual([...upTo25, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(Array.from(new Float64Array(target, 36 * 8, 33), (value) => value / 1000)).toEqual(
      seconds,
    );
  });
});

const matchers = [createMatcher('=', '__name__', 'm')];

async function filled(from: URL): Promise<Tsdb> {
  const db = await Tsdb.open({
    directory: mkdtempSync(join(directory, 'db-')),
    clock: new ManualClock(SUITE_NOW_MS + 1000 * HOUR),
    logger,
    maintenanceIntervalMs: 0,
    readers: { script: from, count: 1, taskSamples: 4000 },
  });
  databases.push(db);
  for (let hour = 0; hour < 8; hour++) {
    const appender = db.appender();
    for (let n = 0; n < 50; n++) {
      const ref = appender.series(Labels.of({ __name__: 'm', n: String(n) }));
      for (let i = 0; i < 60; i++) {
        appender.append(ref, SUITE_NOW_MS + hour * HOUR + i * 60_000, n + i);
      }
    }
    await appender.commit();
  }
  await db.maintain();
  return db;
}

/** How many samples there are, with something happening before the fifth series is read. */
async function countAll(selection: SeriesSelection, atFive?: () => Promise<void>): Promise<number> {
  const columns = new SampleColumns();
  let count = 0;
  for (let index = 0; index < selection.size; index++) {
    await selection.prepare?.(index);
    if (index === 5) await atFive?.();
    columns.clear();
    selection.readInto(index, columns);
    count += columns.length;
  }
  selection.release?.();
  return count;
}

async function threadsAreUsed(db: Tsdb): Promise<void> {
  await until(() => {
    void db.select({ matchers, minTimeMs: 0, maxTimeMs: 8e15 }).then((selection) => {
      selection.prepare?.(0);
      selection.release?.();
    });
    return db.stats().readerTasks > 0;
  });
}

describe('a database with readers', () => {
  const range = { matchers, minTimeMs: 0, maxTimeMs: 8e15 };
  const all = 50 * 8 * 60;

  it('reads on correctly when its blocks change in the middle', async () => {
    const db = await filled(script);
    await threadsAreUsed(db);
    const before = db.stats().readerTasks;
    const selection = await db.select(range);
    const count = await countAll(selection, async () => {
      // The first sample of each.
      await db.deleteSeries({ matcherSets: [matchers], minTimeMs: 0, maxTimeMs: SUITE_NOW_MS });
      await db.cleanTombstones();
    });
    expect(count).toBe(all - 45);
    expect(db.stats().readerTasks).toBeGreaterThan(before);
    expect([...(selection.warnings ?? [])]).toEqual([]);
  });

  it('reads on when its threads die', async () => {
    const db = await filled(threadThat('exits', 'process.exit(3)'));
    await until(() => {
      void db.select(range).then((selection) => selection.prepare?.(0));
      return logged.length > 0;
    });
    expect(await countAll(await db.select(range))).toBe(all);
    expect(logged[0]).toMatch(/exit code 3$/);
  });

  it('starts no thread for a narrow read', async () => {
    const db = await filled(script);
    const narrow = [...matchers, createMatcher('=~', 'n', '[1-5]')];
    const selection = await db.select({ ...range, matchers: narrow });
    for (let i = 0; i < 200; i++) {
      for (let n = 0; n < selection.size; n++) expect(selection.prepare?.(n)).toBeUndefined();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(db.stats().readerTasks).toBe(0);
  });
});
