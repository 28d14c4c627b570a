/**
 * A block's files. See docs/formats/block.md for the bytes.
 *
 * `chunks`: 8 bytes magic, then chunk bytes and their u32 crc32, again and again.
 * `index`: 8 bytes magic, then sections: u32 kind, u32 crc32, f64 length, bytes, padded to 8.
 * `meta.json`: what the block covers; written last, so a block without it is no block.
 */
import { copyBytes } from '@tyto/base';

export const CHUNKS_MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x43, 0x48, 0x4b, 0x31]);
export const INDEX_MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x49, 0x44, 0x58, 0x31]);
export const SECTION_HEADER_BYTES = 16;

/** Sections of an index; all arrays are little-endian and complete. */
export const SECTION = {
  /** UTF-8 of all symbols, one after the other, in rising order of their text. */
  symbolText: 1,
  /** u32 where each symbol begins in the text, and where the last one ends. */
  symbolStart: 2,
  /** u32 name symbol, u32 value symbol: pairs of all series, series after series. */
  pairs: 3,
  /** u32 where each series' pairs begin, counted in u32s, and where the last one's end. */
  pairStart: 4,
  /** u32 which chunk is each series' first, and how many there are. */
  chunkStart: 5,
  /** f64 where each chunk begins in `chunks`. */
  chunkOffset: 6,
  /** u32 length of each chunk. */
  chunkLength: 7,
  /** u32 samples of each chunk. */
  chunkSamples: 8,
  /** f64 time of each chunk's first sample. */
  chunkMinTime: 9,
  /** f64 time of each chunk's last sample. */
  chunkMaxTime: 10,
  /** u32 name, u32 value, u32 start, u32 count: where a pair's series are in `postings`. */
  postingsTable: 11,
  /** u32 series numbers, rising within a pair. */
  postings: 12,
} as const;

export type SectionKind = (typeof SECTION)[keyof typeof SECTION];

export interface BlockMeta {
  readonly version: 1;
  /** The block holds samples with minTimeMs <= t < maxTimeMs. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly level: number;
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly sampleCount: number;
}

/** A section's bytes, which may lie at any offset, as an array. */
export function asUint32(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(copyBytes(bytes).buffer, 0, bytes.length / 4);
}

export function asFloat64(bytes: Uint8Array): Float64Array {
  return new Float64Array(copyBytes(bytes).buffer, 0, bytes.length / 8);
}
