export { decodeChunk, encodeChunk } from './chunk';
export {
  matchedEnd,
  matchedNext,
  matchLines,
  openExposition,
  setPowersOfFive,
} from './exposition';
export { rateWindows } from './rate';
export { snappyDecode, snappyEncode, snappySize } from './snappy';
export { countSymbols, openRequest, readBatch, readSymbols } from './writeRequest';

/** The first byte that callers may use; everything behind it is theirs to lay out. */
export function heapBase(): usize {
  return __heap_base;
}
