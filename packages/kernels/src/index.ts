export { decodeChunkSlowly } from './chunkTwin.ts';
export {
  chunkSampleCount,
  decodeChunk,
  encodeChunk,
  type RateKind,
  rateWindows,
} from './kernels.ts';
export { CHUNK_SAMPLES_MAX } from './limits.ts';
export { type ExpectedLines, LineMatcher, RUN_LINES_MAX } from './lineMatcher.ts';
export { matchLinesSlowly } from './lineMatcherTwin.ts';
export { pointText } from './pointText.ts';
export { rateWindowsSlowly } from './rateTwin.ts';
export { decodeSnappy, encodeSnappy } from './snappy.ts';
export { decodeSnappySlowly } from './snappyTwin.ts';
export {
  FLAG_CONTINUED,
  FLAG_EXTRAS,
  FLAG_METADATA,
  FLAG_UNORDERED,
  RECORD_END,
  RECORD_FIRST_SAMPLE,
  RECORD_FLAGS,
  RECORD_LABELS_END,
  RECORD_LABELS_START,
  RECORD_SAMPLE_COUNT,
  RECORD_START,
  RECORD_WORDS,
  WriteRequestReader,
  type WriteVersion,
} from './writeRequestReader.ts';
export { readWriteRequestSlowly, sipHashSlowly, type SlowSeries } from './writeRequestTwin.ts';
export { WindowScanner } from './windowScanner.ts';
