/**
 * What a store computes is what its samples tell: columns and groups against the samples that
 * `readInto` gives, these against a journal of what was appended, with and without threads, while
 * blocks are cut and merged, series come, go and come back, and after damage.
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { windowsSlowly } from '@tyto/kernels';
import {
  bitsOf,
  type ColumnReader,
  createMatcher,
  type GroupOperator,
  type LabelRequest,
  type Matcher,
  NOT_COMPUTED,
  SampleColumns,
  type SelectRequest,
  type SeriesGroups,
  type SeriesSelection,
  type WindowFunction,
  type WindowRequest,
} from '@tyto/model';
import { SUITE_NOW_MS } from '@tyto/model/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleReaderThread } from '../testing/childBundle.ts';
import { ColumnWorld, STEP_MS } from '../testing/columnWorld.ts';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 1);
const SEED = Number(process.env.TYTO_SEED ?? 7100);
const HOURS = 10;
/** Steps of a series that are looked at, of however many. */
const STEPS_LOOKED_AT = 12;
const NAMES: readonly WindowFunction[] = [
  'last',
  'last',
  'rate',
  'increase',
  'delta',
  'irate',
  'changes',
  'resets',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'count_over_time',
  'first_over_time',
  'last_over_time',
  'quantile_over_time',
];

let script: URL;

beforeAll(async () => {
  script = await bundleReaderThread();
});

afterAll(() => rmSync(dirname(fileURLToPath(script)), { recursive: true }));

type Result = number | undefined;
type Column = (step: number) => Result;

interface ReadSeries {
  readonly key: string;
  readonly times: readonly number[];
  readonly bits: BigUint64Array<ArrayBuffer>;
  readonly isFloat: boolean;
}

function matchersOf(world: ColumnWorld): Matcher[] {
  const everything = createMatcher('=~', '__name__', '.+');
  return world.oneOf([
    [everything],
    [everything],
    [createMatcher('=', '__name__', 'm')],
    [createMatcher('=~', 'g', 'g[0-2]')],
    [createMatcher('=', 'g', ''), everything],
    [createMatcher('=~', 'hour', '.*[13]'), createMatcher('!=', 'n', '31')],
    [createMatcher('=~', 'n', '1.'), createMatcher('!~', '__name__', 'k|none')],
    [createMatcher('=', '__name__', 'none')],
  ]);
}

/** A range whose windows a request lies in. */
function requestsOf(world: ColumnWorld): { select: SelectRequest; windows: WindowRequest } {
  const name = world.oneOf(NAMES);
  const spanMs = world.nowMs - SUITE_NOW_MS;
  const isOnce = world.below(3) === 0;
  const count = isOnce ? 1 : 1 + world.below(world.oneOf([10, 100, 2000]));
  const endMs = world.oneOf([world.nowMs, world.nowMs - world.below(spanMs)]);
  const stepMs = isOnce ? 0 : 1 + world.below(Math.max(1, Math.floor(spanMs / count)));
  const rangeMs = world.oneOf([300_000, 4 * STEP_MS, 1 + world.below(spanMs)]);
  const startMs = endMs - (count - 1) * stepMs;
  const windows = { name, startMs, stepMs, count, rangeMs };
  const spareMs = world.below(2) * world.below(3_600_000);
  const select = {
    matchers: matchersOf(world),
    minTimeMs: startMs - rangeMs + 1 - spareMs,
    maxTimeMs: endMs,
  };
  return {
    select,
    windows: name === 'quantile_over_time' ? { ...windows, quantile: 0.9 } : windows,
  };
}

function readAll(selection: SeriesSelection): ReadSeries[] {
  const columns = new SampleColumns();
  return Array.from({ length: selection.size }, (_, index) => {
    columns.clear();
    selection.readInto(index, columns);
    const { length, timestamps, histograms, startTimes } = columns;
    const halves = bitsOf(columns.values).slice(0, 2 * length);
    return {
      key: selection.labels(index).key,
      times: Array.from(timestamps.subarray(0, length)),
      bits: new BigUint64Array(halves.buffer),
      isFloat: histograms === null && startTimes === null,
    };
  });
}

