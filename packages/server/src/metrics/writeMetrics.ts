/** What receiving remote write says of itself; Prometheus has names for little of it. */
import type { WriteReceiver } from '@tyto/collect';
import type { HeldBodies } from '../http/heldBodies.ts';
import type { SelfMetrics } from './selfMetrics.ts';

export function registerWriteMetrics(
  metrics: SelfMetrics,
  receiver: WriteReceiver,
  bodies: HeldBodies,
): void {
  const { totals } = receiver;
  metrics.counter(
    'prometheus_api_remote_write_invalid_labels_samples_total',
    'The total number of received remote write samples and histogram samples which were ' +
      'rejected due to invalid labels.',
    () => totals.refused.invalid_labels,
  );
  for (const kind of ['requests', 'samples', 'histograms', 'exemplars'] as const) {
    metrics.counter(
      `tyto_remote_write_received_${kind}_total`,
      `The ${kind} that were received by remote write and kept, refused ones aside.`,
      () => totals[kind],
    );
  }
  metrics.labelled(
    'counter',
    'tyto_remote_write_refused_samples_total',
    'Samples and histograms of remote write requests that were refused.',
    ['reason'],
    () => Object.entries(totals.refused).map(([reason, count]) => [{ reason }, count] as const),
  );
  metrics.counter(
    'tyto_remote_write_shed_requests_total',
    'Remote write requests that were told to come again, because too many bytes were held.',
    () => bodies.shed,
  );
  metrics.gauge(
    'tyto_remote_write_held_body_bytes',
    'Bytes of remote write requests that are held now.',
    () => bodies.bytes,
  );
  metrics.gauge(
    'tyto_remote_write_known_series',
    'Series that are known by the bytes with which a sender writes their labels.',
    () => receiver.knownSeries,
  );
}
