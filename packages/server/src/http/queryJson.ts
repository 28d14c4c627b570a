/** Query results as JSON text, written piece by piece: a big answer is never built as objects. */
import type { FloatHistogram, Labels, MatrixSeries, QueryValue, VectorSample } from '@tyto/model';

/** Samples as the API writes them: JSON has no NaN and no infinity. */
export function formatSampleValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `{"resultType": …, "result": …}` without its closing brace's neighbours. */
export function queryDataJson(value: QueryValue): string {
  switch (value.type) {
    case 'vector':
      return `{"resultType":"vector","result":[${value.samples.map(vectorSample).join(',')}]}`;
    case 'matrix':
      return `{"resultType":"matrix","result":[${value.series.map(matrixSeries).join(',')}]}`;
    case 'scalar': {
      const pair = samplePair(value.timestampMs, value.value);
      return `{"resultType":"scalar","result":${pair}}`;
    }
    case 'string': {
      const pair = `[${value.timestampMs / 1000},${JSON.stringify(value.value)}]`;
      return `{"resultType":"string","result":${pair}}`;
    }
  }
}

function vectorSample({ labels, timestampMs, value, histogram }: VectorSample): string {
  const sample =
    histogram === undefined
      ? `"value":${samplePair(timestampMs, value)}`
      : `"histogram":[${timestampMs / 1000},${histogramJson(histogram)}]`;
  return `{"metric":${labelsJson(labels)},${sample}}`;
}

function matrixSeries({ labels, timestamps, values, histograms }: MatrixSeries): string {
  const parts: string[] = [];
  if (values.length > 0) {
    const pairs: string[] = new Array(values.length);
    for (let i = 0; i < values.length; i++) pairs[i] = samplePair(timestamps[i], values[i]);
    parts.push(`"values":[${pairs.join(',')}]`);
  }
  if (histograms !== undefined && histograms.length > 0) {
    const pairs = histograms.map((h) => `[${h.timestampMs / 1000},${histogramJson(h.histogram)}]`);
    parts.push(`"histograms":[${pairs.join(',')}]`);
  }
  return `{"metric":${labelsJson(labels)},${parts.join(',')}}`;
}

function samplePair(timestampMs: number, value: number): string {
  return `[${timestampMs / 1000},"${formatSampleValue(value)}"]`;
}

export function labelsJson(labels: Labels): string {
  const pairs: string[] = [];
  for (const [name, value] of labels.entries()) {
    pairs.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  return `{${pairs.join(',')}}`;
}

/** A native histogram's count and sum; its buckets follow when native histograms are stored. */
function histogramJson(histogram: FloatHistogram): string {
  const count = formatSampleValue(histogram.count);
  return `{"count":"${count}","sum":"${formatSampleValue(histogram.sum)}"}`;
}
