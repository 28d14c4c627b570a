/** What receiving OpenTelemetry's metrics says of itself. */
import type { OtlpReceiver } from '@tyto/collect';
import type { SelfMetrics } from './selfMetrics.ts';

export function registerOtlpMetrics(metrics: SelfMetrics, receiver: OtlpReceiver): void {
  const { totals } = receiver;
  metrics.counter(
    'tyto_otlp_received_requests_total',
    "Requests of OpenTelemetry's exporters with metrics.",
    () => totals.requests,
  );
  metrics.counter(
    'tyto_otlp_received_points_total',
    "Data points of OpenTelemetry's exporters that were stored.",
    () => totals.points,
  );
  metrics.counter(
    'tyto_otlp_rejected_points_total',
    "Data points of OpenTelemetry's exporters that were rejected.",
    () => totals.rejectedPoints,
  );
  metrics.gauge(
    'tyto_otlp_delta_series',
    'Series that are sent as deltas and whose totals are kept.',
    () => receiver.deltaSeries,
  );
}
