/** A block made of what the head has of a range of time. */
import type { Clock } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import type { BlockWriter } from './block/writer.ts';
import { SLICE_MS } from './limits.ts';
import type { SeriesSource } from './seriesSource.ts';
import { breathe } from './slices.ts';

/** Writes all series with their samples of the range, whose end is excluded; then finishes. */
export async function writeHeadBlock<T>(
  head: Pick<SeriesSource, 'allSeries' | 'labels' | 'readInto'>,
  writer: BlockWriter,
  minTimeMs: number,
  maxTimeMs: number,
  clock: Clock,
  finish: () => Promise<T>,
): Promise<T> {
  const columns = new SampleColumns(1024);
  try {
    await writer.open();
    let sliceStartMs = clock.monotonicMs();
    for (const id of head.allSeries().slice()) {
      columns.clear();
      head.readInto(id, minTimeMs, maxTimeMs - 1, columns);
      await writer.add(head.labels(id), columns);
      if (clock.monotonicMs() - sliceStartMs < SLICE_MS) continue;
      await breathe();
      sliceStartMs = clock.monotonicMs();
    }
    return await finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