function columnOf({ times, bits }: ReadSeries, request: WindowRequest): Column {
  return (step) => {
    const startMs = request.startMs + step * request.stepMs;
    return windowsSlowly({ ...request, startMs, stepMs: 0, count: 1 }, times, bits)[0];
  };
}

function expectClose(found: Result, expected: Result, size: number): void {
  if (Object.is(found, expected)) return;
  const bothThere = found !== undefined && expected !== undefined;
  const isClose = bothThere && Math.abs(found - expected) <= Math.abs(expected) * 1e-12 + size;
  if (!isClose) expect(found).toBe(expected);
}

/** No two series are one, none is missing, and each has what was put into it. */
function expectJournal(world: ColumnWorld, found: readonly ReadSeries[], { select }: Asked): void {
  const { minTimeMs, maxTimeMs, matchers } = select;
  const byKey = new Map(found.map((series) => [series.key, series]));
  expect(byKey.size).toBe(found.length);
  for (const [key, samples] of world.journal) {
    const inside = [...samples].filter(([time]) => time >= minTimeMs && time <= maxTimeMs);
    const series = byKey.get(key);
    if (series === undefined) {
      // All that is journalled is asked for only where everything is.
      const isAsked = matchers.length === 1 && matchers[0].value === '.+';
      if (isAsked) expect(inside).toEqual([]);
      continue;
    }
    const values = new Float64Array(series.bits.buffer);
    const shown = series.times
      .map((time, i) => [time, values[i]] as const)
      .filter(([, value]) => !Number.isNaN(value));
    expect(shown).toEqual(inside);
  }
}

type Asked = ReturnType<typeof requestsOf>;

interface Check {
  readonly world: ColumnWorld;
  readonly asked: Asked;
  readonly series: readonly ReadSeries[];
  /** Whether nothing is there that the store may leave to whoever asks. */
  readonly isPlain: boolean;
  readonly meanwhile: () => Promise<void>;
}

async function eachBatch(
  reader: ColumnReader,
  { meanwhile }: Check,
  visit: (batch: NonNullable<Awaited<ReturnType<ColumnReader['next']>>>) => void,
): Promise<void> {
  let end = 0;
  for (;;) {
    const batch = await reader.next();
    if (batch === undefined) break;
    expect(batch.first).toBe(end);
    end = batch.end;
    visit(batch);
    await meanwhile();
  }
  reader.release();
}

async function expectColumns(selection: SeriesSelection, check: Check): Promise<void> {
  const { windows } = check.asked;
  const reader = selection.columns?.(windows);
  if (reader === undefined) return;
  const steps = looked(check);
  let seen = 0;
  await eachBatch(reader, check, (batch) => {
    const { first, end, sampleCounts, hasResults, values, present } = batch;
    for (let index = first; index < end; index++, seen++) {
      const at = index - first;
      if (!isComputed(sampleCounts[at], index, check)) continue;
      const marks = present.subarray(at * windows.count, (at + 1) * windows.count);
      const column = columnOf(check.series[index], windows);
      const isThere = (step: number) => hasResults[at] === 1 && marks[step] === 1;
      if (hasResults[at] === 1) expect(marks.includes(1)).toBe(true);
      for (const step of steps) {
        const value = values[at * windows.count + step];
        expectClose(isThere(step) ? value : undefined, column(step), 1e-12);
      }
    }
  });
  expect(seen).toBe(selection.size);
}

function looked({ world, asked }: Check): readonly number[] {
  const { count } = asked.windows;
  return Array.from({ length: Math.min(count, STEPS_LOOKED_AT) }, () => world.below(count));
}

/** Left out may be what is unusual, and single moments that are not at hand. */
function isComputed(sampleCount: number, index: number, check: Check): boolean {
  const { name, count } = check.asked.windows;
  // Of a moment only the newest sample is looked at.
  const isMoment = name === 'last' && count === 1;
  if (sampleCount === NOT_COMPUTED) expect(!check.isPlain || isMoment).toBe(true);
  else expect(check.series[index].isFloat || isMoment).toBe(true);
  return sampleCount !== NOT_COMPUTED;
}

