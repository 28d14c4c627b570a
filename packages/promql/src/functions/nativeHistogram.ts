/** Functions of native histograms that yield one number each. */
import type { FloatHistogram } from '@tyto/model';
import { ABSENT, FLOAT, withoutEmpty } from '../column.ts';
import { histogramVariance } from '../histograms/statistics.ts';
import type { VectorFunction } from './registry.ts';

function ofHistogram(compute: (histogram: FloatHistogram) => number): VectorFunction {
  return async (call, grid, evaluation) => {
    const columns = await evaluation.vector(call.args[0], grid);
    return withoutEmpty(
      columns.map((column) => {
        const { values, present, histograms } = column;
        for (let step = 0; step < grid.count; step++) {
          const histogram = histograms?.[step];
          if (present[step] === FLOAT || histogram === undefined) {
            present[step] = ABSENT;
          } else if (present[step] !== ABSENT) {
            values[step] = compute(histogram);
            present[step] = FLOAT;
          }
        }
        return { ...column, dropName: true, histograms: null };
      }),
    );
  };
}

export const nativeHistogramFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['histogram_count', ofHistogram(({ count }) => count)],
  ['histogram_sum', ofHistogram(({ sum }) => sum)],
  ['histogram_avg', ofHistogram(({ sum, count }) => sum / count)],
  ['histogram_stddev', ofHistogram((histogram) => Math.sqrt(histogramVariance(histogram)))],
  ['histogram_stdvar', ofHistogram(histogramVariance)],
  // Stores keep no start timestamps, so no sample has one.
  ['start_timestamp', async () => []],
];
