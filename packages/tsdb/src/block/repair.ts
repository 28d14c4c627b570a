/**
 * Mends a block of which something else than a chunk is damaged. Its index is computed from its
 * parity. The first bytes of its chunks are known. What meta.json says of the range stands in the
 * block's name too, and what is inside in its index and chunks; what cannot be known is what
 * changes least: it came from no other block, and its samples may have come late, so that the head
 * keeps its own of that time.
 */
import { basename, join } from 'node:path';
import { errorCode, TytoError } from '@tyto/base';
import { samplesOf } from '../startTimeChunk.ts';
import type { Disk, ReadFile } from '../disk.ts';
import { blockRange } from '../filenames.ts';
import { CHUNK_TRAILER_BYTES, CHUNKS_MAGIC, metaText, parseMeta, soundChunk } from './format.ts';
import { IndexReader } from './indexReader.ts';
import { mend } from './parity.ts';

const COPY_BYTES = 1024 * 1024;

/** The names of the files that were made anew; none where nothing could be. */
export async function repairBlock(disk: Disk, directory: string): Promise<string[]> {
  const range = blockRange(basename(directory));
  if (range === undefined) return [];
  const mended: string[] = [];
  const path = join(directory, 'index');
  let bytes = await readIfThere(disk, path);
  let index = openIndex(bytes, path, range.minTimeMs);
  if (index === undefined) {
    const parity = await readIfThere(disk, join(directory, 'index.parity'));
    bytes = mend(bytes, parity) ?? bytes;
    index = openIndex(bytes, path, range.minTimeMs);
    if (index === undefined) return [];
    await replaceFile(disk, path, [bytes]);
    mended.push('index');
  }
  if (await mendMagic(disk, join(directory, 'chunks'))) mended.push('chunks');
  const metaPath = join(directory, 'meta.json');
  if (!isMeta(await readIfThere(disk, metaPath), metaPath)) {
    const counts = countSamples(disk, directory, index);
    const sources = [basename(directory)];
    const { seriesCount } = index;
    const text = metaText({ ...range, sources, outOfOrder: true, seriesCount, ...counts });
    await replaceFile(disk, metaPath, [new TextEncoder().encode(text)]);
    mended.push('meta.json');
  }
  return mended;
}

async function readIfThere(disk: Disk, path: string): Promise<Uint8Array> {
  try {
    return await disk.readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return new Uint8Array(0);
    throw error;
  }
}

function openIndex(bytes: Uint8Array, path: string, minTimeMs: number): IndexReader | undefined {
  try {
    return new IndexReader(bytes, path, minTimeMs);
  } catch (error) {
    if (error instanceof TytoError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function isMeta(bytes: Uint8Array, path: string): boolean {
  try {
    parseMeta(new TextDecoder().decode(bytes), path);
    return true;
  } catch (error) {
    if (error instanceof TytoError) return false;
    throw error;
  }
}

/** Whether the first bytes of a chunks file were damaged; the file is the same behind them. */
async function mendMagic(disk: Disk, path: string): Promise<boolean> {
  const chunks = disk.openRead(path);
  try {
    const magic = new Uint8Array(CHUNKS_MAGIC.length);
    const read = chunks.readSync(magic, 0);
    if (read === magic.length && CHUNKS_MAGIC.every((byte, i) => magic[i] === byte)) return false;
    await replaceFile(disk, path, withMagic(chunks));
    return true;
  } finally {
    chunks.close();
  }
}

function* withMagic(chunks: ReadFile): IterableIterator<Uint8Array> {
  yield CHUNKS_MAGIC;
  for (let at = CHUNKS_MAGIC.length; ; ) {
    const piece = new Uint8Array(COPY_BYTES);
    const read = chunks.readSync(piece, at);
    if (read === 0) return;
    yield piece.subarray(0, read);
    at += read;
  }
}

async function replaceFile(disk: Disk, path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.tmp`;
  await disk.remove(temporary);
  const file = await disk.openAppend(temporary);
  try {
    for (const piece of pieces) await file.write(piece);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(join(path, '..'));
}

/** Damaged chunks count as none; they are told when they are read. */
function countSamples(disk: Disk, directory: string, index: IndexReader) {
  const counts = { chunkCount: 0, sampleCount: 0 };
  const chunks = disk.openRead(join(directory, 'chunks'));
  try {
    for (let series = 0; series < index.seriesCount; series++) {
      index.eachChunk(series, (offset, length) => {
        counts.chunkCount++;
        counts.sampleCount += samplesAt(chunks, offset, length);
      });
    }
  } finally {
    chunks.close();
  }
  return counts;
}

function samplesAt(chunks: ReadFile, offset: number, length: number): number {
  const bytes = new Uint8Array(length + CHUNK_TRAILER_BYTES);
  const read = chunks.readSync(bytes, offset);
  const chunk = soundChunk(bytes.subarray(0, read), 0, length);
  return chunk === undefined ? 0 : samplesOf(chunk);
}
