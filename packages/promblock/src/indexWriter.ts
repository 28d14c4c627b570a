/**
 * Writes a block's index, version 2 (index.md of the format's description). Series are added in
 * Prometheus' order and kept in memory until the end, because symbols stand before them.
 */
import { assert, getOrCreate } from '@tyto/base';
import { ByteSink } from './byteSink.ts';
import { crc32c } from './crc32c.ts';
import { type ChunkPlace, INDEX_MAGIC, SERIES_ALIGNMENT } from './indexReader.ts';
import { comparePairs, compareTexts } from './order.ts';

const INDEX_VERSION = 2;

export class IndexWriter {
  readonly #symbols = new Map<string, number>();
  /** Of all series: symbols of names and values; where each series' begin. */
  readonly #pairs: number[] = [];
  readonly #pairStart: number[] = [0];
  readonly #chunkStart: number[] = [0];
  readonly #chunks: ChunkPlace[] = [];
  #last: readonly string[] = [];

  get seriesCount(): number {
    return this.#pairStart.length - 1;
  }

  get chunkCount(): number {
    return this.#chunks.length;
  }

  /** `pairs` in Prometheus' order; greater than those before. */
  add(pairs: readonly string[], chunks: readonly ChunkPlace[]): void {
    assert(
      this.seriesCount === 0 || comparePairs(this.#last, pairs) < 0,
      'series are written in the order of their labels',
    );
    this.#last = pairs;
    for (const text of pairs) {
      this.#pairs.push(getOrCreate(this.#symbols, text, () => this.#symbols.size));
    }
    this.#pairStart.push(this.#pairs.length);
    for (const chunk of chunks) this.#chunks.push(chunk);
    this.#chunkStart.push(this.#chunks.length);
  }

  /** The bytes of the file. */
  encode(): Uint8Array {
    const sorted = [...this.#symbols.keys()].sort(compareTexts);
    const rank = new Uint32Array(sorted.length);
    sorted.forEach((text, i) => {
      rank[this.#symbols.get(text) ?? 0] = i;
    });
    const sink = new ByteSink(1 << 16);
    sink.uint32(INDEX_MAGIC);
    sink.byte(INDEX_VERSION);
    const symbols = sink.length;
    section(sink, (body) => {
      body.uint32(sorted.length);
      for (const text of sorted) body.text(text);
    });
    sink.pad(SERIES_ALIGNMENT);
    const series = sink.length;
    const refs = this.#encodeSeries(sink, rank);
    sink.pad(4);
    const postings = sink.length;
    const table = this.#encodePostings(sink, sorted, rank, refs);
    const postingsTable = sink.length;
    section(sink, (body) => {
      body.uint32(table.length);
      for (const { name, value, offset } of table) {
        body.byte(2);
        body.text(name);
        body.text(value);
        body.uvarint(offset);
      }
    });
    // Label indices and their table are no longer read by anybody; 0 says that there are none.
    const contents = new ByteSink();
    for (const at of [symbols, series, 0, 0, postings, postingsTable]) contents.uint64(at);
    sink.raw(contents.written);
    sink.uint32(crc32c(contents.written));
    return sink.written;
  }

  #encodeSeries(sink: ByteSink, rank: Uint32Array): Uint32Array {
    const refs = new Uint32Array(this.seriesCount);
    const body = new ByteSink();
    for (let i = 0; i < refs.length; i++) {
      sink.pad(SERIES_ALIGNMENT);
      refs[i] = sink.length / SERIES_ALIGNMENT;
      body.clear();
      body.uvarint((this.#pairStart[i + 1] - this.#pairStart[i]) / 2);
      for (let k = this.#pairStart[i]; k < this.#pairStart[i + 1]; k++) {
        body.uvarint(rank[this.#pairs[k]]);
      }
      encodeChunks(body, this.#chunks.slice(this.#chunkStart[i], this.#chunkStart[i + 1]));
      sink.uvarint(body.length);
      sink.raw(body.written);
      sink.uint32(crc32c(body.written));
    }
    return refs;
  }

  /** Lists for all series and for each pair; returns the entries of their table, sorted. */
  #encodePostings(
    sink: ByteSink,
    sorted: readonly string[],
    rank: Uint32Array,
    refs: Uint32Array,
  ): { name: string; value: string; offset: number }[] {
    const lists = new Map<number, number[]>();
    for (let i = 0; i < refs.length; i++) {
      for (let k = this.#pairStart[i]; k < this.#pairStart[i + 1]; k += 2) {
        const key = rank[this.#pairs[k]] * sorted.length + rank[this.#pairs[k + 1]];
        getOrCreate(lists, key, () => []).push(refs[i]);
      }
    }
    const table = [{ name: '', value: '', offset: sink.length }];
    postingsList(sink, refs);
    for (const key of [...lists.keys()].sort((a, b) => a - b)) {
      const name = sorted[Math.floor(key / sorted.length)];
      table.push({ name, value: sorted[key % sorted.length], offset: sink.length });
      postingsList(sink, lists.get(key) ?? []);
    }
    return table;
  }
}

function encodeChunks(body: ByteSink, chunks: readonly ChunkPlace[]): void {
  body.uvarint(chunks.length);
  chunks.forEach(({ ref, minTimeMs, maxTimeMs }, i) => {
    if (i === 0) body.varint(minTimeMs);
    else body.uvarint(minTimeMs - chunks[i - 1].maxTimeMs);
    body.uvarint(maxTimeMs - minTimeMs);
    if (i === 0) body.uvarint(ref);
    else body.varint(ref - chunks[i - 1].ref);
  });
}

function postingsList(sink: ByteSink, refs: Iterable<number> & { readonly length: number }): void {
  section(sink, (body) => {
    body.uint32(refs.length);
    for (const ref of refs) body.uint32(ref);
  });
  sink.pad(4);
}

/** Length, content, checksum. */
function section(sink: ByteSink, write: (body: ByteSink) => void): void {
  const body = new ByteSink(1 << 12);
  write(body);
  sink.uint32(body.length);
  sink.raw(body.written);
  sink.uint32(crc32c(body.written));
}
