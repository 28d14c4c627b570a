/**
 * The log's writer: records go out in batches, in order, to numbered segments.
 *
 * A promise of `append` resolves when its record was handed to the operating system: it survives
 * the death of the process. Every `fsyncIntervalMs` the file is forced to the disk, which is what
 * a power cut may cost. When the disk refuses a write, the torn part is cut off again, the records
 * stay queued and are retried with the next append or after a second; their promises reject, so
 * nobody takes them for acknowledged.
 */
import { type Clock, errorMessage, type Logger, type Timer, TytoError } from '@tyto/base';
import type { AppendFile, Disk } from '../disk.ts';
import { segmentPath } from '../filenames.ts';
import { LOG_PENDING_BYTES_MAX, LOG_SEGMENT_BYTES } from '../limits.ts';
import { compressRecord, SEGMENT_MAGIC } from './frame.ts';

export interface LogWriterOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly directory: string;
  readonly firstSegment: number;
  readonly fsyncIntervalMs: number;
}

interface QueuedRecord {
  readonly bytes: Uint8Array;
  /** Undefined once the waiter was told of a failure; the record is written all the same. */
  settle: { resolve(): void; reject(error: unknown): void } | undefined;
}

const RETRY_MS = 1000;

export class LogWriter {
  /** Whether records are compressed from now on. */
  compresses = false;
  readonly #options: LogWriterOptions;
  #file: AppendFile | undefined;
  #segment: number;
  #segmentBytes = 0;
  #queue: QueuedRecord[] = [];
  #queuedBytes = 0;
  #flushing: Promise<void> | undefined;
  #fsyncTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #dirty = false;
  #closed = false;
  #writtenBytes = 0;
  #failures = 0;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#segment = options.firstSegment;
  }

  /** The number of the segment that is written to. */
  get segment(): number {
    return this.#segment;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Whether another batch may come; false while a slow or full disk holds too much up. */
  get acceptsMore(): boolean {
    return !this.#closed && this.#queuedBytes < LOG_PENDING_BYTES_MAX;
  }

  /** Queues a record; see above for what the promise means. */
  append(record: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new TytoError('unavailable', 'the log is closed'));
    const bytes = this.compresses ? compressRecord(record) : record;
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, settle: { resolve, reject } });
      this.#queuedBytes += bytes.length;
      this.#flush();
    });
  }

  /** Begins a new segment behind all that is queued; resolves with its number. */
  async rotate(): Promise<number> {
    await this.#drain();
    // What waits for the disk must not land in a segment of which it is not known.
    if (this.#queue.length > 0) throw new TytoError('io', 'the log waits for the disk');
    await this.#closeFile();
    return this.#segment;
  }

  /** Forces what was written to the disk. */
  async sync(): Promise<void> {
    await this.#drain();
    if (!this.#dirty || this.#file === undefined) return;
    this.#dirty = false;
    await this.#file.sync();
  }

  async close(): Promise<void> {
    this.#retryTimer?.cancel();
    await this.#drain();
    this.#closed = true;
    this.#fsyncTimer?.cancel();
    this.#retryTimer?.cancel();
    await this.#closeFile();
  }

  async #drain(): Promise<void> {
    if (this.#queue.length > 0) this.#flush();
    await this.#flushing;
  }

  #flush(): void {
    if (this.#flushing !== undefined) return;
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    this.#flushing = this.#writeQueue().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #writeQueue(): Promise<void> {
    while (this.#queue.length > 0) {
      // Let the other appends of this turn join the batch.
      await Promise.resolve();
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#write(batch);
      } catch (error) {
        this.#refuse(batch, error);
        return;
      }
      for (const { bytes, settle } of batch) {
        this.#queuedBytes -= bytes.length;
        settle?.resolve();
      }
    }
  }

  async #write(batch: readonly QueuedRecord[]): Promise<void> {
    if (this.#segmentBytes >= LOG_SEGMENT_BYTES) await this.#closeFile();
    const file = this.#file ?? (await this.#openFile());
    const bytes = batch.length === 1 ? batch[0].bytes : Buffer.concat(batch.map((r) => r.bytes));
    try {
      await file.write(bytes);
    } catch (error) {
      // Where the torn part cannot be cut off, the segment ends with it: what is written behind it
      // would be cut off by the next repair.
      await file.truncate(this.#segmentBytes).catch(() => this.#closeFile());
      throw error;
    }
    this.#segmentBytes += bytes.length;
    this.#writtenBytes += bytes.length;
    this.#dirty = true;
    this.#scheduleSync();
  }

  /** One after the other: a disk that is slow to force things gets no pile of them. */
  #scheduleSync(): void {
    this.#fsyncTimer ??= this.#options.clock.schedule(this.#options.fsyncIntervalMs, () => {
      void this.#syncInBackground().finally(() => {
        this.#fsyncTimer = undefined;
        if (this.#dirty && !this.#closed) this.#scheduleSync();
      });
    });
  }

  #refuse(batch: readonly QueuedRecord[], cause: unknown): void {
    this.#failures++;
    const { logger, clock } = this.#options;
    logger.error('cannot write the log; samples wait in memory', { error: errorMessage(cause) });
    const message = `cannot write the log: ${errorMessage(cause)}`;
    for (const record of batch) {
      record.settle?.reject(new TytoError('io', message, { cause }));
      record.settle = undefined;
    }
    this.#queue = [...batch, ...this.#queue];
    for (const record of this.#queue) {
      record.settle?.reject(new TytoError('io', message, { cause }));
      record.settle = undefined;
    }
    if (!this.#closed) this.#retryTimer ??= clock.schedule(RETRY_MS, () => this.#flush());
  }

  async #openFile(): Promise<AppendFile> {
    const { disk, directory } = this.#options;
    const path = segmentPath(directory, this.#segment);
    const file = await disk.openAppend(path);
    try {
      // An earlier attempt may have left part of the magic behind.
      await file.truncate(0);
      await file.write(SEGMENT_MAGIC);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#segmentBytes = SEGMENT_MAGIC.length;
    this.#file = file;
    await disk.syncDirectory(directory);
    return file;
  }

  /** Ends the segment. Whatever fails, it is never opened again: opening a segment empties it. */
  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#segmentBytes = 0;
    if (file === undefined) return;
    this.#segment++;
    try {
      await file.sync();
    } finally {
      this.#dirty = false;
      await file.close();
    }
  }

  async #syncInBackground(): Promise<void> {
    const file = this.#file;
    if (!this.#dirty || file === undefined) return;
    this.#dirty = false;
    try {
      await file.sync();
    } catch (error) {
      // A rotation closes the file under us after syncing it itself.
      if (file !== this.#file) return;
      this.#dirty = true;
      this.#options.logger.error('cannot force the log to the disk', {
        error: errorMessage(error),
      });
    }
  }
}
