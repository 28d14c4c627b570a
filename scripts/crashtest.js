/**
 * `npm run crashtest -- [--runs 200] [--seed 1] [--scenario kill]`: kills processes that write to
 * the time-series database, damages what they leave behind, and checks what is still there. Each
 * run has a seed, counted up from the given one; a failure names its own, which repeats the plan.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { root } from './sources.js';

const ENTRIES = [
  'packages/tsdb/src/testing/crashChild.ts',
  'packages/tsdb/src/testing/crashRun.ts',
];

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    scenario: { type: 'string' },
    verbose: { type: 'boolean' },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'tyto-crashtest-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

await build({
  entryPoints: ENTRIES.map((path) => join(root, path)),
  outdir: directory,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // Dependencies that are CommonJS ask for Node.js' modules with it.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire('/');" },
  logLevel: 'warning',
});
const { runCrash } = await import(pathToFileURL(join(directory, 'crashRun.mjs')).href);
const child = join(directory, 'crashChild.mjs');

const totals = new Map();
let failures = 0;
const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.runs); seed++) {
  const { plan, damage, problems, acknowledged, lost } = await runCrash(
    child,
    seed,
    values.scenario,
  );
  const total = totals.get(plan.scenario) ?? { runs: 0, failed: 0, acknowledged: 0, lost: 0 };
  totals.set(plan.scenario, total);
  total.runs++;
  total.acknowledged += acknowledged;
  total.lost += lost;
  const line =
    `seed ${seed}, ${plan.scenario}: ${plan.sessions} processes, ${acknowledged} batches ` +
    `acknowledged, ${damage}, ${lost} samples lost`;
  if (problems.length > 0) {
    failures++;
    total.failed++;
    const shown = problems.slice(0, 5).map((problem) => `  ${problem}\n`);
    process.stdout.write(`FAIL ${line}\n${shown.join('')}`);
  } else if (values.verbose) {
    process.stdout.write(`ok   ${line}\n`);
  }
}
for (const [scenario, { runs, failed, acknowledged, lost }] of totals) {
  process.stdout.write(
    `${scenario}: ${runs} runs, ${failed} failed, ${acknowledged} batches acknowledged, ` +
      `${lost} samples lost\n`,
  );
}
process.exitCode = failures === 0 ? 0 : 1;
