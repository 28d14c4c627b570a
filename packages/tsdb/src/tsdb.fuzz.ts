import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ManualClock } from '@tyto/base';
import { createMatcher, Labels, SampleColumns } from '@tyto/model';
import { readMixed, SUITE_NOW_MS } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import { describe, expect, it } from 'vitest';
import { BlockWriter } from './block/writer.ts';
import { nodeDisk } from './disk.ts';
import { FaultyDisk } from './testing/faultyDisk.ts';

const HOUR = 3600_000;
const STEP = 10 * 60_000;
const t = SUITE_NOW_MS;

const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append'), count: fc.nat({ max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('maintain') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('delete'),
      pattern: fc.constantFrom('0', '1|2', '.+'),
      from: fc.nat({ max: 60 }),
      length: fc.nat({ max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clean') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('late'),
      from: fc.nat({ max: 40 }),
      length: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('full'), bytes: fc.nat({ max: 8000 }) }),
  },
);

type Command = { readonly kind: string } & Partial<{
  count: number;
  pattern: string;
  from: number;
  length: number;
  bytes: number;
}>;

type Sample = readonly [value: number, startTimeMs: number];

/** The store and, beside it, what must be in it. */
class Run {
  readonly directory = mkdtempSync(join(tmpdir(), 'tyto-fuzz-'));
  readonly disk = new FaultyDisk();
  readonly model = new Map<number, Map<number, Sample>>();
  readonly left: Tsdb[] = [];
  db!: Tsdb;
  nowMs = t;

  async open(): Promise<void> {
    const clock = new ManualClock(t + 10_000 * HOUR);
    const { directory, disk } = this;
    this.db = await Tsdb.open({ directory, disk, clock, maintenanceIntervalMs: 0 });
  }

  async apply(command: Command): Promise<void> {
    const { kind } = command;
    if (kind === 'append') await this.#append(command.count ?? 0);
    if (kind === 'maintain') await this.db.maintain();
    if (kind === 'delete') await this.#delete(command);
    if (kind === 'clean') await this.db.cleanTombstones();
    if (kind === 'snapshot') await this.#snapshot();
    if (kind === 'late') await this.#addLate(command);
    if (kind === 'reopen') {
      await this.db.close();
      await this.open();
    }
    if (kind === 'crash') {
      this.left.push(this.db);
      await this.open();
    }
    if (kind === 'full') {
      this.disk.freeBytes = command.bytes ?? 0;
      await this.db.maintain();
      await this.db.cleanTombstones().catch(() => undefined);
      this.disk.freeBytes = Infinity;
    }
  }

  async #append(count: number): Promise<void> {
    const appender = this.db.appender();
    for (let i = 0; i < count; i++) {
      this.nowMs += STEP;
      for (let n = 0; n < 3; n++) {
        if ((this.nowMs / STEP) % (n + 1) !== 0) continue;
        const value = this.nowMs / 1000 + n;
        const startTimeMs = startTimeOf(n, this.nowMs);
        appender.append(appender.series(seriesOf(n)), this.nowMs, value, startTimeMs);
        const samples = this.model.get(n) ?? new Map<number, Sample>();
        this.model.set(n, samples.set(this.nowMs, [value, startTimeMs]));
      }
    }
    await appender.commit();
  }

  /** A block of samples that came late, put there while the database is closed. */
  async #addLate({ from = 0, length = 0 }: Command): Promise<void> {
    const minTimeMs = t + from * HOUR;
    const maxTimeMs = Math.min(minTimeMs + length * HOUR, this.nowMs + 1);
    if (maxTimeMs <= minTimeMs) return;
    await this.db.close();
    const range = { minTimeMs, maxTimeMs, level: 1, outOfOrder: true };
    const writer = new BlockWriter(nodeDisk, join(this.directory, 'blocks'), range);
    await writer.open();
    for (let n = 0; n < 4; n++) {
      const columns = new SampleColumns();
      const samples = this.model.get(n) ?? new Map<number, Sample>();
      this.model.set(n, samples);
      for (let time = minTimeMs; time < maxTimeMs; time += STEP / 2) {
        columns.push(time, n + 0.5);
        columns.setStartTime(columns.length - 1, startTimeOf(n, time));
        if (!samples.has(time)) samples.set(time, [n + 0.5, startTimeOf(n, time)]);
      }
      await writer.add(seriesOf(n), columns);
    }
    await writer.finish();
    await this.open();
  }

  async #delete({ pattern = '', from = 0, length = 0 }: Command): Promise<void> {
    const minTimeMs = t + from * HOUR;
    const maxTimeMs = minTimeMs + length * HOUR;
    const matchers = [createMatcher('=~', 'n', pattern)];
    const count = await this.db.deleteSeries({ matcherSets: [matchers], minTimeMs, maxTimeMs });
    let touched = 0;
    for (const [n, samples] of this.model) {
      if (!matchers[0].matches(String(n))) continue;
      const gone = [...samples.keys()].filter((time) => time >= minTimeMs && time <= maxTimeMs);
      for (const time of gone) samples.delete(time);
      if (gone.length > 0) touched++;
    }
    expect(count).toBeGreaterThanOrEqual(touched);
  }

  async #snapshot(): Promise<void> {
    const directory = await this.db.snapshot({ skipHead: false });
    const copy = await Tsdb.open({ directory, maintenanceIntervalMs: 0 });
    await this.check(copy);
    await copy.close();
  }

  async check(db = this.db): Promise<void> {
    const want: Record<string, [number, number, number][]> = {};
    for (const [n, samples] of this.model) {
      const sorted = [...samples].sort((a, b) => a[0] - b[0]);
      const all = sorted.map(([time, sample]): [number, number, number] => [time, ...sample]);
      if (all.length > 0) want[seriesOf(n).toString()] = all;
    }
    const found: typeof want = {};
    for (let n = 0; n < 4; n++) {
      const read = (await readMixed(db, seriesOf(n))) as [number, number, number][];
      if (read.length > 0) found[seriesOf(n).toString()] = read;
    }
    expect(found).toEqual(want);
    const request = { matcherSets: [[]], minTimeMs: -8e15, maxTimeMs: 8e15, limit: 0 };
    const shown = (await db.series(request)).items.map(String);
    for (const name of Object.keys(want)) expect(shown).toContain(name);
    expect(db.stats().corruptions).toBe(0);
  }

  async finish(): Promise<void> {
    for (const db of [...this.left, this.db]) await db.close();
    rmSync(this.directory, { recursive: true });
  }
}

/** None, one for a day and a bit, and one of its own for each sample. */
function startTimeOf(n: number, timeMs: number): number {
  if (n === 0) return 0;
  return n === 1 ? timeMs - (timeMs % (30 * HOUR)) : timeMs - STEP;
}

function seriesOf(n: number): Labels {
  return Labels.of({ __name__: 'm', n: String(n) });
}

describe('the database', () => {
  it('holds what was appended and not deleted, whatever else happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 40 }), async (commands) => {
        const run = new Run();
        await run.open();
        try {
          for (const one of commands) {
            await run.apply(one);
            await run.check();
          }
        } finally {
          await run.finish();
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
