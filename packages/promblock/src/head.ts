/**
 * What Prometheus holds in no block yet: its log, the log of samples that came out of order, and
 * the chunks that it moved to disk. All of it is kept in memory, packed, because a log is sorted by
 * nothing. Samples that are in several of these places are told apart by their time.
 */
import { join } from 'node:path';
import { getOrCreate } from '@tyto/base';
import { type Exemplar, type FloatHistogram, type Labels, SampleColumns } from '@tyto/model';
import { ByteCursor } from './byteCursor.ts';
import { decodeChunk, encodeChunks } from './chunk.ts';
import { appendRange, appendWords } from './columns.ts';
import { confine, type ReportDamage } from './damage.ts';
import { highWord, isStaleWords, lowWord } from './floatBits.ts';
import { type HeadChunk, readHeadChunks } from './headChunks.ts';
import { HEAD_TAIL_SAMPLES } from './limits.ts';
import { readLogs } from './logReader.ts';
import { type LogVisitor, visitRecord } from './logRecords.ts';
import type { StoredSeries } from './merge.ts';
import { comparePairs, orderedPairs } from './order.ts';
import type { Interval } from './tombstones.ts';

/** A chunk of a series that came seldom, or whose clock was wrong once. */
const LONG_CHUNK_MS = 24 * 3600_000;

interface PackedChunk {
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly isOutOfOrder: boolean;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly file: string;
  readonly offset: number;
}

interface HeadSeries {
  readonly labels: Labels;
  readonly chunks: PackedChunk[];
  readonly tail: SampleColumns;
  readonly deleted: Interval[];
}

export class PrometheusHead {
  readonly #directory: string;
  readonly #report: ReportDamage;
  /** In-order samples before this are in blocks, or were deleted with one. */
  readonly #minTimeMs: number;
  readonly #byRef = new Map<number, HeadSeries>();
  readonly #byKey = new Map<string, HeadSeries>();
  readonly #scratch = new SampleColumns();
  #unknownSeries = 0;
  sampleCount = 0;
  exemplarCount = 0;

  private constructor(directory: string, minTimeMs: number, report: ReportDamage) {
    this.#directory = directory;
    this.#minTimeMs = minTimeMs;
    this.#report = report;
  }

  /** Reads the head of a data directory whose blocks end at `minTimeMs`. */
  static read(directory: string, minTimeMs: number, report: ReportDamage): PrometheusHead {
    const head = new PrometheusHead(directory, minTimeMs, report);
    head.#readLog('wal', false);
    head.#readLog('wbl', true);
    for (const chunk of readHeadChunks(join(directory, 'chunks_head'), report)) {
      head.#addChunk(chunk);
    }
    if (head.#unknownSeries > 0) {
      const what = `${head.#unknownSeries} samples belong to series that the log does not name`;
      report({ file: join(directory, 'wal'), offset: 0, what });
    }
    return head;
  }

  get seriesCount(): number {
    return this.#byKey.size;
  }

  /** The times of everything that is there: of chunks, or of each sample where one spans days. */
  *timeRanges(): Generator<Interval> {
    for (const { chunks } of this.#byKey.values()) {
      for (const chunk of chunks) {
        const { minTimeMs, maxTimeMs, isOutOfOrder } = chunk;
        const from = isOutOfOrder ? minTimeMs : Math.max(minTimeMs, this.#minTimeMs);
        if (maxTimeMs - from <= LONG_CHUNK_MS) {
          yield { minTimeMs: from, maxTimeMs };
          continue;
        }
        const columns = new SampleColumns();
        const { encoding, data, file, offset } = chunk;
        confine(file, offset, this.#report, () => decodeChunk(encoding, data, columns));
        for (const time of columns.timestamps.subarray(0, columns.length)) {
          if (time >= from) yield { minTimeMs: time, maxTimeMs: time };
        }
      }
    }
  }

  /** All series in the order of their labels. */
  async *series(): AsyncGenerator<StoredSeries> {
    const sorted = [...this.#byKey.values()].map((series) => ({
      series,
      pairs: orderedPairs(series.labels),
    }));
    sorted.sort((a, b) => comparePairs(a.pairs, b.pairs));
    for (const { series } of sorted) {
      yield {
        labels: series.labels,
        readInto: (minTimeMs, maxTimeMs, target) =>
          this.#readInto(series, minTimeMs, maxTimeMs, target),
      };
    }
  }

