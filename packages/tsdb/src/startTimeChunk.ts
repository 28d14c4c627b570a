/**
 * Chunks whose samples have start times: a chunk of floats or of histograms as it is anywhere, and
 * behind it a chunk of the start times. See docs/formats/chunk.md for the bytes:
 *
 *   u8 0 · u8 0x80 · varint length · chunk · chunk of the start times
 *
 * A chunk of floats never begins with 0, and the second byte of one of histograms is below 8.
 */
import { TytoError } from '@tyto/base';
import { chunkSampleCount, decodeChunk, encodeChunk } from '@tyto/kernels';
import { histogramCount, isFloatChunk } from './histogramChunk.ts';
import { VarintReader, VarintWriter } from './varints.ts';

const MARK = 0x80;
const HEADER_BYTES = 2;

/** Whether `chunk` has start times. */
export function hasStartTimes(chunk: Uint8Array): boolean {
  return chunk[0] === 0 && chunk[1] === MARK;
}

/** `chunk` with the start times [from, from + count) of its samples; itself where all are 0. */
export function withStartTimes(
  chunk: Uint8Array,
  startTimes: Float64Array,
  from: number,
  count: number,
): Uint8Array {
  if (!isAnyKnown(startTimes, from, count)) return chunk;
  const places = Float64Array.from({ length: count }, (_, i) => i);
  const header = new VarintWriter(16);
  header.append(Uint8Array.of(0, MARK));
  header.put(chunk.length);
  const own = startTimes.subarray(from, from + count);
  return Buffer.concat([header.view, chunk, encodeChunk(places, own, 0, count)]);
}

/** Whether any of the start times [from, from + count) is not 0. */
export function isAnyKnown(startTimes: Float64Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (startTimes[i] !== 0) return true;
  return false;
}

/** The chunk without its start times. Throws TytoError `io` where it is damaged. */
export function withoutStartTimes(chunk: Uint8Array): Uint8Array {
  const { start, end } = boundsOf(chunk);
  return chunk.subarray(start, end);
}

/** How many samples a chunk of any kind has. Throws TytoError `io` where it is damaged. */
export function samplesOf(chunk: Uint8Array): number {
  if (isFloatChunk(chunk)) return chunkSampleCount(chunk);
  return hasStartTimes(chunk) ? samplesOf(withoutStartTimes(chunk)) : histogramCount(chunk);
}

/** The start times of a chunk that has them. Throws TytoError `io` where it is damaged. */
export function startTimesOf(chunk: Uint8Array): Float64Array {
  const column = chunk.subarray(boundsOf(chunk).end);
  const count = chunkSampleCount(column);
  if (count !== samplesOf(withoutStartTimes(chunk))) throw damaged();
  const startTimes = new Float64Array(count);
  decodeChunk(column, new Float64Array(count), startTimes, 0);
  return startTimes;
}

function boundsOf(chunk: Uint8Array): { readonly start: number; readonly end: number } {
  const reader = new VarintReader(chunk, HEADER_BYTES);
  const length = reader.next();
  const start = reader.at;
  // Damage may have made any number of it, or none; and one such chunk holds no other.
  if (!(length > 0 && start + length < chunk.length)) throw damaged();
  if (hasStartTimes(chunk.subarray(start))) throw damaged();
  return { start, end: start + length };
}

function damaged(): TytoError {
  return new TytoError('io', 'corrupt chunk: its start times do not decode');
}
