/** Self metrics of alerting under Alertmanager's names, and of alerts that are sent on. */
import type { Dispatcher, SilenceState } from '@tyto/alerting';
import type { AlertForwarder } from '../alertForwarder.ts';
import { VERSION } from '../version.ts';
import type { SelfMetrics } from './selfMetrics.ts';

const SILENCE_STATES: readonly SilenceState[] = ['active', 'pending', 'expired'];

export function registerAlertMetrics(
  metrics: SelfMetrics,
  dispatcher: Dispatcher,
  forwarder: AlertForwarder,
): void {
  registerAlertmanagerMetrics(metrics, dispatcher);
  registerStateMetrics(metrics, dispatcher);
  registerForwarderMetrics(metrics, forwarder);
}

function registerAlertmanagerMetrics(metrics: SelfMetrics, dispatcher: Dispatcher): void {
  metrics.labelled('gauge', 'alertmanager_alerts', 'How many alerts by state.', ['state'], () =>
    dispatcher.countByState(),
  );
  metrics.labelled(
    'counter',
    'alertmanager_alerts_received_total',
    'The total number of received alerts.',
    ['status', 'version'],
    () => {
      const { received, resolved } = dispatcher.counts;
      const version = 'v2';
      return [
        [{ status: 'firing', version }, received - resolved],
        [{ status: 'resolved', version }, resolved],
      ];
    },
  );
  metrics.labelled(
    'counter',
    'alertmanager_alerts_invalid_total',
    'The total number of received alerts that were invalid.',
    ['version'],
    () => [[{ version: 'v2' }, dispatcher.counts.invalid]],
  );
  metrics.labelled('gauge', 'alertmanager_silences', 'How many silences by state.', ['state'], () =>
    SILENCE_STATES.map((state) => [{ state }, dispatcher.silences.countOf(state)]),
  );
  metrics.gauge(
    'alertmanager_dispatcher_aggregation_groups',
    'Number of active aggregation groups.',
    () => dispatcher.groups().length,
  );
  metrics.counter(
    'alertmanager_dispatcher_aggregation_group_limit_reached_total',
    'Number of times when there were too many groups for a further one.',
    () => dispatcher.groupsRefused,
  );
  metrics.gauge(
    'alertmanager_cluster_enabled',
    'Whether there are peers: there are none.',
    () => 0,
  );
  metrics.labelled('gauge', 'alertmanager_build_info', 'The version.', ['version'], () => [
    [{ version: VERSION }, 1],
  ]);
  metrics.gauge(
    'alertmanager_config_last_reload_successful',
    'Whether the last configuration reload attempt was successful.',
    () => metrics.valueOf(metrics.reloadSuccessful),
  );
  metrics.gauge(
    'alertmanager_config_last_reload_success_timestamp_seconds',
    'Timestamp of the last successful configuration reload.',
    () => metrics.valueOf(metrics.reloadTimestamp),
  );
}

/** The name of the first is Alertmanager's; its writes fail only at a snapshot. */
function registerStateMetrics(metrics: SelfMetrics, dispatcher: Dispatcher): void {
  metrics.gauge(
    'tyto_notification_log_entries',
    'Entries of the notification log.',
    () => dispatcher.logSize,
  );
  metrics.counter(
    'tyto_alert_state_write_failures_total',
    'Writes of alerts, silences and the notification log that failed or took too long.',
    () => dispatcher.stateStats.failures,
  );
  metrics.gauge(
    'tyto_alert_state_unwritten',
    'Values of alerts and of the notification log that are not on disk yet.',
    () => dispatcher.stateStats.owed,
  );
}

function registerForwarderMetrics(metrics: SelfMetrics, forwarder: AlertForwarder): void {
  const byAddress = (
    kind: 'gauge' | 'counter',
    name: string,
    help: string,
    read: (of: AlertForwarder['destinations'][number]) => number,
  ) =>
    metrics.labelled(kind, name, help, ['alertmanager'], () =>
      forwarder.destinations.map((of) => [{ alertmanager: of.url }, read(of)]),
    );
  metrics.gauge(
    'prometheus_notifications_alertmanagers_discovered',
    'The number of alertmanagers discovered and active.',
    () => forwarder.urls.length,
  );
  byAddress(
    'gauge',
    'prometheus_notifications_queue_length',
    'The number of alert notifications in the queue.',
    ({ queueLength }) => queueLength,
  );
  byAddress(
    'gauge',
    'prometheus_notifications_queue_capacity',
    'The capacity of the alert notifications queue.',
    ({ queueMax }) => queueMax,
  );
  byAddress(
    'counter',
    'prometheus_notifications_sent_total',
    'Total number of alerts sent.',
    ({ sent }) => sent,
  );
  byAddress(
    'counter',
    'prometheus_notifications_errors_total',
    'Total number of sent alerts affected by errors.',
    ({ failed }) => failed,
  );
  byAddress(
    'counter',
    'prometheus_notifications_dropped_total',
    'Total number of alerts dropped due to errors when sending to Alertmanager.',
    ({ dropped }) => dropped,
  );
  byAddress(
    'gauge',
    'prometheus_notifications_latency_seconds',
    'Latency of the last batch that was sent.',
    ({ latencySeconds }) => latencySeconds,
  );
}
