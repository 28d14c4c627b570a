/** A short crash test; `npm run crashtest` is the long one, and repeats a seed of a failure. */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleCrashChild } from './testing/childBundle.ts';
import { SCENARIOS } from './testing/crashPlan.ts';
import { runCrash } from './testing/crashRun.ts';

const SEED = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 1_000_000);
const RUNS = 10;

describe('a process that is killed while it writes', () => {
  let child = '';

  beforeAll(async () => {
    child = await bundleCrashChild();
  });
  afterAll(() => rmSync(dirname(child), { recursive: true, force: true }));

  for (let i = 0; i < RUNS; i++) {
    const seed = SEED + i;
    const scenario = SCENARIOS[i % SCENARIOS.length];
    it(`keeps what it promised: --scenario ${scenario} --seed ${seed}`, async () => {
      const { problems, damage } = await runCrash(child, seed, scenario);
      expect({ seed, scenario, damage, problems }).toEqual({
        seed,
        scenario,
        damage,
        problems: [],
      });
    });
  }
});
