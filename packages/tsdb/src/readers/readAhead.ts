/**
 * One selection's way through the reader threads: its series in batches, of which some are decoded
 * while an earlier one is used. Series are asked for in rising order; what comes otherwise, what is
 * few, and what threads leave out is read where it is asked for, with the same outcome.
 */
import { READ_AHEAD_TASKS_MIN, READ_TASKS_AHEAD } from '../limits.ts';
import type { SeriesSource } from '../seriesSource.ts';
import type { SeriesPlaces } from '../seriesPlaces.ts';
import { type DecodedRun, LEFT_OUT, type ReadAnswer, ReadPlan } from './readPlan.ts';
import type { ReaderPool } from './readerPool.ts';

/** Series by which the size of a selection is judged. */
const SERIES_LOOKED_AT = 16;

export class ReadAhead {
  readonly #pool: ReaderPool;
  readonly #sources: readonly SeriesSource[];
  readonly #places: SeriesPlaces;
  readonly #minTimeMs: number;
  readonly #maxTimeMs: number;
  /** In the order of their series, without gaps. */
  #batches: Batch[] = [];
  /** Whether reading ahead is worth it; undefined before the first look. */
  #isWide: boolean | undefined;

  constructor(
    pool: ReaderPool,
    sources: readonly SeriesSource[],
    places: SeriesPlaces,
    minTimeMs: number,
    maxTimeMs: number,
  ) {
    this.#pool = pool;
    this.#sources = sources;
    this.#places = places;
    this.#minTimeMs = minTimeMs;
    this.#maxTimeMs = maxTimeMs;
  }

