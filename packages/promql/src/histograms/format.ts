/** A native histogram as text, in Prometheus' notation `{count:…, sum:…, (1,2]:3}`. */
import { type FloatHistogram, populatedBuckets } from '@tyto/model';

export function formatHistogram(histogram: FloatHistogram): string {
  const parts = [`count:${shown(histogram.count)}`, `sum:${shown(histogram.sum)}`];
  for (const bucket of populatedBuckets(histogram)) {
    const open = bucket.isLowerIncluded ? '[' : '(';
    const close = bucket.isUpperIncluded ? ']' : ')';
    const bounds = `${shown(bucket.lower)},${shown(bucket.upper)}`;
    parts.push(`${open}${bounds}${close}:${shown(bucket.count)}`);
  }
  return `{${parts.join(', ')}}`;
}

function shown(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
