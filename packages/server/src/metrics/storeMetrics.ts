/** What the store says of itself at each scrape, under Prometheus' names. */
import type { Tsdb } from '@tyto/tsdb';
import type { SelfMetrics } from './selfMetrics.ts';

export function registerStoreMetrics(metrics: SelfMetrics, tsdb: Tsdb): void {
  registerRareMetrics(metrics, tsdb);
  const finite = (value: number) => (Number.isFinite(value) ? value : 0);
  metrics.gauge(
    'prometheus_tsdb_head_series',
    'Total number of series in the head block.',
    () => tsdb.stats().seriesCount,
  );
  metrics.gauge(
    'prometheus_tsdb_head_chunks',
    'Total number of chunks in the head block.',
    () => tsdb.stats().chunkCount,
  );
  metrics.gauge(
    'prometheus_tsdb_head_min_time_seconds',
    'Minimum time bound of the head block.',
    () => finite(tsdb.stats().headMinTimeMs) / 1000,
  );
  metrics.gauge(
    'prometheus_tsdb_head_max_time_seconds',
    'Maximum timestamp of the head block.',
    () => finite(tsdb.stats().headMaxTimeMs) / 1000,
  );
  metrics.counter(
    'prometheus_tsdb_head_samples_appended_total',
    'Total number of appended samples.',
    () => tsdb.stats().samplesAppended,
  );
  metrics.counter(
    'prometheus_tsdb_compactions_total',
    'Total number of compactions that were executed for the partition.',
    () => tsdb.stats().compactions,
  );
  metrics.counter(
    'prometheus_tsdb_compactions_failed_total',
    'Total number of compactions that failed for the partition.',
    () => tsdb.stats().compactionsFailed,
  );
  metrics.gauge(
    'prometheus_tsdb_blocks_loaded',
    'Number of currently loaded data blocks',
    () => tsdb.stats().blockCount,
  );
  metrics.gauge(
    'prometheus_tsdb_storage_blocks_bytes',
    'The number of bytes that are currently used for local storage by all blocks.',
    () => tsdb.stats().blockBytes,
  );
  metrics.gauge(
    'prometheus_tsdb_wal_segment_current',
    'WAL segment index that TSDB is currently writing to.',
    () => tsdb.stats().logSegment,
  );
  metrics.counter(
    'prometheus_tsdb_wal_writes_failed_total',
    'Total number of WAL writes that failed.',
    () => tsdb.stats().logFailures,
  );
  metrics.counter(
    'tyto_tsdb_wal_written_bytes_total',
    'Bytes written to the log.',
    () => tsdb.stats().logBytesWritten,
  );
  metrics.gauge(
    'tyto_tsdb_head_bytes',
    'Memory that the samples of the head take.',
    () => tsdb.stats().headBytes,
  );
}

/** What is not usual in a store: damage, exemplars, samples that came late. */
function registerRareMetrics(metrics: SelfMetrics, tsdb: Tsdb): void {
  metrics.counter(
    'prometheus_tsdb_wal_corruptions_total',
    'Damaged places of the log and of blocks that were found.',
    () => tsdb.stats().corruptions,
  );
  metrics.gauge(
    'prometheus_tsdb_exemplar_exemplars_in_storage',
    'Number of exemplars currently in circular storage.',
    () => tsdb.stats().exemplarCount,
  );
  metrics.gauge(
    'tyto_tsdb_late_samples',
    'Samples that came out of order and wait in memory for a block.',
    () => tsdb.stats().lateSamples,
  );
}
