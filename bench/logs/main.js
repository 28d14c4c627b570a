/**
 * `node bench/logs/main.js [--megabytes 300] [--directory DIR] [--keep]`: loads generated logs into
 * a log store of its own and prints what that took and how long queries take.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';
import { generateLogs } from './generator.js';

const MEGABYTE = 1e6;
const TICKS_PER_SECOND = 100;
const START_NS = 1_760_000_000_000_000_000n;
const IN_FLIGHT = 4;

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '300' },
    directory: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const build = join(root, 'packages/columnar/build');
const say = (text) => process.stdout.write(`${text}\n`);

function bundle(entry, name) {
  mkdirSync(build, { recursive: true });
  const outfile = join(build, name);
  buildSync({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['re2js', 'yaml', '@clickhouse/client'],
    logLevel: 'warning',
  });
  return pathToFileURL(outfile);
}

/** Processor seconds of this process, and of the engine. */
const ownCpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const cpuOf = (pid) => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};
const memoryOf = (pid) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1e3;

async function load(columnar, Labels, bytesMax) {
  let bytes = 0;
  let lines = 0;
  let generating = 0;
  const sending = new Set();
  const startNs = START_NS;
  const batches = generateLogs({ seed: 1, startNs, stepNs: 1_600_000n, batchEntries: 5000 });
  let endNs = startNs;
  while (bytes < bytesMax) {
    const before = ownCpu();
    const batch = batches.next().value.map(({ labels, entries }) => ({
      labels: Labels.of(labels),
      entries: entries.map((entry) => ({ ...entry, metadata: Labels.empty })),
    }));
    for (const { entries } of batch) {
      lines += entries.length;
      for (const { line, timestampNs } of entries) {
        bytes += Buffer.byteLength(line);
        if (timestampNs > endNs) endNs = timestampNs;
      }
    }
    generating += ownCpu() - before;
    const sent = columnar.logs.append('bench', batch).finally(() => sending.delete(sent));
    sending.add(sent);
    if (sending.size >= IN_FLIGHT) await Promise.race(sending);
  }
  await Promise.all(sending);
  return { bytes, lines, generating, endNs };
}

async function timed(name, work) {
  const times = [];
  let result;
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    result = await work();
    times.push(performance.now() - started);
  }
  const [first, ...rest] = times.map((ms) => `${ms.toFixed(0)} ms`);
  say(`${name.padEnd(44)} ${first.padStart(9)} first, then ${rest.join(', ')}: ${result}`);
}

async function main() {
  const library = await import(bundle('bench/logs/library.ts', 'bench.mjs').href);
  const { Labels, createMatcher, openColumnar, silentLogger, systemClock } = library;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'tyto-bench-logs-'));
  const engineScript = bundle('packages/columnar/src/engine/main.ts', 'bench-engine.mjs');
  const columnar = openColumnar({
    directory,
    engineScript,
    clock: systemClock,
    logger: silentLogger,
  });
  try {
    await columnar.logs.append('bench', []);
    await columnar.status();
    const pid = (await columnar.status()).pid;
    const cpu = [ownCpu(), cpuOf(pid)];
    const started = performance.now();
    const loaded = await load(columnar, Labels, Number(options.megabytes) * MEGABYTE);
    const wall = (performance.now() - started) / 1000;
    const own = ownCpu() - cpu[0] - loaded.generating;
    const engine = cpuOf(pid) - cpu[1];
    const { bytes, lines, endNs } = loaded;
    const megabytes = bytes / MEGABYTE;
    say(`${lines} lines, ${megabytes.toFixed(0)} MB in ${wall.toFixed(1)} s`);
    say(`processor: ${own.toFixed(1)} s here, ${engine.toFixed(1)} s in the engine`);
    say(`${(megabytes / (own + engine)).toFixed(1)} MB for each second of a processor`);
    const status = await columnar.status();
    say(`${(bytes / status.bytesOnDisk).toFixed(1)} times smaller on disk; ${status.parts} parts`);
    say(`at most ${memoryOf(pid).toFixed(0)} MB here ${memoryOf(process.pid).toFixed(0)} MB`);
    await query(columnar, { createMatcher }, endNs);
    say(`engine at most ${memoryOf(pid).toFixed(0)} MB, bench ${memoryOf(process.pid).toFixed(0)}`);
  } finally {
    await columnar.close();
    if (!options.keep) rmSync(directory, { recursive: true, force: true });
  }
}

async function query(columnar, { createMatcher }, endNs) {
  const select = (text, filters = []) => ({
    tenant: 'bench',
    matchers: [createMatcher('=~', ...text)],
    filters,
    startNs: START_NS,
    endNs: endNs + 1n,
  });
  const contains = (value) => [{ on: 'line', type: 'contains', negated: false, values: [value] }];
  const read = async (selection, limit) => {
    let count = 0;
    const reading = columnar.logs.read({ ...selection, direction: 'backward', wanted: limit });
    for await (const chunk of reading) {
      count += chunk.lines.length;
      if (count >= limit) break;
    }
    return `${count} entries`;
  };
  const everything = ['env', 'prod'];
  await timed('last 100 of a stream', () => read(select(['pod', 'cart-a']), 100));
  await timed('last 100 of everything', () => read(select(everything), 100));
  await timed('nothing found by a word', () =>
    read(select(everything, contains('"trace_id":"0123456789abcdef"')), 100),
  );
  let n = 0;
  await timed('nothing found by a text', () =>
    read(select(everything, contains(`nosuch${n++}thing`)), 100),
  );
  await timed('nothing found by a pattern', () => {
    const values = [`connect[a-z]+ ${n++}refused`];
    return read(select(everything, [{ on: 'line', type: 'regexp', negated: false, values }]), 100);
  });
  await timed('read everything', () => read(select(everything), Number.POSITIVE_INFINITY));
  const step = 300_000_000_000n;
  const windows = { firstEndNs: START_NS + step, stepNs: step, rangeNs: step };
  const count = Number((endNs - START_NS) / step) + 1;
  const level = [{ name: 'level', places: [{ from: 'json', path: ['level'] }] }];
  for (const service of ['cart', '.+']) {
    await timed(`count by level of service=~"${service}"`, async () => {
      const answer = await columnar.logs.aggregate({
        select: select(['service', service]),
        windows: { ...windows, count },
        of: 'count',
        by: level,
        parse: 'json',
        groupsMax: 1000,
      });
      return `${answer?.groups.length} groups, ${answer?.read.entries} entries`;
    });
  }
  await timed('estimate of everything', async () => {
    const size = await columnar.logs.estimate(select(everything));
    return `${size.entries} entries`;
  });
}

await main();
