/**
 * A queue of records on disk: numbered segments, written at the end, deleted at the front. What was
 * handed to the operating system survives the death of the process; every `fsyncIntervalMs` it is
 * forced to the disk. A start always begins a new segment, so nothing is written behind a torn
 * record.
 *
 * Each segment can be read without the others: whoever writes asks for its number first
 * (`prepare`), and repeats in it what a reader has to know. Beyond `bytesMax` the oldest segments
 * are deleted unread.
 */
import { join } from 'node:path';
import { type Clock, errorMessage, type Logger, must, type Timer } from '@tyto/base';
import type { AppendFile, Disk } from '@tyto/tsdb';
import { SEGMENT_BYTES, SEGMENTS_MIN, WAITING_BYTES_MAX } from '../limits.ts';
import { frameRecord, HEADER_BYTES, segmentHeader } from './frame.ts';
import { SegmentReader } from './segmentReader.ts';

export interface DiskQueueOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly directory: string;
  readonly bytesMax: number;
  readonly fsyncIntervalMs: number;
}

interface Segment {
  readonly number: number;
  readonly firstSample: number;
  /** With what still waits to be written. */
  bytes: number;
  /** What may be read. */
  written: number;
}

interface Waiting {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
  readonly samples: number;
  /** The number of the sample behind it. */
  readonly endSample: number;
  /** Called once the record was written, or could not be at the first try. */
  settle: (() => void) | undefined;
}

const RETRY_MS = 1000;

export class DiskQueue {
  readonly #options: DiskQueueOptions;
  readonly #segmentBytes: number;
  #segments: Segment[];
  /** The samples that were appended since the queue began. */
  #sampleCount: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #file: { readonly segment: Segment; readonly file: AppendFile } | undefined;
  #writing: Promise<void> | undefined;
  /** Whose records are being written. */
  #inFlight: Segment | undefined;
  #syncTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #isDirty = false;
  #isClosed = false;
  /** Samples that were dropped because the queue was full or the disk took nothing. */
  dropped = 0;
  /** Writes that the disk refused. */
  failures = 0;
  /** Records and segments that could not be read. */
  damages = 0;
  /** The number of the first sample that nobody has sent yet; the sender keeps it. */
  sentSample = 0;
  /** The number of the sample behind those that can be read. */
  writtenSample = 0;
  /** Called when there is more to read. */
  onWritten: () => void = () => {};

  private constructor(options: DiskQueueOptions, segments: Segment[], sampleCount: number) {
    this.#options = options;
    this.#segments = segments;
    this.#sampleCount = sampleCount;
    this.writtenSample = sampleCount;
    this.#segmentBytes = Math.min(SEGMENT_BYTES, Math.ceil(options.bytesMax / SEGMENTS_MIN));
  }

