/**
 * A batch on its way into the head and the log. Samples are judged twice: when they are appended,
 * for the caller's sake, and at the commit, because another batch may have come first.
 */
import { TytoError } from '@tyto/base';
import {
  APPENDED,
  type AppendResult,
  bitsOf,
  type CommitTap,
  DUPLICATE,
  type Exemplar,
  type FloatHistogram,
  type Labels,
  type MetricAppender,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  type SeriesRef,
  TOO_OLD,
  UNKNOWN_SERIES,
  writeStaleBits,
} from '@tyto/model';
import { BatchColumns, type ColumnPool } from './batchColumns.ts';
import type { ExemplarRing } from './exemplarRing.ts';
import type { Head } from './head/head.ts';
import { copyBits } from './head/tails.ts';
import { histogramProblem } from './histogramChunk.ts';
import { FUTURE_MS_MAX } from './limits.ts';
import { encodeLateSamples, type LoggedLateSample } from './log/lateRecord.ts';
import { encodeHistograms, type LoggedHistogram } from './log/histogramRecord.ts';
import { startedRecord } from './log/startedRecord.ts';
import {
  encodeExemplars,
  encodeSamples,
  type LoggedExemplar,
  RECORD_SAMPLES_MAX,
} from './log/record.ts';
import type { LogWriter } from './log/writer.ts';
import type { LateSample, LateSamples } from './head/lateSamples.ts';
import { tell } from './tapping.ts';
import type { OpenBatches } from './head/openBatches.ts';

/** What an appender has after its end. Nothing is to be appended then; what is gets lost. */
const NO_COLUMNS = new BatchColumns();

/** What an appender needs of the database that made it. */
export interface AppendTarget {
  readonly head: Head;
  readonly log: LogWriter;
  readonly batches: OpenBatches;
  readonly columns: ColumnPool;
  readonly exemplars: ExemplarRing;
  readonly late: LateSamples;
  /** How much older than the newest sample of all a late one may be; 0 allows none. */
  readonly outOfOrderWindowMs: number;
  /** Sees what every commit puts into the head. */
  readonly tap: CommitTap | undefined;
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
  /** Samples behind this are in the future. */
  readonly #latestMs: number;
  /** The floats; where there is a histogram, its count. */
  #columns: BatchColumns;
  readonly #histograms = new Map<number, FloatHistogram>();
  #late: { readonly ref: SeriesRef; readonly sample: LateSample }[] = [];
  #exemplars: (readonly [ref: SeriesRef, exemplar: Exemplar])[] = [];

  constructor(target: AppendTarget) {
    this.#target = target;
    this.#batch = target.batches.open();
    this.#columns = target.columns.take();
    this.#latestMs = target.nowMs() + FUTURE_MS_MAX;
  }

  series(labels: Labels): SeriesRef {
    return this.#target.resolve(labels);
  }

  append(ref: SeriesRef, timestampMs: number, value: number, startTimeMs = 0): AppendResult {
    this.#columns.reserve(1);
    this.#columns.values[this.#columns.count] = value;
    return this.#append(ref, timestampMs, undefined, startTimeMs);
  }

