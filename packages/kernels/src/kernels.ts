/**
 * The WebAssembly kernels behind plain functions over typed arrays. One instance with one memory
 * per thread; every call copies its input in and its output out, so nobody owns anything here.
 *
 * Memory: [static data | input | output | scratch], laid out anew at each call from heapBase.
 */
import { assert, TytoError } from '@tyto/base';
import { align, ensureMemory, instantiate, SLACK_BYTES } from './instance.ts';
import { CHUNK_SAMPLES_MAX } from './limits.ts';

const exports = instantiate();
const heapBase = align(exports.heapBase());

/**
 * Encodes samples [from, from + count) as a chunk (docs/formats/chunk.md). Timestamps are whole
 * milliseconds and rise; 1 <= count <= CHUNK_SAMPLES_MAX. The result is the caller's.
 */
export function encodeChunk(
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  assert(count >= 1 && count <= CHUNK_SAMPLES_MAX, 'a chunk holds 1 to CHUNK_SAMPLES_MAX samples');
  const timestampsAt = heapBase;
  const valuesAt = timestampsAt + count * 8;
  const outAt = align(valuesAt + count * 8);
  const scratchAt = align(outAt + count * 10 + SLACK_BYTES);
  ensureMemory(exports, scratchAt + count * 24 + SLACK_BYTES);
  copyBitsIn(timestampsAt, timestamps, from, count);
  copyBitsIn(valuesAt, values, from, count);
  const size = exports.encodeChunk(timestampsAt, valuesAt, count, outAt, scratchAt);
  return new Uint8Array(exports.memory.buffer, outAt, size).slice();
}

/**
 * Decodes a chunk into the two arrays from `offset` on; they must have room for the chunk's
 * samples. Returns the count. Throws TytoError `io` when the bytes are no chunk.
 */
export function decodeChunk(
  chunk: Uint8Array,
  timestamps: Float64Array,
  values: Float64Array,
  offset: number,
): number {
  const count = chunkSampleCount(chunk);
  assert(offset + count <= timestamps.length, 'decodeChunk needs room for the samples');
  const timestampsAt = align(heapBase + chunk.length + SLACK_BYTES);
  const valuesAt = timestampsAt + count * 8;
  ensureMemory(exports, valuesAt + count * 8 + SLACK_BYTES);
  new Uint8Array(exports.memory.buffer, heapBase, chunk.length).set(chunk);
  const decoded = exports.decodeChunk(heapBase, chunk.length, timestampsAt, valuesAt, count);
  if (decoded !== count) throw new TytoError('io', 'corrupt chunk: its streams do not decode');
  timestamps.set(new Float64Array(exports.memory.buffer, timestampsAt, count), offset);
  // As bytes, so that the bit pattern of a stale marker survives.
  const target = new Uint8Array(values.buffer, values.byteOffset + offset * 8, count * 8);
  target.set(new Uint8Array(exports.memory.buffer, valuesAt, count * 8));
  return count;
}

/** How many samples a chunk says that it holds. Throws TytoError `io` for an impossible count. */
export function chunkSampleCount(chunk: Uint8Array): number {
  // A varint of at most three bytes, the last of which has no high bit.
  let count = chunk.length === 0 ? 0 : chunk[0] & 0x7f;
  if (chunk[0] >= 0x80) count |= (chunk[1] & 0x7f) << 7;
  if (chunk[0] >= 0x80 && chunk[1] >= 0x80) count |= chunk[2] << 14;
  if (!(count >= 1 && count <= CHUNK_SAMPLES_MAX)) {
    throw new TytoError('io', `corrupt chunk: it claims ${count} samples`);
  }
  return count;
}

/** What rateWindows computes: rate() and increase() follow counters, delta() gauges. */
export type RateKind = 'rate' | 'increase' | 'delta';

/**
 * rate, increase or delta with Prometheus' extrapolation. For step i the window is
 * (startMs + i * stepMs - rangeMs, startMs + i * stepMs]; writes out[i] and present[i] = 1, or
 * present[i] = 0 where fewer than two samples lie in it. Without stale markers among the samples.
 */
export function rateWindows(
  kind: RateKind,
  timestamps: Float64Array,
  values: Float64Array,
  count: number,
  startMs: number,
  stepMs: number,
  stepCount: number,
  rangeMs: number,
  out: Float64Array,
  present: Uint8Array,
): void {
  assert(out.length >= stepCount && present.length >= stepCount, 'room for a result per step');
  const timestampsAt = heapBase;
  const valuesAt = timestampsAt + count * 8;
  const outAt = valuesAt + count * 8;
  const fromsAt = outAt + stepCount * 8;
  const tosAt = fromsAt + stepCount * 4;
  const resetsAt = tosAt + stepCount * 4;
  const presentAt = resetsAt + count * 4;
  ensureMemory(exports, presentAt + stepCount + SLACK_BYTES);
  copyBitsIn(timestampsAt, timestamps, 0, count);
  copyBitsIn(valuesAt, values, 0, count);
  exports.bounds(timestampsAt, count, startMs, stepMs, stepCount, rangeMs, fromsAt, tosAt);
  const isCounter = kind !== 'delta';
  exports.rateOf(
    timestampsAt,
    valuesAt,
    fromsAt,
    tosAt,
    resetsAt,
    isCounter ? exports.findResets(valuesAt, count, resetsAt) : 0,
    startMs,
    stepMs,
    stepCount,
    rangeMs,
    isCounter ? 1 : 0,
    kind === 'rate' ? 1 : 0,
    outAt,
    presentAt,
  );
  out.set(new Float64Array(exports.memory.buffer, outAt, stepCount));
  present.set(new Uint8Array(exports.memory.buffer, presentAt, stepCount));
}

/** Copies f64s as bytes: numbers could lose the bit pattern of a stale marker. */
function copyBitsIn(address: number, source: Float64Array, from: number, count: number): void {
  const bytes = new Uint8Array(source.buffer, source.byteOffset + from * 8, count * 8);
  new Uint8Array(exports.memory.buffer, address, count * 8).set(bytes);
}
