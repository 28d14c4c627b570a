/**
 * What a scanner is asked to compute: the columns of some series, or of their groups. The runs of
 * its plan are those of series 0, 1, 2 …, in rising time where a series has several.
 */
import type { GroupOperator, WindowRequest } from '@tyto/model';
import type { PlanSamples } from './readPlan.ts';

/** A result and whether there is one. */
export const RESULT_BYTES = 9;
/** A value, an error and a count. */
export const GROUP_RESULT_BYTES = 24;

export interface ScanTask {
  readonly id: number;
  readonly plan: Float64Array;
  /** Paths of chunks files. */
  readonly files: readonly string[];
  /** Shared memory. */
  readonly pages: readonly Uint8Array[];
  readonly samples: PlanSamples;
  /** Without its groups. */
  readonly request: WindowRequest;
  readonly seriesCount: number;
  readonly groups: ScanGroups | undefined;
  /**
   * Room for the results. Without groups: all values, then all marks; with groups: all values, all
   * errors, all counts.
   */
  readonly target: ArrayBufferLike;
}

export interface ScanGroups {
  readonly operator: GroupOperator;
  /** By series: one of the task's own groups. */
  readonly groupOf: Uint32Array;
  readonly count: number;
}

export interface ScanAnswer {
  readonly id: number;
  /** By series: the samples that were read, or NOT_COMPUTED. */
  readonly sampleCounts: Int32Array<ArrayBuffer>;
  /** By series: whether there is any result. */
  readonly hasResults: Uint8Array<ArrayBuffer>;
}
