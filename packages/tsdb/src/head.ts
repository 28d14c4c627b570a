/**
 * The head: all series that are written to and their newest samples.
 *
 * The last samples of a series wait in its tail, a slot of TAIL_SAMPLES in a page of raw numbers;
 * a full tail is sealed into a chunk. Everything about a series is in arrays indexed by its id.
 * Samples before `minTimeMs` belong to blocks and are not shown by the head any more.
 */
import { assert } from '@tyto/base';
import { encodeChunk } from '@tyto/kernels';
import {
  APPENDED,
  type AppendResult,
  bitsOf,
  DUPLICATE,
  isStaleBits,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  type SampleColumns,
} from '@tyto/model';
import { appendChunk, appendRange } from './chunkRead.ts';
import { HeadChunks, NO_CHUNK } from './headChunks.ts';
import { PAST_MS_MAX, TAIL_SAMPLES } from './limits.ts';
import { SeriesTable } from './seriesTable.ts';

const SERIES_PER_PAGE = 2048;

interface TailPage {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

export class Head {
  readonly series = new SeriesTable();
  #chunks = new HeadChunks();
  #tails: TailPage[] = [];
  #tailCount = new Uint8Array(64);
  #lastChunk = new Int32Array(64).fill(NO_CHUNK);
  #lastTime = new Float64Array(64).fill(-Infinity);
  #lastValue = new Float64Array(64);
  #lastBits = bitsOf(this.#lastValue);
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
    return this.#chunks.bytes + this.#tails.length * SERIES_PER_PAGE * TAIL_SAMPLES * 16;
  }

  lastTimeMs(id: number): number {
    return this.#lastTime[id];
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
    if (timestampMs < boundMs) return OUT_OF_BOUNDS;
    const lastMs = this.#lastTime[id];
    if (timestampMs > lastMs) return APPENDED;
    if (timestampMs < lastMs) return OUT_OF_ORDER;
    const low = this.#lastBits[2 * id] === bits[2 * index];
    const high = this.#lastBits[2 * id + 1] === bits[2 * index + 1];
    return low && high ? REPEATED : DUPLICATE;
  }

