/** Which labels, metrics and values of the head have the most series and the most text. */
import type { SeriesTable } from './series/seriesTable.ts';

type Count = readonly [name: string, count: number];

export interface Cardinality {
  readonly valuesByLabel: readonly Count[];
  readonly seriesByMetric: readonly Count[];
  readonly seriesByPair: readonly Count[];
  /** Characters of a label's values, each counted for every series that has it. */
  readonly textByLabel: readonly Count[];
}

/** At most `limit` of each, the largest first. */
export function topCardinality(series: SeriesTable, limit: number): Cardinality {
  const top = (entries: Count[]) => entries.sort((a, b) => b[1] - a[1]).slice(0, limit);
  const names = [...series.labelNames()];
  const values = names.map((name) => [name, [...series.labelValues(name)].length] as const);
  const pairs = names.flatMap((name) =>
    [...series.valueCounts(name)].map(([value, count]) => [`${name}=${value}`, count] as const),
  );
  const texts = names.map((name) => {
    let length = 0;
    for (const [value, count] of series.valueCounts(name)) length += value.length * count;
    return [name, length] as const;
  });
  return {
    textByLabel: top(texts),
    valuesByLabel: top(values),
    seriesByMetric: top([...series.valueCounts('__name__')]),
    seriesByPair: top(pairs),
  };
}
