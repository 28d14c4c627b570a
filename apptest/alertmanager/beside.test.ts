/**
 * Debian's Alertmanager and Tyto with the same alertmanager.yml, the same alerts and silences at
 * the same times: the same notifications arrive, in the same order, within 0.7 seconds.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { programPath, sleep } from '../harness.ts';
import type { Scenario } from './scenario.ts';
import { LASTING, SCENARIOS } from './scenarios.ts';
import { arrivalsOf, play, type Side, startSides } from './sides.ts';

const DIFFERENCE_MS_MAX = 700;
const RUN_MS = 12_000;
const RELOAD_MS = 4300;
const RESTART_MS = 7000;
const LATER_MS = 6000;

const there = programPath('prometheus-alertmanager') !== undefined;

describe.skipIf(!there)('beside Alertmanager', () => {
  let sides: readonly [Side, Side];
  let startMs: number;

  beforeAll(async () => {
    sides = await startSides(SCENARIOS);
    startMs = Date.now() + 200;
    await play(sides, SCENARIOS, startMs);
    await sleep(Math.max(0, startMs + RUN_MS - Date.now()));
  }, 60_000);

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
    compare(sides, scenario, startMs);
  });
});

describe.skipIf(!there)('beside Alertmanager, through a reload and a restart', () => {
  let sides: readonly [Side, Side];
  let startMs: number;

  beforeAll(async () => {
    sides = await startSides(LASTING);
    startMs = Date.now() + 200;
    await play(sides, LASTING, startMs);
    await sleep(Math.max(0, startMs + RELOAD_MS - Date.now()));
    for (const side of sides) {
      side.configure(LASTING.map((one) => ({ ...one, route: one.reloaded ?? one.route })));
      side.signal('SIGHUP');
    }
    await sleep(Math.max(0, startMs + RESTART_MS - Date.now()));
    await Promise.all(sides.map((side) => side.restart()));
    const laterMs = Date.now();
    const later = LASTING.map((one) => ({ ...one, steps: one.later }));
    await play(sides, later, laterMs, startMs);
    await sleep(Math.max(0, laterMs + LATER_MS - Date.now()));
  }, 60_000);

  it.each(LASTING.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
    compare(sides, scenario, startMs);
  });
});

function compare(sides: readonly Side[], { name, expected }: Scenario, startMs: number): void {
  const [theirs, ours] = sides.map((side) => arrivalsOf(side, name, startMs));
  const contents = (found: typeof theirs) =>
    Object.fromEntries(
      [...found].map(([path, list]) => [path, list.map(({ content }) => content)]),
    );
  expect(withTimesOf(contents(theirs), contents(ours))).toEqual(contents(theirs));
  let count = 0;
  for (const [path, list] of theirs) {
    list.forEach(({ atMs }, i) => {
      const difference = Math.abs((ours.get(path)?.[i].atMs ?? Infinity) - atMs);
      expect(difference, `${path} ${i}: ${atMs} ms`).toBeLessThanOrEqual(DIFFERENCE_MS_MAX);
    });
    count += list.length;
  }
  expect(count).toBe(expected);
}

/** `ours` with their times, where both are of the same moment: each reads its own clock. */
function withTimesOf(theirs: unknown, ours: unknown): unknown {
  if (typeof theirs === 'number' && typeof ours === 'number') {
    const isSame = theirs > 1e12 && Math.abs(theirs - ours) <= DIFFERENCE_MS_MAX;
    return isSame ? theirs : ours;
  }
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    return ours.map((item, i) => withTimesOf(theirs[i], item));
  }
  if (!isRecord(ours) || !isRecord(theirs)) return ours;
  return Object.fromEntries(
    Object.entries(ours).map(([name, item]) => [name, withTimesOf(theirs[name], item)]),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
