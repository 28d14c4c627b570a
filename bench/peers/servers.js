/** The servers that are compared: how each is started, where its data lies, how it is stopped. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from './client.js';
import { ProcessMeter } from './processes.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const TYTO = join(ROOT, 'packages/server/bin/tyto.js');

const READY_MS_MAX = 300_000;
const READY_POLL_MS = 10;
const STOP_MS_MAX = 300_000;
/** How much of what a server says is kept for the message of a failure. */
const OUTPUT_CHARACTERS_MAX = 20_000;

/**
 * @typedef {object} ServerKind
 * @property {string} name
 * @property {readonly string[]} logNames directories of the write-ahead log
 * @property {(place: Place) => string[] | undefined} command undefined: it is not installed
 *
 * @typedef {object} Place
 * @property {string} dataDirectory
 * @property {string} configPath
 * @property {number} port
 */

function installed(name) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin'];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}

/** @type {readonly ServerKind[]} */
export const SERVER_KINDS = [
  {
    name: 'tyto',
    logNames: ['log'],
    command: ({ dataDirectory, configPath, port }) => [
      process.execPath,
      TYTO,
      'start',
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${dataDirectory}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  },
  {
    name: 'prometheus',
    logNames: ['wal', 'wbl'],
    command: ({ dataDirectory, configPath, port }) => {
      const program = installed('prometheus');
      if (program === undefined) return undefined;
      return [
        program,
        `--config.file=${configPath}`,
        `--storage.tsdb.path=${dataDirectory}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-remote-write-receiver',
      ];
    },
  },
  {
    name: 'victoria-metrics',
    logNames: [],
    command: ({ dataDirectory, configPath, port }) => {
      const program = installed('victoria-metrics');
      if (program === undefined) return undefined;
      return [
        program,
        `-promscrape.config=${configPath}`,
        `-storageDataPath=${dataDirectory}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        '-retentionPeriod=100y',
        '-search.disableCache',
        '-search.latencyOffset=1ms',
        '-search.maxUniqueTimeseries=5000000',
        '-search.maxSeries=5000000',
        '-search.maxTagValues=5000000',
        '-search.maxQueryDuration=2m',
      ];
    },
  },
];

/** Those that take alerts and notify; their configuration is an alertmanager.yml. */
export const ALERT_SERVER_KINDS = [
  {
    name: 'tyto',
    logNames: [],
    command: ({ dataDirectory, configPath, port }) => [
      process.execPath,
      TYTO,
      'start',
      `--config.file=${join(dirname(configPath), EMPTY)}`,
      `--alertmanager.config.file=${configPath}`,
      `--storage.tsdb.path=${dataDirectory}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  },
  {
    name: 'alertmanager',
    logNames: [],
    command: ({ dataDirectory, configPath, port }) => {
      const program = installed('prometheus-alertmanager');
      if (program === undefined) return undefined;
      return [
        program,
        `--config.file=${configPath}`,
        `--storage.path=${dataDirectory}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ];
    },
  },
];

/** Servers that run, and directories that exist: none outlives this process. */
const running = new Set();
const directories = new Set();

export function killServers() {
  for (const child of running) child.kill('SIGKILL');
}

export function cleanUp() {
  killServers();
  for (const directory of directories) {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  }
  directories.clear();
}

/** A new directory, gone at the end or by `removeDirectory`. */
export function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-bench-'));
  directories.add(directory);
  return directory;
}

/** @param {string} directory */
export function removeDirectory(directory) {
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
  directories.delete(directory);
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

const NO_TARGETS = 'scrape_configs: []\n';
/** A file beside the configuration that names no targets. */
const EMPTY = 'empty.yml';

/** One server on one data directory; after a kill it may be started again. */
export class Server {
  kind;
  directory;
  port = 0;
  #child;
  #exited;
  #meter;
  #output = '';

  /**
   * @param {ServerKind} kind
   * @param {string} [config] prometheus.yml; none: nothing is scraped
   */
  constructor(kind, config = NO_TARGETS) {
    this.kind = kind;
    this.directory = temporaryDirectory();
    mkdirSync(this.dataDirectory);
    writeFileSync(this.#configPath, config);
    writeFileSync(join(this.directory, EMPTY), NO_TARGETS);
  }

  get dataDirectory() {
    return join(this.directory, 'data');
  }

  get #configPath() {
    return join(this.directory, 'prometheus.yml');
  }

  /** @returns {ProcessMeter} of the process that runs */
  get meter() {
    if (this.#meter === undefined) throw new Error(`${this.kind.name} was not started`);
    return this.#meter;
  }

  /**
   * Resolves with the milliseconds from the start of the process to the first 200 of /-/ready.
   * @returns {Promise<number>}
   */
  async start() {
    if (this.port === 0) this.port = await freePort();
    const place = {
      dataDirectory: this.dataDirectory,
      configPath: this.#configPath,
      port: this.port,
    };
    const command = this.kind.command(place);
    if (command === undefined) throw new Error(`${this.kind.name} is not installed`);
    const startMs = performance.now();
    const child = spawn(command[0], command.slice(1), {
      cwd: this.directory,
      env: { ...process.env, TYTO_NO_BUILD: '1', NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.#output = (this.#output + text).slice(-OUTPUT_CHARACTERS_MAX);
      });
    }
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('close', resolve);
      child.once('error', resolve);
    }).then(() => running.delete(child));
    this.#meter = new ProcessMeter(child.pid ?? -1);
    while (performance.now() - startMs < READY_MS_MAX) {
      if (!running.has(child)) break;
      const status = await ask(this.port, '/-/ready').then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) return performance.now() - startMs;
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    await this.stop('SIGKILL');
    throw new Error(`${this.kind.name} did not become ready; it said:\n${this.output}`);
  }

  /** The last that it said. */
  get output() {
    return this.#output;
  }

  get isRunning() {
    return this.#child !== undefined && running.has(this.#child);
  }

  /**
   * Resolves with the milliseconds that it took to end.
   * @param {NodeJS.Signals} [signal]
   */
  async stop(signal = 'SIGTERM') {
    const startMs = performance.now();
    this.#meter?.stop();
    this.#child?.kill(signal);
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS_MAX);
    await this.#exited;
    clearTimeout(timer);
    return performance.now() - startMs;
  }

  /** Ends it at once, whatever it is at, and removes its directory. */
  async remove() {
    await this.stop('SIGKILL');
    removeDirectory(this.directory);
  }
}
