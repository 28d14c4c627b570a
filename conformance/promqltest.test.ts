/**
 * Prometheus' own test scripts against our engine. How many evals of each file pass is recorded in
 * promqltest.expected.json, which only ever goes up; TYTO_RATCHET=write records a better count.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryMetricStore } from '@tyto/model';
import { type EvalOutcome, runScript, type ScriptStore } from '@tyto/promql';
import { describe, expect, it } from 'vitest';
import { sharedPath } from './shared.ts';

const RATCHET = join(import.meta.dirname, 'promqltest.expected.json');

type Ratchet = Record<string, { passed: number; total: number }>;

function readRatchet(): Ratchet {
  return existsSync(RATCHET) ? JSON.parse(readFileSync(RATCHET, 'utf8')) : {};
}

async function openMemoryStore(): Promise<ScriptStore> {
  return { store: new MemoryMetricStore(), close: async () => {} };
}

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

describe.skipIf(directory === undefined)('the scripts of promqltest', () => {
  const files = directory === undefined ? [] : readdirSync(directory);
  const ratchet = readRatchet();
  const results: Ratchet = {};
  const only = process.env.TYTO_ONLY ?? '';

  for (const file of files.filter((name) => name.endsWith('.test') && name.includes(only))) {
    it(file, async () => {
      const text = readFileSync(join(directory ?? '', file), 'utf8');
      const outcomes = await runScript(text, openMemoryStore, {
        typeAndUnitLabels: true,
        checkRanges: true,
      });
      show(file, outcomes);
      const passed = outcomes.filter(({ failure }) => failure === undefined).length;
      results[file] = { passed, total: outcomes.length };
      expect(passed).toBeGreaterThanOrEqual(ratchet[file]?.passed ?? 0);
      if (process.env.TYTO_RATCHET === 'write') {
        const merged: Ratchet = { ...readRatchet(), ...results };
        writeFileSync(RATCHET, `${JSON.stringify(merged, null, 2)}\n`);
      }
    });
  }
});
