/** A native histogram as text, in Prometheus' notation `{count:…, sum:…, (1,2]:3}`. */
import type { FloatHistogram } from '@tyto/model';
import { allBuckets } from './sparse.ts';

export function formatHistogram(histogram: FloatHistogram): string {
  const parts = [`count:${shown(histogram.count)}`, `sum:${shown(histogram.sum)}`];
  for (const { lower, upper, count } of allBuckets(histogram)) {
    const open = lower < 0 && histogram.schema !== -53 ? '[' : '(';
    const close = upper < 0 && histogram.schema !== -53 ? ')' : ']';
    parts.push(`${open}${shown(lower)},${shown(upper)}${close}:${shown(count)}`);
  }
  return `{${parts.join(', ')}}`;
}

function shown(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
