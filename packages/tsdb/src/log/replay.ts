/** Reading the log back at a start: the newest checkpoint, then all segments in order. */
import { errorMessage, type Logger } from '@tyto/base';
import type { Disk } from '../disk.ts';
import { checkpointNumber, checkpointPath, segmentNumber, segmentPath } from '../filenames.ts';
import { breathe } from '../slices.ts';
import { type ReadReport, readSegment, type RecordVisitor } from './record.ts';

export interface ReplayReport {
  readonly segments: number;
  readonly records: number;
  readonly damagedBytes: number;
  /** Files with damage before their end; a torn end is what any crash leaves. */
  readonly damagedFiles: number;
  /** The number that the next segment gets. */
  readonly nextSegment: number;
}

export interface SegmentVisitor extends RecordVisitor {
  /** The records that follow are of this segment. */
  segment(number: number): void;
}

/** Visits every good record, oldest first; damage is reported and stepped over. */
export async function replayLog(
  disk: Disk,
  directory: string,
  visitor: SegmentVisitor,
  logger: Logger,
): Promise<ReplayReport> {
  const names = await disk.list(directory);
  const checkpoint = names.map(checkpointNumber).findLast((number) => number !== undefined);
  const segments = names.map(segmentNumber).filter((number) => number !== undefined);
  const wanted = segments.filter((number) => number >= (checkpoint ?? 0));
  let records = 0;
  let damagedBytes = 0;
  let damagedFiles = 0;
  const read = async (path: string) => {
    const report = await replayFile(disk, path, visitor, logger);
    records += report.records;
    damagedBytes += report.damagedBytes;
    if (report.isDamaged) damagedFiles++;
    await breathe();
  };
  if (checkpoint !== undefined) await read(checkpointPath(directory, checkpoint));
  for (const segment of wanted) {
    visitor.segment(segment);
    await read(segmentPath(directory, segment));
  }
  const nextSegment = Math.max(0, checkpoint ?? 0, ...segments) + 1;
  return { segments: wanted.length, records, damagedBytes, damagedFiles, nextSegment };
}

async function replayFile(
  disk: Disk,
  path: string,
  visitor: RecordVisitor,
  logger: Logger,
): Promise<ReadReport & { readonly isDamaged: boolean }> {
  let bytes: Uint8Array;
  try {
    bytes = await disk.readFile(path);
  } catch (error) {
    logger.error('cannot read a part of the log; its samples are missing until it is readable', {
      file: path,
      error: errorMessage(error),
    });
    return { records: 0, damagedBytes: 0, goodEnd: 0, isDamaged: true };
  }
  const report = readSegment(bytes, visitor);
  const torn = bytes.length - report.goodEnd;
  const isDamaged = report.damagedBytes > torn;
  if (isDamaged) {
    logger.error('the log is damaged; the records around the damage were read', {
      file: path,
      damagedBytes: report.damagedBytes,
    });
  } else if (torn > 0 && report.damagedBytes > 0) {
    logger.warn('the log ends in a torn record, as after a crash; it was never acknowledged', {
      file: path,
      tornBytes: torn,
    });
  }
  return { ...report, isDamaged };
}
