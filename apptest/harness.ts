/**
 * What the application tests stand on: the real bundle in its own process, spoken to over HTTP and
 * the command line only. Whatever a test file starts ends with it, also when a test fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const BUNDLE = join(ROOT, 'packages/server/dist/tyto.js');

/** Below the range that the kernel gives to outgoing connections: nobody takes a port between. */
const PORT_MIN = 20_000;
const PORT_COUNT = 12_000;
const READY_MS_MAX = 15_000;
const STOP_MS_MAX = 10_000;
const RUN_MS_MAX = 6000;
const POLL_MS = 50;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: Envelope | undefined;
}

/** The envelope of Prometheus' API. Tests look into it as a user's script would: untyped. */
export interface Envelope {
  readonly status?: string;
  readonly errorType?: string;
  readonly error?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each endpoint has its own data.
  readonly data?: any;
}

export interface InstantSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const cleanups: (() => unknown)[] = [];
const children = new Set<ChildProcess>();

afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Runs `cleanup` when all tests of the file are through, the last one first. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A figure that is worth reading after a run; it is never asserted. */
export function tell(text: string): void {
  process.stdout.write(`FIGURE: ${text}\n`);
}

/** A new directory with these files, gone at the end. */
export function temporaryDirectory(files: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-apptest-'));
  atEnd(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  for (const [name, text] of Object.entries(files)) writeIn(directory, name, text);
  return directory;
}

/** Writes a file and the directories above it; returns its path. */
export function writeIn(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

let nextPort = (process.pid * 101) % PORT_COUNT;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORT_MIN + nextPort;
    nextPort = (nextPort + 1) % PORT_COUNT;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/**
 * Asks until the answer is neither undefined nor false, and returns it. What the asking throws
 * counts as a no, and is told when time runs out: `what` completes "waited 5.0 s in vain until …".
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<Exclude<T, undefined | false>> {
  const startMs = Date.now();
  let last = '';
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) {
        return answer as Exclude<T, undefined | false>;
      }
      last = '';
    } catch (error) {
      last = `; the last try: ${error instanceof Error ? error.message : String(error)}`;
    }
    await sleep(POLL_MS);
  } while (Date.now() - startMs < timeoutMs);
  throw new Error(`waited ${(timeoutMs / 1000).toFixed(1)} s in vain until ${what}${last}`);
}

export interface Program {
  readonly pid: number;
  /** Both outputs so far, as they came. */
  output(): string;
  readonly exited: Promise<Exit>;
  isRunning(): boolean;
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

/** Starts a program; it is killed at the end of the test file if it still runs. */
export function startProgram(
  command: string,
  args: readonly string[],
  directory: string = ROOT,
): Program {
  const child = spawn(command, args, {
    cwd: directory,
    env: { ...process.env, TYTO_NO_BUILD: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      output += `${error.message}\n`;
      children.delete(child);
      resolve({ code: -1, signal: null });
    });
  });
  const isRunning = () => children.has(child);
  const kill = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    const exit = await exited;
    clearTimeout(timer);
    return exit;
  };
  atEnd(() => (isRunning() ? kill('SIGKILL') : undefined));
  return { pid: child.pid ?? -1, output: () => output, exited, isRunning, kill };
}

export interface Run extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { directory?: string; input?: string; timeoutMs?: number } = {},
): Promise<Run> {
  const startMs = Date.now();
  const child = spawn(command, args, {
    cwd: options.directory ?? ROOT,
    env: { ...process.env, TYTO_NO_BUILD: '1' },
  });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends before it has read everything breaks the pipe; its exit code tells more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 15_000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ code, signal, stdout, stderr, elapsedMs: Date.now() - startMs });
    });
  });
}

/** Runs the `tyto` command to its end, which has to come soon. */
export function runTyto(args: readonly string[], directory: string = ROOT): Promise<Run> {
  return run(process.execPath, [BUNDLE, ...args], { directory, timeoutMs: RUN_MS_MAX });
}

export interface TytoOptions {
  /** The text of prometheus.yml; none for zero configuration. */
  readonly config?: string;
  readonly alertmanager?: string;
  /** Other files in the directory of the configuration. */
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** A given one is kept, for a second start on the same data. */
  readonly dataDirectory?: string;
  readonly port?: number;
}

