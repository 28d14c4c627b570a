/**
 * Writes Tyto blocks of two hours from a source whose series come in any number of times: the lock,
 * the check that nothing overlaps, and the writers of several blocks at once.
 */
import { join } from 'node:path';
import { TytoError } from '@tyto/base';
import { type Labels, SampleColumns } from '@tyto/model';
import { appendRange } from '@tyto/promblock';
import {
  BLOCK_RANGE_MS,
  BLOCKS_DIRECTORY,
  BlockWriter,
  type DirectoryLock,
  lockDirectory,
  nodeDisk,
} from '@tyto/tsdb';
import { openTyto } from './database.ts';
import { goTime } from './goText.ts';
import { tytoBlocks } from './tytoBlocks.ts';

/** Blocks that are written at once: more of them read the source less often. */
const WRITERS_MAX = 12;

export interface ImportSource {
  /** Starts of the ranges of two hours in which there are samples, rising. */
  readonly windows: readonly number[];
  /** The time behind the last sample: the last block ends there, so that Tyto goes on behind it. */
  readonly endMs: number;
  /** The blocks may lie beside others of their time: they are merged with those later. */
  readonly overlaps?: boolean;
  /** All series with their samples of a range; both ends are included. */
  read(
    minTimeMs: number,
    maxTimeMs: number,
  ): AsyncIterable<{ readonly labels: Labels; readonly columns: SampleColumns }>;
}

export interface ImportedBlock {
  readonly directory: string;
  readonly sampleCount: number;
}

/**
 * Writes all blocks, or none where it rejects: with TytoError `unavailable` where a running Tyto
 * has the directory, with `bad_data` where it holds what would be in the way.
 */
export async function importBlocks(
  directory: string,
  source: ImportSource,
  done: (block: ImportedBlock) => void,
): Promise<void> {
  if (source.windows.length === 0) return;
  if (source.overlaps !== true) await checkRoom(directory, source);
  // Makes the directory where there is none, and looks that nobody has it.
  else await (await openTyto(directory)).close();
  const lock: DirectoryLock = await lockDirectory(directory);
  const written: string[] = [];
  const note = (block: ImportedBlock) => {
    written.push(block.directory);
    done(block);
  };
  try {
    for (let i = 0; i < source.windows.length; i += WRITERS_MAX) {
      await writeBlocks(directory, source, source.windows.slice(i, i + WRITERS_MAX), note);
    }
  } catch (error) {
    // All or nothing: what is there already would stand in the way of a second try.
    for (const path of written) await nodeDisk.remove(path);
    throw error;
  } finally {
    await lock.release();
  }
}

/**
 * The one place that knows what may not be overwritten: blocks of the same time would be read
 * beside each other, and samples of the log before the end of the last block would be dropped.
 */
async function checkRoom(directory: string, source: ImportSource): Promise<void> {
  // Opened for the lock, for what its log holds, and to make it where there is none.
  const tsdb = await openTyto(directory);
  const { headMinTimeMs, headMaxTimeMs } = tsdb.stats();
  await tsdb.close();
  const taken = tytoBlocks(directory).find(({ minTimeMs, maxTimeMs }) =>
    source.windows.some((start) => start < maxTimeMs && windowEnd(source, start) > minTimeMs),
  );
  if (taken !== undefined) {
    throw new TytoError(
      'bad_data',
      `${directory} has a block of the same time already, ${taken.name}; nothing was imported. ` +
        'Import into an empty directory, or move that block away first',
    );
  }
  const isHeld = headMaxTimeMs > -Infinity && headMinTimeMs < source.endMs;
  if (isHeld) {
    throw new TytoError(
      'bad_data',
      `${directory} holds samples from ${goTime(headMinTimeMs)} on in its log, and the import ` +
        `reaches ${goTime(source.endMs)}; nothing was imported. ` +
        'Import into an empty directory, or only what is older',
    );
  }
}

async function writeBlocks(
  directory: string,
  source: ImportSource,
  starts: readonly number[],
  done: (block: ImportedBlock) => void,
): Promise<void> {
  const writers = starts.map((start) => {
    const outOfOrder = source.overlaps === true;
    const endMs = outOfOrder ? start + BLOCK_RANGE_MS : windowEnd(source, start);
    const range = { minTimeMs: start, maxTimeMs: endMs, level: 1, outOfOrder };
    const writer = new BlockWriter(nodeDisk, join(directory, BLOCKS_DIRECTORY), range);
    return { ...range, writer, sampleCount: 0 };
  });
  const part = new SampleColumns();
  try {
    for (const { writer } of writers) await writer.open();
    const last = writers[writers.length - 1];
    for await (const { labels, columns } of source.read(starts[0], last.maxTimeMs - 1)) {
      for (const block of writers) {
        part.clear();
        appendRange(columns, block.minTimeMs, block.maxTimeMs - 1, [], part);
        await block.writer.add(labels, part);
        block.sampleCount += part.length;
      }
    }
    for (const { writer, sampleCount } of writers) {
      const written = await writer.finish();
      if (written !== undefined) done({ directory: written, sampleCount });
    }
  } catch (error) {
    for (const { writer } of writers) await writer.abandon();
    throw error;
  }
}

function windowEnd(source: ImportSource, start: number): number {
  return Math.min(start + BLOCK_RANGE_MS, source.endMs);
}
