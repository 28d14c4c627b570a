/** Reading the log back at a start: the newest checkpoint, then all segments in order. */
import { errorMessage, type Logger } from '@tyto/base';
import type { Disk } from '../disk.ts';
import { checkpointNumber, checkpointPath, segmentNumber, segmentPath } from '../filenames.ts';
import { LOG_RECORD_BYTES_MAX } from '../limits.ts';
import { breathe } from '../slices.ts';
import { SEGMENT_MAGIC } from './frame.ts';
import { type RecordVisitor, readRecords } from './record.ts';

/** Holds more than the longest record. */
const PIECE_BYTES = 2 * LOG_RECORD_BYTES_MAX;

export interface ReplayReport {
  readonly segments: number;
  /** Bytes of the segments, without the checkpoint. */
  readonly segmentBytes: number;
  readonly records: number;
  readonly damagedBytes: number;
  /** Files with damage before their end; a torn end is what any crash leaves. */
  readonly damagedFiles: number;
  /** The number that the next segment gets. */
  readonly nextSegment: number;
}

/** Visits every good record, oldest first; damage is reported and stepped over. */
export async function replayLog(
  disk: Disk,
  directory: string,
  visitor: RecordVisitor,
  logger: Logger,
): Promise<ReplayReport> {
  const names = await disk.list(directory);
  const checkpoint = names.map(checkpointNumber).findLast((number) => number !== undefined);
  const segments = names.map(segmentNumber).filter((number) => number !== undefined);
  const wanted = segments.filter((number) => number >= (checkpoint ?? 0));
  const total = { bytes: 0, records: 0, damagedBytes: 0, damagedFiles: 0 };
  const read = async (path: string) => {
    const report = await replayFile(disk, path, visitor, logger);
    total.bytes += report.bytes;
    total.records += report.records;
    total.damagedBytes += report.damagedBytes;
    if (report.isDamaged) total.damagedFiles++;
  };
  if (checkpoint !== undefined) await read(checkpointPath(directory, checkpoint));
  const checkpointBytes = total.bytes;
  for (const segment of wanted) await read(segmentPath(directory, segment));
  const nextSegment = Math.max(0, checkpoint ?? 0, ...segments) + 1;
  const segmentBytes = total.bytes - checkpointBytes;
  return { ...total, segments: wanted.length, segmentBytes, nextSegment };
}

interface FileReport {
  readonly bytes: number;
  readonly records: number;
  readonly damagedBytes: number;
  readonly isDamaged: boolean;
}

async function replayFile(
  disk: Disk,
  path: string,
  visitor: RecordVisitor,
  logger: Logger,
): Promise<FileReport> {
  let report: Omit<FileReport, 'isDamaged'> & { readonly tornBytes: number };
  try {
    report = await readFile(disk, path, visitor);
  } catch (error) {
    logger.error('cannot read a part of the log; its samples are missing until it is readable', {
      file: path,
      error: errorMessage(error),
    });
    return { bytes: 0, records: 0, damagedBytes: 0, isDamaged: true };
  }
  const { tornBytes, damagedBytes } = report;
  const isDamaged = damagedBytes > tornBytes;
  if (isDamaged) {
    logger.error('the log is damaged; the records around the damage were read', {
      file: path,
      damagedBytes,
    });
  } else if (damagedBytes > 0) {
    logger.warn('the log ends in a torn record, as after a crash; it was never acknowledged', {
      file: path,
      tornBytes,
    });
  }
  return { ...report, isDamaged };
}

/** Reads a file piece by piece: a checkpoint may be larger than what fits one buffer. */
async function readFile(disk: Disk, path: string, visitor: RecordVisitor) {
  const file = disk.openRead(path);
  try {
    const magic = new Uint8Array(SEGMENT_MAGIC.length);
    file.readSync(magic, 0);
    let position = SEGMENT_MAGIC.every((byte, i) => magic[i] === byte) ? magic.length : 0;
    let records = 0;
    let damagedBytes = 0;
    let goodEnd = position;
    const buffer = new Uint8Array(PIECE_BYTES);
    for (;;) {
      const length = file.readSync(buffer, position);
      const isLast = length < buffer.length;
      const report = readRecords(buffer.subarray(0, length), visitor, isLast);
      records += report.records;
      damagedBytes += report.damagedBytes;
      if (report.goodEnd > 0) goodEnd = position + report.goodEnd;
      position += report.consumed;
      await breathe();
      if (isLast) return { bytes: position, records, damagedBytes, tornBytes: position - goodEnd };
    }
  } finally {
    file.close();
  }
}
