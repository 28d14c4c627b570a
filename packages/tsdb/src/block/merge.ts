/**
 * Several blocks made one. Their label pairs are interned in the new block's index, which makes the
 * series of all of them lists of the same numbers; so series are told apart without their texts.
 * Then series after series is read, merged and written. The memory that is needed grows with the
 * series, not with the samples.
 */
import { type Clock, type Logger, TytoError } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import { Column } from '../column.ts';
import { samplesOf } from '../startTimeChunk.ts';
import { COPIED_SAMPLES_MIN, SLICE_MS } from '../limits.ts';
import { mergeRuns } from '../mergeSamples.ts';
import { breathe } from '../slices.ts';
import type { BlockReader, StoredChunk } from './reader.ts';
import { SeriesJoin } from './seriesJoin.ts';
import type { BlockWriter } from './writer.ts';

export interface MergeOptions {
  /** In the order of their precedence. */
  readonly sources: readonly BlockReader[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** The time from which on samples of a series are kept; Infinity for none. */
  readonly keptFromMs?: (source: BlockReader, series: number) => number;
}

/** Series that are looked at before other work gets its turn, where each costs little. */
const SLICE_COUNT = 2000;

/** Writes all series into `writer`, which is open. Returns how many damaged chunks each has. */
export async function mergeBlocks(
  writer: BlockWriter,
  options: MergeOptions,
): Promise<ReadonlyMap<BlockReader, number>> {
  const { sources, clock } = options;
  const join = new SeriesJoin();
  const places: Column<Uint32Array>[] = [];
  for (const source of sources) places.push(await enroll(source, join, writer));
  const damaged = new Map<BlockReader, number>();
  const columns = new SampleColumns(4096);
  let sliceStartMs = clock.monotonicMs();
  for (let number = 0; number < join.count; number++) {
    const parts = partsOf(sources, places, number);
    const pairs = join.pairsOf(number);
    const copied = copiedChunks(parts, options);
    if (copied !== undefined) {
      await writer.addChunks(pairs, pairs.length, copied);
    } else {
      columns.clear();
      for (const [source, series] of parts) readSeries(source, series, columns, options, damaged);
      await writer.addInterned(pairs, pairs.length, columns);
    }
    if (clock.monotonicMs() - sliceStartMs < SLICE_MS) continue;
    await breathe();
    sliceStartMs = clock.monotonicMs();
  }
  return damaged;
}

/** By the number that the join gives a series: its number in the source + 1, or 0. */
async function enroll(
  source: BlockReader,
  join: SeriesJoin,
  writer: BlockWriter,
): Promise<Column<Uint32Array>> {
  const { index } = source;
  const { pairs } = writer;
  const pairOf = new Uint32Array(index.pairCount);
  let done = 0;
  for (const [pair, name, value] of index.pairs()) {
    const nameSymbol = pairs.symbols.internBytes(name, 0, name.length);
    pairOf[pair] = pairs.intern(nameSymbol, pairs.symbols.internBytes(value, 0, value.length));
    if (++done % SLICE_COUNT === 0) await breathe();
  }
  const place = new Column(Uint32Array);
  const own: number[] = [];
  for (let series = 0; series < index.seriesCount; series++) {
    const count = index.pairsInto(series, own);
    for (let i = 0; i < count; i++) own[i] = pairOf[own[i]];
    const number = join.resolve(own, count);
    place.reserve(number + 1);
    place.view[number] = series + 1;
    if (series % SLICE_COUNT === 0) await breathe();
  }
  return place;
}

type SeriesPart = readonly [source: BlockReader, series: number];

/** Where a series of the join is. */
function partsOf(
  sources: readonly BlockReader[],
  places: readonly Column<Uint32Array>[],
  number: number,
): SeriesPart[] {
  const parts: SeriesPart[] = [];
  sources.forEach((source, i) => {
    const series = (places[i].view[number] ?? 0) - 1;
    if (series >= 0) parts.push([source, series]);
  });
  return parts;
}

/**
 * The chunks of a series where they can stay as they are: in order, large enough, with nothing to
 * be left out. Undefined otherwise, also when one is damaged.
 */
function copiedChunks(
  parts: readonly SeriesPart[],
  options: MergeOptions,
): readonly StoredChunk[] | undefined {
  const copied: StoredChunk[] = [];
  for (const [source, series] of parts) {
    if ((options.keptFromMs?.(source, series) ?? -Infinity) !== -Infinity) return undefined;
    if (source.hasDeletions(series)) return undefined;
    let chunks: StoredChunk[];
    try {
      chunks = source.chunksOf(series);
    } catch (error) {
      if (error instanceof TytoError) return undefined;
      throw error;
    }
    for (const chunk of chunks) {
      const lastMs = copied.at(-1)?.maxTimeMs ?? -Infinity;
      if (chunk.minTimeMs <= lastMs) return undefined;
      if (samplesOf(chunk.bytes) < COPIED_SAMPLES_MIN) return undefined;
      copied.push(chunk);
    }
  }
  return copied.length > 0 ? copied : undefined;
}

function readSeries(
  source: BlockReader,
  series: number,
  columns: SampleColumns,
  options: MergeOptions,
  damaged: Map<BlockReader, number>,
): void {
  const fromMs = options.keptFromMs?.(source, series) ?? -Infinity;
  if (fromMs === Infinity) return;
  const middle = columns.length;
  source.readInto(series, fromMs, Infinity, columns, (message) => {
    damaged.set(source, (damaged.get(source) ?? 0) + 1);
    options.logger.error('a damaged chunk is left out while blocks are merged', {
      series: source.labels(series).toString(),
      error: message,
    });
  });
  mergeRuns(columns, 0, middle);
}
