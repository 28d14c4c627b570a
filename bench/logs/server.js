/**
 * `node bench/logs/server.js [--megabytes 1000] [--rate 0] [--directory DIR] [--keep] [--reuse]`:
 * pushes generated logs of a day to `tyto start` as Loki's clients do (protobuf in snappy), and
 * asks its HTTP API for them. Prints what that took of a processor, of the server and its engine
 * together.
 */
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generateLogs } from './generator.js';

const MEGABYTE = 1e6;
const TICKS_PER_SECOND = 100;
const DAY_NS = 86_400_000_000_000n;
const LINE_BYTES = 290;
/** Entries of a push; about a megabyte. */
const BATCH = 5000;
const IN_FLIGHT = 16;
const TRIES = 6;
/** Different pushes, 64 MB of lines: more than any compression sees at once. */
const TEMPLATES = 64;
/** Times that each query is asked. */
const TIMES = 6;

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1000' },
    /** Megabytes of lines a second at most; 0 for as fast as they are taken. */
    rate: { type: 'string', default: '0' },
    directory: { type: 'string' },
    keep: { type: 'boolean', default: false },
    /** Asks a directory that was kept, and pushes nothing. */
    reuse: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT + 2 });
const say = (text) => process.stdout.write(`${text}\n`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function stat(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

/** The server and the processes that it started. */
function family(pid) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const children = all.filter((one) => {
    try {
      return stat(one).parent === pid;
    } catch {
      return false;
    }
  });
  return [pid, ...children];
}

const cpusOf = (pid) => family(pid).map((one) => stat(one).cpu);
const cpuOf = (pid) => cpusOf(pid).reduce((sum, cpu) => sum + cpu, 0);
const peaksOf = (pid) =>
  family(pid).map((one) => {
    const status = readFileSync(`/proc/${one}/status`, 'utf8');
    return `${(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1e3).toFixed(0)} MB`;
  });

function sizeOf(directory) {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += readFileSize(join(entry.parentPath ?? entry.path, entry.name));
    } catch {
      // Merged away meanwhile.
    }
  }
  return bytes;
}

function readFileSize(path) {
  return statSync(path).blocks * 512;
}

/** Asks, and gives the text of the answer; throws for another status than 2xx. */
function ask(port, path, { body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const message = request(
      { agent, host: '127.0.0.1', port, path, method: body ? 'POST' : 'GET', headers },
      (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          if (response.statusCode >= 200 && response.statusCode < 300) resolve(text);
          else reject(new Error(`${path}: ${response.statusCode} ${text.slice(0, 300)}`));
        });
      },
    );
    message.on('error', reject);
    message.end(body);
  });
}

/**
 * PushRequests, made once and sent again and again with other times: making lines costs more than
 * taking them. Streams of a selector and entries, each with a time of ten bytes and a line.
 */
class Template {
  constructor(batch) {
    const lines = batch.flatMap(({ entries }) => entries.map(({ line }) => line));
    this.lineBytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    this.count = lines.length;
    const bytes = Buffer.allocUnsafe(this.lineBytes + 40 * lines.length + 400 * batch.length);
    /** Where the time of each entry is, in order of time. */
    this.places = new Uint32Array(lines.length);
    const inOrder = new Map(
      batch
        .flatMap(({ entries }) => entries)
        .sort((a, b) => Number(a.timestampNs - b.timestampNs))
        .map((entry, i) => [entry, i]),
    );
    let at = 0;
    const field = (tag, length) => {
      bytes[at++] = tag;
      at = writeVarint(bytes, at, length);
    };
    for (const { labels, entries } of batch) {
      const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
      const selector = `{${pairs.join(', ')}}`;
      const sizes = entries.map(({ line }) => {
        const size = Buffer.byteLength(line);
        return 2 + TIME_BYTES + 1 + widthOf(size) + size;
      });
      const inside = sizes.reduce((sum, size) => sum + 1 + widthOf(size) + size, 0);
      field(10, 1 + widthOf(selector.length) + selector.length + inside);
      field(10, selector.length);
      at += bytes.write(selector, at);
      entries.forEach((entry, i) => {
        field(18, sizes[i]);
        field(10, TIME_BYTES);
        this.places[inOrder.get(entry)] = at;
        at += TIME_BYTES;
        field(18, Buffer.byteLength(entry.line));
        at += bytes.write(entry.line, at);
      });
    }
    this.bytes = bytes.subarray(0, at);
  }