  #readInto(series: HeadSeries, minTimeMs: number, maxTimeMs: number, target: SampleColumns): void {
    const scratch = this.#scratch;
    for (const chunk of series.chunks) {
      if (chunk.maxTimeMs < minTimeMs || chunk.minTimeMs > maxTimeMs) continue;
      const { encoding, data, isOutOfOrder, file, offset } = chunk;
      const from = isOutOfOrder ? minTimeMs : Math.max(minTimeMs, this.#minTimeMs);
      scratch.clear();
      confine(file, offset, this.#report, () => decodeChunk(encoding, data, scratch));
      appendRange(scratch, from, maxTimeMs, series.deleted, target);
    }
  }

  #readLog(name: string, isOutOfOrder: boolean): void {
    const visitor = this.#visitor(isOutOfOrder, join(this.#directory, name));
    for (const { file, offset, bytes } of readLogs(join(this.#directory, name), this.#report)) {
      confine(file, offset, this.#report, () => visitRecord(new ByteCursor(bytes), visitor));
    }
    for (const series of this.#byKey.values()) this.#seal(series, isOutOfOrder);
  }

  #visitor(isOutOfOrder: boolean, file: string): LogVisitor {
    const tailOf = (ref: number, timestampMs: number): SampleColumns | undefined => {
      const series = this.#byRef.get(ref);
      if (series === undefined) {
        this.#unknownSeries++;
        return undefined;
      }
      if (!isOutOfOrder && timestampMs < this.#minTimeMs) return undefined;
      this.sampleCount++;
      const { tail } = series;
      const isRising = tail.length === 0 || tail.timestamps[tail.length - 1] < timestampMs;
      if (!isRising || tail.length >= HEAD_TAIL_SAMPLES) this.#seal(series, isOutOfOrder, file);
      return tail;
    };
    return {
      series: (ref, labels) => {
        const create = () => ({
          labels,
          chunks: [],
          tail: new SampleColumns(4),
          deleted: [],
        });
        if (labels.size > 0) this.#byRef.set(ref, getOrCreate(this.#byKey, labels.key, create));
      },
      sample: (ref, timestampMs, high, low) => {
        const tail = tailOf(ref, timestampMs);
        if (tail !== undefined) appendWords(tail, timestampMs, high, low);
      },
      histogram: (ref, timestampMs, histogram: FloatHistogram) => {
        const tail = tailOf(ref, timestampMs);
        const { sum } = histogram;
        if (isStaleWords(highWord(sum), lowWord(sum))) tail?.pushStale(timestampMs);
        else tail?.pushHistogram(timestampMs, histogram);
      },
      tombstone: (ref, minTimeMs, maxTimeMs) => {
        this.#byRef.get(ref)?.deleted.push({ minTimeMs, maxTimeMs });
      },
      exemplar: (_ref: number, _exemplar: Exemplar) => {
        this.exemplarCount++;
      },
    };
  }

  /** Packs the tail of a series. */
  #seal(series: HeadSeries, isOutOfOrder: boolean, file = ''): void {
    for (const { encoding, data, minTimeMs, maxTimeMs } of encodeChunks(series.tail)) {
      const times = { minTimeMs, maxTimeMs };
      series.chunks.push({ encoding, data, isOutOfOrder, ...times, file, offset: 0 });
    }
    series.tail.clear();
  }

  #addChunk(chunk: HeadChunk): void {
    const { seriesRef, maxTimeMs, isOutOfOrder } = chunk;
    // Files are removed as a whole, so that chunks of series that are gone are nothing unusual.
    const series = this.#byRef.get(seriesRef);
    if (series === undefined || (!isOutOfOrder && maxTimeMs < this.#minTimeMs)) return;
    series.chunks.push(chunk);
  }
}
