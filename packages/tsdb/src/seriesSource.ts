/** What a selection reads from: the head, what came late, or a block. */
import type { SampleColumns } from '@tyto/model';
import type { SeriesIndex } from './indexSearch.ts';
import type { DecodedRun, ReadPlan } from './readers/readPlan.ts';

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
}

/** Hears what is damaged, and where. */
export type DamageListener = (message: string) => void;
