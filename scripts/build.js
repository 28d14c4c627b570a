/**
 * Builds what is built: kernels, web UI, server bundle; each only when its sources are newer.
 * `node scripts/build.js [--only kernels|web|server] [--force] [--quiet]`
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1]
  : undefined;
const force = process.argv.includes('--force');
const quiet = process.argv.includes('--quiet');

const UNIVERSAL = ['base', 'model', 'kernels', 'syntax', 'wire', 'api', 'gotemplate'];
const SERVER = [
  ...UNIVERSAL,
  'tsdb',
  'promblock',
  'columnar',
  'promql',
  'logql',
  'collect',
  'alerting',
  'incidents',
  'forward',
  'server',
];

const targets = [
  {
    name: 'kernels',
    sources: ['packages/kernels/src/assembly'],
    output: 'packages/kernels/build/kernelsWasm.ts',
    build: buildKernels,
  },
  {
    name: 'web',
    sources: [
      'packages/web/src',
      'packages/web/index.html',
      'packages/api/src',
      'packages/base/src',
      'packages/model/src',
      'packages/syntax/src',
    ],
    output: 'packages/web/dist/index.html',
    build: () => run('node_modules/.bin/vite', ['build', '--logLevel', 'warn'], 'packages/web'),
  },
  {
    name: 'server',
    sources: SERVER.map((name) => `packages/${name}/src`),
    output: 'packages/server/dist/tyto.js',
    beside: ['packages/server/dist/reader.js', 'packages/server/dist/columnar.js'],
    build: buildServer,
  },
];

for (const target of targets) {
  if (only !== undefined && target.name !== only) continue;
  const output = join(root, target.output);
  const isWhole = [target.output, ...(target.beside ?? [])].every(isThere);
  if (!force && isWhole && newest(target.sources) <= statSync(output).mtimeMs) continue;
  const started = Date.now();
  if (!quiet) process.stderr.write(`building ${target.name} … `);
  mkdirSync(dirname(output), { recursive: true });
  await target.build(output);
  if (!quiet) process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

/** AssemblyScript to WebAssembly, as base64 in a module, so that every runtime loads it alike. */
async function buildKernels(output) {
  const wasm = output.replace(/kernelsWasm\.ts$/, 'kernels.wasm');
  run('node_modules/.bin/asc', [
    join(root, 'packages/kernels/src/assembly/index.ts'),
    '--outFile',
    wasm,
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--disableWarning',
    '--use',
    'abort=',
  ]);
  const base64 = readFileSync(wasm).toString('base64');
  writeFileSync(
    output,
    `// Built by scripts/build.js from src/assembly.\nexport const kernelsWasm =\n  '${base64}';\n`,
  );
}

/** A file each for the server, its reader threads and the log engine; npm's stay outside. */
async function buildServer(output) {
  const { build } = await import('esbuild');
  const manifests = SERVER.map((name) => readJson(`packages/${name}/package.json`));
  const external = manifests
    .flatMap((manifest) => Object.keys(manifest.dependencies ?? {}))
    .filter((name) => !name.startsWith('@tyto/'));
  await build({
    entryPoints: [
      { in: join(root, 'packages/server/src/main.ts'), out: 'tyto' },
      { in: join(root, 'packages/tsdb/src/readers/readerThread.ts'), out: 'reader' },
      { in: join(root, 'packages/columnar/src/engine/main.ts'), out: 'columnar' },
    ],
    outdir: dirname(output),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    external,
    logLevel: 'warning',
  });
}

function isThere(path) {
  return existsSync(join(root, path));
}

function run(command, args, directory = '.') {
  const result = spawnSync(join(root, command), args, {
    cwd: join(root, directory),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) {
    process.stderr.write(`failed: ${command} ${args.join(' ')}\n`);
    process.exit(1);
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** The newest change below the paths, in milliseconds since the epoch. */
function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const full = join(root, path);
    const stats = statSync(full);
    latest = Math.max(latest, stats.mtimeMs);
    if (!stats.isDirectory()) continue;
    for (const entry of readdirSync(full)) latest = Math.max(latest, newest([join(path, entry)]));
  }
  return latest;
}
