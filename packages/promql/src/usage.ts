/** What a query takes, for whoever watches it while it runs, and afterwards. */
import type { Matcher } from '@tyto/model';
import type { QueryStep } from './trace.ts';

/** One read of the store. */
export interface QueryRead {
  readonly matchers: readonly Matcher[];
  /** Both ends are included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly seriesCount: number;
}

export interface QueryUsage {
  /** Samples and points in memory now, and the most there were at once. */
  readonly heldSamples: number;
  readonly peakSamples: number;
  /** Samples that were read from the store so far. */
  readonly readSamples: number;
  /** How long finding the series took; undefined until all of them are found. */
  readonly preparationMs?: number | undefined;
  /** The reads whose series have been found so far. */
  readonly reads: readonly QueryRead[];
  /** How it was evaluated: one step, with others in it, when that is done. */
  readonly steps: readonly QueryStep[];
}
