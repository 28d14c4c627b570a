/**
 * Which segments of the log are still needed, and the checkpoint that lets the others go.
 *
 * A segment is needed while it has samples that no block holds. A checkpoint holds the definitions
 * of all series, so that the first segment that is kept needs none before it.
 */
import { must } from '@tyto/base';
import type { Disk } from './disk.ts';
import { checkpointNumber, checkpointPath, segmentNumber, segmentPath } from './filenames.ts';
import type { Head } from './head.ts';
import { encodeSeries, SEGMENT_MAGIC, type SeriesDefinition } from './log/record.ts';
import type { SegmentVisitor } from './log/replay.ts';
import type { LogWriter } from './log/writer.ts';
import type { SeriesTable } from './seriesTable.ts';
import { breathe } from './slices.ts';

/** Label text in one record of definitions; well below what a record may hold. */
const DEFINITION_TEXT_MAX = 4 * 1024 * 1024;

export class LogKeeper {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #head: Head;
  #log: LogWriter | undefined;
  /** The newest sample's time in each segment. */
  readonly #maxTimeOf = new Map<number, number>();
  /** Ids of series that are gone, and the newest segment that may name them. */
  #quarantine: { readonly ids: readonly number[]; readonly segment: number }[] = [];

  constructor(disk: Disk, directory: string, head: Head) {
    this.#disk = disk;
    this.#directory = directory;
    this.#head = head;
  }

  attach(log: LogWriter): void {
    this.#log = log;
  }

  /** Says that a sample of this time goes to the log now. */
  note(timeMs: number): void {
    const segment = must(this.#log, 'the log is attached').segment;
    // The writer may begin the next segment before it writes what is queued.
    for (const number of [segment, segment + 1]) {
      const known = this.#maxTimeOf.get(number) ?? -Infinity;
      this.#maxTimeOf.set(number, Math.max(known, timeMs));
    }
  }

  /** Puts what the log holds back into the head. */
  replayVisitor(): SegmentVisitor {
    const head = this.#head;
    const { series } = head;
    let current = 0;
    return {
      segment: (number) => {
        current = number;
      },
      series: (id, labels) => {
        if (series.isLive(id) && series.labels(id).equals(labels)) return;
        series.restore(id, labels);
        head.prepare(id);
      },
      samples: (ids, timestamps, bits) => {
        let maxTimeMs = this.#maxTimeOf.get(current) ?? -Infinity;
        for (let i = 0; i < ids.length; i++) {
          const timeMs = timestamps[i];
          if (timeMs > maxTimeMs) maxTimeMs = timeMs;
          if (!series.isLive(ids[i]) || timeMs < head.minTimeMs) continue;
          // The log's order is the head's: only what is there already falls out.
          if (timeMs > head.lastTimeMs(ids[i])) head.append(ids[i], timeMs, bits, i);
        }
        this.#maxTimeOf.set(current, maxTimeMs);
      },
    };
  }

  /** Keeps the ids of series that are gone from being reused while a segment may name them. */
  quarantine(ids: readonly number[]): void {
    if (ids.length === 0) return;
    this.#quarantine.push({ ids, segment: must(this.#log, 'the log is attached').segment + 1 });
  }

  /** Writes a checkpoint and deletes the segments whose samples are all before `timeMs`. */
  async shorten(timeMs: number): Promise<void> {
    const current = await must(this.#log, 'the log is attached').rotate();
    let firstKept = current;
    for (const [segment, maxTimeMs] of this.#maxTimeOf) {
      if (maxTimeMs >= timeMs) firstKept = Math.min(firstKept, segment);
    }
    await this.#writeCheckpoint(firstKept);
    for (const name of await this.#disk.list(this.#directory)) {
      const checkpoint = checkpointNumber(name);
      const segment = segmentNumber(name);
      if (checkpoint !== undefined && checkpoint < firstKept) {
        await this.#disk.remove(checkpointPath(this.#directory, checkpoint));
      }
      if (segment !== undefined && segment < firstKept) {
        await this.#disk.remove(segmentPath(this.#directory, segment));
        this.#maxTimeOf.delete(segment);
      }
    }
    const free = this.#quarantine.filter(({ segment }) => segment < firstKept);
    this.#quarantine = this.#quarantine.filter(({ segment }) => segment >= firstKept);
    for (const { ids } of free) this.#head.series.release(ids);
  }

  async #writeCheckpoint(firstKept: number): Promise<void> {
    const path = checkpointPath(this.#directory, firstKept);
    const temporary = `${path}.tmp`;
    await this.#disk.remove(temporary);
    const file = await this.#disk.openAppend(temporary);
    try {
      await file.write(SEGMENT_MAGIC);
      const ids = this.#head.series.allSeries().slice();
      for (let from = 0; from < ids.length; from += 1000) {
        for (const record of definitionRecords(
          this.#head.series,
          ids.subarray(from, from + 1000),
        )) {
          await file.write(record);
        }
        await breathe();
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(temporary, path);
    await this.#disk.syncDirectory(this.#directory);
  }
}

/** Records that define these series, those that are still there. */
export function definitionRecords(series: SeriesTable, ids: Iterable<number>): Uint8Array[] {
  const records: Uint8Array[] = [];
  let batch: SeriesDefinition[] = [];
  let text = 0;
  for (const id of ids) {
    if (!series.isLive(id)) continue;
    const labels = series.labels(id);
    batch.push({ id, labels });
    text += labels.key.length;
    if (text > DEFINITION_TEXT_MAX) {
      records.push(encodeSeries(batch));
      batch = [];
      text = 0;
    }
  }
  if (batch.length > 0) records.push(encodeSeries(batch));
  return records;
}
