export { decodeChunk, encodeChunk } from './chunk';
export { rateWindows } from './rate';

/** The first byte that callers may use; everything behind it is theirs to lay out. */
export function heapBase(): usize {
  return __heap_base;
}
