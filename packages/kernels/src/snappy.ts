/** Snappy's block format on the kernels, for whole buffers. */
import { TytoError } from '@tyto/base';
import { align, ensureMemory, instantiate, type KernelExports, SLACK_BYTES } from './instance.ts';
import { MEMORY_KEPT_BYTES } from './limits.ts';

const TABLE_BYTES = 4 << 14;

/** Its memory grows with the largest buffer, so it is not the one of the other kernels. */
let shared: KernelExports | undefined;

/**
 * The size that a block claims to have when decoded. Throws TytoError `bad_data` when it claims
 * none, `too_large` when it is more than `sizeMax`.
 */
export function claimedSize(exports: KernelExports, at: number, length: number, sizeMax: number) {
  const size = exports.snappySize(at, length);
  if (size < 0) throw new TytoError('bad_data', 'snappy: corrupt input: it claims no size');
  if (size > sizeMax) {
    throw new TytoError(
      'too_large',
      `snappy: the decoded block would have ${size} bytes; at most ${sizeMax} are taken`,
    );
  }
  return size;
}

/** Throws TytoError `bad_data` for what is no block, `too_large` when it decodes to more. */
export function decodeSnappy(block: Uint8Array, sizeMax: number): Uint8Array<ArrayBuffer> {
  const exports = sharedInstance();
  const from = align(exports.heapBase());
  const out = align(from + block.length + SLACK_BYTES);
  ensureMemory(exports, out);
  new Uint8Array(exports.memory.buffer, from, block.length).set(block);
  const size = claimedSize(exports, from, block.length, sizeMax);
  ensureMemory(exports, out + size + SLACK_BYTES);
  const isWhole = exports.snappyDecode(from, block.length, out, size) === 1;
  const decoded = finish(exports, out, isWhole ? size : 0);
  if (!isWhole) throw new TytoError('bad_data', 'snappy: corrupt input');
  return decoded;
}

/** A block of `bytes`, which is the caller's. */
export function encodeSnappy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const exports = sharedInstance();
  const table = align(exports.heapBase());
  const from = table + TABLE_BYTES;
  const out = align(from + bytes.length + SLACK_BYTES);
  ensureMemory(exports, out + bytes.length + Math.ceil(bytes.length / 6) + 2 * SLACK_BYTES);
  new Uint8Array(exports.memory.buffer, from, bytes.length).set(bytes);
  return finish(exports, out, exports.snappyEncode(from, bytes.length, out, table));
}

function sharedInstance(): KernelExports {
  shared ??= instantiate();
  return shared;
}

function finish(exports: KernelExports, at: number, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(exports.memory.buffer, at, size).slice();
  // A memory never shrinks: one that a giant has blown up is given back.
  if (exports.memory.buffer.byteLength > MEMORY_KEPT_BYTES) shared = undefined;
  return result as Uint8Array<ArrayBuffer>;
}
