/**
 * Which blocks become one, as in Prometheus: first those that overlap in time, then those that fill
 * a larger range, each three times as long as the one before. Pure, so that it can be tried out.
 */
import type { BlockMeta } from './block/format.ts';
import { BLOCK_RANGE_MS, MERGED_RANGE_MS_MAX, RETENTION_PER_BLOCK } from './limits.ts';

const RANGE_FACTOR = 3;

/** What a plan needs to know of a block. */
export type PlannedBlock = Pick<BlockMeta, 'minTimeMs' | 'maxTimeMs' | 'outOfOrder'>;

/** The ranges of merged blocks, rising. `retentionMs` 0 means that everything is kept. */
export function mergedRangesMs(retentionMs: number): number[] {
  const longest = retentionMs > 0 ? retentionMs / RETENTION_PER_BLOCK : Infinity;
  const limit = Math.min(MERGED_RANGE_MS_MAX, longest);
  const ranges: number[] = [];
  for (let range = BLOCK_RANGE_MS * RANGE_FACTOR; range <= limit; range *= RANGE_FACTOR) {
    ranges.push(range);
  }
  return ranges;
}

/** The blocks that should be merged next, earliest first; none when all is well. */
export function planCompaction<T extends PlannedBlock>(
  blocks: readonly T[],
  rangesMs: readonly number[],
): T[] {
  const sorted = [...blocks].sort(byTime);
  const inOrderEndMs = sorted.reduce(
    (end, block) => (block.outOfOrder === true ? end : Math.max(end, block.maxTimeMs)),
    -Infinity,
  );
  // A block of late samples may reach into the time of the head; merged with others it would say
  // that the head does not own that time.
  const isLate = (block: T) => block.outOfOrder === true && block.maxTimeMs > inOrderEndMs;
  const settled = sorted.filter((block) => !isLate(block));
  const plan = planAmong(settled, rangesMs);
  return plan.length > 0 ? plan : planAmong(sorted.filter(isLate), rangesMs);
}

export function byTime(a: PlannedBlock, b: PlannedBlock): number {
  return a.minTimeMs - b.minTimeMs || a.maxTimeMs - b.maxTimeMs;
}

function planAmong<T extends PlannedBlock>(sorted: readonly T[], rangesMs: readonly number[]): T[] {
  const overlapping = firstOverlapping(sorted);
  if (overlapping.length > 0) return overlapping;
  // The newest block is the most read one, and more may be coming for its range.
  const older = sorted.slice(0, -1);
  const newestMs = older.at(-1)?.minTimeMs ?? -Infinity;
  for (const rangeMs of rangesMs) {
    for (const group of groupsOf(older, rangeMs)) {
      const startMs = group[0].minTimeMs;
      const endMs = Math.max(...group.map((block) => block.maxTimeMs));
      const isComplete = endMs - startMs === rangeMs || endMs <= newestMs;
      if (group.length > 1 && isComplete) return group;
    }
  }
  return [];
}

/** The first blocks of which each overlaps one before it. */
function firstOverlapping<T extends PlannedBlock>(sorted: readonly T[]): T[] {
  const group: T[] = [];
  let endMs = -Infinity;
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i].minTimeMs < endMs) {
      if (group.length === 0) group.push(sorted[i - 1]);
      group.push(sorted[i]);
    } else if (group.length > 0) {
      break;
    }
    endMs = Math.max(endMs, sorted[i].maxTimeMs);
  }
  return group;
}

/** Blocks that lie within one aligned range; those that reach beyond theirs are left out. */
function groupsOf<T extends PlannedBlock>(sorted: readonly T[], rangeMs: number): T[][] {
  const groups: T[][] = [];
  let currentMs = Number.NaN;
  for (const block of sorted) {
    const startMs = Math.floor(block.minTimeMs / rangeMs) * rangeMs;
    if (block.maxTimeMs > startMs + rangeMs) continue;
    if (startMs !== currentMs) groups.push([]);
    currentMs = startMs;
    groups[groups.length - 1].push(block);
  }
  return groups;
}
