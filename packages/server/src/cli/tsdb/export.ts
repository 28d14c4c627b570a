/** `tyto tsdb export`: samples as blocks that Prometheus reads, one for two hours. */
import { mkdir } from 'node:fs/promises';
import { SampleColumns } from '@tyto/model';
import {
  makeUlid,
  PrometheusBlockWriter,
  type PrometheusBlockMeta,
  type ReportDamage,
} from '@tyto/promblock';
import { BLOCK_RANGE_MS } from '@tyto/tsdb';
import { type MatcherSets, openDatabase } from './database.ts';

export interface ExportRequest {
  readonly directory: string;
  readonly target: string;
  /** Both ends are included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly matcherSets: MatcherSets;
  nowMs(): number;
  random(count: number): Uint8Array;
}

export async function exportBlocks(
  request: ExportRequest,
  done: (block: PrometheusBlockMeta) => void,
  report: ReportDamage,
): Promise<void> {
  const { directory, target, matcherSets } = request;
  const database = await openDatabase(directory, report);
  const columns = new SampleColumns();
  try {
    await mkdir(target, { recursive: true });
    for (const start of database.windows()) {
      const minTimeMs = Math.max(start, request.minTimeMs);
      const maxTimeMs = Math.min(start + BLOCK_RANGE_MS - 1, request.maxTimeMs);
      if (minTimeMs > maxTimeMs) continue;
      const ulid = makeUlid(request.nowMs(), request.random(16));
      const range = { ulid, minTimeMs: start, maxTimeMs: start + BLOCK_RANGE_MS };
      const writer = new PrometheusBlockWriter(target, range);
      try {
        await writer.open();
        for await (const series of database.series(minTimeMs, maxTimeMs, matcherSets)) {
          columns.clear();
          series.readInto(minTimeMs, maxTimeMs, columns);
          await writer.add(series.labels, columns);
        }
        const meta = await writer.finish();
        if (meta !== undefined) done(meta);
      } catch (error) {
        await writer.abandon();
        throw error;
      }
    }
  } finally {
    await database.close();
  }
}
