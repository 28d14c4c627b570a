/**
 * A wide read, 2,000 series of a day at 15 s, with rate() over 5 minutes at 1,440 steps, on the
 * main thread alone and with readers beside it. Both pause every 20 ms, as queries do. Beside the
 * times it tells how much of them the main thread was busy, and the longest turn of its event loop.
 * `npm run bench`; the committed results are in bench/results.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@tyto/base';
import { rateWindows } from '@tyto/kernels';
import { createMatcher, Labels, SampleColumns } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import { bench, describe } from 'vitest';
import { bundleReaderThread } from '../testing/childBundle.ts';

const SERIES = 2000;
const HOURS = 24;
const STEP_MS = 15_000;
const STEPS = HOURS * 60;
const START_MS = Date.UTC(2026, 0, 1);
const PAUSE_MS = 20;

const directory = mkdtempSync(join(tmpdir(), 'tyto-bench-'));
const script = await bundleReaderThread();

async function open(isPooled: boolean): Promise<Tsdb> {
  const clock = new ManualClock(START_MS + 48 * 3600_000);
  const readers = isPooled ? { readers: { script } } : {};
  return Tsdb.open({ directory, clock, maintenanceIntervalMs: 0, ...readers });
}

async function fill(): Promise<void> {
  const db = await open(false);
  const count = 3600_000 / STEP_MS;
  const timestamps = new Float64Array(count);
  const values = new Float64Array(count);
  for (let hour = 0; hour < HOURS; hour++) {
    const appender = db.appender();
    for (let n = 0; n < SERIES; n++) {
      for (let i = 0; i < count; i++) {
        const at = hour * count + i;
        timestamps[i] = START_MS + at * STEP_MS;
        values[i] = at * (100 + (n % 13)) + ((at * 7919 + n) % 61);
      }
      const ref = appender.series(Labels.of({ __name__: 'm', n: String(n) }));
      appender.appendRun(ref, timestamps, values, 0, count);
    }
    await appender.commit();
    await db.maintain();
  }
  await db.close();
}

async function readAll(db: Tsdb): Promise<void> {
  const matchers = [createMatcher('=', '__name__', 'm')];
  const maxTimeMs = START_MS + HOURS * 3600_000;
  const selection = await db.select({ matchers, minTimeMs: START_MS, maxTimeMs });
  const columns = new SampleColumns();
  const out = new Float64Array(STEPS);
  const present = new Uint8Array(STEPS);
  let pausedAt = performance.now();
  for (let index = 0; index < selection.size; index++) {
    if (performance.now() - pausedAt > PAUSE_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      pausedAt = performance.now();
    }
    const prepared = selection.prepare?.(index);
    if (prepared !== undefined) await prepared;
    columns.clear();
    selection.readInto(index, columns);
    const { timestamps, values, length } = columns;
    const step = 60_000;
    rateWindows('rate', timestamps, values, length, START_MS, step, STEPS, 300_000, out, present);
  }
  selection.release?.();
}

describe(`rate over ${SERIES} series of a day`, async () => {
  await fill();
  for (const isPooled of [false, true]) {
    const name = isPooled ? 'with readers' : 'main thread alone';
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const busy: number[] = [];
    let db: Tsdb | undefined;
    const run = async () => {
      if (db === undefined) return;
      const before = performance.eventLoopUtilization();
      await readAll(db);
      busy.push(performance.eventLoopUtilization(before).active);
    };
    bench(name, run, {
      time: 3000,
      setup: async () => {
        db ??= await open(isPooled);
        // The first wide read starts the threads.
        await readAll(db);
        await new Promise((resolve) => setTimeout(resolve, 200));
        busy.length = 0;
        delays.reset();
        delays.enable();
      },
      teardown: async (_task, mode) => {
        delays.disable();
        if (mode !== 'run') return;
        const median = busy.sort((a, b) => a - b)[busy.length >> 1];
        const longest = delays.max / 1e6;
        process.stdout.write(`${name}: main thread busy ${median.toFixed(0)} ms, `);
        process.stdout.write(`longest turn ${longest.toFixed(0)} ms\n`);
        await db?.close();
        if (!isPooled) return;
        rmSync(directory, { recursive: true });
        rmSync(dirname(fileURLToPath(script)), { recursive: true });
      },
    });
  }
});
