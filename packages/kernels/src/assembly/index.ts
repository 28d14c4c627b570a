export { decodeChunk, encodeChunk } from './chunk';
export { setPowersOfTen } from './decimal';
export {
  matchedEnd,
  matchedNext,
  matchLines,
  openExposition,
  setPowersOfFive,
} from './exposition';
export { addToCounts, addToExtremes, addToSums } from './groups';
export { writePoints } from './points';
export { quantileOf } from './quantile';
export { rateOf } from './rate';
export { extremeOf, sumOf } from './reductions';
export { snappyDecode, snappyEncode, snappySize } from './snappy';
export { countSymbols, openRequest, readBatch, readSymbols } from './writeRequest';
export {
  bounds,
  changesOf,
  countOf,
  countStale,
  dropStale,
  findResets,
  firstNotBefore,
  firstOf,
  lastOf,
  lastPairOf,
} from './windows';

/** The first byte that callers may use; everything behind it is theirs to lay out. */
export function heapBase(): usize {
  return __heap_base;
}
