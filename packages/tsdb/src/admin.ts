/** What an administrator asks for: deleting samples, and a copy of everything as it is. */
import { join } from 'node:path';
import type { Matcher } from '@tyto/model';
import { BlockWriter } from './block/writer.ts';
import type { BlockSet } from './blockSet.ts';
import type { Disk } from './disk.ts';
import { BLOCKS_DIRECTORY, SNAPSHOTS_DIRECTORY, TEMPORARY_PREFIX } from './filenames.ts';
import type { Head } from './head/head.ts';
import type { LateSamples } from './head/lateSamples.ts';
import { writeHeadBlock } from './headBlock.ts';
import type { HeadSource } from './headSource.ts';
import type { LateSource } from './lateSource.ts';
import { findSeries } from './indexSearch.ts';
import { encodeDeletions, type LoggedDeletion } from './log/deletionRecord.ts';
import type { LogWriter } from './log/writer.ts';
import type { Clock } from '@tyto/base';
import type { SeriesSource } from './seriesSource.ts';

export interface DeleteRequest {
  /** The samples of a series that satisfies any of these lists are deleted. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  /** Both ends are included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface SnapshotRequest {
  /** Leaves out what is in no block yet. */
  readonly skipHead: boolean;
}

/** The parts of the database that this works on; it runs alone among whatever changes blocks. */
export interface AdminTarget {
  readonly directory: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly head: Head;
  readonly headSource: HeadSource;
  readonly late: LateSamples;
  readonly lateSource: LateSource;
  readonly blocks: BlockSet;
  readonly log: LogWriter;
}

/** Returns how many series have samples there. Resolves when it would survive a crash. */
export async function deleteSeries(target: AdminTarget, request: DeleteRequest): Promise<number> {
  const { blocks, headSource, log } = target;
  const { minTimeMs, maxTimeMs } = request;
  const touched = new Set<string>();
  for (const block of blocks.overlapping(minTimeMs, maxTimeMs)) {
    const wanted = wantedSeries(block, request);
    for (const series of await block.delete(wanted, minTimeMs, maxTimeMs)) {
      touched.add(block.labels(series).key);
    }
  }
  // In one turn: what is written meanwhile is not meant, and follows in the log.
  const deletions: LoggedDeletion[] = [];
  for (const id of wantedSeries(headSource, request)) {
    const deletion = headSource.deletable(id, minTimeMs, maxTimeMs);
    if (deletion === undefined) continue;
    deletions.push(deletion);
    touched.add(headSource.labels(id).key);
    headSource.delete(id, deletion.minTimeMs, deletion.maxTimeMs);
  }
  for (const deletion of deleteLate(target, request)) {
    deletions.push(deletion);
    touched.add(headSource.labels(deletion.id).key);
  }
  await Promise.all(encodeDeletions(deletions).map((record) => log.append(record)));
  await log.sync();
  return touched.size;
}

function* deleteLate(
  { late, lateSource }: AdminTarget,
  request: DeleteRequest,
): IterableIterator<LoggedDeletion> {
  const { minTimeMs } = request;
  for (const id of wantedSeries(lateSource, request)) {
    if (!late.mayHaveSamples(id, minTimeMs, request.maxTimeMs)) continue;
    const maxTimeMs = Math.min(request.maxTimeMs, late.lastTimeMs(id));
    late.removeRange(id, minTimeMs, maxTimeMs);
    yield { id, minTimeMs, maxTimeMs };
  }
  late.findLimits();
}

/** Returns the directory, which can be opened as a database. */
export async function takeSnapshot(
  target: AdminTarget,
  request: SnapshotRequest,
  name: string,
): Promise<string> {
  const { directory, disk } = target;
  const parent = join(directory, SNAPSHOTS_DIRECTORY);
  const temporary = join(parent, TEMPORARY_PREFIX + name);
  await disk.makeDirectory(temporary);
  try {
    await fillSnapshot(target, request, join(temporary, BLOCKS_DIRECTORY));
    await disk.rename(temporary, join(parent, name));
    await disk.syncDirectory(parent);
  } catch (error) {
    await disk.remove(temporary);
    throw error;
  }
  return join(parent, name);
}

async function fillSnapshot(
  { disk, clock, head, headSource, late, lateSource, blocks }: AdminTarget,
  { skipHead }: SnapshotRequest,
  into: string,
): Promise<void> {
  await disk.makeDirectory(into);
  for (const block of blocks.all) {
    const copy = join(into, block.name);
    await disk.makeDirectory(copy);
    for (const file of await disk.list(block.directory)) {
      if (!file.endsWith('.tmp')) await disk.link(join(block.directory, file), join(copy, file));
    }
    await disk.syncDirectory(copy);
  }
  if (!skipHead && Number.isFinite(head.maxTimeMs) && Number.isFinite(head.oldestMs)) {
    const range = { minTimeMs: head.oldestMs, maxTimeMs: head.maxTimeMs + 1, level: 1 };
    const writer = new BlockWriter(disk, into, range);
    const { minTimeMs, maxTimeMs } = range;
    await writeHeadBlock(headSource, writer, minTimeMs, maxTimeMs, clock, () => writer.finish());
  }
  if (!skipHead && late.sampleCount > 0) {
    const { minTimeMs } = late;
    const maxTimeMs = late.maxTimeMs + 1;
    const range = { minTimeMs, maxTimeMs, level: 1, outOfOrder: true };
    const writer = new BlockWriter(disk, into, range);
    await writeHeadBlock(lateSource, writer, minTimeMs, maxTimeMs, clock, () => writer.finish());
  }
  await disk.syncDirectory(into);
}

function wantedSeries(source: SeriesSource, { matcherSets }: DeleteRequest): Set<number> {
  const wanted = new Set<number>();
  for (const matchers of matcherSets) {
    for (const id of findSeries(source, matchers)) wanted.add(id);
  }
  return wanted;
}
