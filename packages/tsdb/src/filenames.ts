/**
 * Names in a data directory:
 *
 *   lock                          who has it open
 *   log/00000007                  a segment of the log
 *   log/checkpoint-00000005       the series that segments from 5 on name
 *   blocks/<min>-<max>-<level>-<sequence>/
 *                                 a block: meta.json, index, chunks (times in milliseconds)
 *   blocks/damaged-…              a block that was damaged, kept for its owner
 *   snapshots/<time>-<random>/    a copy, to be opened as a data directory
 */
import { join } from 'node:path';

export const LOG_DIRECTORY = 'log';
export const BLOCKS_DIRECTORY = 'blocks';
export const SNAPSHOTS_DIRECTORY = 'snapshots';
export const TEMPORARY_PREFIX = 'tmp-';
export const DAMAGED_PREFIX = 'damaged-';

export function segmentPath(directory: string, segment: number): string {
  return join(directory, String(segment).padStart(8, '0'));
}

export function checkpointPath(directory: string, segment: number): string {
  return join(directory, `checkpoint-${String(segment).padStart(8, '0')}`);
}

/** The number of a segment's file name, or undefined for another file's. */
export function segmentNumber(name: string): number | undefined {
  return /^\d{8}$/.test(name) ? Number(name) : undefined;
}

export function checkpointNumber(name: string): number | undefined {
  return /^checkpoint-\d{8}$/.test(name) ? Number(name.slice('checkpoint-'.length)) : undefined;
}

const BLOCK_NAME = /^(-?\d+)-(-?\d+)-(\d+)-(\d+)$/;

/** `sequence` rises with every block of a directory, so names differ where ranges do not. */
export function blockName(
  minTimeMs: number,
  maxTimeMs: number,
  level: number,
  sequence: number,
): string {
  return `${minTimeMs}-${maxTimeMs}-${level}-${sequence}`;
}

export function isBlockName(name: string): boolean {
  return BLOCK_NAME.test(name);
}

/** The sequence number in a block's name, whatever stands before it; 0 for another name. */
export function blockSequence(name: string): number {
  const bare = name.replace(/^(?:[a-z]+-)+/, '');
  return Number(BLOCK_NAME.exec(bare)?.[4] ?? 0);
}

/** What a block's name says of it; undefined for another name. */
export function blockRange(
  name: string,
): { minTimeMs: number; maxTimeMs: number; level: number } | undefined {
  const parts = BLOCK_NAME.exec(name);
  if (parts === null) return undefined;
  const [minTimeMs, maxTimeMs, level] = parts.slice(1).map(Number);
  return { minTimeMs, maxTimeMs, level };
}
