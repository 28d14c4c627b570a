/** A native histogram as Go prints it: `{count:5, sum:18.4, (0.5,1]:3}`. */
import { type FloatHistogram, populatedBuckets } from '@tyto/model';
import { printFloat } from '@tyto/gotemplate';

export function histogramText(histogram: FloatHistogram): string {
  const parts = [`count:${printFloat(histogram.count)}`, `sum:${printFloat(histogram.sum)}`];
  for (const bucket of populatedBuckets(histogram)) {
    const open = bucket.isLowerIncluded ? '[' : '(';
    const close = bucket.isUpperIncluded ? ']' : ')';
    const bounds = `${printFloat(bucket.lower)},${printFloat(bucket.upper)}`;
    parts.push(`${open}${bounds}${close}:${printFloat(bucket.count)}`);
  }
  return `{${parts.join(', ')}}`;
}
