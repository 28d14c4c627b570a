/** Series of several blocks and the head, brought together by their labels. */
import type { Labels, SampleColumns } from '@tyto/model';
import { sortByTime } from './columns.ts';
import { comparePairs, orderedPairs } from './order.ts';

export interface StoredSeries {
  readonly labels: Labels;
  /** Appends the samples of [minTimeMs, maxTimeMs]; damage is reported and left out. */
  readInto(minTimeMs: number, maxTimeMs: number, target: SampleColumns): void;
}

interface Cursor<T> {
  readonly iterator: AsyncIterator<T>;
  current: T;
  pairs: readonly string[];
}

/**
 * Walks sources that are each in the order of their labels, and gives the series that have the
 * same labels together.
 */
export async function* mergeSeries<T extends { readonly labels: Labels }>(
  sources: readonly AsyncIterable<T>[],
): AsyncGenerator<T[]> {
  const cursors: Cursor<T>[] = [];
  for (const source of sources) {
    const iterator = source[Symbol.asyncIterator]();
    const { done, value } = await iterator.next();
    if (done !== true)
      cursors.push({ iterator, current: value, pairs: orderedPairs(value.labels) });
  }
  while (cursors.length > 0) {
    const least = cursors.reduce((a, b) => (comparePairs(b.pairs, a.pairs) < 0 ? b : a)).pairs;
    const group: T[] = [];
    for (const cursor of [...cursors]) {
      while (comparePairs(cursor.pairs, least) === 0) {
        group.push(cursor.current);
        const { done, value } = await cursor.iterator.next();
        if (done === true) {
          cursors.splice(cursors.indexOf(cursor), 1);
          break;
        }
        cursor.current = value;
        cursor.pairs = orderedPairs(value.labels);
      }
    }
    yield group;
  }
}

/** The samples of one series from all of its sources, in rising time. Refills `scratch`. */
export function readMerged(
  group: readonly StoredSeries[],
  minTimeMs: number,
  maxTimeMs: number,
  scratch: SampleColumns,
): SampleColumns {
  scratch.clear();
  for (const series of group) series.readInto(minTimeMs, maxTimeMs, scratch);
  return sortByTime(scratch);
}
