/** start_timestamp(): since when the samples that a selector picks have been counting. */
import type { SampleColumns } from '@tyto/model';
import { unwrapParens } from '@tyto/syntax';
import { type Column, FLOAT } from '../column.ts';
import { selectLatest } from '../selectors.ts';
import type { VectorFunction } from './registry.ts';

/** In seconds; 0 where it is unknown. Whatever is no selector has no start times at all. */
const startTimestamp: VectorFunction = async (call, grid, evaluation) => {
  const arg = unwrapParens(call.args[0]);
  if (arg.kind !== 'vector' || arg.smoothed || !evaluation.sources.useStartTimes) {
    await evaluation.vector(arg, grid);
    return [];
  }
  const columns = await selectLatest(arg, grid, evaluation, fillStartTimes);
  return columns.map((column) => ({ ...column, dropName: true }));
};

function fillStartTimes(samples: SampleColumns, latest: Int32Array, column: Column): void {
  for (let step = 0; step < latest.length; step++) {
    const index = latest[step];
    if (index < 0 || samples.isStale(index)) continue;
    column.values[step] = (samples.startTimes?.[index] ?? 0) / 1000;
    column.present[step] = FLOAT;
  }
}

export const startTimestampFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['start_timestamp', startTimestamp],
];
