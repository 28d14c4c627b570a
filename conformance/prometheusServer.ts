/**
 * A real Prometheus for tests: started on a directory, written to by remote write, asked over HTTP.
 * Tests skip, loudly, where it is not installed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { FloatHistogram, HistogramSpan } from '@tyto/model';

const READY_MS_MAX = 20_000;
const POLL_MS = 50;

/** Whether `prometheus` and `promtool` can be started. */
export function hasPrometheus(): boolean {
  const has = ['prometheus', 'promtool'].every(
    (program) => spawnSync(program, ['--version']).status === 0,
  );
  if (!has) process.stdout.write('SKIPPED: prometheus and promtool are not installed\n');
  return has;
}

/** What promtool prints. Throws where it fails. */
export function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

export interface RunningPrometheus {
  readonly url: string;
  /** The `data` of an API's answer. */
  get(path: string): Promise<unknown>;
  post(path: string): Promise<unknown>;
  write(series: readonly WrittenSeries[]): Promise<void>;
  stop(): Promise<void>;
}

export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** 'stale' is a stale marker. */
  readonly samples?: readonly (readonly [timestampMs: number, value: number | 'stale'])[];
  readonly histograms?: readonly (readonly [timestampMs: number, histogram: FloatHistogram])[];
}

/** Starts Prometheus on a directory, and waits until it is ready. PORT in `config` is its own. */
export async function startPrometheus(
  directory: string,
  config = '',
  args: readonly string[] = [],
): Promise<RunningPrometheus> {
  const port = await freePort();
  const configFile = join(directory, '..', `prometheus-${port}.yml`);
  writeFileSync(configFile, config === '' ? '{}\n' : config.replaceAll('PORT', String(port)));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${directory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=100y',
      '--web.enable-remote-write-receiver',
      '--web.enable-admin-api',
      '--enable-feature=native-histograms',
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const base = `http://127.0.0.1:${port}`;
  await untilReady(base, child, () => output);
  const call = async (path: string, method: string) => {
    const answer = await fetch(base + path, { method });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as { data?: unknown }).data;
  };
  return {
    url: base,
    get: (path) => call(path, 'GET'),
    post: (path) => call(path, 'POST'),
    write: (series) => remoteWrite(base, series),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilReady(base: string, child: ChildProcess, output: () => string): Promise<void> {
  const endMs = Date.now() + READY_MS_MAX;
  while (Date.now() < endMs && child.exitCode === null) {
    const answer = await fetch(`${base}/-/ready`).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  child.kill('SIGKILL');
  throw new Error(`prometheus did not start: ${output()}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

async function remoteWrite(base: string, series: readonly WrittenSeries[]): Promise<void> {
  const request = Buffer.concat(series.map((one) => bytesField(1, encodeSeries(one))));
  const answer = await fetch(`${base}/api/v1/write`, {
    method: 'POST',
    headers: {
      'Content-Encoding': 'snappy',
      'Content-Type': 'application/x-protobuf',
      'X-Prometheus-Remote-Write-Version': '0.1.0',
    },
    body: packSnappy(request),
  });
  if (!answer.ok) throw new Error(`remote write: ${answer.status} ${await answer.text()}`);
}

const STALE = Buffer.from('020000000000f07f', 'hex');
const HINTS = ['unknown', 'reset', 'not_reset', 'gauge'];

function encodeSeries({ labels, samples = [], histograms = [] }: WrittenSeries): Buffer {
  const names = Object.keys(labels).sort();
  return Buffer.concat([
    ...names.map((name) => {
      const pair = [bytesField(1, Buffer.from(name)), bytesField(2, Buffer.from(labels[name]))];
      return bytesField(1, Buffer.concat(pair));
    }),
    ...samples.map(([time, value]) => {
      const bits = value === 'stale' ? Buffer.concat([varint(9), STALE]) : doubleField(1, value);
      return bytesField(2, Buffer.concat([bits, intField(2, time)]));
    }),
    ...histograms.map(([time, histogram]) => bytesField(4, encodeHistogram(time, histogram))),
  ]);
}

function encodeHistogram(time: number, histogram: FloatHistogram): Buffer {
  const { isInteger, positiveBuckets, negativeBuckets } = histogram;
  const counts = isInteger
    ? [intField(1, histogram.count), intField(6, histogram.zeroCount)]
    : [doubleField(2, histogram.count), doubleField(7, histogram.zeroCount)];
  const buckets = isInteger
    ? [deltasField(9, negativeBuckets), deltasField(12, positiveBuckets)]
    : [countsField(10, negativeBuckets), countsField(13, positiveBuckets)];
  return Buffer.concat([
    ...counts,
    doubleField(3, histogram.sum),
    intField(4, zigzag(histogram.schema)),
    doubleField(5, histogram.zeroThreshold),
    ...histogram.negativeSpans.map((span) => bytesField(8, encodeSpan(span))),
    ...histogram.positiveSpans.map((span) => bytesField(11, encodeSpan(span))),
    ...buckets,
    intField(14, HINTS.indexOf(histogram.counterResetHint)),
    intField(15, time),
  ]);
}

function encodeSpan({ offset, length }: HistogramSpan): Buffer {
  return Buffer.concat([intField(1, zigzag(offset)), intField(2, length)]);
}

function deltasField(field: number, buckets: readonly number[]): Buffer {
  const deltas = buckets.map((count, i) => varint(zigzag(count - (i === 0 ? 0 : buckets[i - 1]))));
  return bytesField(field, Buffer.concat(deltas));
}

function countsField(field: number, buckets: readonly number[]): Buffer {
  const doubles = Buffer.alloc(8 * buckets.length);
  buckets.forEach((count, i) => {
    doubles.writeDoubleLE(count, 8 * i);
  });
  return bytesField(field, doubles);
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

function intField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
}

function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

/** A block of Snappy of literals only. */
function packSnappy(bytes: Buffer): Buffer<ArrayBuffer> {
  const parts = [varint(bytes.length)];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const piece = bytes.subarray(at, at + 65_536);
    const header = Buffer.from([61 << 2, 0, 0]);
    header.writeUInt16LE(piece.length - 1, 1);
    parts.push(header, piece);
  }
  return Buffer.concat(parts);
}
