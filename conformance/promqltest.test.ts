/**
 * Prometheus' own test scripts against our engine, over the store in memory and over the real one.
 * How many evals of each file pass is recorded in promqltest.expected.json, which only ever goes
 * up; TYTO_RATCHET=write records a better count.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryMetricStore } from '@tyto/model';
import { type EvalOutcome, runScript, type ScriptStore } from '@tyto/promql';
import { Tsdb } from '@tyto/tsdb';
import { describe, expect, it } from 'vitest';
import { sharedPath } from './shared.ts';

const RATCHET = join(import.meta.dirname, 'promqltest.expected.json');

type Counts = Record<string, { passed: number; total: number }>;
/** By the store that the scripts ran over. */
type Ratchet = Record<string, Counts>;

function readRatchet(): Ratchet {
  return existsSync(RATCHET) ? JSON.parse(readFileSync(RATCHET, 'utf8')) : {};
}

/** The stores; the real one takes no histograms yet, so evals that need them do not pass. */
const STORES: Readonly<Record<string, () => Promise<ScriptStore>>> = {
  memory: async () => ({ store: new MemoryMetricStore(), close: async () => {} }),
  tsdb: async () => {
    const path = mkdtempSync(join(tmpdir(), 'tyto-promqltest-'));
    const store = await Tsdb.open({ directory: path, maintenanceIntervalMs: 0 });
    return {
      store,
      close: async () => {
        await store.close();
        rmSync(path, { recursive: true });
      },
    };
  },
};

function show(file: string, outcomes: readonly EvalOutcome[]): void {
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  const lines = [`${file}: ${outcomes.length - failed.length} of ${outcomes.length} passed`];
  if (process.env.TYTO_VERBOSE !== undefined) {
    for (const { line, query, failure } of failed) {
      lines.push(`  ${file}:${line} ${query}\n    ${failure}`);
    }
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

const directory = sharedPath('prometheus', 'promqltest');

const files = directory === undefined ? [] : readdirSync(directory);
const only = process.env.TYTO_ONLY ?? '';

describe.skipIf(directory === undefined).each(Object.keys(STORES))('promqltest over %s', (name) => {
  for (const file of files.filter((path) => path.endsWith('.test') && path.includes(only))) {
    it(file, async () => {
      const text = readFileSync(join(directory ?? '', file), 'utf8');
      const options = { typeAndUnitLabels: true, checkRanges: true };
      const outcomes = await runScript(text, STORES[name], options);
      show(`${name}, ${file}`, outcomes);
      const passed = outcomes.filter(({ failure }) => failure === undefined).length;
      const ratchet = readRatchet();
      expect(passed).toBeGreaterThanOrEqual(ratchet[name]?.[file]?.passed ?? 0);
      if (process.env.TYTO_RATCHET !== 'write') return;
      const counts = { ...ratchet[name], [file]: { passed, total: outcomes.length } };
      writeFileSync(RATCHET, `${JSON.stringify({ ...ratchet, [name]: counts }, null, 2)}\n`);
    });
  }
});
