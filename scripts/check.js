/**
 * `npm run check`: everything that tells in seconds whether a change may land, tests aside. One
 * line for each step with its time, and the whole output of a step that fails.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './sources.js';

const node = process.execPath;
const bin = (name) => join(root, 'node_modules/.bin', name);
const types = (name, project) => ({ name, command: [bin('tsc'), '-p', project] });

const steps = [
  types('types', 'tsconfig.json'),
  types('types, universal packages', 'tsconfig.universal.json'),
  ...(existsSync(join(root, 'packages/web/tsconfig.json'))
    ? [types('types, web', 'packages/web')]
    : []),
  { name: 'lint and format', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'layers', command: [node, 'scripts/layers.js'] },
  { name: 'tidy', command: [node, 'scripts/tidy.js'] },
];

/** Resolves with whether the command succeeded; prints its line, and its output if it did not. */
function run({ name, command }) {
  const started = performance.now();
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const finish = (succeeded) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      process.stdout.write(`${succeeded ? 'ok  ' : 'FAIL'} ${seconds.padStart(5)} s  ${name}\n`);
      if (!succeeded) process.stdout.write(output.replace(/\n*$/, '\n'));
      resolve(succeeded);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish(false);
    });
    child.on('close', (code) => finish(code === 0));
  });
}

/** Runs the steps a few at a time: as many as a small machine has processors. */
async function runAll(parallel) {
  const queue = [...steps];
  let failed = 0;
  const worker = async () => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      if (!(await run(step))) failed++;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return failed;
}

// The other steps read what this one builds.
const kernels = [node, 'scripts/build.js', '--only', 'kernels', '--quiet'];
const built = await run({ name: 'kernels', command: kernels });
const failed = (built ? 0 : 1) + (await runAll(2));
if (failed > 0) process.stdout.write(`${failed} of ${steps.length + 1} steps failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
