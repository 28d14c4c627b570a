/**
 * Prometheus' own test scripts against our engine, over the store in memory and over the real one.
 * Every eval of every file passes. TYTO_ONLY runs the files whose names contain it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryMetricStore } from '@tyto/model';
import { runScript, type ScriptStore } from '@tyto/promql';
import { Tsdb } from '@tyto/tsdb';
import { afterAll, describe, expect, it } from 'vitest';
import { sharedPath } from './shared.ts';

/** How many evals the scripts have: fewer would mean that some are not seen any more. */
const EVAL_COUNT = 2214;

/** Scripts load series of hours ago after newer ones; Prometheus' tests have a head of a day. */
const WINDOW_MS = 24 * 3600_000;

const STORES: Readonly<Record<string, () => Promise<ScriptStore>>> = {
  memory: async () => ({ store: new MemoryMetricStore(), close: async () => {} }),
  tsdb: async () => {
    const path = mkdtempSync(join(tmpdir(), 'tyto-promqltest-'));
    const options = { directory: path, maintenanceIntervalMs: 0, outOfOrderWindowMs: WINDOW_MS };
    const store = await Tsdb.open(options);
    return {
      store,
      close: async () => {
        await store.close();
        rmSync(path, { recursive: true });
      },
    };
  },
};

const directory = sharedPath('prometheus', 'promqltest');

const all = directory === undefined ? [] : readdirSync(directory);
const only = process.env.TYTO_ONLY ?? '';
const files = all.filter((path) => path.endsWith('.test') && path.includes(only));

describe.skipIf(directory === undefined).each(Object.keys(STORES))('promqltest over %s', (name) => {
  let passed = 0;
  let total = 0;

  for (const file of files) {
    it(file, async () => {
      const text = readFileSync(join(directory ?? '', file), 'utf8');
      const options = { typeAndUnitLabels: true, checkRanges: true, useStartTimes: true };
      const outcomes = await runScript(text, STORES[name], options);
      const failed = outcomes.filter(({ failure }) => failure !== undefined);
      total += outcomes.length;
      passed += outcomes.length - failed.length;
      const shown = failed.map(
        ({ line, query, failure }) => `${file}:${line} ${query}: ${failure}`,
      );
      expect(shown).toEqual([]);
    });
  }

  it.skipIf(only !== '')('has run every eval', () => {
    expect(total).toBeGreaterThanOrEqual(EVAL_COUNT);
  });

  afterAll(() => {
    process.stdout.write(`promqltest over ${name}: ${passed} of ${total} evals passed\n`);
  });
});
