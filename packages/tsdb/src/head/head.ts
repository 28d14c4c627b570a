/**
 * The head: all series that are written to and their newest samples.
 *
 * The last samples of a series wait in its tail; a tail of TAIL_SAMPLES is sealed into a chunk
 * when the next sample comes. Everything about a series is in arrays indexed by its id.
 * Samples before `minTimeMs` belong to blocks and are not shown by the head any more.
 */
import { assert, must } from '@tyto/base';
import { chunkSampleCount, encodeChunk } from '@tyto/kernels';
import {
  APPENDED,
  type AppendResult,
  bitsOf,
  DUPLICATE,
  type FloatHistogram,
  isStaleBits,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  type SampleColumns,
} from '@tyto/model';
import { appendChunk, appendDecoded, appendRange, lowerBound } from '../chunkRead.ts';
import { Column } from '../column.ts';
import { encodeLayout, isFloatChunk } from '../histogramChunk.ts';
import { PAST_MS_MAX, TAIL_SAMPLES } from '../limits.ts';
import type { DecodedRun, ReadPlan } from '../readers/readPlan.ts';
import { SeriesTable } from '../series/seriesTable.ts';
import { LATEST_FOUND, LATEST_NONE, LATEST_UNKNOWN, type LatestResult } from '../seriesSource.ts';
import { samplesOf } from '../startTimeChunk.ts';
import { CHUNK_DURATION_MS_MAX, HeadChunks, NO_CHUNK } from './headChunks.ts';
import { HistogramTail } from './histogramTails.ts';
import { StartTails } from './startTails.ts';
import { capacityOf, classFor, copyBits, newestUpTo, type TailPage, Tails } from './tails.ts';

/** A longer pause ends a chunk: without one, no tail spans more than a chunk may. */
const PAUSE_MS_MAX = Math.floor(CHUNK_DURATION_MS_MAX / TAIL_SAMPLES);

/** The tail class of a series that has no tail. */
const NO_TAIL = 0xff;
/** The tail class of a series whose newest samples are native histograms. */
const HISTOGRAMS = 0xfe;

export class Head {
  readonly series = new SeriesTable();
  #chunks = new HeadChunks();
  readonly #tails = new Tails();
  readonly #histogramTails = new Map<number, HistogramTail>();
  readonly #startTails = new StartTails();
  readonly #tailClass = new Column(Uint8Array);
  readonly #tailSlot = new Column(Uint32Array);
  readonly #tailCount = new Column(Uint8Array);
  readonly #lastChunk = new Column(Uint32Array);
  readonly #lastTime = new Column(Float64Array);
  /** Ids below this have been prepared at least once. */
  #idLimit = 0;
  #minTimeMs = -Infinity;
  #maxTimeMs = -Infinity;
  #oldestMs = Infinity;
  #sampleCount = 0;

  /** The newest sample's time; -Infinity before the first. */
  get maxTimeMs(): number {
    return this.#maxTimeMs;
  }

  /** The time from which on samples are the head's; -Infinity before the first block. */
  get minTimeMs(): number {
    return this.#minTimeMs;
  }

