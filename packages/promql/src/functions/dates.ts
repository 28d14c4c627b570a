/** Parts of a time in UTC. Without an argument they tell about the evaluation time. */
import { Labels } from '@tyto/model';
import { type Column, emptyColumn, FLOAT, type Grid } from '../column.ts';
import { mapFloats } from './math.ts';
import type { VectorFunction } from './registry.ts';

const DAY_MS = 86_400_000;

const parts: Readonly<Record<string, (date: Date) => number>> = {
  minute: (date) => date.getUTCMinutes(),
  hour: (date) => date.getUTCHours(),
  day_of_week: (date) => date.getUTCDay(),
  day_of_month: (date) => date.getUTCDate(),
  day_of_year: (date) =>
    Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1,
  days_in_month: (date) =>
    new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  month: (date) => date.getUTCMonth() + 1,
  year: (date) => date.getUTCFullYear(),
};

export const dateFunctions = Object.entries(parts).map(
  ([name, part]): readonly [string, VectorFunction] => [
    name,
    async (call, grid, evaluation) => {
      const columns =
        call.args.length === 0
          ? [evaluationTimes(grid)]
          : await evaluation.vector(call.args[0], grid);
      return mapFloats(columns, evaluation, (seconds) =>
        part(new Date(Math.trunc(seconds) * 1000)),
      );
    },
  ],
);

/** A column of the evaluation times in seconds. */
export function evaluationTimes(grid: Grid): Column {
  const column = emptyColumn(Labels.empty, false, grid.count);
  for (let step = 0; step < grid.count; step++) {
    column.values[step] = (grid.startMs + step * grid.stepMs) / 1000;
  }
  column.present.fill(FLOAT);
  return column;
}
