/**
 * Reads the records of one segment in order, from a position up to what is written of it. Damage
 * costs the record that it is in, or, where lengths are damaged, the rest of the segment.
 */
import { errorMessage } from '@tyto/base';
import type { Disk, ReadFile } from '@tyto/tsdb';
import { READ_BYTES } from '../limits.ts';
import {
  FRAME_BYTES,
  firstSampleOf,
  HEADER_BYTES,
  isSound,
  payloadLength,
  samplesOf,
} from './frame.ts';

export interface QueueRecord {
  /** Valid until the next read. */
  readonly payload: Uint8Array;
  readonly samples: number;
}

export class SegmentReader {
  /** Behind the newest record that was read. */
  offset = HEADER_BYTES;
  /** The number of the sample behind it, since the queue began. */
  sampleNumber = 0;
  /** What was wrong, told once each. */
  readonly #report: (problem: string) => void;
  readonly #disk: Disk;
  readonly #path: string;
  #file: ReadFile | undefined;
  #window = new Uint8Array(READ_BYTES);
  #view = new DataView(this.#window.buffer);
  /** The window is [start, end) of the file. */
  #start = 0;
  #end = 0;
  /** Nothing more can be read of a damaged segment. */
  #isOver = false;

  constructor(disk: Disk, path: string, report: (problem: string) => void) {
    this.#disk = disk;
    this.#path = path;
    this.#report = report;
  }

  /** Reads the header; `next` does that when it is needed. */
  open(): void {
    if (this.#file !== undefined || this.#isOver) return;
    try {
      this.#file = this.#disk.openRead(this.#path);
      const header = new Uint8Array(HEADER_BYTES);
      const read = this.#file.readSync(header, 0);
      const first = firstSampleOf(header.subarray(0, read));
      if (first !== undefined) this.sampleNumber = first;
      else if (read > 0) this.#giveUp('it has no header');
    } catch (error) {
      this.#giveUp(errorMessage(error));
    }
  }

  /** The next record that ends at `limit` or before; undefined where there is none. */
  next(limit: number): QueueRecord | undefined {
    while (!this.#isOver && this.#fill(FRAME_BYTES, limit)) {
      const at = this.offset - this.#start;
      const length = payloadLength(this.#view, at);
      if (length < 0) {
        this.#giveUp(`the record at ${this.offset} is damaged`);
        return undefined;
      }
      // Cut short by a crash, or not written yet.
      if (!this.#fill(FRAME_BYTES + length, limit)) return undefined;
      const from = this.offset - this.#start;
      const sound = isSound(this.#window, this.#view, from, length);
      const samples = samplesOf(this.#view, from);
      if (!sound) this.#report(`the record at ${this.offset} is damaged; it is left out`);
      this.offset += FRAME_BYTES + length;
      if (!sound) continue;
      this.sampleNumber += samples;
      const payload = this.#window.subarray(from + FRAME_BYTES, from + FRAME_BYTES + length);
      return { payload, samples };
    }
    return undefined;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#isOver = true;
  }

  /** Whether `count` bytes from the offset on are in the window. */
  #fill(count: number, limit: number): boolean {
    if (this.offset + count > limit) return false;
    if (this.offset >= this.#start && this.offset + count <= this.#end) return true;
    this.open();
    if (this.#file === undefined || this.#isOver) return false;
    if (count > this.#window.length) {
      this.#window = new Uint8Array(count + READ_BYTES);
      this.#view = new DataView(this.#window.buffer);
    }
    this.#start = this.offset;
    const wanted = Math.min(this.#window.length, limit - this.offset);
    try {
      this.#end = this.#start + this.#file.readSync(this.#window.subarray(0, wanted), this.offset);
    } catch (error) {
      this.#giveUp(errorMessage(error));
      return false;
    }
    return this.offset + count <= this.#end;
  }

  #giveUp(problem: string): void {
    this.#isOver = true;
    this.#report(`${problem}; the rest of it is left out`);
  }
}