export interface Tyto extends Program {
  /** Ends with a slash. */
  readonly baseUrl: string;
  readonly port: number;
  readonly directory: string;
  readonly dataDirectory: string;
  /** From the start of the process to the first 200 of /-/ready. */
  readonly readyMs: number;
  /** Writes prometheus.yml, without a reload. */
  writeConfig(text: string): void;
  get(path: string): Promise<Answer>;
  post(path: string, form?: Readonly<Record<string, string>>, headers?: Headers): Promise<Answer>;
  /** `data` of a GET below /api/v1/. Rejects for any other answer than success. */
  api(path: string): Promise<Envelope['data']>;
  /** The samples of an instant query. */
  query(expression: string): Promise<readonly InstantSample[]>;
  /** The value of the only series of an instant query; undefined for no series. */
  value(expression: string): Promise<number | undefined>;
  /** Kilobytes of memory that were resident at most. */
  peakMemoryKb(): number;
}

/** Starts Tyto and waits until it is ready. Rejects with its log where it does not get there. */
export async function startTyto(options: TytoOptions = {}): Promise<Tyto> {
  const directory = temporaryDirectory(options.files);
  const dataDirectory = options.dataDirectory ?? join(directory, 'data');
  const port = options.port ?? (await freePort());
  const writeConfig = (text: string) => void writeIn(directory, 'prometheus.yml', text);
  const args = [
    BUNDLE,
    'start',
    `--web.listen-address=127.0.0.1:${port}`,
    `--storage.tsdb.path=${dataDirectory}`,
  ];
  if (options.config !== undefined) {
    writeConfig(options.config);
    args.push(`--config.file=${join(directory, 'prometheus.yml')}`);
  }
  if (options.alertmanager !== undefined) {
    const path = writeIn(directory, 'alertmanager.yml', options.alertmanager);
    args.push(`--alertmanager.config.file=${path}`);
  }
  const startMs = Date.now();
  const program = startProgram(process.execPath, [...args, ...(options.args ?? [])], directory);
  const baseUrl = `http://127.0.0.1:${port}/`;
  await untilReady(program, baseUrl);
  const readyMs = Date.now() - startMs;
  return {
    ...program,
    ...client(baseUrl),
    baseUrl,
    port,
    directory,
    dataDirectory,
    readyMs,
    writeConfig,
    peakMemoryKb: () => peakMemoryKb(program.pid),
  };
}

async function untilReady(program: Program, baseUrl: string): Promise<void> {
  const endMs = Date.now() + READY_MS_MAX;
  while (Date.now() < endMs) {
    if (!program.isRunning()) break;
    try {
      if ((await fetch(`${baseUrl}-/ready`)).ok) return;
    } catch {
      // Nothing listens yet.
    }
    await sleep(10);
  }
  const state = program.isRunning() ? 'is not ready in time' : 'ended';
  await program.kill('SIGKILL');
  throw new Error(`Tyto ${state}; it said:\n${program.output()}`);
}

function client(baseUrl: string) {
  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(baseUrl + path.replace(/^\//, ''), init);
    const text = await response.text();
    let json: Envelope | undefined;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  };
  const api = async (path: string) => {
    const answer = await ask(`api/v1/${path}`);
    if (answer.status === 200 && answer.json?.status === 'success') return answer.json.data;
    throw new Error(`GET /api/v1/${path}: ${answer.status} ${answer.text}`);
  };
  const query = async (expression: string): Promise<readonly InstantSample[]> =>
    (await api(`query?query=${encodeURIComponent(expression)}`)).result;
  return {
    get: (path: string) => ask(path),
    post: (path: string, form?: Readonly<Record<string, string>>, headers?: Headers) =>
      ask(path, {
        method: 'POST',
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
        ...(headers === undefined ? {} : { headers }),
      }),
    api,
    query,
    value: async (expression: string): Promise<number | undefined> => {
      const found = await query(expression);
      if (found.length > 1) throw new Error(`${expression} has ${found.length} series, not one`);
      return found.length === 0 ? undefined : Number(found[0].value[1]);
    },
  };
}

function peakMemoryKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new Error(`no VmHWM of process ${pid}`);
  return Number(match[1]);
}

/** A file of the seed configurations; undefined, and said so, where they are missing. */
export function seedPath(name: string): string | undefined {
  const given = process.env.TYTO_SHARED ?? '';
  const candidates = given === '' ? [] : [given];
  for (let at = ROOT; at !== dirname(at); at = dirname(at)) candidates.push(join(at, 'shared'));
  return whereIs(
    candidates.map((directory) => join(directory, 'fixtures/seed-configs', name)),
    `${name}; set TYTO_SHARED to the shared data`,
  );
}

/** A program of the machine; undefined, and said so, where it is missing. */
export function programPath(name: string): string | undefined {
  const directories = (process.env.PATH ?? '').split(':').concat('/usr/bin');
  return whereIs(
    directories.map((directory) => join(directory, name)),
    `the program ${name}`,
  );
}

function whereIs(candidates: readonly string[], what: string): string | undefined {
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) process.stdout.write(`SKIPPED: there is no ${what}\n`);
  return found;
}
