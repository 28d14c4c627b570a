/**
 * Between the head and the log: what is replayed, and the checkpoint that lets old segments go.
 *
 * A checkpoint is the whole head at one moment: all series and their samples, compressed. What the
 * log says before it is not needed any more.
 */
import { must } from '@tyto/base';
import { APPENDED, bitsOf, SampleColumns } from '@tyto/model';
import { appendChunk } from './chunkRead.ts';
import { chunksOf } from './chunkWrite.ts';
import type { AppendFile, Disk } from './disk.ts';
import type { ExemplarRing } from './exemplarRing.ts';
import { checkpointNumber, checkpointPath, segmentNumber, segmentPath } from './filenames.ts';
import type { Head } from './head/head.ts';
import type { LateSample, LateSamples } from './head/lateSamples.ts';
import type { HeadSource } from './headSource.ts';
import { BLOCK_CHUNK_SAMPLES } from './limits.ts';
import { ALL_SERIES, encodeDeletions } from './log/deletionRecord.ts';
import { SEGMENT_MAGIC } from './log/frame.ts';
import { encodeLateSamples, type LoggedLateSample } from './log/lateRecord.ts';
import {
  encodeChunks,
  encodeExemplars,
  type LoggedChunk,
  type RecordVisitor,
} from './log/record.ts';
import type { LoggedHistogram } from './log/histogramRecord.ts';
import { encodeSeries, restoreSeries } from './log/seriesRecord.ts';
import { encodeReadDays } from './log/readDaysRecord.ts';
import type { LogWriter } from './log/writer.ts';
import type { ReadDays } from './readDays.ts';
import { breathe } from './slices.ts';

/** A checkpoint is written to disk in pieces of about this many bytes. */
const PIECE_BYTES = 1024 * 1024;
/** Series that a checkpoint takes up before other work gets its turn. */
const SLICE_SERIES = 1000;
const EXEMPLARS_PER_RECORD = 1000;
const LATE_PER_RECORD = 10_000;

/** What the log and its checkpoints hold. */
export interface LoggedParts {
  readonly head: Head;
  readonly headSource: HeadSource;
  readonly late: LateSamples;
  readonly readDays: ReadDays;
  readonly exemplars: ExemplarRing;
}

export class LogKeeper {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #head: Head;
  readonly #late: LateSamples;
  readonly #readDays: ReadDays;
  readonly #headSource: HeadSource;
  readonly #exemplars: ExemplarRing;
  #log: LogWriter | undefined;
  /** Ids of series that are gone, and the newest segment that may name them. */
  #quarantine: { readonly ids: readonly number[]; readonly segment: number }[] = [];
  readonly #columns = new SampleColumns(1024);
  #checkpointBytes = 0;
  /** Whether the newest checkpoint is compact; so is what a start finds, as far as it knows. */
  #isCompact = true;
  /** What the log had been given when the newest checkpoint was begun. */
  #bytesAtCheckpoint = 0;

  constructor(disk: Disk, directory: string, parts: LoggedParts) {
    this.#disk = disk;
    this.#directory = directory;
    this.#head = parts.head;
    this.#headSource = parts.headSource;
    this.#late = parts.late;
    this.#readDays = parts.readDays;
    this.#exemplars = parts.exemplars;
  }

  /** `replayedBytes`: what the segments hold that the next checkpoint replaces. */
  attach(log: LogWriter, replayedBytes: number): void {
    this.#log = log;
    this.#bytesAtCheckpoint = -replayedBytes;
  }