  appendStale(ref: SeriesRef, timestampMs: number): AppendResult {
    this.#columns.reserve(1);
    writeStaleBits(this.#columns.bits, this.#columns.count);
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
    const columns = this.#columns;
    const latestMs = this.#latestMs;
    const { boundMs } = head;
    let answer: AppendResult = APPENDED;
    let previous = batches.lastIndex(id, this.#batch);
    columns.reserve(count);
    for (let i = from; i < from + count; i++) {
      const timestampMs = timestamps[i];
      const index = columns.count;
      copyBits(columns.bits, index, source, i);
      let verdict: AppendResult;
      if (timestampMs > latestMs) verdict = OUT_OF_BOUNDS;
      else if (previous < 0) verdict = head.judge(id, timestampMs, source, i, boundMs);
      else verdict = this.#judgeWithin(previous, timestampMs, index, undefined);
      if (verdict === OUT_OF_ORDER || (verdict === OUT_OF_BOUNDS && timestampMs <= latestMs)) {
        verdict = this.#appendLate(ref, id, timestampMs, index, undefined, 0, verdict);
        if (answer === APPENDED) answer = verdict;
      } else if (verdict === APPENDED) {
        columns.refs[index] = ref;
        columns.timestamps[index] = timestampMs;
        previous = index;
        columns.count++;
      } else if (answer === APPENDED) {
        answer = verdict;
      }
    }
    if (previous >= 0) batches.mark(id, this.#batch, previous);
    return answer;
  }

  appendRow(
    timestampMs: number,
    refs: Float64Array,
    values: Float64Array,
    count: number,
    results: Uint8Array,
  ): number {
    const { head, batches } = this.#target;
    const { boundMs } = head;
    const inTime = timestampMs <= this.#latestMs && timestampMs >= boundMs;
    const columns = this.#columns;
    columns.reserve(count);
    let refused = 0;
    for (let i = 0; i < count; i++) {
      const index = columns.count;
      columns.values[index] = values[i];
      const id = head.series.idOf(refs[i]);
      let result: AppendResult = APPENDED;
      const isNew = inTime && id >= 0 && batches.lastIndex(id, this.#batch) < 0;
      if (isNew && timestampMs > head.lastTimeMs(id)) {
        columns.refs[index] = refs[i];
        columns.timestamps[index] = timestampMs;
        batches.mark(id, this.#batch, index);
        columns.count++;
      } else {
        result = this.#append(refs[i], timestampMs);
        if (result !== APPENDED) refused++;
      }
      results[i] = result;
    }
    return refused;
  }

  appendHistogram(
    ref: SeriesRef,
    timestampMs: number,
    histogram: FloatHistogram,
    startTimeMs = 0,
  ): AppendResult {
    const problem = histogramProblem(histogram);
    if (problem !== undefined) throw new TytoError('bad_data', problem);
    this.#columns.reserve(1);
    this.#columns.values[this.#columns.count] = histogram.count;
    return this.#append(ref, timestampMs, histogram, startTimeMs);
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
    const { count, timestamps, values, startTimes } = this.#columns;
    batches.close(this.#batch);
    if (!log.acceptsMore && count + this.#exemplars.length + this.#late.length > 0) {
      this.#target.committed(0, count + this.#late.length);
      this.#clear();
      throw new TytoError('unavailable', 'the disk takes no more of the log; samples are refused');
    }
    const ids = new Uint32Array(count);
    const { floats, sections } = this.#applyTo(head, ids);
    const late = this.#applyLate();
    const kept = sections.reduce((sum, { histograms }) => sum + histograms.length, floats);
    const all = count + this.#late.length;
    this.#target.committed(kept + late.length, all - kept - late.length);
    const written = this.#target.takeDefinitions().map((record) => log.append(record));
    let from = 0;
    for (const { floatsEnd, histograms } of sections) {
      while (from < floatsEnd) {
        const taken = Math.min(RECORD_SAMPLES_MAX, floatsEnd - from);
        const record = encodeSamples(ids, timestamps, values, from, taken);
        written.push(log.append(startedRecord(record, startTimes, from, taken)));
        from += taken;
      }
      for (const record of encodeHistograms(histograms)) written.push(log.append(record));
    }
    for (const record of encodeLateSamples(late)) written.push(log.append(record));
    const exemplars = this.#keepExemplars();
    if (exemplars.length > 0) written.push(log.append(encodeExemplars(exemplars)));
    const { tap } = this.#target;
    if (tap !== undefined)
      written.push(...tell(tap, head, this.#columns, sections, late, exemplars));
    this.#clear();
    await Promise.all(written);
  }

  rollback(): void {
    this.#clear();
    this.#target.batches.close(this.#batch);
  }

  /** Ends the batch; its columns are somebody else's from here on. */
  #clear(): void {
    if (this.#columns !== NO_COLUMNS) this.#target.columns.giveBack(this.#columns);
    this.#columns = NO_COLUMNS;
    this.#exemplars = [];
    this.#histograms.clear();
    this.#late = [];
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

  #append(
    ref: SeriesRef,
    timestampMs: number,
    histogram?: FloatHistogram,
    startTimeMs = 0,
  ): AppendResult {
    const { head, batches } = this.#target;
    const id = head.series.idOf(ref);
    if (id < 0) return UNKNOWN_SERIES;
    if (timestampMs > this.#latestMs) return OUT_OF_BOUNDS;
    const index = this.#columns.count;
    const previous = batches.lastIndex(id, this.#batch);
    const verdict =
      previous < 0
        ? this.#judge(id, timestampMs, index, head.boundMs, histogram)
        : this.#judgeWithin(previous, timestampMs, index, histogram);
    if (verdict === OUT_OF_ORDER || verdict === OUT_OF_BOUNDS) {
      return this.#appendLate(ref, id, timestampMs, index, histogram, startTimeMs, verdict);
    }
    if (verdict !== APPENDED) return verdict;
    if (histogram !== undefined) this.#histograms.set(index, histogram);
    if (startTimeMs !== 0) this.#columns.setStartTime(index, startTimeMs);
    this.#columns.refs[index] = ref;
    this.#columns.timestamps[index] = timestampMs;
    batches.mark(id, this.#batch, index);
    this.#columns.count++;
    return APPENDED;
  }

  /** Takes a sample that is older than its series' newest, where the window allows it. */
  #appendLate(
    ref: SeriesRef,
    id: number,
    timestampMs: number,
    index: number,
    histogram: FloatHistogram | undefined,
    startTimeMs: number,
    otherwise: AppendResult,
  ): AppendResult {
    const { late, head, outOfOrderWindowMs } = this.#target;
    if (outOfOrderWindowMs <= 0) return otherwise;
    if (timestampMs < head.maxTimeMs - outOfOrderWindowMs) return TOO_OLD;
    const { bits } = this.#columns;
    const [low, high] = [bits[2 * index], bits[2 * index + 1]];
    const sample = { timestampMs, low, high, histogram, startTimeMs };
    const verdict = late.judge(id, sample);
    if (verdict === APPENDED) this.#late.push({ ref, sample });
    return verdict;
  }

  /** Puts the late samples that still pass in their places. */
  #applyLate(): LoggedLateSample[] {
    const { head, late } = this.#target;
    const applied: LoggedLateSample[] = [];
    for (const { ref, sample } of this.#late) {
      const id = head.series.idOf(ref);
      if (id < 0 || late.judge(id, sample) !== APPENDED) continue;
      late.insert(id, sample);
      applied.push({ id, sample });
    }
    return applied;
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
      ? head.judge(id, timestampMs, this.#columns.bits, index, boundMs)
      : head.judgeHistogram(id, timestampMs, histogram, boundMs);
  }

  #judgeWithin(
    previous: number,
    timestampMs: number,
    index: number,
    histogram: FloatHistogram | undefined,
  ): AppendResult {
    const previousMs = this.#columns.timestamps[previous];
    if (timestampMs > previousMs) return APPENDED;
    if (timestampMs < previousMs) return OUT_OF_ORDER;
    // Histograms of one batch and time are told apart by their counts only.
    const sameKind = this.#histograms.has(previous) === (histogram !== undefined);
    return sameKind && this.#columns.same(previous, index) ? REPEATED : DUPLICATE;
  }

  /**
   * Puts the samples that still pass into the head, and moves the floats among them to the front
   * of the columns.
   */
  #applyTo(head: Head, ids: Uint32Array): AppliedBatch {
    const { boundMs } = head;
    const { count, refs, timestamps, bits, startTimes } = this.#columns;
    const applied: AppliedBatch = { floats: 0, sections: [] };
    let section: BatchSection = { floatsEnd: 0, histograms: [], histogramIds: new Set() };
    let end = 0;
    for (let start = 0; start < count; start = end) {
      end = this.#runEnd(start);
      const ref = refs[start];
      const id = head.series.idOf(ref);
      const histogram = this.#histograms.size > 0 ? this.#histograms.get(start) : undefined;
      // Samples of a run rise: once one passes, all do.
      let from = id < 0 ? end : start;
      while (
        from < end &&
        this.#judge(id, timestamps[from], from, boundMs, histogram) !== APPENDED
      ) {
        from++;
      }
      if (from === end) continue;
      if (histogram !== undefined) {
        const timestampMs = timestamps[start];
        const startTimeMs = startTimes?.[start] ?? 0;
        head.appendHistogram(id, timestampMs, histogram);
        head.noteStartTime(id, startTimeMs);
        section.histograms.push({ id, timestampMs, histogram, startTimeMs });
        section.histogramIds.add(id);
        continue;
      }
      if (end - from === 1) head.append(id, timestamps[from], bits, from);
      else head.appendRun(id, timestamps, bits, from, end - from);
      if (startTimes !== null) head.noteStartTime(id, startTimes[from]);
      if (section.histogramIds.has(id)) {
        applied.sections.push(section);
        section = { floatsEnd: applied.floats, histograms: [], histogramIds: new Set() };
      }
      this.#columns.moveUp(from, end, applied.floats);
      for (let i = from; i < end; i++) {
        refs[applied.floats] = ref;
        ids[applied.floats++] = id;
      }
      section.floatsEnd = applied.floats;
    }
    applied.sections.push(section);
    return applied;
  }

  /** Where the samples that follow one of the same series end; those of floats alone. */
  #runEnd(start: number): number {
    let end = start + 1;
    if (this.#histograms.size > 0 || this.#columns.startTimes !== null) return end;
    const { count, refs } = this.#columns;
    while (end < count && refs[end] === refs[start]) end++;
    return end;
  }
}
