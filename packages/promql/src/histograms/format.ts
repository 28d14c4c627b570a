/** A native histogram as text, in Prometheus' notation `{count:…, sum:…, (1,2]:3}`. */
import type { FloatHistogram } from '@tyto/model';

export function formatHistogram(histogram: FloatHistogram): string {
  return `{count:${histogram.count}, sum:${histogram.sum}}`;
}
