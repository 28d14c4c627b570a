/** What a selection reads from: the head, what came late, or a block. */
import type { SampleColumns } from '@tyto/model';
import type { SeriesIndex } from './indexSearch.ts';
import type { Postings } from './postings.ts';
import type { DecodedRun, ReadPlan } from './readers/readPlan.ts';
import type { SeriesTable } from './series/seriesTable.ts';

export interface SeriesSource extends SeriesIndex {
  labelNames(): Iterable<string>;
  /** Hears which series a query found. */
  noteRead?(ids: Iterable<number>): void;
  mayHaveSamples(id: number, minTimeMs: number, maxTimeMs: number): boolean;
  /**
   * Damage is told, and its samples are left out; without a listener it throws. What is in
   * `decoded` is not read again.
   */
  readInto(
    id: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: SampleColumns,
    damaged?: DamageListener,
    decoded?: DecodedRun,
  ): void;
  /**
   * Adds to a plan's run what another thread can decode of a series; what it returns is the mark
   * with which `readInto` takes that run back. Where it adds nothing, the source reads by itself.
   */
  planRead?(id: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): number;
  /**
   * Adds all samples of a series to a plan's run, in rising time; false where it cannot, and
   * whoever asked reads the series himself.
   */
  planScan?(id: number, minTimeMs: number, maxTimeMs: number, plan: ReadPlan): boolean;
  /**
   * The bits of the newest sample within the range, where it is at hand: LATEST_NONE for none, or
   * a stale marker. No other source has a later one.
   */
  latestInto?(
    id: number,
    minTimeMs: number,
    maxTimeMs: number,
    target: Uint32Array,
    at: number,
  ): LatestResult;
  /** The id that a series has in the head, -1 where it is not there; without this it is its own. */
  headId?(id: number, table: SeriesTable): number;
  /** The label pairs of a name. */
  pairFinder(name: string): PairFinder;
}

export const LATEST_NONE = 0;
export const LATEST_FOUND = 1;
/** It has to be read. */
export const LATEST_UNKNOWN = 2;
export type LatestResult = 0 | 1 | 2;

/** Label pairs of one name under a source's own numbers for them; valid until its next change. */
export interface PairFinder {
  /** The pair that a series has, -1 for none. */
  pairOf(id: number): number;
  valueOf(pair: number): string;
  /** All of them, in no order. */
  pairs(): Iterable<number>;
  /** The series that have a pair. */
  seriesOf(pair: number): Postings;
}

/** Hears what is damaged, and where. */
export type DamageListener = (message: string) => void;
