/**
 * What a reader thread is asked to decode, as flat numbers. A plan has runs; a run is what one
 * source has of one series, in chunks that rise in time, and has a slot in the answer.
 *
 * A run: slot, first time, last time, count of chunks, then for each chunk: where, offset, length.
 * `where` is a file's index, or -1 - a page's index, or SAMPLES for the plan's own samples.
 */

/** Numbers of a run before those of its chunks. */
export const RUN_HEADER = 4;
/** Numbers of a chunk. */
export const CHUNK_WORDS = 3;
/** The answer for a run that the thread leaves to whoever asked. */
export const LEFT_OUT = -1;
/** Where samples are that the plan brings itself. */
export const SAMPLES = 2 ** 31;
/** Room for the first samples that a plan brings itself. */
const OWN_SAMPLES_MIN = 256;
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
  /** Of the values. */
  readonly bits: Uint32Array<ArrayBuffer>;
}

interface PlanEnd {
  readonly words: number;
  readonly runs: number;
  readonly samples: number;
  readonly own: number;
}

export class ReadPlan {
  readonly #words: number[] = [];
  /** Samples that the plan brings itself; `#ownCount` of them. */
  #ownTimes = new Float64Array(0);
  #ownBits = new Uint32Array(0);
  #ownCount = 0;
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
      own: this.#ownCount,
    };
  }

  /** Takes back what came after an end. */
  cutTo(end: PlanEnd): void {
    this.#words.length = end.words;
    this.#runCount = end.runs;
    this.#sampleCount = end.samples;
    this.#ownCount = end.own;
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

  /** Samples [from, from + count) of a column of times and one of the bits of values; copied. */
  addSamples(timestamps: Float64Array, bits: Uint32Array, from: number, count: number): void {
    const start = this.#ownCount;
    if (start + count > this.#ownTimes.length) this.#growOwn(start + count);
    for (let i = 0; i < count; i++) this.#ownTimes[start + i] = timestamps[from + i];
    for (let i = 0; i < 2 * count; i++) this.#ownBits[2 * start + i] = bits[2 * from + i];
    this.#add(SAMPLES, start, count, count);
    this.#ownCount += count;
  }

  /** The samples that were added, behind each other. */
  get samples(): PlanSamples {
    const count = this.#ownCount;
    return { timestamps: this.#ownTimes.slice(0, count), bits: this.#ownBits.slice(0, 2 * count) };
  }

  /** A run that has nothing is taken back. */
  endRun(): void {
    if (this.#words.length === this.#run + RUN_HEADER) this.#words.length = this.#run;
    else this.#runCount++;
  }

  #growOwn(count: number): void {
    const capacity = Math.max(count, this.#ownTimes.length * 2, OWN_SAMPLES_MIN);
    const times = new Float64Array(capacity);
    const bits = new Uint32Array(capacity * 2);
    times.set(this.#ownTimes.subarray(0, this.#ownCount));
    bits.set(this.#ownBits.subarray(0, this.#ownCount * 2));
    this.#ownTimes = times;
    this.#ownBits = bits;
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
