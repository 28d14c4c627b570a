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
import { FUTURE_MS_MAX } from './limits.ts';
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

export class Appender implements MetricAppender {
  readonly #target: AppendTarget;
  readonly #batch: number;
  #refs = new Float64Array(64);
  #timestamps = new Float64Array(64);
  #values = new Float64Array(64);
  #bits = bitsOf(this.#values);
  #count = 0;
  #exemplars: (readonly [ref: SeriesRef, exemplar: Exemplar])[] = [];

  constructor(target: AppendTarget) {
    this.#target = target;
    this.#batch = target.batches.open();
  }

  series(labels: Labels): SeriesRef {
    return this.#target.resolve(labels);
  }

  append(ref: SeriesRef, timestampMs: number, value: number): AppendResult {
    this.#reserve();
    this.#values[this.#count] = value;
    return this.#append(ref, timestampMs);
  }

  appendStale(ref: SeriesRef, timestampMs: number): AppendResult {
    this.#reserve();
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
    const bits = bitsOf(values);
    let answer: AppendResult = APPENDED;
    for (let i = from; i < from + count; i++) {
      this.#reserve();
      copyBits(this.#bits, this.#count, bits, i);
      const result = this.#append(ref, timestamps[i]);
      if (answer === APPENDED) answer = result;
    }
    return answer;
  }

  appendHistogram(_ref: SeriesRef, _timestampMs: number, _histogram: FloatHistogram): AppendResult {
    throw new TytoError('unavailable', 'native histograms are not stored yet');
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
    const kept = this.#applyTo(head, ids);
    this.#target.committed(kept, this.#count - kept);
    const written = this.#target.takeDefinitions().map((record) => log.append(record));
    for (let from = 0; from < kept; from += RECORD_SAMPLES_MAX) {
      const count = Math.min(RECORD_SAMPLES_MAX, kept - from);
      written.push(log.append(encodeSamples(ids, this.#timestamps, this.#values, from, count)));
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

  #append(ref: SeriesRef, timestampMs: number): AppendResult {
    const { head, batches } = this.#target;
    const id = head.series.idOf(ref);
    if (id < 0) return UNKNOWN_SERIES;
    if (timestampMs > this.#target.nowMs() + FUTURE_MS_MAX) return OUT_OF_BOUNDS;
    const index = this.#count;
    const previous = batches.lastIndex(id, this.#batch);
    const verdict =
      previous < 0
        ? head.judge(id, timestampMs, this.#bits, index, head.boundMs)
        : this.#judgeWithin(previous, timestampMs, index);
    if (verdict !== APPENDED) return verdict;
    this.#refs[index] = ref;
    this.#timestamps[index] = timestampMs;
    batches.mark(id, this.#batch, index);
    this.#count++;
    return APPENDED;
  }

  #judgeWithin(previous: number, timestampMs: number, index: number): AppendResult {
    const previousMs = this.#timestamps[previous];
    if (timestampMs > previousMs) return APPENDED;
    if (timestampMs < previousMs) return OUT_OF_ORDER;
    const bits = this.#bits;
    const low = bits[2 * previous] === bits[2 * index];
    return low && bits[2 * previous + 1] === bits[2 * index + 1] ? REPEATED : DUPLICATE;
  }

  /** Moves the samples that still pass to the front of the columns and into the head. */
  #applyTo(head: Head, ids: Uint32Array): number {
    const { boundMs } = head;
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const id = head.series.idOf(this.#refs[i]);
      const timestampMs = this.#timestamps[i];
      if (id < 0 || head.judge(id, timestampMs, this.#bits, i, boundMs) !== APPENDED) continue;
      head.append(id, timestampMs, this.#bits, i);
      ids[kept] = id;
      this.#timestamps[kept] = timestampMs;
      copyBits(this.#bits, kept, this.#bits, i);
      kept++;
    }
    return kept;
  }

  #reserve(): void {
    if (this.#count < this.#refs.length) return;
    const size = this.#count * 2;
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