  /** Opens a directory, creating it when needed. Rejects with the system's error. */
  static async open(options: DiskQueueOptions): Promise<DiskQueue> {
    const { disk, directory, logger } = options;
    await disk.makeDirectory(directory);
    const segments: Segment[] = [];
    for (const name of await disk.list(directory)) {
      if (!/^\d{10}\.segment$/.test(name)) continue;
      const path = join(directory, name);
      const bytes = await disk.size(path);
      const reader = new SegmentReader(disk, path, () => {});
      reader.open();
      const number = Number(name.slice(0, 10));
      segments.push({ number, firstSample: reader.sampleNumber, bytes, written: bytes });
      reader.close();
    }
    let sampleCount = 0;
    // A crash may leave a segment without a header; the one before it knows the count then.
    for (const { number, written } of segments.slice(-2)) {
      const reader = new SegmentReader(disk, join(directory, segmentName(number)), () => {});
      while (reader.next(written) !== undefined);
      sampleCount = Math.max(sampleCount, reader.sampleNumber);
      reader.close();
    }
    if (segments.length > 0) {
      logger.info('a queue of remote write was found', {
        directory,
        segments: segments.length,
        bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
      });
    }
    const queue = new DiskQueue(options, segments, sampleCount);
    queue.#begin();
    queue.#shrink();
    return queue;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Samples that wait to be sent. */
  get pending(): number {
    return Math.max(0, this.#sampleCount - this.sentSample);
  }

  get firstSegment(): number {
    return this.#segments[0].number;
  }

  /** The number of the segment that the next record goes to. */
  prepare(): number {
    if (this.#current.bytes >= this.#segmentBytes) this.#begin();
    return this.#current.number;
  }

  /** Appends to the segment that `prepare` named. Never rejects. */
  append(payload: Uint8Array, samples: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const bytes = frameRecord(payload, samples);
    this.#sampleCount += samples;
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) this.#dropWaiting();
    const segment = this.#current;
    segment.bytes += bytes.length;
    this.#waitingBytes += bytes.length;
    const done = new Promise<void>((resolve) => {
      const endSample = this.#sampleCount;
      this.#waiting.push({ segment, bytes, samples, endSample, settle: resolve });
    });
    this.#write();
    this.#shrink();
    return done;
  }

  /** Opens a segment for reading; `end` tells how far. */
  read(number: number): SegmentReader {
    const path = join(this.#options.directory, segmentName(number));
    const reader = new SegmentReader(this.#options.disk, path, (problem) => {
      this.damages++;
      this.#options.logger.error('a segment of a remote write queue is damaged', {
        path,
        problem,
      });
    });
    const segment = this.#segments.find((known) => known.number === number);
    reader.sampleNumber = segment?.firstSample ?? 0;
    return reader;
  }

  /** Where the readable part of a segment ends. */
  end(number: number): number {
    return this.#segments.find((segment) => segment.number === number)?.written ?? 0;
  }

