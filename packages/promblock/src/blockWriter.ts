/**
 * Writes a Prometheus block. Chunks go to disk as they come; the index is kept in memory until the
 * end. Everything happens in a directory with a suffix that Prometheus takes for a leftover, and
 * whose rename makes the block appear at once.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Labels, SampleColumns } from '@tyto/model';
import { ByteSink } from './byteSink.ts';
import { encodeChunks } from './chunk.ts';
import { CHUNKS_HEADER_BYTES, CHUNKS_MAGIC } from './chunkFiles.ts';
import { crc32c } from './crc32c.ts';
import type { ChunkPlace } from './indexReader.ts';
import { IndexWriter } from './indexWriter.ts';
import { SEGMENT_BYTES, WRITE_BUFFER_BYTES } from './limits.ts';
import { formatMeta, type PrometheusBlockMeta } from './meta.ts';
import { orderedPairs } from './order.ts';
import { TOMBSTONES_MAGIC } from './tombstones.ts';

/** Prometheus removes directories that are named so when it starts. */
const TEMPORARY_SUFFIX = '.tmp-for-creation';
const REF_FACTOR = 2 ** 32;

export interface PrometheusBlockRange {
  readonly ulid: string;
  /** The block holds samples with minTimeMs <= t < maxTimeMs. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export class PrometheusBlockWriter {
  readonly #parent: string;
  readonly #range: PrometheusBlockRange;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #index = new IndexWriter();
  readonly #buffer = new ByteSink(WRITE_BUFFER_BYTES);
  #segment: FileHandle | undefined;
  #segmentNumber = 0;
  #segmentSize = 0;
  #sampleCount = 0;

  /** `segmentBytes` is the size of a chunks file, for tests. */
  constructor(parent: string, range: PrometheusBlockRange, segmentBytes = SEGMENT_BYTES) {
    this.#parent = parent;
    this.#range = range;
    this.#segmentBytes = segmentBytes;
    this.#directory = join(parent, range.ulid + TEMPORARY_SUFFIX);
  }

  async open(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(join(this.#directory, 'chunks'), { recursive: true });
  }

  /** Adds a series, in Prometheus' order of labels; one without samples is left out. */
  async add(labels: Labels, columns: SampleColumns): Promise<void> {
    if (columns.length === 0) return;
    const places: ChunkPlace[] = [];
    for (const chunk of encodeChunks(columns)) {
      const ref = await this.#writeChunk(chunk.encoding, chunk.data);
      places.push({ ref, minTimeMs: chunk.minTimeMs, maxTimeMs: chunk.maxTimeMs });
    }
    this.#index.add(orderedPairs(labels), places);
    this.#sampleCount += columns.length;
  }

  /** Completes the block; undefined where there was nothing to write. */
  async finish(): Promise<PrometheusBlockMeta | undefined> {
    await this.#closeSegment();
    if (this.#sampleCount === 0) {
      await rm(this.#directory, { recursive: true, force: true });
      return undefined;
    }
    await this.#writeFile('index', this.#index.encode());
    await this.#writeFile('tombstones', noTombstones());
    const meta: PrometheusBlockMeta = {
      ...this.#range,
      sampleCount: this.#sampleCount,
      seriesCount: this.#index.seriesCount,
      chunkCount: this.#index.chunkCount,
      level: 1,
      isFromOutOfOrder: false,
    };
    await this.#writeFile('meta.json', new TextEncoder().encode(formatMeta(meta)));
    await syncDirectory(this.#directory);
    await rename(this.#directory, join(this.#parent, this.#range.ulid));
    await syncDirectory(this.#parent);
    return meta;
  }

  /** Throws away what was written so far. */
  async abandon(): Promise<void> {
    await this.#segment?.close();
    this.#segment = undefined;
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #writeChunk(encoding: number, data: Uint8Array): Promise<number> {
    if (this.#segment === undefined || this.#segmentSize + data.length > this.#segmentBytes) {
      await this.#nextSegment();
    }
    const buffer = this.#buffer;
    const before = buffer.length;
    const ref = (this.#segmentNumber - 1) * REF_FACTOR + this.#segmentSize;
    buffer.uvarint(data.length);
    const start = buffer.length;
    buffer.byte(encoding);
    buffer.raw(data);
    buffer.uint32(crc32c(buffer.written, start));
    this.#segmentSize += buffer.length - before;
    if (buffer.length >= WRITE_BUFFER_BYTES / 2) await this.#flush();
    return ref;
  }

  async #nextSegment(): Promise<void> {
    await this.#closeSegment();
    this.#segmentNumber++;
    const name = String(this.#segmentNumber).padStart(6, '0');
    this.#segment = await open(join(this.#directory, 'chunks', name), 'wx');
    this.#buffer.uint32(CHUNKS_MAGIC);
    this.#buffer.byte(1);
    this.#buffer.pad(CHUNKS_HEADER_BYTES);
    this.#segmentSize = CHUNKS_HEADER_BYTES;
  }

  async #flush(): Promise<void> {
    await this.#segment?.writeFile(this.#buffer.written);
    this.#buffer.clear();
  }

  async #closeSegment(): Promise<void> {
    if (this.#segment === undefined) return;
    await this.#flush();
    await this.#segment.sync();
    await this.#segment.close();
    this.#segment = undefined;
  }

  async #writeFile(name: string, bytes: Uint8Array): Promise<void> {
    const file = await open(join(this.#directory, name), 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

function noTombstones(): Uint8Array {
  const sink = new ByteSink();
  sink.uint32(TOMBSTONES_MAGIC);
  sink.byte(1);
  sink.uint32(0);
  return sink.written;
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
