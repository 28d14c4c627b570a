/**
 * A block's files. See docs/formats/block.md for the bytes.
 *
 * `chunks`: 8 bytes magic, then chunk bytes and their u32 crc32, again and again.
 * `index`: 8 bytes magic, then sections: u32 kind, u32 crc32, f64 length, bytes, padded to 8.
 * `meta.json`: what the block covers; written last, so a block without it is no block.
 */
import { crc32 } from 'node:zlib';
import { TytoError } from '@tyto/base';

export const CHUNKS_MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x43, 0x48, 0x4b, 0x31]);
export const INDEX_MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x49, 0x44, 0x58, 0x32]);
const SECTION_HEADER_BYTES = 16;
/** Behind each chunk: its checksum. */
export const CHUNK_TRAILER_BYTES = 4;

/** Sections of an index; all arrays are little-endian and begin at multiples of 8. */
export const SECTION = {
  /** UTF-8 of all symbols, one after the other, in rising order of their bytes. */
  symbolText: 1,
  /** u32 where each symbol begins in the text, and where the last one ends. */
  symbolStart: 2,
  /** u32 name symbol, u32 its first pair, of each label name, rising. */
  names: 3,
  /** u32 value symbol of each pair; pairs are sorted by name, then by value. */
  pairValues: 4,
  /** u32 where each pair's list begins in `postings`, and where the last one ends. */
  postingsStart: 5,
  /** Varints: a list's length, its first series, and how far each is from the one before. */
  postings: 6,
  /** u32 where each series begins in `series`, and where the last one ends. */
  seriesStart: 7,
  /** Varints: the chunks of each series, then its pairs. */
  series: 8,
} as const;

export type SectionKind = (typeof SECTION)[keyof typeof SECTION];

export interface BlockMeta {
  /** Blocks of version 2 have no checksum in meta.json; nothing else differs. */
  readonly version: 2 | 3;
  /** The block holds samples with minTimeMs <= t < maxTimeMs. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** 1 for a block of new samples; of merged ones, one more than the largest of its sources. */
  readonly level: number;
  /** The names of the blocks of level 1 that went in, its own for such a block. */
  readonly sources: readonly string[];
  /** Its samples came late: the head may own its time still. */
  readonly outOfOrder?: boolean;
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly sampleCount: number;
}

/** The chunk at `at`, a view; undefined where it is not as its checksum behind it says. */
export function soundChunk(bytes: Uint8Array, at: number, length: number): Uint8Array | undefined {
  const end = at + length;
  if (end + CHUNK_TRAILER_BYTES > bytes.length) return undefined;
  const chunk = bytes.subarray(at, end);
  const low = bytes[end] | (bytes[end + 1] << 8) | (bytes[end + 2] << 16);
  return crc32(chunk) === (low | (bytes[end + 3] << 24)) >>> 0 ? chunk : undefined;
}

/** The pieces of a section: its header, its bytes, and zeros. */
export function sectionPieces(kind: SectionKind, content: Uint8Array | Uint32Array): Uint8Array[] {
  const bytes = new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  const header = new DataView(new ArrayBuffer(SECTION_HEADER_BYTES));
  header.setUint32(0, kind, true);
  header.setUint32(4, crc32(bytes), true);
  header.setFloat64(8, bytes.length, true);
  const padding = new Uint8Array((8 - (bytes.length % 8)) % 8);
  return [new Uint8Array(header.buffer), bytes, padding];
}

/** The sections of an index, every byte of it checked. Throws TytoError `io` for damage. */
export function readSections(index: Uint8Array, path: string): Map<SectionKind, Uint8Array> {
  const damaged = (what: string) => new TytoError('io', `${path} is damaged: ${what}`);
  if (!INDEX_MAGIC.every((byte, i) => index[i] === byte)) throw damaged('its first bytes');
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const sections = new Map<SectionKind, Uint8Array>();
  let at = INDEX_MAGIC.length;
  while (at + SECTION_HEADER_BYTES <= index.length) {
    const kind = view.getUint32(at, true) as SectionKind;
    const length = view.getFloat64(at + 8, true);
    const start = at + SECTION_HEADER_BYTES;
    if (!(length >= 0 && start + length <= index.length)) throw damaged(`section ${kind} is cut`);
    const bytes = index.subarray(start, start + length);
    if (crc32(bytes) !== view.getUint32(at + 4, true)) throw damaged(`section ${kind}`);
    sections.set(kind, bytes);
    at = start + Math.ceil(length / 8) * 8;
    if (index.subarray(start + length, at).some((byte) => byte !== 0)) {
      throw damaged(`the padding of section ${kind}`);
    }
  }
  if (at !== index.length) throw damaged('its end');
  return sections;
}

/** meta.json; its last field is the checksum of the others, written without blanks. */
export function metaText(meta: Omit<BlockMeta, 'version'>): string {
  const written = { version: 3, ...meta };
  const checksum = crc32(JSON.stringify(written));
  return `${JSON.stringify({ ...written, checksum }, null, 2)}\n`;
}

/** What meta.json says. Throws TytoError `io` where it says nothing, or not what was written. */
export function parseMeta(text: string, path: string): BlockMeta {
  let parsed: Partial<BlockMeta> & { readonly checksum?: unknown };
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new TytoError('io', `${path} is no JSON`, { cause: error });
  }
  const { checksum, ...meta } = parsed ?? {};
  const isChecked = meta.version !== 2 || checksum !== undefined;
  if (isChecked && crc32(JSON.stringify(meta)) !== checksum) {
    throw new TytoError('io', `${path} is damaged: its checksum is not that of its fields`);
  }
  const times = typeof meta.minTimeMs === 'number' && typeof meta.maxTimeMs === 'number';
  const sound = times && typeof meta.seriesCount === 'number' && Array.isArray(meta.sources);
  if ((meta.version !== 2 && meta.version !== 3) || !sound) {
    throw new TytoError('io', `${path} is not of a version that this Tyto reads`);
  }
  return meta as BlockMeta;
}
