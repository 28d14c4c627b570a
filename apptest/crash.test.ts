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

/**
 * How old the oldest sample was at the kill of those that are lost; 0 for none. What an earlier
 * kill took is known in `lost`; a sample that was kept once and vanishes now is old, and shows.
 */
function ageOfLoss(
  served: readonly Served[],
  stored: readonly Served[],
  lost: Set<number>,
  killedMs: number,
): number {
  const kept = new Map(stored.map((sample) => [sample.value, sample]));
  expect(kept.size, 'each sample is there once').toBe(stored.length);
  let ageMs = 0;
  for (const { timeMs, value } of served) {
    const sample = kept.get(value);
    if (sample !== undefined) {
      expect(Math.abs(sample.timeMs - timeMs)).toBeLessThan(SKEW_MS_MAX);
    } else if (!lost.has(value)) {
      lost.add(value);
      ageMs = Math.max(ageMs, killedMs - timeMs);
    }
  }
  return ageMs;
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
  const lost = targets.map(() => new Set<number>());
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
      lostMs.push(ageOfLoss(served[k], stored, lost[k], killedMs));
    }
  }
  tell(`ready after a kill: ${readyMs.join(', ')} ms`);
  tell(
    `${lost.reduce((sum, { size }) => sum + size, 0)} of ` +
      `${targets.reduce((sum, { served }) => sum + served.length, 0)} samples are lost; oldest ` +
      `${Math.max(...lostMs)} ms old at its kill`,
  );
  expect(Math.max(...readyMs)).toBeLessThan(READY_MS_MAX);
  expect(Math.max(...lostMs)).toBeLessThanOrEqual(LOST_MS_MAX);
  expect(await tyto.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(tyto.output()).not.toMatch(/"level":"error"/);
});
