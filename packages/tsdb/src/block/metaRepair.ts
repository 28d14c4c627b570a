/**
 * Makes a damaged meta.json anew: what a block covers stands in its name too, and what is inside in
 * its index and chunks. What cannot be known is what changes least: it came from no other block,
 * and its samples may have come late, so that the head keeps its own of that time.
 */
import { basename, join } from 'node:path';
import { TytoError } from '@tyto/base';
import { samplesOf } from '../histogramChunk.ts';
import type { Disk, ReadFile } from '../disk.ts';
import { blockRange } from '../filenames.ts';
import { CHUNK_TRAILER_BYTES, metaText, parseMeta, soundChunk } from './format.ts';
import { IndexReader } from './indexReader.ts';

const decoder = new TextDecoder();

/** False where meta.json is not what is damaged, or the index is, too. */
export async function repairMeta(disk: Disk, directory: string): Promise<boolean> {
  const path = join(directory, 'meta.json');
  if (isSound(await disk.readFile(path), path)) return false;
  const range = blockRange(basename(directory));
  if (range === undefined) return false;
  const indexPath = join(directory, 'index');
  let index: IndexReader;
  try {
    index = new IndexReader(await disk.readFile(indexPath), indexPath, range.minTimeMs);
  } catch (error) {
    if (error instanceof TytoError) return false;
    throw error;
  }
  const counts = await countSamples(disk, directory, index);
  const sources = [basename(directory)];
  const { seriesCount } = index;
  const text = metaText({ ...range, sources, outOfOrder: true, seriesCount, ...counts });
  const temporary = `${path}.tmp`;
  await disk.remove(temporary);
  const file = await disk.openAppend(temporary);
  try {
    await file.write(new TextEncoder().encode(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(directory);
  return true;
}

function isSound(bytes: Uint8Array, path: string): boolean {
  try {
    parseMeta(decoder.decode(bytes), path);
    return true;
  } catch (error) {
    if (error instanceof TytoError) return false;
    throw error;
  }
}

/** Damaged chunks count as none; they are told when they are read. */
async function countSamples(disk: Disk, directory: string, index: IndexReader) {
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
