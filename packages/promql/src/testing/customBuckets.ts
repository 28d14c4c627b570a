/** Classic histograms as native ones with custom buckets, as `load_with_nhcb` adds them. */
import { type FloatHistogram, type Labels, METRIC_NAME } from '@tyto/model';
import type { NotedSeries, NotedValue } from './seriesNotation.ts';

interface ClassicHistogram {
  readonly labels: Labels;
  readonly buckets: { readonly bound: number; readonly series: NotedSeries }[];
  sum: NotedSeries | undefined;
  count: NotedSeries | undefined;
}

const LE: ReadonlySet<string> = new Set(['le']);

export function customBucketSeries(series: readonly NotedSeries[]): NotedSeries[] {
  const histograms = new Map<string, ClassicHistogram>();
  for (const one of series) {
    const match = /^(.+)_(bucket|sum|count)$/.exec(one.labels.metricName);
    if (match === null) continue;
    const bucket = match[2] === 'bucket';
    if (bucket && !one.labels.has('le')) continue;
    const labels = one.labels.without(LE).with(METRIC_NAME, match[1]);
    let histogram = histograms.get(labels.key);
    if (histogram === undefined) {
      histogram = { labels, buckets: [], sum: undefined, count: undefined };
      histograms.set(labels.key, histogram);
    }
    if (match[2] === 'sum') histogram.sum = one;
    else if (match[2] === 'count') histogram.count = one;
    else histogram.buckets.push({ bound: parseBound(one.labels.get('le')), series: one });
  }
  const converted: NotedSeries[] = [];
  for (const histogram of histograms.values()) {
    if (histogram.buckets.length === 0) continue;
    histogram.buckets.sort((a, b) => (a.bound < b.bound ? -1 : 1));
    converted.push(convert(histogram));
  }
  return converted;
}

function parseBound(le: string): number {
  return /^\+?inf$/i.test(le) ? Number.POSITIVE_INFINITY : Number(le);
}

function convert({ labels, buckets, sum, count }: ClassicHistogram): NotedSeries {
  const length = Math.max(...buckets.map(({ series }) => series.values.length));
  const values: NotedValue[] = [];
  for (let i = 0; i < length; i++) {
    const counts = buckets.map(({ series }) => floatAt(series, i));
    if (counts.some((value) => value === undefined)) {
      values.push({ kind: 'gap' });
      continue;
    }
    const cumulative = counts as number[];
    const bounds = buckets.map(({ bound }) => bound);
    const total = floatAt(count, i) ?? cumulative[cumulative.length - 1];
    const histogram = build(bounds, cumulative, total, floatAt(sum, i) ?? 0);
    values.push({ kind: 'histogram', histogram, hasHint: false });
  }
  return { labels, isStartTimestamps: false, values };
}

function floatAt(series: NotedSeries | undefined, index: number): number | undefined {
  const value = series?.values[index];
  return value?.kind === 'float' ? value.value : undefined;
}

function build(
  bounds: readonly number[],
  cumulative: readonly number[],
  total: number,
  sum: number,
): FloatHistogram {
  const finite = bounds.filter((bound) => bound !== Number.POSITIVE_INFINITY);
  const counts = finite.map((_, i) => cumulative[i] - (i > 0 ? cumulative[i - 1] : 0));
  counts.push(total - (finite.length > 0 ? cumulative[finite.length - 1] : 0));
  return {
    counterResetHint: 'unknown',
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count: total,
    sum,
    positiveSpans: [{ offset: 0, length: counts.length }],
    negativeSpans: [],
    positiveBuckets: counts,
    negativeBuckets: [],
    customValues: finite,
  };
}
