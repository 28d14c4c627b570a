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
  readonly chunks: ChunkFiles;
  readonly #report: ReportDamage;
  readonly #scratch = new SampleColumns();
  #index: IndexReader | undefined;
  #tombstones: Tombstones = NO_TOMBSTONES;

  private constructor(directory: string, meta: PrometheusBlockMeta, report: ReportDamage) {
    this.directory = directory;
    this.meta = meta;
    this.chunks = new ChunkFiles(join(directory, 'chunks'));
    this.#report = report;
  }

  /**
   * A block by its meta.json; undefined, and reported, where that cannot be used. All else is
   * opened when it is needed. `report` hears of all damage that is met.
   */
  static open(directory: string, report: ReportDamage): PrometheusBlock | undefined {
    const path = join(directory, 'meta.json');
    const read = () => parseMeta(orIo(() => readFileSync(path, 'utf8')));
    const meta = confine(path, 0, report, read);
    return meta === undefined ? undefined : new PrometheusBlock(directory, meta, report);
  }

  /** The index, opened where it is not; undefined, and reported, where it cannot be used. */
  openIndex(): IndexReader | undefined {
    if (this.#index !== undefined) return this.#index;
    const path = join(this.directory, 'index');
    this.#index = confine(path, 0, this.#report, () => orIo(() => IndexReader.open(path)));
    if (this.#index === undefined) return undefined;
    const stones = join(this.directory, 'tombstones');
    const read = () => orIo(() => readTombstones(stones));
    this.#tombstones = confine(stones, 0, this.#report, read) ?? NO_TOMBSTONES;
    return this.#index;
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
    const index = this.openIndex();
    if (index === undefined) return;
    for (const series of index.series(this.#report)) yield this.#blockSeries(series);
  }

  /** Gives back files and memory; the block may be used again. */
  release(): void {
    this.#index?.close();
    this.#index = undefined;
    this.#tombstones = NO_TOMBSTONES;
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
