/** What remote write says of itself, under Prometheus' names where it has one. */
import { type Endpoint, type Forwarder, type MergedQuerier, shownUrl } from '@tyto/forward';
import type { SelfMetrics } from './selfMetrics.ts';

type Read = (endpoint: Endpoint) => number;

const COUNTERS: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['samples_total', 'Samples sent to remote storage.', (e) => e.totals.samples],
  ['histograms_total', 'Histograms sent to remote storage.', (e) => e.totals.histograms],
  ['exemplars_total', 'Exemplars sent to remote storage.', (e) => e.totals.exemplars],
  ['metadata_total', 'Metadata entries sent to remote storage.', (e) => e.metadataSent],
  ['samples_failed_total', 'Samples that failed for good.', (e) => e.totals.samplesFailed],
  ['histograms_failed_total', 'Histograms that failed for good.', (e) => e.totals.histogramsFailed],
  ['exemplars_failed_total', 'Exemplars that failed for good.', (e) => e.totals.exemplarsFailed],
  ['metadata_failed_total', 'Metadata entries that failed for good.', (e) => e.metadataFailed],
  ['samples_retried_total', 'Samples that were sent again.', (e) => e.totals.samplesRetried],
  [
    'histograms_retried_total',
    'Histograms that were sent again.',
    (e) => e.totals.histogramsRetried,
  ],
  ['exemplars_retried_total', 'Exemplars that were sent again.', (e) => e.totals.exemplarsRetried],
  ['bytes_total', 'Bytes of samples sent, compressed.', (e) => e.totals.bytes],
  ['sent_batch_duration_seconds_sum', 'Time that requests took.', (e) => e.totals.requestSeconds],
  ['sent_batch_duration_seconds_count', 'Requests that were answered.', (e) => e.totals.requests],
];

const GAUGES: readonly (readonly [name: string, help: string, read: Read])[] = [
  ['samples_pending', 'Samples that wait in the queue.', (e) => e.queue.pending],
  ['shards', 'Requests that are sent side by side.', (e) => e.totals.shards],
  ['shards_desired', 'Requests that the backlog asks for.', (e) => e.totals.shardsDesired],
  ['shards_max', 'The most shards.', (e) => e.config.queue.shardsMax],
  ['shards_min', 'The fewest shards.', (e) => e.config.queue.shardsMin],
  ['max_samples_per_send', 'The most of a request.', (e) => e.config.queue.samplesPerSendMax],
  [
    'queue_highest_sent_timestamp_seconds',
    'The newest sample that remote storage took, as Unix time.',
    (e) => e.totals.newestSentMs / 1000,
  ],
];

const OWN: readonly (readonly [
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  read: Read,
])[] = [
  ['gauge', 'queue_bytes', 'Bytes of the queue on disk.', (e) => e.queue.bytes],
  [
    'counter',
    'queue_dropped_samples_total',
    'Samples that were lost because the queue was full or could not be written.',
    (e) => e.queue.dropped,
  ],
  [
    'counter',
    'queue_write_failures_total',
    'Writes of the queue that failed.',
    (e) => e.queue.failures,
  ],
  [
    'counter',
    'queue_damages_total',
    'Damaged places that were met in the queue.',
    (e) => e.queue.damages,
  ],
];

export function registerForwardMetrics(
  metrics: SelfMetrics,
  forwarder: Forwarder,
  querier: MergedQuerier,
): void {
  const names = ['remote_name', 'url'];
  const each = (read: Read) => () =>
    [...forwarder.endpoints].map((endpoint) => [labelsOf(endpoint), read(endpoint)] as const);
  for (const [name, help, read] of COUNTERS) {
    metrics.labelled('counter', `prometheus_remote_storage_${name}`, help, names, each(read));
  }
  for (const [name, help, read] of GAUGES) {
    metrics.labelled('gauge', `prometheus_remote_storage_${name}`, help, names, each(read));
  }
  for (const [kind, name, help, read] of OWN) {
    metrics.labelled(kind, `tyto_remote_write_${name}`, help, names, each(read));
  }
  metrics.labelled(
    'counter',
    'prometheus_remote_storage_samples_dropped_total',
    'Samples that were not sent, by relabelling, for their age, or for damage of the queue.',
    [...names, 'reason'],
    () =>
      [...forwarder.endpoints].flatMap((endpoint) => {
        const labels = labelsOf(endpoint);
        const { tooOld, unknown } = endpoint.totals;
        return [
          [{ ...labels, reason: 'dropped_series' }, endpoint.intake.dropped] as const,
          [{ ...labels, reason: 'too_old' }, tooOld] as const,
          [{ ...labels, reason: 'unintentionally_dropped_series' }, unknown] as const,
        ];
      }),
  );
  metrics.counter(
    'prometheus_remote_storage_samples_in_total',
    'Samples that were looked at for remote storage, by all endpoints together.',
    () => [...forwarder.endpoints].reduce((sum, { intake }) => sum + intake.taken, 0),
  );
  metrics.gauge(
    'prometheus_remote_storage_highest_timestamp_in_seconds',
    'The newest sample that the store took, as Unix time.',
    () => forwarder.highestTimestampMs / 1000,
  );
  const reads = (read: (reader: MergedQuerier['readers'][number]) => number) => () =>
    querier.readers.map((reader) => [labelsOf(reader), read(reader)] as const);
  metrics.labelled(
    'counter',
    'prometheus_remote_storage_read_queries_total',
    'The total number of remote read queries.',
    names,
    reads(({ queries }) => queries),
  );
  metrics.labelled(
    'counter',
    'tyto_remote_read_failures_total',
    'Remote read queries that failed.',
    names,
    reads(({ failures }) => failures),
  );
}

function labelsOf({
  config: { name, url },
}: {
  readonly config: { readonly name: string; readonly url: string };
}): Record<string, string> {
  return { remote_name: name === '' ? shownUrl(url) : name, url: shownUrl(url) };
}
