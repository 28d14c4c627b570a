/**
 * The engine's process, watched: started on first use, started again with growing pauses when it
 * dies, ended with the server. Its death costs the queries that it ran, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, type Logger, TytoError } from '@tyto/base';
import type { EngineArguments } from './engine/arguments.ts';

export interface EngineProcessOptions {
  readonly directory: string;
  readonly script: URL;
  readonly memoryBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Unix sockets have short names, 104 bytes on macOS. */
const SOCKET_PATH_BYTES_MAX = 100;
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 2000;
/** After one that had answered: a query that kills it is rarer than a user who waits. */
const PAUSE_AFTER_UP_MS_MAX = 1000;
/** A process that lived so long was well, and the next pause is the shortest again. */
const WELL_MS = 30_000;
/** Requests wait so long for an engine that is on its way. */
const WAIT_MS = 5000;
/** `engine/main.ts` ends so when it can't open its data, or has no chDB. */
const EXIT_UNUSABLE = 3;
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 5000;
const MESSAGE_LENGTH_MAX = 4000;
/** The engine needs no secrets of the server's. Each query that runs keeps a thread. */
const ENVIRONMENT = { UV_THREADPOOL_SIZE: '32' };

export class EngineProcess {
  readonly #options: EngineProcessOptions;
  readonly socketPath: string;
  readonly #temporary: string | undefined;
  #child: ChildProcess | undefined;
  #isReady = false;
  #isClosed = false;
  #pauseMs = PAUSE_MS_MIN;
  #message = '';
  #waiting: { resolve: () => void; reject: (error: TytoError) => void }[] = [];
  #starts = 0;
  /** Whether a start is under way, or planned after a pause. */
  #isComing = false;
  #isUnusable = false;
  /** An engine that can't start is not tried more often than its pauses allow. */
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    const socketPath = join(resolve(options.directory), 'engine.sock');
    if (Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES_MAX) {
      this.#temporary = mkdtempSync(join(tmpdir(), 'tyto-'));
    }
    this.socketPath =
      this.#temporary === undefined ? socketPath : join(this.#temporary, 'engine.sock');
  }

  get pid(): number | undefined {
    return this.#isReady ? this.#child?.pid : undefined;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Resolves when it answers; rejects with `unavailable` when that takes long or can't be. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    if (this.#isClosed) throw new TytoError('unavailable', 'the log store is closed');
    const { clock } = this.#options;
    if (this.#child === undefined && !this.#isComing) {
      if (clock.monotonicMs() < this.#notBeforeMs) throw this.#unavailable();
      void this.#start();
    }
    await new Promise<void>((resolve, reject) => {
      const timer = clock.schedule(WAIT_MS, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(this.#unavailable());
      });
      const waiter = {
        resolve: () => {
          timer.cancel();
          resolve();
        },
        reject: (error: TytoError) => {
          timer.cancel();
          reject(error);
        },
      };
      this.#waiting.push(waiter);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settle(new TytoError('unavailable', 'the log store is closed'));
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      const timer = this.#options.clock.schedule(STOP_MS_MAX, () => child.kill('SIGKILL'));
      await ended;
      timer.cancel();
    }
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true });
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    this.#starts++;
    this.#isComing = true;
    const { directory, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#message = '';
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const isTaken = await isAnswering(this.socketPath);
    if (this.#isClosed) return;
    if (isTaken) {
      this.#message = `another process uses ${directory}`;
      this.#again(startedMs, false);
    } else this.#spawn(startedMs);
  }

  #spawn(startedMs: number): void {
    const { directory, script, memoryBytes, logger, clock } = this.#options;
    const { socketPath } = this;
    const given: EngineArguments = { directory: resolve(directory), socketPath, memoryBytes };
    const child = spawn(process.execPath, [fileURLToPath(script), JSON.stringify(given)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: ENVIRONMENT,
    });
    this.#child = child;
    const timer = clock.schedule(START_MS_MAX, () => child.kill('SIGKILL'));
    child.stdin.on('error', () => undefined);
    child.stdout.once('data', () => {
      timer.cancel();
      this.#isReady = true;
      logger.info('the log store is up', { pid: child.pid });
      this.#settle(undefined);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#message = (this.#message + text).slice(-MESSAGE_LENGTH_MAX);
    });
    child.once('error', (error) => {
      this.#message = error.message;
      timer.cancel();
      this.#ended(child, startedMs);
    });
    child.once('exit', (code, signal) => {
      timer.cancel();
      this.#isUnusable = code === EXIT_UNUSABLE;
      if (!this.#isClosed) {
        const reason = this.#message.trim();
        logger.error('the log store ended', { pid: child.pid, code, signal, reason });
      }
      this.#ended(child, startedMs);
    });
  }

  #ended(child: ChildProcess, startedMs: number): void {
    if (this.#child !== child) return;
    const wasUp = this.#isReady;
    this.#child = undefined;
    this.#isReady = false;
    if (!this.#isClosed) this.#again(startedMs, wasUp);
  }

  #again(startedMs: number, wasUp: boolean): void {
    const { clock } = this.#options;
    if (clock.monotonicMs() - startedMs >= WELL_MS) this.#pauseMs = PAUSE_MS_MIN;
    const pauseMs = Math.min(this.#pauseMs, wasUp ? PAUSE_AFTER_UP_MS_MAX : PAUSE_MS_MAX);
    this.#pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2);
    if (this.#isUnusable) {
      // Nothing but an administrator helps: who waits is told why, and who asks next tries again.
      this.#isComing = false;
      this.#notBeforeMs = clock.monotonicMs() + pauseMs;
      this.#settle(this.#unavailable());
      return;
    }
    this.#isComing = true;
    clock.schedule(pauseMs, () => {
      if (!this.#isClosed && this.#child === undefined) void this.#start();
    });
  }

  #settle(error: TytoError | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve, reject } of waiting) error === undefined ? resolve() : reject(error);
  }

  #unavailable(): TytoError {
    const reason = this.#message.trim();
    const text = reason === '' ? 'the log store is starting; try again' : `log store: ${reason}`;
    return new TytoError('unavailable', text);
  }
}

/** Whether a process listens at the socket: the engine of another server, or one that is ending. */
async function isAnswering(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
