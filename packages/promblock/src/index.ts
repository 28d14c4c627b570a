export { type BlockSeries, PrometheusBlock } from './blockReader.ts';
export { PrometheusBlockWriter } from './blockWriter.ts';
export { chunkSampleCount, decodeChunk, type EncodedChunk, encodeChunks } from './chunk.ts';
export { appendRange, sortByTime } from './columns.ts';
export { crc32c } from './crc32c.ts';
export type { Damage, ReportDamage } from './damage.ts';
export {
  isPrometheusDirectory,
  openPrometheusBlocks,
  readPrometheusHead,
} from './dataDirectory.ts';
export type { PrometheusHead } from './head.ts';
export { mergeSeries, readMerged, type StoredSeries } from './merge.ts';
export type { PrometheusBlockMeta } from './meta.ts';
export { comparePairs, orderedPairs } from './order.ts';
export { makeUlid } from './ulid.ts';
export { verifyBlock } from './verify.ts';
