/** Tyto's blocks as the tools see them, without the lock: a block appears and goes as a whole. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '@tyto/base';
import type { ReportDamage } from '@tyto/promblock';
import { BLOCKS_DIRECTORY, isBlockName } from '@tyto/tsdb';

export interface TytoBlock {
  readonly name: string;
  readonly path: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface BlockFigures {
  readonly name: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly sampleCount: number;
  readonly chunkCount: number;
  readonly seriesCount: number;
  readonly bytes: number;
}

/** The blocks of a data directory by their names, oldest first. */
export function tytoBlocks(directory: string): TytoBlock[] {
  const parent = join(directory, BLOCKS_DIRECTORY);
  const names = existsSync(parent) ? readdirSync(parent).filter(isBlockName) : [];
  const blocks = names.map((name) => {
    const [, minTimeMs, maxTimeMs] = (/^(-?\d+)-(-?\d+)-/.exec(name) ?? []).map(Number);
    return { name, path: join(parent, name), minTimeMs, maxTimeMs };
  });
  return blocks.sort((a, b) => a.minTimeMs - b.minTimeMs || (a.name < b.name ? -1 : 1));
}

/** What a block's meta.json says; undefined, and reported, where it cannot be read. */
export function tytoFigures(block: TytoBlock, report: ReportDamage): BlockFigures | undefined {
  const file = join(block.path, 'meta.json');
  try {
    const meta = JSON.parse(readFileSync(file, 'utf8')) as Partial<BlockFigures>;
    return {
      name: block.name,
      minTimeMs: meta.minTimeMs ?? block.minTimeMs,
      maxTimeMs: meta.maxTimeMs ?? block.maxTimeMs,
      sampleCount: meta.sampleCount ?? 0,
      chunkCount: meta.chunkCount ?? 0,
      seriesCount: meta.seriesCount ?? 0,
      bytes: sizeOf(block.path),
    };
  } catch (error) {
    report({ file, offset: 0, what: errorMessage(error) });
    return undefined;
  }
}

function sizeOf(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
