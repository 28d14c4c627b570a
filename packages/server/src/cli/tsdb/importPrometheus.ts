/** `tyto tsdb import prometheus`: blocks and head of a Prometheus data directory become Tyto's. */
import { TytoError } from '@tyto/base';
import { SampleColumns } from '@tyto/model';
import type { ReportDamage } from '@tyto/promblock';
import { importBlocks, type ImportedBlock } from './blockImport.ts';
import { kindOf, openPrometheus } from './database.ts';

export async function importPrometheus(
  from: string,
  directory: string,
  overlaps: boolean,
  done: (block: ImportedBlock) => void,
  report: ReportDamage,
): Promise<void> {
  if (kindOf(from) !== 'prometheus') {
    throw new TytoError('bad_data', `${from} is a data directory of Tyto, not of Prometheus`);
  }
  const database = openPrometheus(from, report);
  const columns = new SampleColumns();
  async function* read(minTimeMs: number, maxTimeMs: number) {
    for await (const series of database.series(minTimeMs, maxTimeMs, [])) {
      columns.clear();
      series.readInto(minTimeMs, maxTimeMs, columns);
      yield { labels: series.labels, columns };
    }
  }
  try {
    const source = { windows: database.windows(), endMs: database.endMs(), overlaps, read };
    await importBlocks(directory, source, done);
  } finally {
    await database.close();
  }
}