  /** In Snappy's framing, as literals: the times are not compressed again. */
  body(startNs, stepNs) {
    let timeNs = startNs;
    for (const place of this.places) {
      this.#writeTime(place, timeNs);
      timeNs += stepNs;
    }
    const pieces = Math.ceil(this.bytes.length / LITERAL_BYTES);
    const body = Buffer.allocUnsafe(this.bytes.length + 5 + 3 * pieces);
    let at = writeVarint(body, 0, this.bytes.length);
    for (let from = 0; from < this.bytes.length; from += LITERAL_BYTES) {
      const length = Math.min(LITERAL_BYTES, this.bytes.length - from);
      body[at++] = 61 << 2;
      at = body.writeUInt16LE(length - 1, at);
      at += this.bytes.copy(body, at, from, from + length);
    }
    return body.subarray(0, at);
  }

  #writeTime(place, timeNs) {
    this.bytes[place] = 8;
    writeLongVarint(this.bytes, place + 1, Number(timeNs / 1_000_000_000n));
    this.bytes[place + 6] = 16;
    writeLongVarint(this.bytes, place + 7, Number(timeNs % 1_000_000_000n));
  }
}

/** Seconds and nanoseconds, each as a number of five bytes behind its tag. */
const TIME_BYTES = 12;
const LITERAL_BYTES = 65_536;

function widthOf(value) {
  let count = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) count++;
  return count;
}

function writeVarint(bytes, from, value) {
  let at = from;
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  return at;
}

/** In five bytes, however small it is. */
function writeLongVarint(bytes, at, value) {
  let rest = value;
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = (rest & 127) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at + 4] = rest;
}

async function load(port, bytesMax, rate) {
  const batches = generateLogs({ seed: 1, startNs: 0n, stepNs: 1n, batchEntries: BATCH });
  const count = Math.min(TEMPLATES, Math.ceil(bytesMax / (BATCH * LINE_BYTES)));
  const templates = Array.from({ length: count }, () => new Template(batches.next().value));
  const lineBytes = templates.reduce((sum, one) => sum + one.lineBytes, 0) / (count * BATCH);
  const endNs = BigInt(Date.now()) * 1_000_000n;
  const startNs = endNs - DAY_NS;
  const stepNs = DAY_NS / BigInt(Math.ceil(bytesMax / lineBytes));
  const headers = { 'content-type': 'application/x-protobuf' };
  const sending = new Set();
  const latencies = [];
  const started = performance.now();
  let bytes = 0;
  let lines = 0;
  let refused = 0;
  let lastNs = startNs;
  for (let i = 0; bytes < bytesMax; i++) {
    const template = templates[i % count];
    const body = template.body(lastNs, stepNs);
    lastNs += BigInt(template.count) * stepNs;
    bytes += template.lineBytes;
    lines += template.count;
    const send = async () => {
      for (let tries = 1; ; tries++) {
        const sentMs = performance.now();
        try {
          await ask(port, '/loki/api/v1/push', { body, headers });
          latencies.push(performance.now() - sentMs);
          return;
        } catch (error) {
          refused++;
          if (tries === TRIES) throw error;
          await pause(500);
        }
      }
    };
    const sent = send().finally(() => sending.delete(sent));
    sending.add(sent);
    if (sending.size >= IN_FLIGHT) await Promise.race(sending);
    const aheadMs = rate > 0 ? (bytes / MEGABYTE / rate) * 1000 - (performance.now() - started) : 0;
    if (aheadMs > 0) await pause(aheadMs);
  }
  await Promise.all(sending);
  latencies.sort((a, b) => a - b);
  const seconds = (performance.now() - started) / 1000;
  return { bytes, lines, refused, seconds, latencies, startNs, endNs: lastNs + 1n };
}

async function timed(pid, name, work) {
  const times = [];
  const before = cpuOf(pid);
  let result;
  for (let i = 0; i < TIMES; i++) {
    const started = performance.now();
    try {
      result = await work(i);
    } catch (error) {
      result = error instanceof Error ? error.message : String(error);
    }
    times.push(`${(performance.now() - started).toFixed(0)} ms`);
  }
  const cpuMs = (((cpuOf(pid) - before) / TIMES) * 1000).toFixed(0);
  const [first, ...rest] = times;
  say(
    `${name.padEnd(46)} ${first.padStart(9)} first, then ${rest.join(', ')}; ` +
      `CPU ${cpuMs} ms: ${result}`,
  );
}

