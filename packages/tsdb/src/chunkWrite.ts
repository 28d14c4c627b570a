/** Columns cut into chunks for a block: floats and histograms apart, and one layout a chunk. */
import { encodeChunk } from '@tyto/kernels';
import type { SampleColumns } from '@tyto/model';
import { encodeHistogramChunk, encodeLayout, rowOf } from './histogramChunk.ts';
import { withStartTimes } from './startTimeChunk.ts';

/** Histograms of a chunk in a block; each is many numbers. */
const CHUNK_HISTOGRAMS = 120;

export interface ColumnChunk {
  readonly chunk: Uint8Array;
  /** Which samples of the columns it holds. */
  readonly from: number;
  readonly count: number;
}

/** `floatsMax`: how many floats one chunk has at most. */
export function* chunksOf(
  columns: SampleColumns,
  floatsMax: number,
): IterableIterator<ColumnChunk> {
  const { histograms, startTimes } = columns;
  let from = 0;
  while (from < columns.length) {
    const isHistogram = histograms?.[from] !== undefined;
    const one = isHistogram ? histogramsFrom(columns, from) : floatsFrom(columns, from, floatsMax);
    if (startTimes === null) yield one;
    else yield { ...one, chunk: withStartTimes(one.chunk, startTimes, from, one.count) };
    from += one.count;
  }
}

function floatsFrom(columns: SampleColumns, from: number, countMax: number): ColumnChunk {
  const { timestamps, values, histograms } = columns;
  let end = Math.min(columns.length, from + countMax);
  for (let i = from; histograms !== null && i < end; i++) {
    if (histograms[i] !== undefined) end = i;
  }
  const count = end - from;
  return { chunk: encodeChunk(timestamps, values, from, count), from, count };
}

function histogramsFrom(columns: SampleColumns, from: number): ColumnChunk {
  const rows: Float64Array[] = [];
  let layout: Uint8Array | undefined;
  for (let i = from; i < Math.min(columns.length, from + CHUNK_HISTOGRAMS); i++) {
    const histogram = columns.histograms?.[i];
    if (histogram === undefined) break;
    const own = encodeLayout(histogram);
    layout ??= own;
    if (Buffer.compare(layout, own) !== 0) break;
    rows.push(rowOf(histogram));
  }
  const timestamps = columns.timestamps.subarray(from, from + rows.length);
  const chunk = encodeHistogramChunk(layout ?? new Uint8Array(), timestamps, rows);
  return { chunk, from, count: rows.length };
}
