/** Reads every part of a block and holds the parts against each other. */
import { join } from 'node:path';
import { SampleColumns } from '@tyto/model';
import type { PrometheusBlock } from './blockReader.ts';
import { decodeChunk } from './chunk.ts';
import { confine, damaged, type ReportDamage } from './damage.ts';
import type { ChunkPlace } from './indexReader.ts';
import { comparePairs, orderedPairs } from './order.ts';

/** Reports what does not fit, beside the damage that the block itself reports while it is read. */
export async function verifyBlock(block: PrometheusBlock, report: ReportDamage): Promise<void> {
  const indexPath = join(block.directory, 'index');
  let seriesCount = 0;
  let chunkCount = 0;
  let sampleCount = 0;
  let damagedChunks = 0;
  let before: readonly string[] | undefined;
  const columns = new SampleColumns();
  for await (const { labels, chunks, chunk } of block.series()) {
    const pairs = orderedPairs(labels);
    if (before !== undefined && comparePairs(before, pairs) >= 0) {
      report({ file: indexPath, offset: 0, what: `the series ${labels} is not in order` });
    }
    before = pairs;
    seriesCount++;
    for (const place of chunks) {
      chunkCount++;
      const raw = chunk(place);
      const { file, offset } = block.chunks.place(place.ref);
      columns.clear();
      const isGood = confine(file, offset, report, () => {
        if (raw !== undefined) decodeChunk(raw.encoding, raw.data, columns);
        if (raw !== undefined) checkTimes(columns, place);
        return raw !== undefined;
      });
      if (isGood !== true) damagedChunks++;
      sampleCount += columns.length;
    }
  }
  verifyPostings(block, indexPath, seriesCount, report);
  // Without the samples of damaged chunks the numbers cannot be right.
  if (damagedChunks > 0) return;
  const counted = describe({ seriesCount, chunkCount, sampleCount });
  const told = describe(block.meta);
  if (counted !== told) {
    const what = `it tells of ${told}, but there are ${counted}`;
    report({ file: join(block.directory, 'meta.json'), offset: 0, what });
  }
}

interface Figures {
  readonly seriesCount: number;
  readonly chunkCount: number;
  readonly sampleCount: number;
}

function describe({ seriesCount, chunkCount, sampleCount }: Figures): string {
  return `${seriesCount} series, ${chunkCount} chunks and ${sampleCount} samples`;
}

function checkTimes({ timestamps, length }: SampleColumns, place: ChunkPlace): void {
  for (let i = 1; i < length; i++) {
    if (timestamps[i] <= timestamps[i - 1]) throw damaged('times of a chunk do not rise');
  }
  if (length === 0) throw damaged('a chunk is empty');
  if (timestamps[0] !== place.minTimeMs || timestamps[length - 1] !== place.maxTimeMs) {
    throw damaged('a chunk has other times than the index says');
  }
}

function verifyPostings(
  block: PrometheusBlock,
  path: string,
  seriesCount: number,
  report: ReportDamage,
): void {
  const index = block.openIndex();
  if (index === undefined) return;
  const entries = confine(path, 0, report, () => index.postingsTable()) ?? [];
  for (const { name, value, offset } of entries) {
    confine(path, offset, report, () => {
      const refs = index.postings(offset);
      for (let i = 1; i < refs.length; i++) {
        if (refs[i] <= refs[i - 1]) throw damaged(`the postings of ${name}="${value}" do not rise`);
      }
      if (name === '' && refs.length !== seriesCount) {
        throw damaged(`${refs.length} series are listed, ${seriesCount} are good`);
      }
    });
  }
}
