import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { createMatcher, Labels, SampleColumns, type SeriesSelection } from '@tyto/model';
import { SUITE_NOW_MS } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';

const HOUR = 3600_000;
const MINUTE = 60_000;

let directory: string;
let db: Tsdb;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-selection-'));
  const clock = new ManualClock(SUITE_NOW_MS + 1000 * HOUR);
  db = await Tsdb.open({ directory, clock, maintenanceIntervalMs: 0 });
});

afterEach(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

const series = (n: number) => Labels.of({ __name__: 'm', n: String(n) });

async function append(numbers: readonly number[], fromMs: number, toMs: number): Promise<void> {
  const appender = db.appender();
  for (let time = fromMs; time < toMs; time += MINUTE) {
    for (const n of numbers) appender.append(appender.series(series(n)), time, n);
  }
  await appender.commit();
}

function select(): Promise<SeriesSelection> {
  const matchers = [createMatcher('=', '__name__', 'm')];
  return db.select({ matchers, minTimeMs: SUITE_NOW_MS, maxTimeMs: SUITE_NOW_MS + 100 * HOUR });
}

describe('a selection', () => {
  it('knows the labels of series that left the head, and finds their samples', async () => {
    await append([1, 2, 3], SUITE_NOW_MS, SUITE_NOW_MS + HOUR);
    const selection = await select();
    for (let hour = 1; hour < 12; hour++) {
      await append([3], SUITE_NOW_MS + hour * HOUR, SUITE_NOW_MS + (hour + 1) * HOUR);
    }
    await db.maintain();
    await db.maintain();
    expect(db.stats().seriesCount).toBe(1);
    // Other series have their places now.
    await append([11, 12, 13, 14], SUITE_NOW_MS + 12 * HOUR, SUITE_NOW_MS + 13 * HOUR);
    expect(selection.size).toBe(3);
    for (let i = 0; i < 3; i++) {
      expect(selection.labels(i).toString()).toBe(series(i + 1).toString());
      const columns = new SampleColumns();
      selection.readInto(i, columns);
      const hours = i + 1 === 3 ? 12 : 1;
      expect(columns.length).toBe(hours * 60);
      expect(columns.values[0]).toBe(i + 1);
    }
  });
});