  /** See SeriesSelection. */
  prepare(index: number): Promise<void> | undefined {
    if (this.#isWide === false) return undefined;
    const current = this.#batches.at(0);
    if (current === undefined || !current.has(index)) this.#moveTo(index);
    const batch = this.#batches.at(0);
    return batch?.isDone === false ? batch.done : undefined;
  }

  /** What a thread decoded at one place of a series; undefined where the source reads itself. */
  decoded(index: number, place: number): DecodedRun | undefined {
    const batch = this.#batches.at(0);
    return batch?.has(index) === true ? batch.decoded(place) : undefined;
  }

  /** The samples of a series are copied out. */
  used(index: number): void {
    const batch = this.#batches.at(0);
    if (batch !== undefined && batch.end === index + 1) batch.release();
  }

  /** Gives back all memory; threads end what they are at. */
  release(): void {
    for (const batch of this.#batches) batch.release();
    this.#batches = [];
  }

  /** Gives up what lies before `index`, and begins as many batches from there on as may be. */
  #moveTo(index: number): void {
    while (this.#batches.length > 0 && !this.#batches[0].has(index)) {
      this.#batches.shift()?.release();
    }
    let next = this.#batches.at(-1)?.end ?? index;
    this.#isWide ??= this.#estimate() > READ_AHEAD_TASKS_MIN * this.#pool.taskSamples;
    if (!this.#isWide) return;
    while (this.#batches.length < this.#pool.count + READ_TASKS_AHEAD) {
      if (next === this.#places.size || !this.#pool.isReady()) return;
      const buffer = this.#pool.acquire();
      if (buffer === undefined) return;
      const batch = this.#begin(next, buffer);
      this.#batches.push(batch);
      next = batch.end;
    }
  }

  /** About how many samples the selection has, by a few of its series. */
  #estimate(): number {
    const { size } = this.#places;
    const plan = new ReadPlan();
    const looked = Math.min(size, SERIES_LOOKED_AT);
    for (let i = 0; i < looked; i++) this.#planSeries(Math.floor((i * size) / looked), 0, plan, []);
    return looked === 0 ? 0 : (plan.sampleCount / looked) * size;
  }

  #begin(first: number, buffer: SharedArrayBuffer): Batch {
    const batch = this.#plan(first);
    const read = this.#pool.read(batch.plan, batch.marks.length, buffer);
    return new Batch(batch, buffer, read, {
      release: () => this.#pool.release(buffer),
      failed: () => {
        this.#isWide = false;
        this.release();
      },
    });
  }

  /** As many series from `first` on as a task holds, at least one. */
  #plan(first: number): PlannedBatch {
    const plan = new ReadPlan();
    const marks: number[] = [];
    const firstPlace = this.#places.firstPlace(first);
    let index = first;
    for (; index < this.#places.size; index++) {
      const before = plan.end;
      this.#planSeries(index, firstPlace, plan, marks);
      if (plan.sampleCount <= this.#pool.taskSamples || index === first) continue;
      plan.cutTo(before);
      marks.length = this.#places.firstPlace(index) - firstPlace;
      break;
    }
    return { first, end: index, firstPlace, plan, marks: Uint32Array.from(marks) };
  }

  #planSeries(index: number, firstPlace: number, plan: ReadPlan, marks: number[]): void {
    const places = this.#places;
    const end = places.firstPlace(index + 1);
    for (let place = places.firstPlace(index); place < end; place++) {
      const source = this.#sources[places.sourceOf(place)];
      plan.beginRun(place - firstPlace, this.#minTimeMs, this.#maxTimeMs);
      const id = places.idOf(place);
      marks.push(source.planRead?.(id, this.#minTimeMs, this.#maxTimeMs, plan) ?? 0);
      plan.endRun();
    }
  }
}

/** Series [first, end), and by slot the marks of their sources. */
interface PlannedBatch {
  readonly first: number;
  readonly end: number;
  readonly firstPlace: number;
  readonly plan: ReadPlan;
  readonly marks: Uint32Array;
}

interface BatchOwner {
  /** The memory is free. */
  release(): void;
  /** The threads left most of it out. */
  failed(): void;
}

/** Some series, decoded or about to be. */
class Batch {
  readonly end: number;
  readonly done: Promise<void>;
  isDone = false;
  readonly #planned: PlannedBatch;
  readonly #owner: BatchOwner;
  readonly #run: { -readonly [K in keyof DecodedRun]: DecodedRun[K] };
  /** By slot; undefined without an answer, and after `release`. */
  #answer: ReadAnswer | undefined;
  #starts: Int32Array;
  #isReleased = false;

  constructor(
    planned: PlannedBatch,
    buffer: SharedArrayBuffer,
    read: Promise<ReadAnswer | undefined>,
    owner: BatchOwner,
  ) {
    this.end = planned.end;
    this.#planned = planned;
    this.#owner = owner;
    this.#starts = new Int32Array(planned.marks.length);
    const half = buffer.byteLength / 2;
    const timestamps = new Float64Array(buffer, 0, half / 8);
    const values = new Float64Array(buffer, half, half / 8);
    this.#run = { timestamps, values, from: 0, count: 0, staleCount: 0, mark: 0 };
    this.done = read.then((answer) => this.#take(answer));
  }

  has(index: number): boolean {
    return index >= this.#planned.first && index < this.end;
  }

  /** Valid until the next call. */
  decoded(place: number): DecodedRun | undefined {
    const slot = place - this.#planned.firstPlace;
    const answer = this.#answer;
    if (answer === undefined || answer.counts[slot] === LEFT_OUT) return undefined;
    this.#run.from = this.#starts[slot];
    this.#run.count = answer.counts[slot];
    this.#run.staleCount = answer.staleCounts[slot];
    this.#run.mark = this.#planned.marks[slot];
    return this.#run;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#answer = undefined;
    // Before the answer the memory is a thread's.
    if (this.isDone) this.#owner.release();
  }

  #take(answer: ReadAnswer | undefined): void {
    this.isDone = true;
    if (this.#isReleased) {
      this.#owner.release();
      return;
    }
    this.#answer = answer;
    if (answer === undefined) return;
    const { counts } = answer;
    let at = 0;
    let decoded = 0;
    for (let slot = 0; slot < counts.length; slot++) {
      if (counts[slot] === LEFT_OUT) continue;
      this.#starts[slot] = at;
      at += counts[slot];
      decoded++;
    }
    if (decoded * 2 < this.#planned.plan.runCount) this.#owner.failed();
  }
}
