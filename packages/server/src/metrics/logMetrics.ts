/** What receiving logs says of itself, under Loki's names. */
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
