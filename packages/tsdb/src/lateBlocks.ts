/**
 * Blocks made of late samples, one for each range of time. They overlap the blocks that were cut in
 * order, with which they are merged afterwards.
 */
import type { Clock } from '@tyto/base';
import type { SampleColumns } from '@tyto/model';
import type { BlockReader } from './block/reader.ts';
import type { BlockSet } from './blockSet.ts';
import type { LateSamples } from './head/lateSamples.ts';
import { writeHeadBlock } from './headBlock.ts';
import { BLOCK_RANGE_MS } from './limits.ts';
import type { SeriesTable } from './series/seriesTable.ts';

/** Writes the late samples before `endMs` into blocks, and forgets them. Returns the blocks. */
export async function cutLateBlocks(
  late: LateSamples,
  series: SeriesTable,
  blocks: BlockSet,
  endMs: number,
  clock: Clock,
): Promise<BlockReader[]> {
  const cut: BlockReader[] = [];
  while (late.minTimeMs < endMs) {
    const minTimeMs = Math.floor(late.minTimeMs / BLOCK_RANGE_MS) * BLOCK_RANGE_MS;
    const block = await cutRange(late, series, blocks, minTimeMs, clock);
    if (block === undefined) break;
    cut.push(block);
  }
  return cut;
}

async function cutRange(
  late: LateSamples,
  series: SeriesTable,
  blocks: BlockSet,
  minTimeMs: number,
  clock: Clock,
): Promise<BlockReader | undefined> {
  const maxTimeMs = minTimeMs + BLOCK_RANGE_MS;
  // Others may come while the block is written: only those that it has are forgotten.
  const written = new Map<number, Float64Array>();
  const source = {
    allSeries: () => Uint32Array.from(late.ids()).sort(),
    labels: (id: number) => series.labels(id),
    readInto: (id: number, fromMs: number, toMs: number, target: SampleColumns) => {
      late.readInto(id, fromMs, toMs, target);
      if (target.length > 0) written.set(id, target.timestamps.slice(0, target.length));
    },
  };
  const writer = blocks.writer({ minTimeMs, maxTimeMs, level: 1, outOfOrder: true });
  const finish = () => blocks.finish(writer);
  const block = await writeHeadBlock(source, writer, minTimeMs, maxTimeMs, clock, finish);
  if (block === undefined) return undefined;
  // From here to the end in one turn: no reader sees the samples twice or not at all.
  for (const [id, timestamps] of written) late.remove(id, timestamps);
  late.findLimits();
  blocks.add(block);
  return block;
}
