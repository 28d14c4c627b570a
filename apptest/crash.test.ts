/** kill -9, again and again: what was scraped is there after the next start, each sample once. */
import { expect, it } from 'vitest';
import { sleep, startTyto, tell, temporaryDirectory, type Tyto, waitFor } from './harness.ts';
import { type CountingTarget, type Served, startCountingTarget } from './targets.ts';

const KILL_COUNT = 10;
const TARGET_COUNT = 4;
const READY_MS_MAX = 3000;
/** A sample this old was handed to the system when the process died. */
const LOST_MS_MAX = 1200;
/** Between a target's answer and the timestamp of its sample. */
const SKEW_MS_MAX = 1000;

function configFor(targets: readonly CountingTarget[]): string {
  const jobs = targets.map(
    ({ address }, i) => `  - {job_name: target${i}, static_configs: [{targets: ['${address}']}]}\n`,
  );
  return `global: {scrape_interval: 1s}\nscrape_configs:\n${jobs.join('')}`;
}

/** All stored samples of a target, the oldest first. */
async function storedSamples(tyto: Tyto, job: string): Promise<readonly Served[]> {
  const expression = encodeURIComponent(`scrapes_total{job="${job}"}[1h]`);
  const { result } = await tyto.api(`query?query=${expression}`);
  expect(result.length).toBeLessThanOrEqual(1);
  const values: readonly [number, string][] = result[0]?.values ?? [];
  return values.map(([time, value]) => ({ timeMs: time * 1000, value: Number(value) }));
}

/** Milliseconds before the kill of the oldest sample that is lost; 0 for none. */
function checkKept(served: readonly Served[], stored: readonly Served[], killedMs: number): number {
  const kept = new Map(stored.map((sample) => [sample.value, sample]));
  expect(kept.size, 'each sample is there once').toBe(stored.length);
  let lostMs = 0;
  for (const { timeMs, value } of served) {
    const sample = kept.get(value);
    if (sample === undefined) lostMs = Math.max(lostMs, killedMs - timeMs);
    else expect(Math.abs(sample.timeMs - timeMs)).toBeLessThan(SKEW_MS_MAX);
  }
  return lostMs;
}

it('ten kills cost nothing but what was under way', async () => {
  const targets = await Promise.all(
    Array.from({ length: TARGET_COUNT }, () => startCountingTarget()),
  );
  const dataDirectory = temporaryDirectory();
  const config = configFor(targets);
  const seed = Date.now() % 1000;
  tell(`crash seed ${seed}`);
  const readyMs: number[] = [];
  const lostMs: number[] = [];
  let tyto = await startTyto({ config, dataDirectory });
  for (let i = 0; i < KILL_COUNT; i++) {
    const before = targets.map(({ served }) => served.length);
    await waitFor('every target was scraped', () =>
      targets.every(({ served }, k) => served.length > before[k]),
    );
    await sleep(200 + ((seed + i * 377) % 1400));
    const killedMs = Date.now();
    await tyto.kill('SIGKILL');
    const served = targets.map((target) => [...target.served]);
    tyto = await startTyto({ config, dataDirectory });
    readyMs.push(tyto.readyMs);
    for (let k = 0; k < targets.length; k++) {
      const stored = await storedSamples(tyto, `target${k}`);
      // What an earlier kill took stays away; it was measured then.
      lostMs.push(checkKept(served[k].filter(isNew(served[k], before[k])), stored, killedMs));
      expectOldKept(served[k].slice(0, before[k]), stored, k);
    }
  }
  tell(`ready after a kill: ${readyMs.join(', ')} ms`);
  tell(`age of the oldest lost sample at its kill: ${Math.max(...lostMs)} ms`);
  expect(Math.max(...readyMs)).toBeLessThan(READY_MS_MAX);
  expect(Math.max(...lostMs)).toBeLessThanOrEqual(LOST_MS_MAX);
  expect(await tyto.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(tyto.output()).not.toMatch(/"level":"error"/);
});

function isNew(served: readonly Served[], from: number): (sample: Served) => boolean {
  const first = served[from]?.value ?? Number.POSITIVE_INFINITY;
  return ({ value }) => value >= first;
}

const kept: Set<number>[] = Array.from({ length: TARGET_COUNT }, () => new Set());

/** What one start found, each later one finds as well. */
function expectOldKept(old: readonly Served[], stored: readonly Served[], target: number): void {
  const values = new Set(stored.map(({ value }) => value));
  for (const value of kept[target]) expect(values.has(value), `sample ${value}`).toBe(true);
  for (const { value } of old) if (values.has(value)) kept[target].add(value);
}
