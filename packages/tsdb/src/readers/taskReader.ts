/**
 * Carries out read plans: in a reader thread, or wherever a test wants it. A run with anything
 * unusual in it, such as damage, histograms or more samples than there is room for, is left out:
 * who asked reads it himself and meets what is unusual there.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { chunkSampleCount, decodeChunk } from '@tyto/kernels';
import { bitsOf, countStaleBits } from '@tyto/model';
import { CHUNK_TRAILER_BYTES, soundChunk } from '../block/format.ts';
import { cutToRange } from '../chunkRead.ts';
import { isHistogramChunk } from '../histogramChunk.ts';
import { READER_FILES_MAX } from '../limits.ts';
import { LEFT_OUT, type ReadAnswer, type ReadTask, RUN_HEADER, SAMPLE_BYTES } from './readPlan.ts';

export class TaskReader {
  /** Descriptors of open files by path, the longest open first. */
  readonly #files = new Map<string, number>();
  #scratch = new Uint8Array(64 * 1024);
  /** The chunks of the run at hand. */
  #chunks: Uint8Array[] = [];

  /** Never throws. */
  read(task: ReadTask): ReadAnswer {
    const { plan, slotCount, target } = task;
    const counts = new Int32Array(slotCount).fill(LEFT_OUT);
    const capacity = target.byteLength / SAMPLE_BYTES;
    const staleCounts = new Int32Array(slotCount);
    const timestamps = new Float64Array(target, 0, capacity);
    const values = new Float64Array(target, capacity * 8, capacity);
    const bits = bitsOf(values);
    let used = 0;
    for (let at = 0; at < plan.length; ) {
      const slot = plan[at];
      const minTimeMs = plan[at + 1];
      const maxTimeMs = plan[at + 2];
      const chunkCount = plan[at + 3];
      at += RUN_HEADER;
      try {
        this.#fetch(task, at, chunkCount);
        let end = used;
        for (const chunk of this.#chunks) {
          if (isHistogramChunk(chunk) || end + chunkSampleCount(chunk) > capacity) {
            throw new Error('left out');
          }
          const count = decodeChunk(chunk, timestamps, values, end);
          end += cutToRange(timestamps, values, end, count, minTimeMs, maxTimeMs);
        }
        counts[slot] = end - used;
        staleCounts[slot] = countStaleBits(bits, used, end);
        used = end;
      } catch {
        // Stays LEFT_OUT; whatever it is, it is met again where it can be told.
      }
      at += 3 * chunkCount;
    }
    return { id: task.id, counts, staleCounts };
  }

  close(): void {
    for (const descriptor of this.#files.values()) closeSync(descriptor);
    this.#files.clear();
  }

  /** Finds a run's chunks; neighbours in a file are read at once. Throws for damage. */
  #fetch(task: ReadTask, at: number, chunkCount: number): void {
    const { plan } = task;
    this.#chunks.length = 0;
    for (let i = 0; i < chunkCount; ) {
      const where = plan[at + 3 * i];
      const offset = plan[at + 3 * i + 1];
      const length = plan[at + 3 * i + 2];
      if (where < 0) {
        this.#chunks.push(task.pages[-1 - where].subarray(offset, offset + length));
        i++;
        continue;
      }
      let end = offset + length + CHUNK_TRAILER_BYTES;
      let next = i + 1;
      for (; next < chunkCount; next++) {
        const word = at + 3 * next;
        if (plan[word] !== where || plan[word + 1] !== end) break;
        end += plan[word + 2] + CHUNK_TRAILER_BYTES;
      }
      const bytes = this.#readFile(task.files[where], offset, end - offset);
      for (; i < next; i++) {
        const word = at + 3 * i;
        const chunk = soundChunk(bytes, plan[word + 1] - offset, plan[word + 2]);
        if (chunk === undefined) throw new Error('damaged');
        this.#chunks.push(chunk);
      }
    }
  }

  #readFile(path: string, position: number, length: number): Uint8Array {
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length * 2);
    const bytes = this.#scratch.subarray(0, length);
    const descriptor = this.#open(path);
    let read = 0;
    while (read < length) {
      const count = readSync(descriptor, bytes, read, length - read, position + read);
      if (count === 0) throw new Error('the file is too short');
      read += count;
    }
    return bytes;
  }

  #open(path: string): number {
    let descriptor = this.#files.get(path);
    if (descriptor !== undefined) return descriptor;
    const [oldest] = this.#files;
    if (oldest !== undefined && this.#files.size >= READER_FILES_MAX) {
      closeSync(oldest[1]);
      this.#files.delete(oldest[0]);
    }
    descriptor = openSync(path, 'r');
    this.#files.set(path, descriptor);
    return descriptor;
  }
}
