/**
 * `tyto tsdb import openmetrics`: samples of any age from a file in OpenMetrics' text format. The
 * file is read once for the times that are in it, and once more for each day of them, so that
 * memory holds a day.
 */
import { readFile } from 'node:fs/promises';
import { errorMessage, TytoError } from '@tyto/base';
import { type Labels, SampleColumns } from '@tyto/model';
import { readMerged } from '@tyto/promblock';
import { ENTRY_END, ENTRY_SAMPLE, ExpositionParser } from '@tyto/wire';
import { importBlocks, type ImportedBlock } from './blockImport.ts';
import { isTime, windowStart } from './database.ts';

export async function importOpenmetrics(
  file: string,
  directory: string,
  overlaps: boolean,
  done: (block: ImportedBlock) => void,
): Promise<void> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new TytoError('io', `cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  });
  const starts = new Set<number>();
  let endMs = -Infinity;
  eachSample(file, bytes, ({ timestampMs }) => {
    starts.add(windowStart(timestampMs));
    endMs = Math.max(endMs, timestampMs + 1);
  });
  const windows = [...starts].sort((a, b) => a - b);
  const source = { windows, endMs, overlaps, read: reader(file, bytes) };
  await importBlocks(directory, source, done);
}

function reader(file: string, bytes: Uint8Array) {
  return async function* read(minTimeMs: number, maxTimeMs: number) {
    const found = new Map<string, { labels: Labels; columns: SampleColumns }>();
    eachSample(file, bytes, (sample) => {
      const { timestampMs, value } = sample;
      if (timestampMs < minTimeMs || timestampMs > maxTimeMs) return;
      const labels = sample.labels();
      let series = found.get(labels.key);
      if (series === undefined) {
        series = { labels, columns: new SampleColumns(8) };
        found.set(labels.key, series);
      }
      series.columns.push(timestampMs, value);
    });
    for (const { labels, columns } of found.values()) {
      yield { labels, columns: sorted(labels, columns) };
    }
  };
}

/** A file may have a series' samples in any order; of equal times the first one counts. */
function sorted(labels: Labels, columns: SampleColumns): SampleColumns {
  const whole = {
    labels,
    readInto: (_min: number, _max: number, target: SampleColumns) => {
      for (let i = 0; i < columns.length; i++) {
        target.push(columns.timestamps[i], columns.values[i]);
      }
    },
  };
  return readMerged([whole], -Infinity, Infinity, new SampleColumns(columns.length));
}

interface FileSample {
  readonly timestampMs: number;
  readonly value: number;
  labels(): Labels;
}

function eachSample(file: string, bytes: Uint8Array, visit: (sample: FileSample) => void): void {
  const parser = new ExpositionParser('openmetrics');
  parser.start(bytes);
  for (;;) {
    const entry = parser.next();
    if (entry === ENTRY_END) return;
    if (entry !== ENTRY_SAMPLE) continue;
    if (!parser.hasTimestamp) {
      const place = { file, line: parser.line, column: 1 };
      const message = `${file}:${parser.line}: a sample without a time; each needs one`;
      throw new TytoError('bad_data', message, { place });
    }
    const { timestampMs, value } = parser;
    if (!isTime(timestampMs)) {
      const place = { file, line: parser.line, column: 1 };
      const message = `${file}:${parser.line}: a time that no date tells; times are in seconds`;
      throw new TytoError('bad_data', message, { place });
    }
    // Blocks are cut by whole milliseconds.
    visit({ timestampMs: Math.round(timestampMs), value, labels: () => parser.labels() });
  }
}
