/** What the parts of a running query share. */
import type { Clock } from '@tyto/base';
import type { LogQuerier } from '@tyto/model';
import type { QueryBudget } from '@tyto/promql';
import type { LogqlLimits } from './limits.ts';

export interface QueryContext {
  readonly tenant: string;
  readonly store: LogQuerier;
  readonly clock: Clock;
  readonly limits: LogqlLimits;
  readonly budget: QueryBudget;
  /** Ends when the query must. */
  readonly signal: AbortSignal;
  readonly read: ReadCount;
}

/** What was read so far, and how much of it passed. */
export interface ReadCount {
  entries: number;
  bytes: number;
  passed: number;
}

/** The times at which a metric query is evaluated. */
export interface StepGrid {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly count: number;
}
