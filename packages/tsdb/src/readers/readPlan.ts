/**
 * What a reader thread is asked to decode, as flat numbers. A plan has runs; a run is what one
 * source has of one series, in chunks that rise in time, and has a slot in the answer.
 *
 * A run: slot, first time, last time, count of chunks, then for each chunk: where, offset, length.
 * `where` is a file's index, or -1 - a page's index, or SAMPLES: `length` of the plan's own samples.
 */

import { bitsOf, SampleColumns } from '@tyto/model';

/** Numbers of a run before those of its chunks. */
export const RUN_HEADER = 4;
/** Numbers of a chunk. */
export const CHUNK_WORDS = 3;
/** The answer for a run that the thread leaves to whoever asked. */
export const LEFT_OUT = -1;
/** Where samples are that the plan brings itself. */
export const SAMPLES = 2 ** 31;
/** A timestamp and a value. */
export const SAMPLE_BYTES = 16;

export interface ReadTask {
  readonly id: number;
  readonly plan: Float64Array;
  readonly slotCount: number;
  /** Paths of chunks files. */
  readonly files: readonly string[];
  /** Shared memory. */
  readonly pages: readonly Uint8Array[];
  /** Timestamps, and as many values behind them; the thread's own until it has answered. */
  readonly target: SharedArrayBuffer;
}

export interface ReadAnswer {
  readonly id: number;
  /** By slot: how many samples of a run were decoded, or LEFT_OUT. Runs lie in their order. */
  readonly counts: Int32Array<ArrayBuffer>;
  /** By slot: how many of them are stale markers. */
  readonly staleCounts: Int32Array<ArrayBuffer>;
}

/** Where samples lie that another thread decodes into; `count` of each. */
export interface DecodedRun {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  readonly from: number;
  readonly count: number;
  readonly staleCount: number;
  /** What the source noted when it planned the run. */
  readonly mark: number;
}

/** Samples as they are, not in a chunk. */
export interface PlanSamples {
  readonly timestamps: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

interface PlanEnd {
  readonly words: number;
  readonly runs: number;
  readonly samples: number;
  readonly own: number;
}

export class ReadPlan {
  readonly #words: number[] = [];
  /** Samples that the plan brings itself. */
  readonly #own = new SampleColumns(0);
  readonly #files = new Map<string, number>();
  readonly #pages = new Map<SharedArrayBuffer, number>();
  #run = 0;
  #runCount = 0;
  #sampleCount = 0;

  /** About how many samples are decoded; at least as many as there are, if all goes well. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  get runCount(): number {
    return this.#runCount;
  }

  get files(): readonly string[] {
    return [...this.#files.keys()];
  }

  get pages(): readonly Uint8Array[] {
    return Array.from(this.#pages.keys(), (page) => new Uint8Array(page));
  }

  words(): Float64Array {
    return Float64Array.from(this.#words);
  }

  /** Where the plan ends now, for `cutTo`. */
  get end(): PlanEnd {
    return {
      words: this.#words.length,
      runs: this.#runCount,
      samples: this.#sampleCount,
      own: this.#own.length,
    };
  }

  /** Takes back what came after an end. */
  cutTo(end: PlanEnd): void {
    this.#words.length = end.words;
    this.#runCount = end.runs;
    this.#sampleCount = end.samples;
    this.#own.length = end.own;
  }

  beginRun(slot: number, minTimeMs: number, maxTimeMs: number): void {
    this.#run = this.#words.length;
    this.#words.push(slot, minTimeMs, maxTimeMs, 0);
  }

  /** Leaves samples of the run before this time to others. */
  cutBefore(timeMs: number): void {
    this.#words[this.#run + 1] = Math.max(this.#words[this.#run + 1], timeMs);
  }

  /** Takes back what the run has so far: its source reads it by itself. */
  clearRun(): void {
    this.#words.length = this.#run + RUN_HEADER;
    this.#words[this.#run + RUN_HEADER - 1] = 0;
  }

  /** A chunk of a file, with its checksum behind it. */
  addStored(path: string, offset: number, length: number, samples: number): void {
    this.#add(indexIn(this.#files, path), offset, length, samples);
  }

  /** A chunk in a page of memory. */
  addShared(page: SharedArrayBuffer, offset: number, length: number, samples: number): void {
    this.#add(-1 - indexIn(this.#pages, page), offset, length, samples);
  }

  /** Samples [from, from + count), which are copied. */
  addSamples(timestamps: Float64Array, values: Float64Array, from: number, count: number): void {
    const own = this.#own;
    own.reserve(count);
    own.timestamps.set(timestamps.subarray(from, from + count), own.length);
    // Bits are copied, not numbers, so that stale markers survive.
    bitsOf(own.values).set(bitsOf(values).subarray(from * 2, (from + count) * 2), own.length * 2);
    this.#add(SAMPLES, own.length, count, count);
    own.extend(count, 0);
  }

  /** The samples that were added, behind each other. */
  get samples(): PlanSamples {
    const { timestamps, values, length } = this.#own;
    return { timestamps: timestamps.slice(0, length), values: values.slice(0, length) };
  }

  /** A run that has nothing is taken back. */
  endRun(): void {
    if (this.#words.length === this.#run + RUN_HEADER) this.#words.length = this.#run;
    else this.#runCount++;
  }

  #add(where: number, offset: number, length: number, samples: number): void {
    this.#words.push(where, offset, length);
    this.#words[this.#run + RUN_HEADER - 1]++;
    this.#sampleCount += samples;
  }
}

function indexIn<T>(known: Map<T, number>, item: T): number {
  const index = known.get(item);
  if (index !== undefined) return index;
  known.set(item, known.size);
  return known.size - 1;
}
