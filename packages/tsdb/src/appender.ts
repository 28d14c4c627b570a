/**
 * A batch on its way into the head and the log. Samples are judged twice: when they are appended,
 * for the caller's sake, and at the commit, because another batch may have come first.
 */
import { TytoError } from '@tyto/base';
import {
  APPENDED,
  type AppendResult,
  bitsOf,
  DUPLICATE,
  type Exemplar,
  type FloatHistogram,
  type Labels,
  type MetricAppender,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  type SeriesRef,
  UNKNOWN_SERIES,
  writeStaleBits,
} from '@tyto/model';
import type { ExemplarRing } from './exemplarRing.ts';
import { copyBits, type Head } from './head/head.ts';
import { histogramProblem } from './histogramChunk.ts';
import { FUTURE_MS_MAX } from './limits.ts';
import { encodeHistograms, type LoggedHistogram } from './log/histogramRecord.ts';
import {
  encodeExemplars,
  encodeSamples,
  type LoggedExemplar,
  RECORD_SAMPLES_MAX,
} from './log/record.ts';
import type { LogWriter } from './log/writer.ts';
import type { OpenBatches } from './head/openBatches.ts';

/** What an appender needs of the database that made it. */
export interface AppendTarget {
  readonly head: Head;
  readonly log: LogWriter;
  readonly batches: OpenBatches;
  readonly exemplars: ExemplarRing;
  nowMs(): number;
  resolve(labels: Labels): SeriesRef;
  /** The log record of the series that no record has named yet, if there are any. */
  takeDefinitions(): Uint8Array[];
  committed(count: number, refused: number): void;
}

/**
 * A part of a batch: in the log its floats come before its histograms, so a float that follows a
 * histogram of its own series begins a new part.
 */
interface BatchSection {
  /** Where its floats end in the columns. */
  floatsEnd: number;
  readonly histograms: LoggedHistogram[];
  readonly histogramIds: Set<number>;
}

interface AppliedBatch {
  floats: number;
  readonly sections: BatchSection[];
}

export class Appender implements MetricAppender {
  readonly #target: AppendTarget;
  readonly #batch: number;
  #refs = new Float64Array(64);
  #timestamps = new Float64Array(64);
  #values = new Float64Array(64);
  #bits = bitsOf(this.#values);
  #count = 0;
  readonly #histograms = new Map<number, FloatHistogram>();
  #exemplars: (readonly [ref: SeriesRef, exemplar: Exemplar])[] = [];

  constructor(target: AppendTarget) {
    this.#target = target;
    this.#batch = target.batches.open();
  }

  series(labels: Labels): SeriesRef {
    return this.#target.resolve(labels);
  }

  append(ref: SeriesRef, timestampMs: number, value: number): AppendResult {
    this.#reserve(1);
    this.#values[this.#count] = value;
    return this.#append(ref, timestampMs);
  }

