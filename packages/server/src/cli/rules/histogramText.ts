/** A native histogram in the notation of unit tests: equal texts are equal histograms. */
import { CUSTOM_SCHEMA, type FloatHistogram, type HistogramSpan } from '@tyto/model';

/** More buckets than this are not written as a list. */
const FILLED_MAX = 1000;

/** `{{schema:1 count:5 sum:8.5 buckets:[1 4]}}` */
export function histogramText(histogram: FloatHistogram): string {
  const { schema, count, sum, zeroCount, zeroThreshold, counterResetHint } = histogram;
  const parts: string[] = [];
  const add = (name: string, value: number) => {
    if (value !== 0) parts.push(`${name}:${value}`);
  };
  add('schema', schema);
  add('count', count);
  add('sum', sum);
  add('z_bucket', zeroCount);
  add('z_bucket_w', zeroThreshold);
  if (schema === CUSTOM_SCHEMA) parts.push(`custom_values:[${histogram.customValues.join(' ')}]`);
  if (counterResetHint !== 'unknown') parts.push(`counter_reset_hint:${counterResetHint}`);
  addBuckets(parts, '', histogram.positiveSpans, histogram.positiveBuckets);
  addBuckets(parts, 'n_', histogram.negativeSpans, histogram.negativeBuckets);
  return `{{${parts.join(' ')}}}`;
}

function addBuckets(
  parts: string[],
  prefix: string,
  spans: readonly HistogramSpan[],
  counts: ArrayLike<number>,
): void {
  const filled = new Map<number, number>();
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++, at++) {
      if (counts[at] !== 0) filled.set(index, counts[at]);
    }
  }
  if (filled.size === 0) return;
  const [first, last] = [Math.min(...filled.keys()), Math.max(...filled.keys())];
  // Buckets far apart are no text that anybody reads.
  if (last - first > FILLED_MAX) {
    parts.push(`${prefix}buckets:{${[...filled].map(([i, n]) => `${i}:${n}`).join(' ')}}`);
    return;
  }
  if (first !== 0) parts.push(`${prefix}offset:${first}`);
  const list = Array.from({ length: last - first + 1 }, (_, i) => filled.get(first + i) ?? 0);
  parts.push(`${prefix}buckets:[${list.join(' ')}]`);
}