async function query(port, pid, { startNs, endNs }) {
  const range = (text, more = {}) => {
    const parameters = { query: text, start: startNs, end: endNs, limit: 100, ...more };
    return async () => {
      const search = new URLSearchParams(
        Object.entries(parameters).map(([name, value]) => [name, String(value)]),
      );
      const answer = JSON.parse(await ask(port, `/loki/api/v1/query_range?${search}`));
      const { result } = answer.data;
      const values = result.reduce((sum, { values: own }) => sum + own.length, 0);
      return `${result.length} series, ${values} values`;
    };
  };
  const salted = (text) => (i) => range(text.replace('SALT', `x${i}`))();
  await timed(pid, 'last 100 of a stream', range('{pod="cart-a"}'));
  await timed(pid, 'last 100 of everything', range('{env="prod"}'));
  await timed(pid, 'a word that is nowhere', salted('{env="prod"} |= "nosuchSALTword"'));
  const id = '01234567-89ab-4cde-8f01-23456789abcd';
  await timed(
    pid,
    'a request id that is nowhere',
    range(`{env="prod"} | json | request_id="${id}"`),
  );
  await timed(pid, 'the same as a text', range(`{env="prod"} |= "${id}"`));
  await timed(pid, 'part of a word, nowhere', salted('{env="prod"} |= "osuchSALTwor"'));
  await timed(pid, 'a pattern that is nowhere', salted('{env="prod"} |~ "conn[a-z]+ SALTrefused"'));
  const step = { step: 300 };
  const count = (service) => `sum by (level) (count_over_time({service=${service}} | json [5m]))`;
  await timed(pid, 'count by level of a service, 24 h', range(count('"cart"'), step));
  await timed(
    pid,
    'lines of all services, 24 h',
    range('sum by (service) (rate({env="prod"}[5m]))', step),
  );
  await timed(pid, 'errors of a service, 24 h', () =>
    range('sum(count_over_time({service="cart"} | json | level="error" [5m]))', step)(),
  );
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address.port));
    });
  });
}

/** Pushes, waits until that is merged, and tells what it took. */
async function loadAndTell(port, pid, directory) {
  const before = cpuOf(pid);
  const loaded = await load(port, Number(options.megabytes) * MEGABYTE, Number(options.rate));
  const { bytes, lines, seconds, latencies, refused } = loaded;
  const cpu = cpuOf(pid) - before;
  const megabytes = bytes / MEGABYTE;
  say(`${lines} lines, ${megabytes.toFixed(0)} MB in ${seconds.toFixed(0)} s; refused ${refused}`);
  say(`${(megabytes / seconds).toFixed(1)} MB/s; ${(megabytes / cpu).toFixed(1)} MB per CPU-s`);
  const quantile = (q) => latencies[Math.floor((latencies.length - 1) * q)].toFixed(0);
  say(`a push is stored after ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`);
  say(`processor (server, engine): ${cpusOf(pid).join(' s, ')} s`);
  say(`peak memory (server, engine): ${peaksOf(pid).join(', ')}`);
  let [last, settled] = [cpuOf(pid), 0];
  for (let i = 0; i < 30 && settled < 2; i++) {
    await pause(2000);
    const now = cpuOf(pid);
    settled = now - last < 0.3 ? settled + 1 : 0;
    last = now;
  }
  say(`merged after: ${(last - before - cpu).toFixed(1)} CPU-s more`);
  say(`${(megabytes / (last - before)).toFixed(1)} MB per CPU-s with merging`);
  // Parts that were merged into others are kept for a minute.
  await pause(75_000);
  const disk = sizeOf(join(directory, 'data'));
  say(`${(disk / MEGABYTE).toFixed(0)} MB on disk: ${(bytes / disk).toFixed(1)} times smaller`);
  return loaded;
}

async function main() {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'tyto-bench-push-'));
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'loki.yaml');
  const limits = 'ingestion_rate_mb: 1000, ingestion_burst_size_mb: 2000';
  const own = 'per_stream_rate_limit: 1GB, per_stream_rate_limit_burst: 2GB';
  writeFileSync(config, `limits_config: {${limits}, ${own}, reject_old_samples: false}\n`);
  writeFileSync(join(directory, 'prometheus.yml'), 'scrape_configs: []\n');
  const port = await freePort();
  const server = spawn(
    process.execPath,
    [
      join(root, 'packages/server/dist/tyto.js'),
      'start',
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--loki.config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  try {
    for (let i = 0; i < 200; i++) {
      if (await ask(port, '/-/ready').catch(() => undefined)) break;
      await pause(100);
    }
    await ask(port, '/loki/api/v1/labels');
    const extent = join(directory, 'extent.json');
    if (!options.reuse) {
      const { startNs, endNs } = await loadAndTell(port, server.pid, directory);
      writeFileSync(extent, JSON.stringify([String(startNs), String(endNs)]));
    }
    const [startNs, endNs] = JSON.parse(readFileSync(extent, 'utf8'));
    await query(port, server.pid, { startNs, endNs });
    say(`peak memory (server, engine): ${peaksOf(server.pid).join(', ')}`);
  } finally {
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await gone;
    agent.destroy();
    if (!options.keep) rmSync(directory, { recursive: true, force: true });
  }
}

await main();
