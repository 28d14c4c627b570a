/**
 * Threads that decode what wide queries read, and the memory into which they do. They are started
 * by the first need and work on what they are given until `renew` or `close` ends them. Whatever
 * befalls a thread, its tasks end unanswered, and who asked reads by himself.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import { READ_BYTES_MAX, READ_TASK_SAMPLES, READER_RETRY_MS, READERS_MAX } from '../limits.ts';
import { type ReadAnswer, type ReadPlan, type ReadTask, SAMPLE_BYTES } from './readPlan.ts';
import type { ScanAnswer, ScanTask } from './scanTask.ts';

export type ReaderTask = ReadTask | ScanTask;
type Answer = ReadAnswer | ScanAnswer;

export interface ReaderOptions {
  /** The address of `readerThread.ts` as JavaScript in one file. */
  readonly script: URL;
  /** Threads; by default as many as there are processors, at most READERS_MAX. */
  readonly count?: number;
  /** For tests: smaller tasks need less data. Default READ_TASK_SAMPLES. */
  readonly taskSamples?: number;
}

type Answered = (answer: Answer | undefined) => void;

interface Reader {
  readonly worker: Worker;
  readonly tasks: Map<number, Answered>;
  isReady: boolean;
  hasAnswered: boolean;
  /** Ends when its tasks are done. */
  isRetired: boolean;
  isEnding: boolean;
}

export class ReaderPool {
  readonly taskSamples: number;
  readonly #options: ReaderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #count: number;
  /** Memory that nobody uses. */
  readonly #free: SharedArrayBuffer[] = [];
  #bufferCount = 0;
  #readers: Reader[] = [];
  #tasksBegun = 0;
  #tasksAnswered = 0;
  #restartMs = -Infinity;
  #isClosed = false;

  constructor(options: ReaderOptions, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#count = options.count ?? Math.min(READERS_MAX, availableParallelism());
    this.taskSamples = options.taskSamples ?? READ_TASK_SAMPLES;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of memory for results, in use or not. */
  get bytes(): number {
    return this.#bufferCount * this.#bufferBytes;
  }

  get tasksAnswered(): number {
    return this.#tasksAnswered;
  }

  /** Whether a thread takes tasks now. Starts threads where there are none. */
  isReady(): boolean {
    if (this.#readers.some(({ isReady, isRetired }) => isReady && !isRetired)) return true;
    const isStarting = this.#readers.some(({ isRetired }) => !isRetired);
    if (this.#isClosed || isStarting || this.#clock.monotonicMs() < this.#restartMs) return false;
    for (let i = 0; i < this.#count; i++) this.#start();
    return false;
  }

  /** Memory for a task; undefined while all of it is in use. It is given back with `release`. */
  acquire(): SharedArrayBuffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.bytes + this.#bufferBytes > READ_BYTES_MAX) return undefined;
    this.#bufferCount++;
    return new SharedArrayBuffer(this.#bufferBytes);
  }

  release(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer);
  }

  /**
   * Decodes a plan into `target`, which is the thread's until this resolves. Resolves with
   * undefined where no thread was there or it died; never rejects.
   */
  read(
    plan: ReadPlan,
    slotCount: number,
    target: SharedArrayBuffer,
  ): Promise<ReadAnswer | undefined> {
    const { files, pages } = plan;
    const words = plan.words();
    return this.#ask((id) => ({ id, plan: words, slotCount, files, pages, target }));
  }

  /** Computes columns into the task's target. As `read`. */
  scan(task: Omit<ScanTask, 'id'>): Promise<ScanAnswer | undefined> {
    return this.#ask((id) => ({ ...task, id }));
  }

  /** Files or pages are gone: threads that hold them end, and new ones come when needed. */
  renew(): void {
    for (const reader of this.#readers) {
      reader.isRetired = true;
      endIfIdle(reader);
    }
  }

  /** Ends all threads; tasks that are under way resolve with undefined. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#readers.map(({ worker }) => worker.terminate()));
    this.#free.length = 0;
  }

  get #bufferBytes(): number {
    return this.taskSamples * SAMPLE_BYTES;
  }

  /** The answer of the idlest reader to a task with the given id. */
  #ask<A extends Answer>(taskOf: (id: number) => ReaderTask): Promise<A | undefined> {
    const reader = this.#idlest();
    if (reader === undefined) return Promise.resolve(undefined);
    const id = this.#tasksBegun++;
    return new Promise((resolve) => {
      // What is waited for keeps the process alive, idle threads do not.
      if (reader.tasks.size === 0) reader.worker.ref();
      reader.tasks.set(id, resolve as Answered);
      reader.worker.postMessage(taskOf(id));
    });
  }

  #idlest(): Reader | undefined {
    let idlest: Reader | undefined;
    for (const reader of this.#readers) {
      if (!reader.isReady || reader.isRetired) continue;
      if (idlest === undefined || reader.tasks.size < idlest.tasks.size) idlest = reader;
    }
    return idlest;
  }

  #start(): void {
    let worker: Worker;
    try {
      worker = new Worker(this.#options.script, {
        name: 'reader',
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
      });
    } catch (error) {
      this.#noteFailure(error, false);
      return;
    }
    const reader: Reader = {
      worker,
      tasks: new Map(),
      isReady: false,
      hasAnswered: false,
      isRetired: false,
      isEnding: false,
    };
    this.#readers.push(reader);
    worker.unref();
    let failure: unknown;
    worker.on('message', (message: 'ready' | Answer) => {
      if (message === 'ready') reader.isReady = true;
      else this.#answer(reader, message);
    });
    worker.on('messageerror', (error: unknown) => {
      failure = error;
      void worker.terminate();
    });
    worker.on('error', (error: unknown) => {
      failure = error;
    });
    worker.on('exit', (code) => {
      this.#readers = this.#readers.filter((other) => other !== reader);
      if (!reader.isRetired && !this.#isClosed) {
        this.#noteFailure(failure ?? new Error(`exit code ${code}`), reader.hasAnswered);
      }
      // Only now is it sure that nothing is written any more.
      for (const answered of reader.tasks.values()) answered(undefined);
      reader.tasks.clear();
    });
  }

  #answer(reader: Reader, answer: Answer): void {
    const answered = reader.tasks.get(answer.id);
    reader.tasks.delete(answer.id);
    if (reader.tasks.size === 0) reader.worker.unref();
    this.#tasksAnswered++;
    reader.hasAnswered = true;
    answered?.(answer);
    endIfIdle(reader);
  }

  #noteFailure(error: unknown, wasUseful: boolean): void {
    if (!wasUseful) {
      const nowMs = this.#clock.monotonicMs();
      // What hinders one hinders all: it is told once.
      if (nowMs < this.#restartMs) return;
      this.#restartMs = nowMs + READER_RETRY_MS;
    }
    this.#logger.error('a thread that reads samples ended; the main thread reads meanwhile', {
      error: errorMessage(error),
    });
  }
}

function endIfIdle(reader: Reader): void {
  if (!reader.isRetired || reader.isEnding || reader.tasks.size > 0) return;
  reader.isEnding = true;
  void reader.worker.terminate();
}
