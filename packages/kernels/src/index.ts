export { decodeChunkSlowly } from './chunkTwin.ts';
export {
  chunkSampleCount,
  decodeChunk,
  encodeChunk,
  type RateKind,
  rateWindows,
} from './kernels.ts';
export { CHUNK_SAMPLES_MAX } from './limits.ts';
export { rateWindowsSlowly } from './rateTwin.ts';
