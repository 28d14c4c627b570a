/** The buckets of a native histogram as numbers by index, and their bounds. */
import type { FloatHistogram, HistogramSpan } from '@tyto/model';

/** Counts by bucket index, on one side of zero. */
export function bucketMap(histogram: FloatHistogram, negative: boolean): Map<number, number> {
  const spans = negative ? histogram.negativeSpans : histogram.positiveSpans;
  const counts = negative ? histogram.negativeBuckets : histogram.positiveBuckets;
  const map = new Map<number, number>();
  let index = 0;
  let at = 0;
  for (const span of spans) {
    index += span.offset;
    for (let i = 0; i < span.length; i++) map.set(index++, counts[at++]);
  }
  return map;
}

/** Spans and counts of a map from index to count, by rising index; zeros are left out. */
export function spansOf(map: ReadonlyMap<number, number>): {
  spans: HistogramSpan[];
  counts: number[];
} {
  const spans: { offset: number; length: number }[] = [];
  const counts: number[] = [];
  let next = 0;
  for (const index of [...map.keys()].sort((a, b) => a - b)) {
    const count = map.get(index) ?? 0;
    if (count === 0) continue;
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    counts.push(count);
    next = index + 1;
  }
  return { spans, counts };
}
