/** `tyto tsdb verify`: reads everything of a data directory and names what is damaged. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import {
  openPrometheusBlocks,
  readPrometheusHead,
  type ReportDamage,
  verifyBlock,
} from '@tyto/promblock';
import { BlockReader, BLOCKS_DIRECTORY, LOG_DIRECTORY, nodeDisk } from '@tyto/tsdb';
import { kindOf } from './database.ts';
import type { Output } from './output.ts';
import { tytoBlocks } from './tytoBlocks.ts';
import { checkTytoLog } from './tytoLog.ts';

export async function verify(
  directory: string,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  if (kindOf(directory) === 'tyto') await verifyTyto(directory, output, report);
  else await verifyPrometheus(directory, output, report);
}

async function verifyPrometheus(
  directory: string,
  output: Output,
  report: ReportDamage,
): Promise<void> {
  const blocks = openPrometheusBlocks(directory, report);
  for (const block of blocks) {
    await verifyBlock(block, report);
    block.release();
    output.line(`${block.directory}: read`);
  }
  const head = readPrometheusHead(directory, blocks, report);
  const columns = new SampleColumns();
  for await (const series of head.series()) {
    columns.clear();
    series.readInto(-Infinity, Infinity, columns);
  }
  const { seriesCount, sampleCount, exemplarCount } = head;
  const figures = `${seriesCount} series, ${sampleCount} samples, ${exemplarCount} exemplars`;
  output.line(`${directory}: ${figures} of the head read`);
}

/** Works while Tyto runs: a block does not change, and only the end of the log grows. */
async function verifyTyto(directory: string, output: Output, report: ReportDamage): Promise<void> {
  for (const { path } of tytoBlocks(directory)) {
    await verifyTytoBlock(path, report);
    output.line(`${path}: read`);
  }
  for (const name of names(join(directory, BLOCKS_DIRECTORY))) {
    if (!name.startsWith('damaged-')) continue;
    const file = join(directory, BLOCKS_DIRECTORY, name);
    report({ file, offset: 0, what: 'Tyto found this block damaged and set it aside' });
  }
  for (const name of names(join(directory, LOG_DIRECTORY))) {
    if (!/^(checkpoint-)?\d+$/.test(name)) continue;
    const path = join(directory, LOG_DIRECTORY, name);
    const records = checkTytoLog(path, readFileSync(path), report);
    output.line(`${path}: ${records} records read`);
  }
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

async function verifyTytoBlock(path: string, report: ReportDamage): Promise<void> {
  let reader: BlockReader;
  try {
    reader = await BlockReader.open(nodeDisk, path);
  } catch (error) {
    report(placeOf(path, error));
    return;
  }
  const columns = new SampleColumns();
  let sampleCount = 0;
  let damageCount = 0;
  for (let series = 0; series < reader.seriesCount; series++) {
    columns.clear();
    try {
      reader.readInto(series, -Infinity, Infinity, columns);
    } catch (error) {
      damageCount++;
      report(placeOf(path, error));
    }
    sampleCount += columns.length;
  }
  if (damageCount === 0 && sampleCount !== reader.meta.sampleCount) {
    const what = `it tells of ${reader.meta.sampleCount} samples, but there are ${sampleCount}`;
    report({ file: join(path, 'meta.json'), offset: 0, what });
  }
  reader.close();
}

/** The engine's errors name file and byte in their text. */
function placeOf(path: string, error: unknown) {
  const what = errorMessage(error);
  const [, name, byte] = /\/(chunks|index|meta\.json)\b(?:.* byte (\d+))?/.exec(what) ?? [];
  return { file: name === undefined ? path : join(path, name), offset: Number(byte ?? 0), what };
}
