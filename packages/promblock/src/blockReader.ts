/** A Prometheus block: meta.json, index, chunks and tombstones of one directory. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, TytoError } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import { decodeChunk } from './chunk.ts';
import { ChunkFiles, type RawChunk } from './chunkFiles.ts';
import { appendRange } from './columns.ts';
import { confine, type ReportDamage } from './damage.ts';
import { type ChunkPlace, IndexReader, type IndexSeries } from './indexReader.ts';
import type { StoredSeries } from './merge.ts';
import { parseMeta, type PrometheusBlockMeta } from './meta.ts';
import { NO_TOMBSTONES, readTombstones, type Tombstones } from './tombstones.ts';

export interface BlockSeries extends StoredSeries {
  readonly chunks: readonly ChunkPlace[];
  /** A chunk as it is stored; undefined, and reported, where it is damaged. */
  chunk(place: ChunkPlace): RawChunk | undefined;
}

export class PrometheusBlock {
  readonly directory: string;
  readonly meta: PrometheusBlockMeta;
  readonly index: IndexReader;
  readonly chunks: ChunkFiles;
  readonly #tombstones: Tombstones;
  readonly #report: ReportDamage;
  readonly #scratch = new SampleColumns();

  private constructor(
    directory: string,
    meta: PrometheusBlockMeta,
    index: IndexReader,
    tombstones: Tombstones,
    report: ReportDamage,
  ) {
    this.directory = directory;
    this.meta = meta;
    this.index = index;
    this.chunks = new ChunkFiles(join(directory, 'chunks'));
    this.#tombstones = tombstones;
    this.#report = report;
  }

  /**
   * Opens a block; `report` hears of all damage that is met while it is read. Undefined, and
   * reported, where its meta.json or its index cannot be used at all.
   */
  static open(directory: string, report: ReportDamage): PrometheusBlock | undefined {
    const meta = readMeta(directory, report);
    if (meta === undefined) return undefined;
    const path = join(directory, 'index');
    const index = confine(path, 0, report, () => orIo(() => IndexReader.open(path)));
    if (index === undefined) return undefined;
    const stones = join(directory, 'tombstones');
    const tombstones = confine(stones, 0, report, () => orIo(() => readTombstones(stones)));
    return new PrometheusBlock(directory, meta, index, tombstones ?? NO_TOMBSTONES, report);
  }

  /** Bytes of all files. */
  get bytes(): number {
    return directorySize(this.directory);
  }

  overlaps(minTimeMs: number, maxTimeMs: number): boolean {
    return this.meta.minTimeMs <= maxTimeMs && minTimeMs < this.meta.maxTimeMs;
  }

  /** All series in the order of their labels. */
  async *series(): AsyncGenerator<BlockSeries> {
    for (const series of this.index.series(this.#report)) yield this.#blockSeries(series);
  }

  close(): void {
    this.index.close();
    this.chunks.close();
  }

  #blockSeries({ ref, labels, chunks }: IndexSeries): BlockSeries {
    const deleted = this.#tombstones.get(ref) ?? [];
    const chunk = ({ ref: place }: ChunkPlace) => {
      const { file, offset } = this.chunks.place(place);
      return confine(file, offset, this.#report, () => this.chunks.read(place));
    };
    const readInto = (minTimeMs: number, maxTimeMs: number, target: SampleColumns) => {
      for (const place of chunks) {
        if (place.maxTimeMs < minTimeMs || place.minTimeMs > maxTimeMs) continue;
        const raw = chunk(place);
        if (raw === undefined) continue;
        const { file, offset } = this.chunks.place(place.ref);
        const scratch = this.#scratch;
        scratch.clear();
        confine(file, offset, this.#report, () => decodeChunk(raw.encoding, raw.data, scratch));
        appendRange(scratch, minTimeMs, maxTimeMs, deleted, target);
      }
    };
    return { labels, chunks, chunk, readInto };
  }
}

/** A block's meta.json; undefined, and reported, where it is missing or wrong. */
function readMeta(directory: string, report: ReportDamage): PrometheusBlockMeta | undefined {
  const path = join(directory, 'meta.json');
  return confine(path, 0, report, () => parseMeta(orIo(() => readFileSync(path, 'utf8'))));
}

/** The bytes of a directory with all below it. */
function directorySize(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + directorySize(join(path, name)), 0);
}

/** Turns what the system says into TytoError `io`. */
function orIo<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TytoError) throw error;
    throw new TytoError('io', errorMessage(error), { cause: error });
  }
}
