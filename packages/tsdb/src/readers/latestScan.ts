/**
 * Instant selectors at one time: the newest samples of series, taken from where the head has them
 * uncompressed. Series of which it does not are left to whoever asked.
 */
import {
  type ColumnBatch,
  type ColumnReader,
  type GroupColumns,
  type GroupOperator,
  NOT_COMPUTED,
  type WindowRequest,
} from '@tyto/model';
import { LATEST_UNKNOWN, type LatestResult, type SeriesSource } from '../seriesSource.ts';
import type { ScanSelection } from './columnScan.ts';

/** Series of one batch: a millisecond of work. */
const BATCH_SERIES = 8192;
/** Series by which it is judged whether most are at hand. */
const SERIES_LOOKED_AT = 16;

export class LatestScan implements ColumnReader {
  readonly #selection: ScanSelection;
  readonly #request: WindowRequest;
  readonly #values: Float64Array;
  readonly #bits: Uint32Array;
  #next = 0;

  constructor(selection: ScanSelection, request: WindowRequest) {
    this.#selection = selection;
    this.#request = request;
    this.#values = new Float64Array(Math.min(BATCH_SERIES, selection.places.size));
    this.#bits = new Uint32Array(this.#values.buffer);
  }

  /** Whether this is quicker than reading: the newest samples of most series are at hand. */
  isQuick(): boolean {
    const { size } = this.#selection.places;
    const looked = Math.min(size, SERIES_LOOKED_AT);
    let known = 0;
    for (let i = 0; i < looked; i++) {
      if (this.#latest(Math.floor((i * size) / looked), 0) !== LATEST_UNKNOWN) known++;
    }
    return known * 2 > looked;
  }

  next(): ColumnBatch | undefined {
    const first = this.#next;
    const end = Math.min(first + BATCH_SERIES, this.#selection.places.size);
    if (first === end) return undefined;
    this.#next = end;
    const sampleCounts = new Int32Array(end - first).fill(NOT_COMPUTED);
    const hasResults = new Uint8Array(end - first);
    if (this.#selection.isCurrent()) {
      for (let index = first; index < end; index++) {
        const result = this.#latest(index, index - first);
        if (result === LATEST_UNKNOWN) continue;
        sampleCounts[index - first] = result;
        hasResults[index - first] = result;
      }
    }
    const values = this.#values.subarray(0, end - first);
    const groups = this.#groupColumns(first, values, hasResults);
    return { first, end, sampleCounts, hasResults, values, present: hasResults, groups };
  }

  release(): void {
    this.#next = this.#selection.places.size;
  }

  #groupColumns(
    first: number,
    values: Float64Array,
    hasResults: Uint8Array,
  ): GroupColumns | undefined {
    const { groups } = this.#request;
    if (groups === undefined) return undefined;
    const own = new Map<number, number>();
    const totals: number[] = [];
    const errors: number[] = [];
    const counts: number[] = [];
    for (let at = 0; at < values.length; at++) {
      if (hasResults[at] === 0) continue;
      const id = groups.groupOf[first + at];
      const group = own.get(id) ?? own.size;
      const value = values[at];
      if (group === own.size) {
        own.set(id, group);
        totals.push(value);
        errors.push(0);
        counts.push(1);
        continue;
      }
      const before = totals[group];
      counts[group]++;
      if (groups.operator === 'sum') {
        const sum = before + value;
        const part = sum - before;
        totals[group] = sum;
        errors[group] += before - (sum - part) + (value - part);
      } else if (Number.isNaN(before) || isBetter(groups.operator, value, before)) {
        totals[group] = value;
      }
    }
    const column = (numbers: number[]) => Float64Array.from(numbers);
    return {
      ids: Uint32Array.from(own.keys()),
      values: column(totals),
      errors: column(errors),
      counts: column(counts),
    };
  }

  #latest(index: number, at: number): LatestResult {
    const { sources, places } = this.#selection;
    const { startMs, rangeMs } = this.#request;
    // The places of a series rise in time; only what came late may follow the head's.
    const place = places.firstPlace(index + 1) - 1;
    const source: SeriesSource = sources[places.sourceOf(place)];
    if (source.latestInto === undefined) return LATEST_UNKNOWN;
    // Whole milliseconds, so the window's open end is one later.
    const minTimeMs = startMs - rangeMs + 1;
    return source.latestInto(places.idOf(place), minTimeMs, startMs, this.#bits, at);
  }
}

function isBetter(operator: GroupOperator, value: number, best: number): boolean {
  return operator === 'max' ? value > best : value < best;
}