  /** Makes room for a new series, or clears what an earlier one left at its id. */
  prepare(id: number): void {
    if (id >= this.#tailCount.length) this.#grow(Math.max(id + 1, this.#tailCount.length * 2));
    while (this.#tails.length * SERIES_PER_PAGE <= id) {
      const size = SERIES_PER_PAGE * TAIL_SAMPLES;
      this.#tails.push({ timestamps: new Float64Array(size), values: new Float64Array(size) });
    }
    this.#tailCount[id] = 0;
    this.#lastChunk[id] = NO_CHUNK;
    this.#lastTime[id] = -Infinity;
  }

  /** Adds a sample that `judge` let pass; the value's bits are copied from the source. */
  append(id: number, timestampMs: number, source: Uint32Array, index: number): void {
    assert(timestampMs > this.#lastTime[id], 'samples of a series rise in time');
    if (this.#tailCount[id] === TAIL_SAMPLES) this.#seal(id);
    const page = this.#tails[Math.floor(id / SERIES_PER_PAGE)];
    const slot = (id % SERIES_PER_PAGE) * TAIL_SAMPLES + this.#tailCount[id];
    page.timestamps[slot] = timestampMs;
    copyBits(bitsOf(page.values), slot, source, index);
    copyBits(this.#lastBits, id, source, index);
    this.#tailCount[id]++;
    this.#lastTime[id] = timestampMs;
    this.#sampleCount++;
    if (timestampMs > this.#maxTimeMs) this.#maxTimeMs = timestampMs;
    if (timestampMs < this.#oldestMs) this.#oldestMs = timestampMs;
  }

  /** Whether the newest sample is a stale marker. */
  isStale(id: number): boolean {
    return this.#lastTime[id] !== -Infinity && isStaleBits(this.#lastBits, id);
  }

  /** Whether any sample of the series may lie in the range. */
  mayHaveSamples(id: number, minTimeMs: number, maxTimeMs: number): boolean {
    return this.#lastTime[id] >= Math.max(minTimeMs, this.#minTimeMs) && maxTimeMs >= this.oldestMs;
  }

  /** Appends the samples within the range to `target`, oldest first. */
  readInto(id: number, minTimeMs: number, maxTimeMs: number, target: SampleColumns): void {
    const fromMs = Math.max(minTimeMs, this.#minTimeMs);
    if (this.#lastTime[id] < fromMs) return;
    const wanted: number[] = [];
    for (let at = this.#lastChunk[id]; at !== NO_CHUNK; at = this.#chunks.previous(at)) {
      if (this.#chunks.maxTimeMs(at) < fromMs) break;
      if (this.#chunks.minTimeMs(at) <= maxTimeMs) wanted.push(at);
    }
    for (let i = wanted.length - 1; i >= 0; i--) {
      const count = this.#chunks.sampleCount(wanted[i]);
      appendChunk(this.#chunks.bytesOf(wanted[i]), count, fromMs, maxTimeMs, target);
    }
    const tailCount = this.#tailCount[id];
    if (tailCount === 0) return;
    const { timestamps, values } = this.#tails[Math.floor(id / SERIES_PER_PAGE)];
    const start = (id % SERIES_PER_PAGE) * TAIL_SAMPLES;
    target.reserve(tailCount);
    target.timestamps.set(timestamps.subarray(start, start + tailCount), target.length);
    bitsOf(target.values).set(
      bitsOf(values).subarray(start * 2, (start + tailCount) * 2),
      target.length * 2,
    );
    appendRange(target, target.length, tailCount, fromMs, maxTimeMs);
  }

  /** Hands everything before `timeMs` over to the blocks. Returns the series that are left empty. */
  truncate(timeMs: number): Set<number> {
    assert(timeMs >= this.#minTimeMs, 'the head is cut forwards');
    this.#minTimeMs = timeMs;
    this.#oldestMs = Infinity;
    const old = this.#chunks;
    const kept = new HeadChunks();
    const dead = new Set<number>();
    for (let id = 0; id < this.series.idLimit; id++) {
      if (!this.series.isLive(id)) continue;
      const list: number[] = [];
      for (let at = this.#lastChunk[id]; at !== NO_CHUNK; at = old.previous(at)) {
        if (old.maxTimeMs(at) < timeMs) break;
        list.push(at);
      }
      let last = NO_CHUNK;
      for (let i = list.length - 1; i >= 0; i--) {
        const at = list[i];
        last = kept.add(last, old.bytesOf(at), old.minTimeMs(at), old.maxTimeMs(at));
      }
      this.#lastChunk[id] = last;
      if (this.#lastTime[id] < timeMs) dead.add(id);
      else
        this.#noteOldest(
          list.length > 0 ? old.minTimeMs(list[list.length - 1]) : this.#tailStartMs(id),
        );
    }
    this.#chunks = kept;
    return dead;
  }

  #tailStartMs(id: number): number {
    const { timestamps } = this.#tails[Math.floor(id / SERIES_PER_PAGE)];
    return timestamps[(id % SERIES_PER_PAGE) * TAIL_SAMPLES];
  }

  #noteOldest(timeMs: number): void {
    this.#oldestMs = Math.min(this.#oldestMs, Math.max(timeMs, this.#minTimeMs));
  }

  /** After a start: what blocks hold already is not the head's. */
  startAt(timeMs: number): void {
    this.#minTimeMs = Math.max(this.#minTimeMs, timeMs);
  }

  #seal(id: number): void {
    const page = this.#tails[Math.floor(id / SERIES_PER_PAGE)];
    const start = (id % SERIES_PER_PAGE) * TAIL_SAMPLES;
    const count = this.#tailCount[id];
    const chunk = encodeChunk(page.timestamps, page.values, start, count);
    const minTimeMs = page.timestamps[start];
    const maxTimeMs = page.timestamps[start + count - 1];
    this.#lastChunk[id] = this.#chunks.add(this.#lastChunk[id], chunk, minTimeMs, maxTimeMs);
    this.#tailCount[id] = 0;
  }

  #grow(size: number): void {
    const tailCount = new Uint8Array(size);
    tailCount.set(this.#tailCount);
    const lastChunk = new Int32Array(size).fill(NO_CHUNK);
    lastChunk.set(this.#lastChunk);
    const lastTime = new Float64Array(size).fill(-Infinity);
    lastTime.set(this.#lastTime);
    const lastValue = new Float64Array(size);
    const lastBits = bitsOf(lastValue);
    lastBits.set(this.#lastBits);
    this.#tailCount = tailCount;
    this.#lastChunk = lastChunk;
    this.#lastTime = lastTime;
    this.#lastValue = lastValue;
    this.#lastBits = lastBits;
  }
}

/** Copies the value at `from` of one column's bits to `to` of another's. */
export function copyBits(target: Uint32Array, to: number, source: Uint32Array, from: number): void {
  target[2 * to] = source[2 * from];
  target[2 * to + 1] = source[2 * from + 1];
}
