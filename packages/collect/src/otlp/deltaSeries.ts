/**
 * Adds up what comes as deltas, so that it is stored as counters are: one running total a series.
 * A total that had nothing to add for a while is forgotten; the series then begins anew, which
 * queries see as a reset of the counter. The number of totals is bounded.
 */
import type { OtlpPoint } from '@tyto/wire';
import { addBuckets, type SparseHistogram, sparseOf } from './sparseHistogram.ts';

/** What is added up of a point; which of the fields mean something is its metric's affair. */
interface Total {
  /** Since when it is added up; 0 where the first delta did not say. */
  startMs: number;
  timeMs: number;
  /** When it was last added to, by the clock. */
  touchedMs: number;
  value: number;
  count: number;
  sum: number | undefined;
  bounds: readonly number[];
  counts: readonly number[];
  exponential: SparseHistogram | undefined;
}

export type Added =
  | { readonly kind: 'point'; readonly point: AddedPoint; keep(): void }
  | { readonly kind: 'old' }
  | { readonly kind: 'full' };

/** The point with the total so far in place of its delta. */
export interface AddedPoint extends OtlpPoint {
  /** Of an exponential histogram. */
  readonly exponential: SparseHistogram | undefined;
}

export class DeltaSeries {
  readonly #totals = new Map<string, Total>();
  readonly #sizeMax: number;
  readonly #ageMsMax: number;
  #sweptMs = 0;

  constructor(sizeMax: number, ageMsMax: number) {
    this.#sizeMax = sizeMax;
    this.#ageMsMax = ageMsMax;
  }

  get size(): number {
    return this.#totals.size;
  }

  /**
   * Adds a point to its series' total. Nothing is changed before `keep`, which the caller calls
   * once the store has taken the point; the totals of a batch that was not written are forgotten
   * with `forget`, so that what is sent again counts again.
   */
  add(key: string, point: OtlpPoint, nowMs: number): Added {
    const known = this.#totals.get(key);
    const isAlive = known !== undefined && nowMs - known.touchedMs <= this.#ageMsMax;
    const total = isAlive ? known : undefined;
    if (total !== undefined && point.timeMs <= total.timeMs) return { kind: 'old' };
    if (known === undefined && this.#totals.size >= this.#sizeMax) {
      this.#sweep(nowMs);
      if (this.#totals.size >= this.#sizeMax) return { kind: 'full' };
    }
    const next = sumOf(total, point, nowMs);
    return { kind: 'point', point: { ...point, ...next }, keep: () => this.#set(key, next) };
  }

  forget(key: string): void {
    this.#totals.delete(key);
  }

  #set(key: string, total: Total): void {
    this.#totals.set(key, total);
    this.#sweep(total.touchedMs);
  }

  /** Now and then: a look at all totals. */
  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < this.#ageMsMax / 4) return;
    this.#sweptMs = nowMs;
    for (const [key, { touchedMs }] of this.#totals) {
      if (nowMs - touchedMs > this.#ageMsMax) this.#totals.delete(key);
    }
  }
}

function sumOf(total: Total | undefined, point: OtlpPoint, touchedMs: number): Total {
  const { startMs, timeMs, value, count, sum, bounds, counts } = point;
  const isSame = total !== undefined && equal(total.bounds, bounds);
  const exponential = sparseOf(point);
  // Other buckets cannot be added to: the histogram begins anew.
  if (total === undefined || !isSame || total.counts.length !== counts.length) {
    return { startMs, timeMs, touchedMs, value, count, sum, bounds, counts, exponential };
  }
  return {
    startMs: total.startMs,
    timeMs,
    touchedMs,
    value: total.value + value,
    count: total.count + count,
    sum: total.sum === undefined || sum === undefined ? undefined : total.sum + sum,
    bounds,
    counts: counts.map((each, i) => total.counts[i] + each),
    exponential:
      total.exponential === undefined ? exponential : addBuckets(total.exponential, exponential),
  };
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}
