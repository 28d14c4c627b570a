/** The chunks of the head that Prometheus moved to disk: `chunks_head/` (head_chunks.md). */
import { join } from 'node:path';
import { ByteCursor } from './byteCursor.ts';
import { crc32c } from './crc32c.ts';
import { confine, damaged, type ReportDamage } from './damage.ts';
import { listDirectory } from './logReader.ts';
import { WindowFile } from './windowFile.ts';

const MAGIC = 0x0130bc91;
const FILE_HEADER_BYTES = 8;
/** Series, times, encoding, and a length of at most 5 bytes. */
const CHUNK_HEADER_BYTES_MAX = 8 + 8 + 8 + 1 + 5;
const CRC_BYTES = 4;
const OUT_OF_ORDER = 0x80;

export interface HeadChunk {
  readonly file: string;
  readonly offset: number;
  readonly seriesRef: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly encoding: number;
  readonly isOutOfOrder: boolean;
  readonly data: Uint8Array<ArrayBuffer>;
}

export function* readHeadChunks(directory: string, report: ReportDamage): Generator<HeadChunk> {
  const names = listDirectory(directory).filter((name) => /^\d{6,}$/.test(name));
  for (const name of names.sort()) yield* readFile(join(directory, name), report);
}

function* readFile(path: string, report: ReportDamage): Generator<HeadChunk> {
  const file = new WindowFile(path);
  try {
    if (file.size === 0) return;
    const isGood = confine(path, 0, report, () => checkHeader(file));
    let at = isGood === true ? FILE_HEADER_BYTES : file.size;
    while (at < file.size) {
      const read = confine(path, at, report, () => readChunk(file, at));
      // Where the length cannot be trusted, nobody knows where the next chunk begins.
      if (read === undefined) return;
      if (read.chunk !== undefined) yield read.chunk;
      else if (read.isEmpty) return;
      else report({ file: path, offset: at, what: 'the checksum of a chunk is wrong' });
      at = read.end;
    }
  } finally {
    file.close();
  }
}

function checkHeader(file: WindowFile): true {
  const cursor = new ByteCursor(file.some(0, FILE_HEADER_BYTES));
  if (cursor.uint32() !== MAGIC) throw damaged("it does not begin as a file of the head's chunks");
  const version = cursor.byte();
  if (version !== 1) throw damaged(`version ${version} of the head's chunks is not known, only 1`);
  return true;
}

function readChunk(
  file: WindowFile,
  offset: number,
): { chunk: HeadChunk | undefined; isEmpty: boolean; end: number } {
  const header = file.some(offset, CHUNK_HEADER_BYTES_MAX);
  // The file has its full size from the start; what was not written yet is zeros.
  if (header.every((byte) => byte === 0)) {
    return { chunk: undefined, isEmpty: true, end: file.size };
  }
  const cursor = new ByteCursor(header);
  const seriesRef = cursor.uint64();
  const minTimeMs = cursor.int64();
  const maxTimeMs = cursor.int64();
  const encoding = cursor.byte();
  const length = cursor.count(file.size, 'the length of a chunk');
  const start = cursor.at;
  const bytes = file.bytes(offset, start + length + CRC_BYTES);
  const end = offset + bytes.length;
  const wanted = new ByteCursor(bytes, start + length).uint32();
  if (crc32c(bytes, 0, start + length) !== wanted) return { chunk: undefined, isEmpty: false, end };
  const chunk: HeadChunk = {
    file: file.path,
    offset,
    seriesRef,
    minTimeMs,
    maxTimeMs,
    encoding: encoding & ~OUT_OF_ORDER,
    isOutOfOrder: (encoding & OUT_OF_ORDER) !== 0,
    data: bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>,
  };
  return { chunk, isEmpty: false, end };
}