  /** The oldest time that a sample may have; Infinity when the head is empty. */
  get oldestMs(): number {
    return Math.max(this.#minTimeMs, this.#oldestMs);
  }

  get chunkCount(): number {
    return this.#chunks.count;
  }

  /** Samples appended since the start, replayed ones included. */
  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Bytes of samples in memory, pages included. */
  get bytes(): number {
    return this.#chunks.bytes + this.#tails.bytes;
  }

  lastTimeMs(id: number): number {
    return this.#lastTime.view[id];
  }

  /** The oldest time that a batch which begins now may write. */
  get boundMs(): number {
    return Math.max(this.#minTimeMs, this.#maxTimeMs - PAST_MS_MAX);
  }

  /**
   * What would become of a sample. A batch is judged by one bound, however far its own samples
   * move the head; `bits` are compared, so NaNs equal themselves.
   */
  judge(
    id: number,
    timestampMs: number,
    bits: Uint32Array,
    index: number,
    boundMs: number,
  ): AppendResult {
    const verdict = this.#judgeTime(id, timestampMs, boundMs);
    return verdict ?? (this.#endsWith(id, bits, index) ? REPEATED : DUPLICATE);
  }

  /** The same for a native histogram. */
  judgeHistogram(
    id: number,
    timestampMs: number,
    histogram: FloatHistogram,
    boundMs: number,
  ): AppendResult {
    const verdict = this.#judgeTime(id, timestampMs, boundMs);
    if (verdict !== undefined) return verdict;
    return this.#histogramTails.get(id)?.endsWith(histogram) === true ? REPEATED : DUPLICATE;
  }

  /** Makes room for a new series, or clears what an earlier one left at its id. */
  prepare(id: number): void {
    if (id >= this.#idLimit) {
      this.#reserve(id + 1);
      this.#tailClass.view.fill(NO_TAIL, this.#idLimit, id + 1);
      this.#idLimit = id + 1;
    }
    this.release(id);
    this.#lastChunk.view[id] = NO_CHUNK;
    this.#lastTime.view[id] = -Infinity;
  }

  /** Gives back what a series that is gone had. */
  release(id: number): void {
    const size = this.#tailClass.view[id];
    if (size === HISTOGRAMS) this.#histogramTails.delete(id);
    else if (size !== NO_TAIL) this.#tails.free(size, this.#tailSlot.view[id]);
    this.#tailClass.view[id] = NO_TAIL;
    this.#tailCount.view[id] = 0;
    this.#startTails.clear(id);
  }

  /** Adds a sample that `judge` let pass; the value's bits are copied from the source. */
  append(id: number, timestampMs: number, source: Uint32Array, index: number): void {
    assert(timestampMs > this.#lastTime.view[id], 'samples of a series rise in time');
    this.#makeRoom(id, timestampMs, 1);
    const size = this.#tailClass.view[id];
    const slot = this.#tailSlot.view[id];
    const page = this.#tails.page(size, slot);
    const at = this.#tails.offset(size, slot) + this.#tailCount.view[id]++;
    page.timestamps[at] = timestampMs;
    copyBits(page.bits, at, source, index);
    this.#noteSample(id, timestampMs);
  }

  /** Adds samples [from, from + count), which rise and of which `judge` let the first pass. */
  appendRun(
    id: number,
    timestamps: Float64Array,
    bits: Uint32Array,
    from: number,
    count: number,
  ): void {
    assert(timestamps[from] > this.#lastTime.view[id], 'samples of a series rise in time');
    const end = from + count;
    let next = from;
    while (next < end) {
      this.#makeRoom(id, timestamps[next], end - next);
      const size = this.#tailClass.view[id];
      const slot = this.#tailSlot.view[id];
      const { timestamps: times, bits: values } = this.#tails.page(size, slot);
      const tailStart = this.#tails.offset(size, slot);
      let at = tailStart + this.#tailCount.view[id];
      const room = tailStart + capacityOf(size);
      for (; next < end && at < room; next++, at++) {
        if (at > tailStart && timestamps[next] - times[at - 1] > PAUSE_MS_MAX) break;
        times[at] = timestamps[next];
        copyBits(values, at, bits, next);
      }
      this.#tailCount.view[id] = at - tailStart;
      this.#lastTime.view[id] = timestamps[next - 1];
    }
    if (timestamps[from] < this.#oldestMs) this.#oldestMs = timestamps[from];
    this.#sampleCount += count - 1;
    this.#noteSample(id, timestamps[end - 1]);
  }

  /** Adds a native histogram that `judgeHistogram` let pass. */
  appendHistogram(id: number, timestampMs: number, histogram: FloatHistogram): void {
    assert(timestampMs > this.#lastTime.view[id], 'samples of a series rise in time');
    const layout = encodeLayout(histogram);
    let tail = this.#histogramTails.get(id);
    if (tail === undefined || !tail.takes(layout)) {
      if (this.#tailCount.view[id] > 0) this.#seal(id);
      this.release(id);
      tail = new HistogramTail(layout);
      this.#histogramTails.set(id, tail);
      this.#tailClass.view[id] = HISTOGRAMS;
    }
    tail.add(timestampMs, histogram);
    this.#tailCount.view[id] = tail.count;
    this.#noteSample(id, timestampMs);
  }

  /** Notes the start time of the sample that was appended last; 0 for an unknown one. */
  noteStartTime(id: number, startTimeMs: number): void {
    if (startTimeMs === 0) return;
    this.#startTails.note(id, this.#tailCount.view[id] - 1, startTimeMs);
  }

  /** Puts a sealed chunk back behind what the series has; false where it is not newer. */
  restoreChunk(id: number, chunk: Uint8Array, minTimeMs: number, maxTimeMs: number): boolean {
    if (minTimeMs <= this.#lastTime.view[id]) return false;
    if (this.#tailCount.view[id] > 0) this.#seal(id);
    this.#lastChunk.view[id] = this.#chunks.add(
      this.#lastChunk.view[id],
      chunk,
      minTimeMs,
      maxTimeMs,
    );
    this.#lastTime.view[id] = maxTimeMs;
    this.#sampleCount += samplesOf(chunk);
    this.#maxTimeMs = Math.max(this.#maxTimeMs, maxTimeMs);
    this.#oldestMs = Math.min(this.#oldestMs, minTimeMs);
    return true;
  }

  /** Visits the sealed chunks of a series, oldest first, those with samples of the head's time. */
  eachChunk(
    id: number,
    visit: (bytes: Uint8Array, minTimeMs: number, maxTimeMs: number) => void,
  ): void {
    for (const at of this.#chunkList(id, this.#minTimeMs, Infinity)) {
      visit(this.#chunks.bytesOf(at), this.#chunks.minTimeMs(at), this.#chunks.maxTimeMs(at));
    }
  }

  /** The tail of a series as a chunk, or undefined where it is empty. */
  tailChunk(id: number): Uint8Array | undefined {
    const count = this.#tailCount.view[id];
    if (count === 0) return undefined;
    const histograms = this.#histogramTails.get(id);
    if (histograms !== undefined) return this.#startTails.chunkWith(id, histograms.chunk(), count);
    const page = this.#tailPage(id);
    const start = this.#tailStart(id);
    const chunk = encodeChunk(page.timestamps, page.values, start, count);
    return this.#startTails.chunkWith(id, chunk, count);
  }

  /** Whether the newest sample is a stale marker. */
  isStale(id: number): boolean {
    const count = this.#tailCount.view[id];
    if (count === 0 || this.#tailClass.view[id] === HISTOGRAMS) return false;
    const page = this.#tailPage(id);
    const start = this.#tailStart(id);
    return isStaleBits(page.bits, start + count - 1);
  }

  /** Whether any sample of the series may lie in the range. */
  mayHaveSamples(id: number, minTimeMs: number, maxTimeMs: number): boolean {
    const fromMs = Math.max(minTimeMs, this.#minTimeMs);
    return this.#lastTime.view[id] >= fromMs && maxTimeMs >= this.oldestMs;
  }

  /** Appends the samples within the range to `target`, oldest first. */
  readInto(
    id: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: SampleColumns,
    decoded?: DecodedRun,
  ): void {
    const fromMs = Math.max(minTimeMs, this.#minTimeMs);
    if (this.#lastTime.view[id] < fromMs) return;
    if (decoded !== undefined) appendDecoded(decoded, target);
    for (const at of this.#chunkList(id, fromMs, maxTimeMs, decoded?.mark)) {
      appendChunk(this.#chunks.bytesOf(at), fromMs, maxTimeMs, target);
    }
    if (this.#tailCount.view[id] === 0) return;
    const tailFrom = target.length;
    this.#appendTail(id, fromMs, maxTimeMs, target);
    if (!this.#startTails.has(id)) return;
    this.#startTails.addTo(id, this.#tailSamplesBefore(id, fromMs), target, tailFrom);
  }

  #appendTail(id: number, fromMs: number, maxTimeMs: number, target: SampleColumns): void {
    if (this.#tailClass.view[id] === HISTOGRAMS) {
      for (const [timeMs, histogram] of this.#histogramTails.get(id)?.entries() ?? []) {
        if (timeMs >= fromMs && timeMs <= maxTimeMs) target.pushHistogram(timeMs, histogram);
      }
      return;
    }
    const count = this.#tailCount.view[id];
    const page = this.#tailPage(id);
    const start = this.#tailStart(id);
    target.reserve(count);
    target.timestamps.set(page.timestamps.subarray(start, start + count), target.length);
    const bits = page.bits.subarray(start * 2, (start + count) * 2);
    bitsOf(target.values).set(bits, target.length * 2);
    appendRange(target, target.length, count, fromMs, maxTimeMs);
  }

  #tailSamplesBefore(id: number, timeMs: number): number {
    const histograms = this.#histogramTails.get(id);
    if (histograms !== undefined) return histograms.countBefore(timeMs);
    const start = this.#tailStart(id);
    const end = start + this.#tailCount.view[id];
    return lowerBound(this.#tailPage(id).timestamps, start, end, timeMs) - start;
  }

  /** Adds the sealed chunks within the range to a plan; returns the newest chunk there is. */
  planRead(id: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): number {
    const fromMs = Math.max(minTimeMs, this.#minTimeMs);
    plan.cutBefore(fromMs);
    for (const at of this.#chunkList(id, fromMs, maxTimeMs)) {
      const bytes = this.#chunks.bytesOf(at);
      if (!isFloatChunk(bytes)) {
        plan.clearRun();
        break;
      }
      const { buffer, byteOffset, length } = bytes;
      plan.addShared(buffer, byteOffset, length, chunkSampleCount(bytes));
    }
    return this.#lastChunk.view[id];
  }

  /** Adds everything within the range to a plan; false for histograms and start times. */
  planScan(id: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): boolean {
    const fromMs = Math.max(minTimeMs, this.#minTimeMs);
    if (this.#tailClass.view[id] === HISTOGRAMS || this.#startTails.has(id)) return false;
    plan.cutBefore(fromMs);
    for (const at of this.#chunkList(id, fromMs, maxTimeMs)) {
      const bytes = this.#chunks.bytesOf(at);
      if (!isFloatChunk(bytes)) return false;
      const { buffer, byteOffset, length } = bytes;
      plan.addShared(buffer, byteOffset, length, chunkSampleCount(bytes));
    }
    const count = this.#tailCount.view[id];
    if (count === 0) return true;
    const page = this.#tailPage(id);
    const start = this.#tailStart(id);
    if (page.timestamps[start] <= maxTimeMs && page.timestamps[start + count - 1] >= fromMs) {
      plan.addSamples(page.timestamps, page.bits, start, count);
    }
    return true;
  }

  /** See SeriesSource: what is at hand is in the tail. */
  latestInto(
    id: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: Uint32Array,
    at: number,
  ): LatestResult {
    const count = this.#tailCount.view[id];
    if (count === 0 || this.#tailClass.view[id] === HISTOGRAMS) return LATEST_UNKNOWN;
    const start = this.#tailStart(id);
    const page = this.#tailPage(id);
    const last = newestUpTo(page, start, count, maxTimeMs);
    // What is a block's is shown by that.
    if (last < 0 || page.timestamps[last] < this.#minTimeMs) return LATEST_UNKNOWN;
    if (page.timestamps[last] < minTimeMs || isStaleBits(page.bits, last)) return LATEST_NONE;
    copyBits(target, at, page.bits, last);
    return LATEST_FOUND;
  }

  /** Leaves everything before `timeMs` to the blocks. Returns the series that are left empty. */
  truncate(timeMs: number): Set<number> {
    assert(timeMs >= this.#minTimeMs, 'the head is cut forwards');
    this.#minTimeMs = timeMs;
    this.#oldestMs = Infinity;
    const old = this.#chunks;
    const kept = new HeadChunks();
    const dead = new Set<number>();
    for (let id = 0; id < this.series.idLimit; id++) {
      if (!this.series.isLive(id)) continue;
      let last = NO_CHUNK;
      let oldestMs = Infinity;
      for (const at of this.#chunkList(id, timeMs, Infinity)) {
        oldestMs = Math.min(oldestMs, old.minTimeMs(at));
        last = kept.add(last, old.bytesOf(at), old.minTimeMs(at), old.maxTimeMs(at));
      }
      this.#lastChunk.view[id] = last;
      if (this.#lastTime.view[id] < timeMs) dead.add(id);
      else this.#noteOldest(oldestMs === Infinity ? this.#tailStartMs(id) : oldestMs);
    }
    this.#chunks = kept;
    return dead;
  }

  /** The chunks of a series that overlap the range, oldest first, of those behind `known`. */
  #chunkList(id: number, minTimeMs: number, maxTimeMs: number, known = NO_CHUNK): number[] {
    const wanted: number[] = [];
    let at = this.#lastChunk.view[id];
    for (; at !== NO_CHUNK && at !== known; at = this.#chunks.previous(at)) {
      if (this.#chunks.maxTimeMs(at) < minTimeMs) break;
      if (this.#chunks.minTimeMs(at) <= maxTimeMs) wanted.push(at);
    }
    return wanted.reverse();
  }

  #tailPage(id: number): TailPage {
    return this.#tails.page(this.#tailClass.view[id], this.#tailSlot.view[id]);
  }

  /** Where in its page a tail begins. */
  #tailStart(id: number): number {
    return this.#tails.offset(this.#tailClass.view[id], this.#tailSlot.view[id]);
  }

  #tailStartMs(id: number): number {
    if (this.#tailCount.view[id] === 0) return this.#lastTime.view[id];
    if (this.#tailClass.view[id] !== HISTOGRAMS) {
      return this.#tailPage(id).timestamps[this.#tailStart(id)];
    }
    return must(this.#histogramTails.get(id), 'the class says that there is one').startMs;
  }

  /** Whether the newest sample has these bits. */
  #endsWith(id: number, bits: Uint32Array, index: number): boolean {
    const count = this.#tailCount.view[id];
    if (count === 0 || this.#tailClass.view[id] === HISTOGRAMS) return false;
    const page = this.#tailPage(id);
    const start = this.#tailStart(id);
    const last = 2 * (start + count - 1);
    return page.bits[last] === bits[2 * index] && page.bits[last + 1] === bits[2 * index + 1];
  }

  #noteOldest(timeMs: number): void {
    this.#oldestMs = Math.min(this.#oldestMs, Math.max(timeMs, this.#minTimeMs));
  }

  /** After a start: what blocks hold already is not the head's. */
  startAt(timeMs: number): void {
    this.#minTimeMs = Math.max(this.#minTimeMs, timeMs);
  }

  /** Sees to a place for one more sample: a first tail, a larger one, or an empty one. */
  #makeRoom(id: number, timestampMs: number, wanted: number): void {
    if (this.#tailClass.view[id] === HISTOGRAMS) this.#seal(id);
    const size = this.#tailClass.view[id];
    if (size === NO_TAIL) {
      const first = classFor(wanted);
      this.#tailClass.view[id] = first;
      this.#tailSlot.view[id] = this.#tails.allocate(first);
      return;
    }
    const count = this.#tailCount.view[id];
    const isLate = count > 0 && timestampMs - this.#lastTime.view[id] > PAUSE_MS_MAX;
    if (count === TAIL_SAMPLES || isLate) {
      this.#seal(id);
      return;
    }
    if (count < capacityOf(size)) return;
    this.#tailSlot.view[id] = this.#tails.grow(size, this.#tailSlot.view[id]);
    this.#tailClass.view[id] = size + 1;
  }

  #seal(id: number): void {
    const chunk = must(this.tailChunk(id), 'a tail that is sealed has samples');
    this.#lastChunk.view[id] = this.#chunks.add(
      this.#lastChunk.view[id],
      chunk,
      this.#tailStartMs(id),
      this.#lastTime.view[id],
    );
    this.#tailCount.view[id] = 0;
    this.#startTails.clear(id);
    if (this.#tailClass.view[id] === HISTOGRAMS) this.release(id);
  }

  /** What the timestamp alone decides; undefined for the newest sample's own. */
  #judgeTime(id: number, timestampMs: number, boundMs: number): AppendResult | undefined {
    if (timestampMs < boundMs) return OUT_OF_BOUNDS;
    const lastMs = this.#lastTime.view[id];
    if (timestampMs > lastMs) return APPENDED;
    return timestampMs < lastMs ? OUT_OF_ORDER : undefined;
  }

  #noteSample(id: number, timestampMs: number): void {
    this.#lastTime.view[id] = timestampMs;
    this.#sampleCount++;
    if (timestampMs > this.#maxTimeMs) this.#maxTimeMs = timestampMs;
    if (timestampMs < this.#oldestMs) this.#oldestMs = timestampMs;
  }

  #reserve(count: number): void {
    this.#tailClass.reserve(count);
    this.#tailSlot.reserve(count);
    this.#tailCount.reserve(count);
    this.#lastChunk.reserve(count);
    this.#lastTime.reserve(count);
  }
}
