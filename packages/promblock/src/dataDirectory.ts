/** A Prometheus data directory: its blocks, and its head where it has one. */
import { join } from 'node:path';
import { PrometheusBlock } from './blockReader.ts';
import type { ReportDamage } from './damage.ts';
import { PrometheusHead } from './head.ts';
import { listDirectory } from './logReader.ts';
import { ULID } from './ulid.ts';

const HEAD_PARTS = ['wal', 'wbl', 'chunks_head'];

/** Whether a directory looks like one of Prometheus. */
export function isPrometheusDirectory(directory: string): boolean {
  const names = listDirectory(directory);
  return names.some((name) => ULID.test(name) || HEAD_PARTS.includes(name));
}

/** The names of the blocks in a directory, oldest first as they were made. */
function listPrometheusBlocks(directory: string): string[] {
  return listDirectory(directory)
    .filter((name) => ULID.test(name))
    .sort();
}

/** Opens all blocks, oldest samples first; those that cannot be used are reported. */
export function openPrometheusBlocks(directory: string, report: ReportDamage): PrometheusBlock[] {
  const blocks: PrometheusBlock[] = [];
  for (const name of listPrometheusBlocks(directory)) {
    const block = PrometheusBlock.open(join(directory, name), report);
    if (block !== undefined) blocks.push(block);
  }
  return blocks.sort((a, b) => a.meta.minTimeMs - b.meta.minTimeMs);
}

/** Reads what is in no block yet. */
export function readPrometheusHead(
  directory: string,
  blocks: readonly PrometheusBlock[],
  report: ReportDamage,
): PrometheusHead {
  // Blocks of samples that came out of order say nothing about how far the others reach.
  const ends = blocks
    .filter(({ meta }) => !meta.isFromOutOfOrder)
    .map(({ meta }) => meta.maxTimeMs);
  return PrometheusHead.read(directory, Math.max(-Infinity, ...ends), report);
}