  /** Bytes of the log that a start would have to replay on top of the checkpoint. */
  get bytesSinceCheckpoint(): number {
    return must(this.#log, 'the log is attached').writtenBytes - this.#bytesAtCheckpoint;
  }

  /** Whether a compact checkpoint would say more, or the same in fewer bytes. */
  get wantsCompact(): boolean {
    return this.bytesSinceCheckpoint > 0 || !this.#isCompact;
  }

  /** The size of the newest checkpoint; 0 before the first of this process. */
  get checkpointBytes(): number {
    return this.#checkpointBytes;
  }

  /** Puts what the log holds back into the head; series are watched from `today` on. */
  replayVisitor(today: number): RecordVisitor {
    const head = this.#head;
    const deleted = this.#headSource;
    const { series } = head;
    const columns = new SampleColumns(1024);
    const appendHistogram = (logged: LoggedHistogram) => replayHistogram(head, logged);
    return {
      series: (definitions) =>
        restoreSeries(series, definitions, (id) => {
          head.prepare(id);
          deleted.forget(id);
          this.#readDays.begin(id, today);
        }),
      samples: ({ ids, timestamps, bits, startTimes }) => {
        for (let i = 0; i < ids.length; i++) {
          if (!series.isLive(ids[i]) || timestamps[i] < head.minTimeMs) continue;
          replayFloat(head, ids[i], timestamps[i], bits, i, startTimes);
        }
      },
      chunk: ({ id, bytes, minTimeMs, maxTimeMs, isTail }) => {
        if (!series.isLive(id) || maxTimeMs < head.minTimeMs) return;
        if (!isTail && head.restoreChunk(id, bytes, minTimeMs, maxTimeMs)) return;
        columns.clear();
        appendChunk(bytes, head.minTimeMs, Infinity, columns);
        const bits = bitsOf(columns.values);
        const { startTimes } = columns;
        for (let i = 0; i < columns.length; i++) {
          const timestampMs = columns.timestamps[i];
          const histogram = columns.histograms?.[i];
          const startTimeMs = startTimes?.[i] ?? 0;
          if (histogram === undefined) replayFloat(head, id, timestampMs, bits, i, startTimes);
          else appendHistogram({ id, timestampMs, histogram, startTimeMs });
        }
      },
      histogram: appendHistogram,
      lateSamples: ({ ids, timestamps, bits, startTimes }) => {
        for (let i = 0; i < ids.length; i++) {
          this.#restoreLate(ids[i], {
            timestampMs: timestamps[i],
            low: bits[2 * i],
            high: bits[2 * i + 1],
            histogram: undefined,
            startTimeMs: startTimes?.[i] ?? 0,
          });
        }
      },
      lateHistogram: ({ id, ...sample }) => {
        this.#restoreLate(id, { low: 0, high: 0, ...sample });
      },
      deletion: ({ id, minTimeMs, maxTimeMs }) => {
        if (id === ALL_SERIES) {
          head.startAt(maxTimeMs + 1);
        } else if (series.isLive(id)) {
          if (maxTimeMs >= head.minTimeMs) deleted.delete(id, minTimeMs, maxTimeMs);
          this.#late.removeRange(id, minTimeMs, maxTimeMs);
        }
      },
      readDays: (id, sinceDay, readDay) => this.#readDays.restore(id, sinceDay, readDay),
      exemplar: ({ series: labels, exemplar }) => this.#exemplars.add(labels, exemplar),
    };
  }

  #restoreLate(id: number, sample: LateSample): void {
    if (!this.#head.series.isLive(id)) return;
    if (this.#late.judge(id, sample) === APPENDED) this.#late.insert(id, sample);
  }

  /** Keeps the ids of series that are gone from being reused while a segment may name them. */
  quarantine(ids: readonly number[]): void {
    if (ids.length === 0) return;
    this.#quarantine.push({ ids, segment: must(this.#log, 'the log is attached').segment + 1 });
  }

  /**
   * Notes that the head has been cut. Blocks say so too, but they may be gone at the next start,
   * and what was in them must not come back out of chunks that reach over the cut.
   */
  async noteCut(): Promise<void> {
    const log = must(this.#log, 'the log is attached');
    for (const record of this.#startRecords()) await log.append(record);
  }

  #startRecords(): Uint8Array[] {
    const { minTimeMs } = this.#head;
    if (minTimeMs === -Infinity) return [];
    const cut = { id: ALL_SERIES, minTimeMs: -Infinity, maxTimeMs: minTimeMs - 1 };
    return encodeDeletions([cut]);
  }

  /**
   * Writes a checkpoint and deletes the segments before it. A compact one joins the chunks of each
   * series, which makes it half as large and takes ten times as long.
   */
  async checkpoint({ isCompact = false } = {}): Promise<void> {
    const log = must(this.#log, 'the log is attached');
    const firstKept = await log.rotate();
    const bytesBefore = log.writtenBytes;
    await this.#writeCheckpoint(firstKept, isCompact);
    this.#isCompact = isCompact;
    this.#bytesAtCheckpoint = bytesBefore;
    for (const name of await this.#disk.list(this.#directory)) {
      const checkpoint = checkpointNumber(name);
      const segment = segmentNumber(name);
      if (checkpoint !== undefined && checkpoint < firstKept) {
        await this.#disk.remove(checkpointPath(this.#directory, checkpoint));
      }
      if (segment !== undefined && segment < firstKept) {
        await this.#disk.remove(segmentPath(this.#directory, segment));
      }
    }
    const free = this.#quarantine.filter(({ segment }) => segment < firstKept);
    this.#quarantine = this.#quarantine.filter(({ segment }) => segment >= firstKept);
    for (const { ids } of free) this.#head.series.release(ids);
  }

  async #writeCheckpoint(firstKept: number, isCompact: boolean): Promise<void> {
    const path = checkpointPath(this.#directory, firstKept);
    const temporary = `${path}.tmp`;
    await this.#disk.remove(temporary);
    const file = await this.#disk.openAppend(temporary);
    try {
      await file.write(SEGMENT_MAGIC);
      for (const record of this.#startRecords()) await file.write(record);
      this.#checkpointBytes = await this.#writeHead(file, isCompact);
      await this.#writeDeletions(file);
      await this.#writeLate(file);
      const ids = this.#head.series.allSeries().slice();
      for (const record of encodeReadDays(ids, this.#readDays)) await file.write(record);
      await this.#writeExemplars(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(temporary, path);
    await this.#disk.syncDirectory(this.#directory);
  }

  /** Series that come meanwhile, and samples, are in the segments that are kept too. */
  async #writeHead(file: AppendFile, isCompact: boolean): Promise<number> {
    const { series } = this.#head;
    const ids = series.allSeries().slice();
    let chunks: LoggedChunk[] = [];
    let pending = 0;
    let written = 0;
    const write = async (record: Uint8Array) => {
      await file.write(record);
      written += record.length;
    };
    for (let from = 0; from < ids.length; from += SLICE_SERIES) {
      const slice = ids.subarray(from, from + SLICE_SERIES);
      for (const record of encodeSeries(series, slice)) await write(record);
      for (const id of slice) {
        if (series.isLive(id)) pending += this.#collectChunks(id, chunks, isCompact);
        if (pending < PIECE_BYTES) continue;
        await write(encodeChunks(chunks));
        chunks = [];
        pending = 0;
      }
      await breathe();
    }
    if (chunks.length > 0) await write(encodeChunks(chunks));
    return written;
  }

  #collectChunks(id: number, into: LoggedChunk[], isCompact: boolean): number {
    const head = this.#head;
    let bytes = 0;
    const add = (chunk: Uint8Array, minTimeMs: number, maxTimeMs: number) => {
      into.push({ id, bytes: chunk, minTimeMs, maxTimeMs, isTail: false });
      bytes += chunk.length;
    };
    if (isCompact) this.#joinChunks(id, add);
    else head.eachChunk(id, add);
    const tail = head.tailChunk(id);
    if (tail === undefined) return bytes;
    const maxTimeMs = head.lastTimeMs(id);
    into.push({ id, bytes: tail, minTimeMs: maxTimeMs, maxTimeMs, isTail: true });
    return bytes + tail.length;
  }

  #joinChunks(
    id: number,
    add: (chunk: Uint8Array, minTimeMs: number, maxTimeMs: number) => void,
  ): void {
    const columns = this.#columns;
    columns.clear();
    this.#head.eachChunk(id, (chunk) => appendChunk(chunk, -Infinity, Infinity, columns));
    const { timestamps } = columns;
    for (const { chunk, from, count } of chunksOf(columns, BLOCK_CHUNK_SAMPLES)) {
      add(chunk, timestamps[from], timestamps[from + count - 1]);
    }
  }

  async #writeLate(file: AppendFile): Promise<void> {
    let batch: LoggedLateSample[] = [];
    for (const id of [...this.#late.ids()]) {
      for (const sample of this.#late.samplesOf(id)) batch.push({ id, sample });
      if (batch.length < LATE_PER_RECORD) continue;
      for (const record of encodeLateSamples(batch)) await file.write(record);
      batch = [];
      await breathe();
    }
    for (const record of encodeLateSamples(batch)) await file.write(record);
  }

  async #writeDeletions(file: AppendFile): Promise<void> {
    const deletions = [...this.#headSource.deletions()];
    for (const record of encodeDeletions(deletions)) await file.write(record);
  }

  async #writeExemplars(file: AppendFile): Promise<void> {
    const rows = [...this.#exemplars.entries()];
    for (let from = 0; from < rows.length; from += EXEMPLARS_PER_RECORD) {
      const slice = rows.slice(from, from + EXEMPLARS_PER_RECORD);
      await file.write(encodeExemplars(slice.map(([series, exemplar]) => ({ series, exemplar }))));
      await breathe();
    }
  }
}

/** The log's order is the head's: only what is there already falls out. */
function replayFloat(
  head: Head,
  id: number,
  timestampMs: number,
  bits: Uint32Array,
  index: number,
  startTimes: Float64Array | null,
): void {
  if (timestampMs <= head.lastTimeMs(id)) return;
  head.append(id, timestampMs, bits, index);
  if (startTimes !== null) head.noteStartTime(id, startTimes[index]);
}

function replayHistogram(head: Head, logged: LoggedHistogram): void {
  const { id, timestampMs, histogram, startTimeMs } = logged;
  if (!head.series.isLive(id) || timestampMs < head.minTimeMs) return;
  if (timestampMs <= head.lastTimeMs(id)) return;
  head.appendHistogram(id, timestampMs, histogram);
  head.noteStartTime(id, startTimeMs);
}
