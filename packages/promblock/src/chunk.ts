/** A chunk's data by its encoding, and samples cut into chunks. */
import type { SampleColumns } from '@tyto/model';
import { damaged } from './damage.ts';
import {
  decodeHistogramChunk,
  encodeHistogramChunk,
  isExactInteger,
  isResetBetween,
  mayFollow,
} from './histogramChunk.ts';
import { CHUNK_SAMPLES } from './limits.ts';
import { decodeXor2Chunk, decodeXorChunk, encodeXorChunk } from './xorChunk.ts';

const ENCODING_XOR = 1;
const ENCODING_HISTOGRAM = 2;
const ENCODING_FLOAT_HISTOGRAM = 3;
const ENCODING_XOR2 = 4;

const HEADER_BYTES = 2;

/** Samples of a chunk, from its header. Throws TytoError `io` for an encoding nobody knows. */
export function chunkSampleCount(encoding: number, data: Uint8Array): number {
  if (encoding < ENCODING_XOR || encoding > ENCODING_XOR2) {
    throw damaged(`chunks of encoding ${encoding} are not known`);
  }
  const isPlain = encoding === ENCODING_XOR;
  if (data.length < HEADER_BYTES + (isPlain ? 0 : 1)) throw damaged('the chunk ends too soon');
  return data[0] * 256 + data[1];
}

/** Appends the samples of a chunk, all or, where it throws TytoError `io`, none. */
export function decodeChunk(encoding: number, data: Uint8Array, target: SampleColumns): void {
  const count = chunkSampleCount(encoding, data);
  // Every sample behind the first takes at least two bits.
  if (count > data.length * 8) throw damaged(`a chunk of ${count} samples has no bytes for them`);
  if (encoding === ENCODING_XOR) decodeXorChunk(data, count, target);
  else if (encoding === ENCODING_XOR2) decodeXor2Chunk(data, count, target);
  else decodeHistogramChunk(data, count, encoding === ENCODING_HISTOGRAM, target);
}

export interface EncodedChunk {
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly sampleCount: number;
}

/** Cuts samples into chunks: of one kind, of at most 120 samples, and new where counts fall. */
export function* encodeChunks(columns: SampleColumns): Generator<EncodedChunk> {
  let from = 0;
  while (from < columns.length) {
    const encoding = encodingOf(columns, from);
    const end = chunkEnd(columns, from, encoding);
    yield {
      encoding,
      data: encodeRun(columns, from, end - from, encoding),
      minTimeMs: columns.timestamps[from],
      maxTimeMs: columns.timestamps[end - 1],
      sampleCount: end - from,
    };
    from = end;
  }
}

function encodingOf({ histograms }: SampleColumns, index: number): number {
  const histogram = histograms?.[index];
  if (histogram === undefined) return ENCODING_XOR;
  return isExactInteger(histogram) ? ENCODING_HISTOGRAM : ENCODING_FLOAT_HISTOGRAM;
}

function chunkEnd(columns: SampleColumns, from: number, encoding: number): number {
  const max = Math.min(columns.length, from + CHUNK_SAMPLES);
  const { histograms } = columns;
  if (histograms === null) return max;
  for (let i = from + 1; i < max; i++) {
    if (encodingOf(columns, i) !== encoding) return i;
    const before = histograms[i - 1];
    const next = histograms[i];
    if (before !== undefined && next !== undefined && !mayFollow(before, next)) return i;
  }
  return max;
}

function encodeRun(
  columns: SampleColumns,
  from: number,
  count: number,
  encoding: number,
): Uint8Array {
  const { histograms, timestamps } = columns;
  const first = histograms?.[from];
  if (histograms === null || first === undefined) return encodeXorChunk(columns, from, count);
  const isInteger = encoding === ENCODING_HISTOGRAM;
  const isReset = isResetBetween(histograms[from - 1], first);
  return encodeHistogramChunk(timestamps, histograms, from, count, isInteger, isReset);
}
