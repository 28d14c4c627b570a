/**
 * The newest native histograms of the series that have them, waiting to become a chunk. All of one
 * tail have one layout.
 */
import type { FloatHistogram } from '@tyto/model';
import {
  decodeLayout,
  encodeHistogramChunk,
  encodeLayout,
  type HistogramLayout,
  histogramOf,
  rowOf,
} from '../histogramChunk.ts';

/** Histograms of a tail; a few kilobytes a series. */
const TAIL_HISTOGRAMS = 16;

export class HistogramTail {
  readonly #layout: Uint8Array;
  readonly #shared: HistogramLayout;
  readonly #timestamps: number[] = [];
  readonly #rows: Float64Array[] = [];

  constructor(layout: Uint8Array) {
    this.#layout = layout;
    this.#shared = decodeLayout(layout, 0).layout;
  }

  get count(): number {
    return this.#rows.length;
  }

  get startMs(): number {
    return this.#timestamps[0];
  }

  countBefore(timeMs: number): number {
    return this.#timestamps.filter((timestampMs) => timestampMs < timeMs).length;
  }

  /** Whether one more histogram of this layout may come. */
  takes(layout: Uint8Array): boolean {
    return this.#rows.length < TAIL_HISTOGRAMS && Buffer.compare(this.#layout, layout) === 0;
  }

  add(timestampMs: number, histogram: FloatHistogram): void {
    this.#timestamps.push(timestampMs);
    this.#rows.push(rowOf(histogram));
  }

  /** Whether the newest one is this. */
  endsWith(histogram: FloatHistogram): boolean {
    const row = rowOf(histogram);
    const last = this.#rows[this.#rows.length - 1];
    if (Buffer.compare(this.#layout, encodeLayout(histogram)) !== 0) return false;
    return row.every((value, i) => Object.is(value, last[i]));
  }

  *entries(): IterableIterator<[timestampMs: number, histogram: FloatHistogram]> {
    for (let i = 0; i < this.#rows.length; i++) {
      yield [this.#timestamps[i], histogramOf(this.#shared, this.#rows[i])];
    }
  }

  chunk(): Uint8Array {
    return encodeHistogramChunk(this.#layout, Float64Array.from(this.#timestamps), this.#rows);
  }
}
