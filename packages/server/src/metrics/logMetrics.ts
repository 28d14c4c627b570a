/** What receiving logs says of itself, under Loki's names, and the store of logs under its own. */
import type { Columnar } from '@tyto/columnar';
import type { LogService } from '../logs/logService.ts';
import type { SelfMetrics } from './selfMetrics.ts';

export function registerLogMetrics(metrics: SelfMetrics, { receiver, tails }: LogService): void {
  const perTenant = (
    name: string,
    help: string,
    value: (totals: { lines: number; bytes: number; metadataBytes: number }) => number,
  ) =>
    metrics.labelled('counter', name, help, ['tenant'], () =>
      [...receiver.totals].map(([tenant, totals]) => [{ tenant }, value(totals)] as const),
    );
  perTenant(
    'loki_distributor_bytes_received_total',
    'Bytes of lines and structured metadata that were received and stored.',
    ({ bytes }) => bytes,
  );
  perTenant(
    'loki_distributor_structured_metadata_bytes_received_total',
    'Bytes of structured metadata that were received and stored.',
    ({ metadataBytes }) => metadataBytes,
  );
  perTenant(
    'loki_distributor_lines_received_total',
    'Lines that were received and stored.',
    ({ lines }) => lines,
  );
  const discarded = (name: string, help: string, kind: 'lines' | 'bytes') =>
    metrics.labelled('counter', name, help, ['tenant', 'reason'], () =>
      [...receiver.totals].flatMap(([tenant, totals]) =>
        [...totals.discarded].map(([reason, sum]) => [{ tenant, reason }, sum[kind]] as const),
      ),
    );
  discarded('loki_discarded_samples_total', 'Lines that were refused, by reason.', 'lines');
  discarded('loki_discarded_bytes_total', 'Bytes that were refused, by reason.', 'bytes');
  metrics.labelled(
    'gauge',
    'loki_ingester_memory_streams',
    'Streams of which something came lately.',
    ['tenant'],
    () =>
      [...receiver.totals].map(([tenant]) => [{ tenant }, receiver.activeStreams(tenant)] as const),
  );
  metrics.gauge('tyto_log_tails', 'Clients that follow logs.', () => tails.size);
}

/** A scrape starts no engine: what needs one has no samples until it was used. */
export function registerLogStoreMetrics(
  metrics: SelfMetrics,
  columnar: Pick<Columnar, 'measures'>,
): void {
  const measures = () => columnar.measures();
  metrics.gauge(
    'tyto_log_store_up',
    '1 while the store of logs runs; 0 before its first use, too.',
    () => (measures().isUp ? 1 : 0),
  );
  metrics.counter(
    'tyto_log_store_starts_total',
    "Starts of the engine's process; more than one are deaths.",
    () => measures().starts,
  );
  metrics.labelled(
    'counter',
    'tyto_log_store_requests_total',
    'Requests to the store of logs.',
    ['kind'],
    () => {
      const { queries, inserts } = measures();
      return [
        [{ kind: 'query' }, queries],
        [{ kind: 'insert' }, inserts],
      ];
    },
  );
  metrics.counter(
    'tyto_log_store_failed_requests_total',
    'Requests that the store of logs did not answer, or refused.',
    () => measures().failures,
  );
  metrics.gauge(
    'tyto_log_store_running_requests',
    'Requests to the store of logs that wait for their answer.',
    () => measures().running,
  );
  metrics.gauge(
    'tyto_log_store_waiting_bytes',
    'Bytes of entries that were received and are not stored yet.',
    () => measures().waitingBytes,
  );
  const size = (
    name: string,
    help: string,
    of: 'entries' | 'bytesOnDisk' | 'parts' | 'memoryBytes',
  ) =>
    metrics.labelled('gauge', name, help, [], () => {
      const { sizes } = measures();
      return sizes === undefined ? [] : [[{}, sizes[of]] as const];
    });
  size('tyto_log_store_entries', 'Entries that are stored.', 'entries');
  size('tyto_log_store_bytes', 'Bytes of entries on disk, compressed.', 'bytesOnDisk');
  size('tyto_log_store_parts', 'Parts that the entries lie in.', 'parts');
  size('tyto_log_store_memory_bytes', 'Memory that ClickHouse has taken.', 'memoryBytes');
}
