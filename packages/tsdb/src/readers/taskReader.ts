/**
 * Carries out read plans: in a reader thread, or wherever a test wants it. A run with anything
 * unusual in it, such as damage, histograms, start times or more samples than there is room for, is
 * left out: who asked reads it himself and meets what is unusual there.
 */
import { chunkSampleCount, decodeChunk } from '@tyto/kernels';
import { bitsOf, countStaleBits } from '@tyto/model';
import { CHUNK_TRAILER_BYTES, soundChunk } from '../block/format.ts';
import { cutToRange } from '../chunkRead.ts';
import { isFloatChunk } from '../histogramChunk.ts';
import { ChunkFiles } from './chunkFiles.ts';
import {
  CHUNK_WORDS,
  LEFT_OUT,
  type ReadAnswer,
  type ReadTask,
  RUN_HEADER,
  SAMPLE_BYTES,
} from './readPlan.ts';

/** Where the samples of a task go, and of which time. */
interface Output {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  end: number;
  minTimeMs: number;
  maxTimeMs: number;
}

export class TaskReader {
  readonly #files: ChunkFiles;

  constructor(files = new ChunkFiles()) {
    this.#files = files;
  }

  /** Never throws. */
  read(task: ReadTask): ReadAnswer {
    const { id, plan, slotCount, target } = task;
    const counts = new Int32Array(slotCount).fill(LEFT_OUT);
    const staleCounts = new Int32Array(slotCount);
    const capacity = target.byteLength / SAMPLE_BYTES;
    const timestamps = new Float64Array(target, 0, capacity);
    const values = new Float64Array(target, capacity * 8, capacity);
    const bits = bitsOf(values);
    const output = { timestamps, values, end: 0, minTimeMs: 0, maxTimeMs: 0 };
    for (let at = 0; at < plan.length; ) {
      const slot = plan[at];
      output.minTimeMs = plan[at + 1];
      output.maxTimeMs = plan[at + 2];
      const chunkCount = plan[at + 3];
      at += RUN_HEADER;
      const start = output.end;
      try {
        this.#readRun(task, at, chunkCount, output);
        counts[slot] = output.end - start;
        staleCounts[slot] = countStaleBits(bits, start, output.end);
      } catch {
        // Stays LEFT_OUT; whatever it is, it is met again where it can be told.
        output.end = start;
      }
      at += CHUNK_WORDS * chunkCount;
    }
    return { id, counts, staleCounts };
  }

  /** Neighbours in a file are read at once. Throws for what is to be left out. */
  #readRun(task: ReadTask, at: number, chunkCount: number, output: Output): void {
    const { plan } = task;
    const end = at + CHUNK_WORDS * chunkCount;
    while (at < end) {
      const where = plan[at];
      const offset = plan[at + 1];
      if (where < 0) {
        append(task.pages[-1 - where].subarray(offset, offset + plan[at + 2]), output);
        at += CHUNK_WORDS;
        continue;
      }
      let bytesEnd = offset;
      let next = at;
      while (next < end && plan[next] === where && plan[next + 1] === bytesEnd) {
        bytesEnd += plan[next + 2] + CHUNK_TRAILER_BYTES;
        next += CHUNK_WORDS;
      }
      const bytes = this.#files.bytes(task.files[where], offset, bytesEnd - offset);
      for (; at < next; at += CHUNK_WORDS) {
        const chunk = soundChunk(bytes, plan[at + 1] - offset, plan[at + 2]);
        if (chunk === undefined) throw new Error('damaged');
        append(chunk, output);
      }
    }
  }
}

function append(chunk: Uint8Array, output: Output): void {
  const { timestamps, values, end, minTimeMs, maxTimeMs } = output;
  if (!isFloatChunk(chunk)) throw new Error('only floats are decoded here');
  if (end + chunkSampleCount(chunk) > timestamps.length) throw new Error('no room');
  const count = decodeChunk(chunk, timestamps, values, end);
  output.end += cutToRange(timestamps, values, end, count, minTimeMs, maxTimeMs);
}
