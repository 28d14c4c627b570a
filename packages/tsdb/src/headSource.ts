/** The head as its readers see it: without what was deleted from it. */
import type { Labels, SampleColumns } from '@tyto/model';
import type { Head } from './head/head.ts';
import type { LabelsOf } from './indexSearch.ts';
import { addInterval, covers, dropSamples, type Intervals } from './intervals.ts';
import type { LoggedDeletion } from './log/deletionRecord.ts';
import type { Postings } from './postings.ts';
import type { ReadDays } from './readDays.ts';
import type { DecodedRun, ReadPlan } from './readers/readPlan.ts';
import {
  type DamageListener,
  LATEST_UNKNOWN,
  type LatestResult,
  type PairFinder,
  type SeriesSource,
} from './seriesSource.ts';

export class HeadSource implements SeriesSource {
  readonly #head: Head;
  /** By id: the times of which a series' samples are deleted. */
  readonly #deleted = new Map<number, Intervals>();

  readonly #readDays: ReadDays;
  readonly #today: () => number;

  /** `today` is a day as `readDays` counts them. */
  constructor(head: Head, readDays: ReadDays, today: () => number) {
    this.#head = head;
    this.#readDays = readDays;
    this.#today = today;
  }

  noteRead(ids: Iterable<number>): void {
    const today = this.#today();
    for (const id of ids) this.#readDays.mark(id, today);
  }

  allSeries(): Postings {
    return this.#head.series.allSeries();
  }

  postings(name: string, value: string): Postings {
    return this.#head.series.postings(name, value);
  }

  labelNames(): Iterable<string> {
    return this.#head.series.labelNames();
  }

  labelValues(name: string): Iterable<string> {
    return this.#head.series.labelValues(name);
  }

  valueCount(name: string): number {
    return this.#head.series.valueCount(name);
  }

  labels(id: number): Labels {
    return this.#head.series.labels(id);
  }

  keepLabels(ids: Uint32Array): LabelsOf {
    return this.#head.series.keepLabels(ids);
  }

  mayHaveSamples(id: number, minTimeMs: number, maxTimeMs: number): boolean {
    if (!this.#head.mayHaveSamples(id, minTimeMs, maxTimeMs)) return false;
    const deleted = this.#deleted.get(id);
    if (deleted === undefined) return true;
    const fromMs = Math.max(minTimeMs, this.#head.oldestMs);
    const toMs = Math.min(maxTimeMs, this.#head.lastTimeMs(id));
    return !covers(deleted, fromMs, toMs);
  }

  readInto(
    id: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: SampleColumns,
    _damaged?: DamageListener,
    decoded?: DecodedRun,
  ): void {
    const start = target.length;
    this.#head.readInto(id, minTimeMs, maxTimeMs, target, decoded);
    const deleted = this.#deleted.get(id);
    if (deleted !== undefined) dropSamples(target, start, deleted);
  }

  planRead(id: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): number {
    return this.#head.planRead(id, minTimeMs, maxTimeMs, plan);
  }

  planScan(id: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): boolean {
    if (this.#deleted.has(id)) return false;
    return this.#head.planScan(id, minTimeMs, maxTimeMs, plan);
  }

  latestInto(
    id: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: Uint32Array,
    at: number,
  ): LatestResult {
    if (this.#deleted.has(id)) return LATEST_UNKNOWN;
    return this.#head.latestInto(id, minTimeMs, maxTimeMs, target, at);
  }

  pairFinder(name: string): PairFinder {
    return this.#head.series.pairFinder(name);
  }

  /** What deleting a range of a series means: of what is there now. Undefined for nothing. */
  deletable(id: number, minTimeMs: number, maxTimeMs: number): LoggedDeletion | undefined {
    if (!this.mayHaveSamples(id, minTimeMs, maxTimeMs)) return undefined;
    return {
      id,
      minTimeMs: Math.max(minTimeMs, this.#head.oldestMs),
      maxTimeMs: Math.min(maxTimeMs, this.#head.lastTimeMs(id)),
    };
  }

  delete(id: number, minTimeMs: number, maxTimeMs: number): void {
    this.#deleted.set(id, addInterval(this.#deleted.get(id) ?? [], minTimeMs, maxTimeMs));
  }

  /** A new series has the id now, or none has. */
  forget(id: number): void {
    this.#deleted.delete(id);
  }

  /** Drops what lies before the head's time. */
  truncate(timeMs: number): void {
    for (const [id, intervals] of this.#deleted) {
      const kept = intervals.filter((_, i) => intervals[i | 1] >= timeMs);
      if (kept.length === 0) this.#deleted.delete(id);
      else this.#deleted.set(id, kept);
    }
  }

  *deletions(): IterableIterator<LoggedDeletion> {
    for (const [id, intervals] of this.#deleted) {
      for (let i = 0; i < intervals.length; i += 2) {
        yield { id, minTimeMs: intervals[i], maxTimeMs: intervals[i + 1] };
      }
    }
  }
}
