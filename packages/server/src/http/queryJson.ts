/** Query results as JSON text, written piece by piece: a big answer is never built as objects. */
import type { QueryStats } from '@tyto/api';
import { pointText } from '@tyto/kernels';
import {
  type FloatHistogram,
  type HistogramBucket,
  type Labels,
  type MatrixSeries,
  populatedBuckets,
  type QueryValue,
  type VectorSample,
} from '@tyto/model';

/** Samples as the API writes them: JSON has no NaN and no infinity. */
export function formatSampleValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  // Go writes exponents with two digits: 6.01e-07.
  return text.includes('e') ? text.replace(/e([+-])(\d)$/, 'e$10$2') : text;
}

/** Samples in one piece of an answer: a few milliseconds of work, some tens of kilobytes. */
const PIECE_SAMPLES = 4000;

/** A part of an answer, as text or as its bytes. */
export type JsonPiece = string | Uint8Array;

/** `{"resultType": …, "result": …}` in pieces, so that a huge answer is never one text. */
export function* queryDataPieces(
  value: QueryValue,
  stats?: QueryStats,
): IterableIterator<JsonPiece> {
  const end = stats === undefined ? '}' : `,"stats":${JSON.stringify(stats)}}`;
  if (value.type === 'scalar' || value.type === 'string') {
    const text = value.type === 'scalar' ? formatSampleValue(value.value) : value.value;
    const pair = `[${value.timestampMs / 1000},${JSON.stringify(text)}]`;
    yield `{"resultType":"${value.type}","result":${pair}${end}`;
    return;
  }
  yield `{"resultType":"${value.type}","result":[`;
  if (value.type === 'vector') yield* vectorPieces(value.samples);
  else yield* matrixPieces(value.series);
  yield `]${end}`;
}

function* vectorPieces(samples: readonly VectorSample[]): IterableIterator<string> {
  for (let i = 0; i < samples.length; i++) yield (i > 0 ? ',' : '') + vectorSample(samples[i]);
}

function* matrixPieces(series: readonly MatrixSeries[]): IterableIterator<JsonPiece> {
  for (let i = 0; i < series.length; i++) {
    if (i > 0) yield ',';
    yield* seriesPieces(series[i]);
  }
}

function vectorSample({ labels, timestampMs, value, histogram }: VectorSample): string {
  const sample =
    histogram === undefined
      ? `"value":${samplePair(timestampMs, value)}`
      : `"histogram":[${timestampMs / 1000},${histogramJson(histogram)}]`;
  return `{"metric":${labelsJson(labels)},${sample}}`;
}

function* seriesPieces(series: MatrixSeries): IterableIterator<JsonPiece> {
  const { labels, timestamps, values, histograms = [] } = series;
  yield `{"metric":${labelsJson(labels)}`;
  if (values.length > 0) {
    yield ',"values":[';
    for (let from = 0; from < values.length; from += PIECE_SAMPLES) {
      const count = Math.min(values.length - from, PIECE_SAMPLES);
      const isLast = from + count === values.length;
      yield samplePairs(timestamps, values, from, count).subarray(0, isLast ? -1 : undefined);
    }
    yield ']';
  }
  if (histograms.length > 0) {
    const pairs = histograms.map((h) => `[${h.timestampMs / 1000},${histogramJson(h.histogram)}]`);
    yield `,"histograms":[${pairs.join(',')}]`;
  }
  yield '}';
}

/** With a comma behind each. */
function samplePairs(
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  count: number,
): Uint8Array {
  const quick = pointText(timestamps, values, from, count);
  if (quick !== undefined) return quick;
  let text = '';
  for (let i = from; i < from + count; i++) text += `${samplePair(timestamps[i], values[i])},`;
  return Buffer.from(text);
}

function samplePair(timestampMs: number, value: number): string {
  return `[${timestampMs / 1000},"${formatSampleValue(value)}"]`;
}

/** What JSON does not escape: neither its own characters nor parts of others. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

export function labelsJson(labels: Labels): string {
  const { pairs } = labels;
  let text = '';
  for (let i = 0; i < pairs.length; i += 2) {
    text += `${i > 0 ? ',' : '{'}${quoted(pairs[i])}:${quoted(pairs[i + 1])}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A native histogram with its populated buckets: which ends are closed, bounds, count. */
function histogramJson(histogram: FloatHistogram): string {
  const count = formatSampleValue(histogram.count);
  const buckets = populatedBuckets(histogram).map((bucket) => {
    const values = [bucket.lower, bucket.upper, bucket.count].map(formatSampleValue);
    return `[${closedEnds(bucket)},"${values.join('","')}"]`;
  });
  const shown = buckets.length === 0 ? '' : `,"buckets":[${buckets.join(',')}]`;
  return `{"count":"${count}","sum":"${formatSampleValue(histogram.sum)}"${shown}}`;
}

/** 0: the upper end is closed, 1: the lower one, 2: none, 3: both. */
function closedEnds({ isLowerIncluded, isUpperIncluded }: HistogramBucket): number {
  if (isLowerIncluded) return isUpperIncluded ? 3 : 1;
  return isUpperIncluded ? 0 : 2;
}