async function expectGroups(
  selection: SeriesSelection,
  groups: SeriesGroups,
  check: Check,
): Promise<void> {
  const { windows } = check.asked;
  const { groupOf } = groups;
  const operator = check.world.oneOf<GroupOperator>(['sum', 'count', 'min', 'max']);
  const reader = selection.columns?.({ ...windows, groups: { operator, groupOf } });
  if (reader === undefined) return;
  const steps = looked(check);
  const totals = groups.values.map(() => steps.map(() => ({ parts: [] as number[], count: 0 })));
  const expected = groups.values.map(() => steps.map(() => [] as number[]));
  await eachBatch(reader, check, ({ first, end, sampleCounts, groups: found }) => {
    for (let index = first; index < end; index++) {
      if (!isComputed(sampleCounts[index - first], index, check)) continue;
      const column = columnOf(check.series[index], windows);
      steps.forEach((step, i) => {
        const value = column(step);
        if (value !== undefined) expected[groupOf[index]][i].push(value);
      });
    }
    found?.ids.forEach((id, own) => {
      steps.forEach((step, i) => {
        const at = own * windows.count + step;
        const total = totals[id][i];
        if (found.counts[at] === 0) return;
        total.count += found.counts[at];
        total.parts.push(found.values[at] + (operator === 'sum' ? found.errors[at] : 0));
      });
    });
  });
  totals.forEach((ofGroup, group) => {
    ofGroup.forEach(({ parts, count }, i) => {
      const values = expected[group][i];
      expect(count).toBe(values.length);
      if (operator === 'count' || count === 0) return;
      const size = values.reduce((sum, value) => sum + Math.abs(value), 1);
      expectClose(reduced(operator, parts), reduced(operator, values), size * 1e-12);
    });
  });
}

function reduced(operator: GroupOperator, values: readonly number[]): number {
  if (operator === 'sum') return values.reduce((sum, value) => sum + value);
  const numbers = values.filter((value) => !Number.isNaN(value));
  if (numbers.length === 0) return Number.NaN;
  return operator === 'max' ? Math.max(...numbers) : Math.min(...numbers);
}

/** Groups have the values of their series, and no two have the same. */
function expectGroupLabels(
  selection: SeriesSelection,
  groups: SeriesGroups,
  names: readonly string[],
): void {
  expect(new Set(groups.values.map((values) => values.join('|'))).size).toBe(groups.values.length);
  for (let index = 0; index < selection.size; index++) {
    const labels = selection.labels(index);
    expect(groups.values[groups.groupOf[index]]).toEqual(names.map((name) => labels.get(name)));
  }
}

/** Label names and values as the labels of the series found tell them. */
async function expectLabels(world: ColumnWorld): Promise<void> {
  const sets = Array.from({ length: 1 + world.below(2) }, () => matchersOf(world));
  const { minTimeMs, maxTimeMs } = requestsOf(world).select;
  const limit = world.oneOf([0, 0, 1, 5]);
  const request: LabelRequest = { matcherSets: sets, minTimeMs, maxTimeMs, limit };
  const names = new Set<string>();
  const values = new Set<string>();
  const name = world.oneOf(['n', 'g', 'hour', '__name__', 'none']);
  for (const matchers of sets) {
    const selection = await world.db.select({ matchers, minTimeMs, maxTimeMs });
    for (let index = 0; index < selection.size; index++) {
      const labels = selection.labels(index);
      for (const [one] of labels.entries()) names.add(one);
      if (labels.get(name) !== '') values.add(labels.get(name));
    }
    selection.release?.();
  }
  expect(await world.db.labelNames(request)).toEqual(limited([...names].sort(), limit));
  expect(await world.db.labelValues(name, request)).toEqual(limited([...values].sort(), limit));
}