  /** The segment behind this one, once nothing more will be written to this one. */
  after(number: number): number | undefined {
    const isOpen = (segment: Segment | undefined) =>
      segment !== undefined && segment.number <= number;
    if (isOpen(this.#inFlight) || this.#waiting.some(({ segment }) => isOpen(segment))) {
      return undefined;
    }
    return this.#segments.find((segment) => segment.number > number)?.number;
  }

  /** Deletes the segments before this one: all that is in them was sent. */
  release(number: number): void {
    while (this.#segments.length > 1 && this.#segments[0].number < number) this.#removeFirst();
  }

  async close(): Promise<void> {
    this.#retryTimer?.cancel();
    if (this.#waiting.length > 0) this.#write();
    await this.#writing;
    this.#isClosed = true;
    this.#syncTimer?.cancel();
    this.#retryTimer?.cancel();
    await this.#closeFile();
  }

  /** Closes the queue and deletes all of it. */
  async destroy(): Promise<void> {
    this.#waiting = [];
    await this.close();
    await this.#options.disk.remove(this.#options.directory);
  }

  get #current(): Segment {
    return must(this.#segments.at(-1), 'there is always a segment');
  }

  #begin(): void {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const firstSample = this.#sampleCount;
    this.#segments.push({ number, firstSample, bytes: HEADER_BYTES, written: 0 });
  }

  #shrink(): void {
    let bytes = this.bytes;
    while (bytes > this.#options.bytesMax && this.#segments.length > 1) {
      const [{ firstSample, number, bytes: gone }, next] = this.#segments;
      const lost = next.firstSample - Math.max(firstSample, this.sentSample);
      if (lost > 0) {
        this.#options.logger.error(
          'a remote write queue is full; its oldest samples were dropped unsent',
          { directory: this.#options.directory, segment: number, samples: lost },
        );
        this.dropped += lost;
        this.sentSample = next.firstSample;
      }
      this.#removeFirst();
      bytes -= gone;
    }
  }

  #removeFirst(): void {
    const [first] = this.#segments.splice(0, 1);
    this.#waiting = this.#waiting.filter(({ segment, bytes, settle }) => {
      if (segment !== first) return true;
      this.#waitingBytes -= bytes.length;
      settle?.();
      return false;
    });
    const { disk, directory, logger } = this.#options;
    const path = join(directory, segmentName(first.number));
    disk.remove(path).catch((error: unknown) => {
      logger.warn('a sent segment of remote write stays', { path, error: errorMessage(error) });
    });
  }

  /** Gives up what waits: the disk has taken nothing for too long. */
  #dropWaiting(): void {
    let lost = 0;
    for (const { samples, settle, segment, bytes } of this.#waiting) {
      lost += samples;
      segment.bytes -= bytes.length;
      settle?.();
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.dropped += lost;
    this.#options.logger.error('the disk takes no more of a remote write queue; samples are lost', {
      directory: this.#options.directory,
      samples: lost,
    });
    // Later records may build on what was lost: a new segment repeats it.
    this.#begin();
  }

  #write(): void {
    if (this.#writing !== undefined) return;
    this.#retryTimer?.cancel();
    this.#retryTimer = undefined;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Let the other appends of this turn join.
      await Promise.resolve();
      const segment = this.#waiting.at(0)?.segment;
      if (segment === undefined) return;
      const other = this.#waiting.findIndex((waiting) => waiting.segment !== segment);
      const batch = this.#waiting.splice(0, other < 0 ? this.#waiting.length : other);
      this.#inFlight = segment;
      try {
        await this.#writeBatch(segment, Buffer.concat(batch.map(({ bytes }) => bytes)));
      } catch (error) {
        this.#refused(batch, error);
        return;
      } finally {
        this.#inFlight = undefined;
      }
      for (const { bytes, settle, endSample } of batch) {
        this.#waitingBytes -= bytes.length;
        this.writtenSample = endSample;
        settle?.();
      }
      this.onWritten();
    }
  }

  async #writeBatch(segment: Segment, bytes: Uint8Array): Promise<void> {
    if (this.#file?.segment !== segment) {
      await this.#closeFile();
      const { disk, directory } = this.#options;
      const file = await disk.openAppend(join(directory, segmentName(segment.number)));
      this.#file = { segment, file };
    }
    const { file } = must(this.#file, 'it was opened');
    const header = segment.written === 0 ? segmentHeader(segment.firstSample) : new Uint8Array(0);
    try {
      await file.write(header.length === 0 ? bytes : Buffer.concat([header, bytes]));
    } catch (error) {
      await file.truncate(segment.written).catch(() => this.#abandon(segment));
      throw error;
    }
    segment.written += header.length + bytes.length;
    this.#isDirty = true;
    this.#syncTimer ??= this.#options.clock.schedule(this.#options.fsyncIntervalMs, () => {
      this.#syncTimer = undefined;
      void this.#sync();
    });
  }

  /** A torn record that cannot be cut off is the end of its segment. */
  #abandon(segment: Segment): void {
    if (this.#current === segment) this.#begin();
  }

  #refused(batch: Waiting[], error: unknown): void {
    this.failures++;
    this.#options.logger.error('a remote write queue cannot be written', {
      directory: this.#options.directory,
      error: errorMessage(error),
    });
    for (const waiting of batch) {
      waiting.settle?.();
      waiting.settle = undefined;
    }
    if (this.#isClosed) return;
    this.#waiting = [...batch, ...this.#waiting];
    this.#retryTimer = this.#options.clock.schedule(RETRY_MS, () => this.#write());
  }

  async #sync(): Promise<void> {
    if (!this.#isDirty || this.#file === undefined) return;
    this.#isDirty = false;
    try {
      await this.#file.file.sync();
    } catch (error) {
      this.failures++;
      const { directory, logger } = this.#options;
      logger.warn('a remote write queue was not forced to the disk', {
        directory,
        error: errorMessage(error),
      });
    }
  }

  async #closeFile(): Promise<void> {
    await this.#sync();
    const open = this.#file;
    this.#file = undefined;
    await open?.file.close();
  }
}

function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.segment`;
}
