/** Which metrics have series that no query and no rule reads. */
import { METRIC_NAME } from '@tyto/model';
import type { ReadDays } from './readDays.ts';
import type { SeriesTable } from './series/seriesTable.ts';

export interface UnreadMetric {
  /** '' for series without a metric name. */
  readonly metric: string;
  /** All series of the metric in the head. */
  readonly series: number;
  /** Those that have been watched for the time and were not read in it. */
  readonly unread: number;
}

/** Metrics with at least one unread series, those with the most first. */
export function findUnread(
  series: SeriesTable,
  readDays: ReadDays,
  today: number,
  days: number,
): UnreadMetric[] {
  const { labelPairs } = series;
  const { symbols } = labelPairs;
  const nameSymbol = symbols.find(METRIC_NAME);
  const counts = new Map<number, { series: number; unread: number }>();
  for (const id of series.allSeries()) {
    let metric = -1;
    for (const pair of series.pairsOf(id)) {
      if (labelPairs.nameOf(pair) === nameSymbol) metric = labelPairs.valueOf(pair);
    }
    const count = counts.get(metric) ?? { series: 0, unread: 0 };
    counts.set(metric, count);
    count.series++;
    if (readDays.unreadDays(id, today) >= days) count.unread++;
  }
  return [...counts]
    .filter(([, { unread }]) => unread > 0)
    .map(([metric, count]) => ({ metric: metric < 0 ? '' : symbols.text(metric), ...count }))
    .sort((a, b) => b.unread - a.unread || (a.metric < b.metric ? -1 : 1));
}
