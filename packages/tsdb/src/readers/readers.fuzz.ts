import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { bitsOf, createMatcher, Labels, SampleColumns } from '@tyto/model';
import { someHistogram, SUITE_NOW_MS } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import { bundleReaderThread } from '../testing/childBundle.ts';

const HOUR = 3600_000;
const STEP = 30_000;
const RUNS = 6;
const SERIES = 24;
const matchers = [createMatcher('=', '__name__', 'm')];

let script: URL;

beforeAll(async () => {
  script = await bundleReaderThread();
});

afterAll(() => rmSync(dirname(fileURLToPath(script)), { recursive: true }));

/** Numbers in [0, 1) that follow from the seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A database in which everything is that a reader may meet. */
class Run {
  readonly random: () => number;
  readonly directory = mkdtempSync(join(tmpdir(), 'tyto-readers-'));
  db!: Tsdb;
  nowMs = SUITE_NOW_MS;

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  async open(): Promise<void> {
    this.db = await Tsdb.open({
      directory: this.directory,
      clock: new ManualClock(SUITE_NOW_MS + 10_000 * HOUR),
      maintenanceIntervalMs: 0,
      outOfOrderWindowMs: 100 * HOUR,
      readers: { script, count: 1 + this.below(2), taskSamples: 2000 + this.below(6000) },
    });
  }

  async fill(): Promise<void> {
    for (let hours = 0; hours < 9; hours++) {
      await this.append(60 + this.below(120));
      if (this.below(3) === 0) await this.appendLate();
      if (this.below(2) === 0) await this.db.maintain();
      if (this.below(4) === 0) await this.delete();
    }
  }

  async append(steps: number): Promise<void> {
    const appender = this.db.appender();
    for (let i = 0; i < steps; i++) {
      this.nowMs += STEP;
      for (let n = 0; n < SERIES; n++) {
        if ((this.nowMs / STEP) % (1 + (n % 4)) !== 0 || this.below(50) === 0) continue;
        const ref = appender.series(seriesOf(n));
        const isHistogram = n === 3 || (n === 4 && this.below(60) === 0);
        const isStarted = n === 5 || (n === 6 && this.below(60) === 0);
        const startMs = isStarted ? this.nowMs - STEP * (1 + this.below(2)) : 0;
        if (this.below(100) === 0) appender.appendStale(ref, this.nowMs);
        else if (isHistogram) {
          appender.appendHistogram(ref, this.nowMs, someHistogram(i + 1, 4, true));
        } else appender.append(ref, this.nowMs, this.#value(n), startMs);
      }
    }
    await appender.commit();
  }

  async appendLate(): Promise<void> {
    const appender = this.db.appender();
    for (let i = 0; i < 200; i++) {
      const time = this.nowMs - STEP * this.below(400) - this.below(2) * 1000;
      appender.append(appender.series(seriesOf(this.below(SERIES))), time, this.#value(1));
    }
    await appender.commit();
  }

  async delete(): Promise<void> {
    const minTimeMs = this.nowMs - this.below(500) * STEP;
    const maxTimeMs = minTimeMs + this.below(100) * STEP;
    const pattern = createMatcher('=~', 'n', `.*${this.below(10)}`);
    await this.db.deleteSeries({ matcherSets: [[pattern]], minTimeMs, maxTimeMs });
  }

  /** Changes bytes of chunks, not those at the beginning by which a file is known. */
  damage(): void {
    for (const name of readdirSync(join(this.directory, 'blocks'))) {
      const path = join(this.directory, 'blocks', name, 'chunks');
      const file = openSync(path, 'r+');
      writeSync(
        file,
        Uint8Array.of(this.below(256)),
        0,
        1,
        8 + this.below(statSync(path).size - 8),
      );
      closeSync(file);
    }
  }

  async change(): Promise<void> {
    const kind = this.below(40);
    if (kind < 6) await this.append(1 + this.below(40));
    if (kind === 6) await this.appendLate();
    if (kind === 7) await this.delete();
    if (kind === 8) await this.db.maintain();
  }

  #value(n: number): number {
    if (n % 3 === 0) return this.nowMs / STEP + n;
    return n % 3 === 1 ? this.random() * 1e6 : this.below(1000) / 100;
  }
}

const seriesOf = (n: number) => Labels.of({ __name__: 'm', n: String(n) });

/** All there is to a series' samples, for comparing. */
function shown(columns: SampleColumns) {
  const { length, staleCount, histograms } = columns;
  const times = Array.from(columns.timestamps.subarray(0, length));
  const bits = Array.from(bitsOf(columns.values).subarray(0, 2 * length));
  const startTimes = Array.from(columns.startTimes?.subarray(0, length) ?? []);
  return { times, bits, staleCount, histograms, startTimes };
}

/** Reads everything twice: at once, and through threads, each at the same moment. */
async function compare(run: Run, isQuiet: boolean): Promise<void> {
  const minTimeMs = SUITE_NOW_MS + run.below(3) * HOUR;
  const maxTimeMs = run.below(2) === 0 ? run.nowMs + HOUR : run.nowMs - run.below(2 * HOUR);
  const plain = await run.db.select({ matchers, minTimeMs, maxTimeMs });
  const pooled = await run.db.select({ matchers, minTimeMs, maxTimeMs });
  expect(pooled.size).toBe(plain.size);
  const [left, right] = [new SampleColumns(), new SampleColumns()];
  for (let index = 0; index < plain.size; index++) {
    await pooled.prepare?.(index);
    if (!isQuiet) await run.change();
    // Out of order, not asked for, or twice: the same must come.
    const read = run.below(20) === 0 ? run.below(plain.size) : index;
    left.clear();
    right.clear();
    plain.readInto(read, left);
    pooled.readInto(read, right);
    expect(shown(right)).toEqual(shown(left));
    expect(pooled.labels(read).equals(plain.labels(read))).toBe(true);
  }
  pooled.release?.();
  expect([...(pooled.warnings ?? [])].sort()).toEqual([...(plain.warnings ?? [])].sort());
}

async function threadsAreReady(run: Run): Promise<void> {
  const before = run.db.stats().readerTasks;
  while (run.db.stats().readerTasks === before) {
    const selection = await run.db.select({ matchers, minTimeMs: 0, maxTimeMs: 8e15 });
    await selection.prepare?.(0);
    selection.release?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('readers in threads', () => {
  const first = Number(process.env.TYTO_SEED ?? 4242);
  for (let seed = first; seed < first + RUNS; seed++) {
    it(`give what the main thread gives: TYTO_SEED=${seed}`, async () => {
      const run = new Run(seed);
      await run.open();
      await run.fill();
      await threadsAreReady(run);
      const before = run.db.stats().readerTasks;
      for (let i = 0; i < 3; i++) await compare(run, true);
      expect(run.db.stats().readerTasks).toBeGreaterThan(before + 3);
      run.damage();
      for (let i = 0; i < 3; i++) await compare(run, true);
      await threadsAreReady(run);
      for (let i = 0; i < 6; i++) {
        await compare(run, false);
        if (run.below(2) === 0) run.damage();
      }
      await run.db.close();
      rmSync(run.directory, { recursive: true });
    });
  }
});
