/** `tyto tsdb list`: the blocks of a data directory. */
import { openPrometheusBlocks, type ReportDamage } from '@tyto/promblock';
import { kindOf } from './database.ts';
import { goBytes, goDuration, goTime } from './goText.ts';
import { alignColumns, type Output } from './output.ts';
import { type BlockFigures, tytoBlocks, tytoFigures } from './tytoBlocks.ts';

const HEADINGS = [
  'MIN TIME',
  'MAX TIME',
  'DURATION',
  'NUM SAMPLES',
  'NUM CHUNKS',
  'NUM SERIES',
  'SIZE',
];

export async function listBlocks(
  directory: string,
  isHuman: boolean,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  const isTyto = kindOf(directory) === 'tyto';
  const blocks = isTyto ? figuresOfTyto(directory, report) : figuresOf(directory, report);
  const rows = blocks.map(({ name, minTimeMs, maxTimeMs, ...block }) => [
    name,
    isHuman ? goTime(minTimeMs) : String(minTimeMs),
    isHuman ? goTime(maxTimeMs) : String(maxTimeMs),
    goDuration(maxTimeMs - minTimeMs),
    String(block.sampleCount),
    String(block.chunkCount),
    String(block.seriesCount),
    isHuman ? goBytes(block.bytes) : String(block.bytes),
  ]);
  const heading = [isTyto ? 'BLOCK' : 'BLOCK ULID', ...HEADINGS];
  for (const line of alignColumns([heading, ...rows])) output.line(line);
}

function figuresOfTyto(directory: string, report: ReportDamage): BlockFigures[] {
  return tytoBlocks(directory)
    .map((block) => tytoFigures(block, report))
    .filter((figures) => figures !== undefined);
}

function figuresOf(directory: string, report: ReportDamage): BlockFigures[] {
  const blocks = openPrometheusBlocks(directory, report);
  return blocks.map(({ meta, bytes }) => ({ ...meta, name: meta.ulid, bytes }));
}