  appendStale(ref: SeriesRef, timestampMs: number): AppendResult {
    this.#reserve(1);
    writeStaleBits(this.#bits, this.#count);
    return this.#append(ref, timestampMs);
  }

  appendRun(
    ref: SeriesRef,
    timestamps: Float64Array,
    values: Float64Array,
    from: number,
    count: number,
  ): AppendResult {
    const { head, batches } = this.#target;
    const id = head.series.idOf(ref);
    if (id < 0) return UNKNOWN_SERIES;
    const source = bitsOf(values);
    const latestMs = this.#target.nowMs() + FUTURE_MS_MAX;
    const { boundMs } = head;
    let answer: AppendResult = APPENDED;
    let previous = batches.lastIndex(id, this.#batch);
    this.#reserve(count);
    for (let i = from; i < from + count; i++) {
      const timestampMs = timestamps[i];
      const index = this.#count;
      copyBits(this.#bits, index, source, i);
      let verdict: AppendResult;
      if (timestampMs > latestMs) verdict = OUT_OF_BOUNDS;
      else if (previous < 0) verdict = head.judge(id, timestampMs, source, i, boundMs);
      else verdict = this.#judgeWithin(previous, timestampMs, index, undefined);
      if (verdict === APPENDED) {
        this.#refs[index] = ref;
        this.#timestamps[index] = timestampMs;
        previous = index;
        this.#count++;
      } else if (answer === APPENDED) {
        answer = verdict;
      }
    }
    if (previous >= 0) batches.mark(id, this.#batch, previous);
    return answer;
  }

  appendHistogram(ref: SeriesRef, timestampMs: number, histogram: FloatHistogram): AppendResult {
    const problem = histogramProblem(histogram);
    if (problem !== undefined) throw new TytoError('bad_data', problem);
    this.#reserve(1);
    this.#values[this.#count] = histogram.count;
    return this.#append(ref, timestampMs, histogram);
  }

  appendExemplar(ref: SeriesRef, exemplar: Exemplar): AppendResult {
    const { head, exemplars } = this.#target;
    const id = head.series.idOf(ref);
    if (id < 0) return UNKNOWN_SERIES;
    const verdict = exemplars.judge(head.series.labels(id), exemplar);
    if (verdict === APPENDED) this.#exemplars.push([ref, exemplar]);
    return verdict;
  }

  async commit(): Promise<void> {
    const { head, log, batches } = this.#target;
    batches.close(this.#batch);
    if (this.#count === 0 && this.#exemplars.length === 0) return;
    if (!log.acceptsMore) {
      this.#target.committed(0, this.#count);
      this.#clear();
      throw new TytoError('unavailable', 'the disk takes no more of the log; samples are refused');
    }
    const ids = new Uint32Array(this.#count);
    const { floats, sections } = this.#applyTo(head, ids);
    const kept = sections.reduce((sum, { histograms }) => sum + histograms.length, floats);
    this.#target.committed(kept, this.#count - kept);
    const written = this.#target.takeDefinitions().map((record) => log.append(record));
    let from = 0;
    for (const { floatsEnd, histograms } of sections) {
      while (from < floatsEnd) {
        const count = Math.min(RECORD_SAMPLES_MAX, floatsEnd - from);
        written.push(log.append(encodeSamples(ids, this.#timestamps, this.#values, from, count)));
        from += count;
      }
      for (const record of encodeHistograms(histograms)) written.push(log.append(record));
    }
    const exemplars = this.#keepExemplars();
    if (exemplars.length > 0) written.push(log.append(encodeExemplars(exemplars)));
    this.#clear();
    await Promise.all(written);
  }

  rollback(): void {
    this.#clear();
    this.#target.batches.close(this.#batch);
  }

  #clear(): void {
    this.#count = 0;
    this.#exemplars = [];
    this.#histograms.clear();
  }

  /** Puts the exemplars of series that are still there into the ring. */
  #keepExemplars(): LoggedExemplar[] {
    const { head, exemplars } = this.#target;
    const kept: LoggedExemplar[] = [];
    for (const [ref, exemplar] of this.#exemplars) {
      const id = head.series.idOf(ref);
      if (id < 0) continue;
      const series = head.series.labels(id);
      exemplars.add(series, exemplar);
      kept.push({ series, exemplar });
    }
    return kept;
  }

  #append(ref: SeriesRef, timestampMs: number, histogram?: FloatHistogram): AppendResult {
    const { head, batches } = this.#target;
    const id = head.series.idOf(ref);
    if (id < 0) return UNKNOWN_SERIES;
    if (timestampMs > this.#target.nowMs() + FUTURE_MS_MAX) return OUT_OF_BOUNDS;
    const index = this.#count;
    const previous = batches.lastIndex(id, this.#batch);
    const verdict =
      previous < 0
        ? this.#judge(id, timestampMs, index, head.boundMs, histogram)
        : this.#judgeWithin(previous, timestampMs, index, histogram);
    if (verdict !== APPENDED) return verdict;
    if (histogram !== undefined) this.#histograms.set(index, histogram);
    this.#refs[index] = ref;
    this.#timestamps[index] = timestampMs;
    batches.mark(id, this.#batch, index);
    this.#count++;
    return APPENDED;
  }

  #judge(
    id: number,
    timestampMs: number,
    index: number,
    boundMs: number,
    histogram: FloatHistogram | undefined,
  ): AppendResult {
    const { head } = this.#target;
    return histogram === undefined
      ? head.judge(id, timestampMs, this.#bits, index, boundMs)
      : head.judgeHistogram(id, timestampMs, histogram, boundMs);
  }

  #judgeWithin(
    previous: number,
    timestampMs: number,
    index: number,
    histogram: FloatHistogram | undefined,
  ): AppendResult {
    const previousMs = this.#timestamps[previous];
    if (timestampMs > previousMs) return APPENDED;
    if (timestampMs < previousMs) return OUT_OF_ORDER;
    const bits = this.#bits;
    const low = bits[2 * previous] === bits[2 * index];
    const same = low && bits[2 * previous + 1] === bits[2 * index + 1];
    // Histograms of one batch and time are told apart by their counts only.
    const sameKind = this.#histograms.has(previous) === (histogram !== undefined);
    return same && sameKind ? REPEATED : DUPLICATE;
  }

  /**
   * Puts the samples that still pass into the head, and moves the floats among them to the front
   * of the columns.
   */
  #applyTo(head: Head, ids: Uint32Array): AppliedBatch {
    const { boundMs } = head;
    const applied: AppliedBatch = { floats: 0, sections: [] };
    let section: BatchSection = { floatsEnd: 0, histograms: [], histogramIds: new Set() };
    let end = 0;
    for (let start = 0; start < this.#count; start = end) {
      end = this.#runEnd(start);
      const id = head.series.idOf(this.#refs[start]);
      const histogram = this.#histograms.size > 0 ? this.#histograms.get(start) : undefined;
      // Samples of a run rise: once one passes, all do.
      let from = id < 0 ? end : start;
      while (
        from < end &&
        this.#judge(id, this.#timestamps[from], from, boundMs, histogram) !== APPENDED
      ) {
        from++;
      }
      if (from === end) continue;
      if (histogram !== undefined) {
        const timestampMs = this.#timestamps[start];
        head.appendHistogram(id, timestampMs, histogram);
        section.histograms.push({ id, timestampMs, histogram });
        section.histogramIds.add(id);
        continue;
      }
      head.appendRun(id, this.#timestamps, this.#bits, from, end - from);
      if (section.histogramIds.has(id)) {
        applied.sections.push(section);
        section = { floatsEnd: applied.floats, histograms: [], histogramIds: new Set() };
      }
      this.#moveUp(from, end, applied.floats);
      for (let i = from; i < end; i++) ids[applied.floats++] = id;
      section.floatsEnd = applied.floats;
    }
    applied.sections.push(section);
    return applied;
  }

  /** Where the samples that follow one of the same series, without a histogram, end. */
  #runEnd(start: number): number {
    let end = start + 1;
    if (this.#histograms.size > 0) return end;
    while (end < this.#count && this.#refs[end] === this.#refs[start]) end++;
    return end;
  }

  /** Moves samples [from, end) of the columns to `to`. */
  #moveUp(from: number, end: number, to: number): void {
    if (from === to) return;
    this.#timestamps.copyWithin(to, from, end);
    this.#bits.copyWithin(to * 2, from * 2, end * 2);
  }

  #reserve(count: number): void {
    if (this.#count + count <= this.#refs.length) return;
    const size = Math.max(this.#count + count, this.#count * 2);
    const refs = new Float64Array(size);
    refs.set(this.#refs);
    const timestamps = new Float64Array(size);
    timestamps.set(this.#timestamps);
    const values = new Float64Array(size);
    const bits = bitsOf(values);
    bits.set(this.#bits);
    this.#refs = refs;
    this.#timestamps = timestamps;
    this.#values = values;
    this.#bits = bits;
  }
}
