/**
 * Several blocks made one. Their label pairs are interned in the new block's index, which makes the
 * series of all of them lists of the same numbers; so series are told apart without their texts.
 * Then series after series is read, merged and written. The memory that is needed grows with the
 * series, not with the samples.
 */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import { Column } from '../column.ts';
import { SLICE_MS } from '../limits.ts';
import { mergeRuns } from '../mergeSamples.ts';
import { breathe } from '../slices.ts';
import type { BlockReader } from './reader.ts';
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
    columns.clear();
    for (let i = 0; i < sources.length; i++) {
      const series = (places[i].view[number] ?? 0) - 1;
      if (series >= 0) readSeries(sources[i], series, columns, options, damaged);
    }
    const pairs = join.pairsOf(number);
    await writer.addInterned(pairs, pairs.length, columns);
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
  source.readSound(series, fromMs, columns, (offset, error) => {
    damaged.set(source, (damaged.get(source) ?? 0) + 1);
    options.logger.error('a damaged chunk is left out while blocks are merged', {
      file: `${source.directory}/chunks`,
      offset,
      series: source.labels(series).toString(),
      error: errorMessage(error),
    });
  });
  mergeRuns(columns, 0, middle);
}