function limited(items: readonly string[], limit: number) {
  const truncated = limit > 0 && items.length > limit;
  return { items: truncated ? items.slice(0, limit) : items, truncated };
}

interface CheckOptions {
  readonly hasJournal: boolean;
  readonly isPlain: boolean;
  /** Between batches; it must not change what was there. */
  readonly meanwhile?: () => Promise<void>;
}

async function checkOnce(world: ColumnWorld, options: CheckOptions): Promise<void> {
  const { meanwhile = () => Promise.resolve() } = options;
  const asked = requestsOf(world);
  const plain = await world.db.select(asked.select);
  const series = readAll(plain);
  if (options.hasJournal) expectJournal(world, series, asked);
  const check = { world, asked, series, isPlain: options.isPlain, meanwhile };
  const selection = await world.db.select(asked.select);
  const names = world.oneOf([['g'], ['g', 'n'], [], ['__name__'], ['none', 'hour']]);
  const groups = selection.groupBy?.(names);
  if (groups !== undefined) {
    expectGroupLabels(selection, groups, names);
    await expectGroups(selection, groups, check);
  }
  await meanwhile();
  await expectColumns(selection, check);
  for (let index = 0; index < selection.size; index++) {
    expect(selection.labels(index).key).toBe(series[index].key);
  }
  selection.release?.();
  await expectLabels(world);
}

/** Blocks are cut and merged, and new series take the ids of those that are gone. */
async function changeSomething(world: ColumnWorld): Promise<void> {
  const kind = world.below(12);
  if (kind < 2) await world.db.maintain();
  if (kind === 2) await world.passHour();
  if (kind === 3) await world.append(1 + world.below(40));
}

async function threadsAreReady(world: ColumnWorld): Promise<void> {
  const before = world.db.stats().readerTasks;
  const matchers = [createMatcher('=~', '__name__', '.+')];
  while (world.db.stats().readerTasks === before) {
    const selection = await world.db.select({ matchers, minTimeMs: 0, maxTimeMs: 8e15 });
    await selection.prepare?.(0);
    selection.release?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function openWorld(seed: number, isUnusual: boolean, hasThreads: boolean) {
  const readers = hasThreads ? { script, count: 2, taskSamples: 2000 + (seed % 3000) } : undefined;
  const world = new ColumnWorld(seed, { readers, isUnusual });
  await world.open();
  return world;
}

describe.each([
  ['on the main thread', false],
  ['in threads', true],
])('columns %s', (_, hasThreads) => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    it(`are those of what was appended: TYTO_SEED=${seed}`, async () => {
      const world = await openWorld(seed, false, hasThreads);
      for (let hour = 0; hour < HOURS; hour++) {
        await world.passHour();
        if (world.below(3) !== 0) await world.db.maintain();
        if (world.below(8) === 0) await world.reopen();
        if (hasThreads && hour > 7) await threadsAreReady(world);
        for (let i = 0; i < 4; i++) await checkOnce(world, { hasJournal: true, isPlain: true });
      }
      const meanwhile = () => changeSomething(world);
      for (let i = 0; i < 15; i++) {
        await checkOnce(world, { hasJournal: true, isPlain: false, meanwhile });
      }
      await world.close();
    }, 60_000);

    it(`are those of its samples, whatever these are: TYTO_SEED=${seed}`, async () => {
      const world = await openWorld(seed, true, hasThreads);
      for (let hour = 0; hour < HOURS; hour++) {
        await world.passHour();
        if (world.below(3) !== 0) await world.db.maintain();
        if (hasThreads && hour > 7) await threadsAreReady(world);
        for (let i = 0; i < 3; i++) await checkOnce(world, { hasJournal: false, isPlain: false });
      }
      for (let i = 0; i < 8; i++) {
        world.damage();
        // What readers have of the files is gone with them.
        await world.reopen();
        if (hasThreads) await threadsAreReady(world);
        await checkOnce(world, { hasJournal: false, isPlain: false });
      }
      await world.close();
    }, 60_000);
  }
});
