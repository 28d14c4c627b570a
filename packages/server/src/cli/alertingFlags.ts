/**
 * Flags of Alertmanager, and those of Prometheus that are about Alertmanagers. What one process
 * with one data directory does not need is accepted, so that unit files go on to work.
 */
import type { FlagDefinition } from './flags.ts';

const NO_PEERS = 'Tyto has no peers; one process keeps alerts, silences and notifications on disk';

export const ALERTING_FLAGS: readonly FlagDefinition[] = [
  {
    name: 'data.retention',
    kind: 'duration',
    fallback: '120h',
    help: 'How long ended silences are shown, and who was told what is remembered at least.',
  },
  {
    name: 'silences.max-silences',
    kind: 'number',
    fallback: '10000',
    help: 'How many silences there may be, ended ones that are shown included; 0 for no limit.',
  },
  {
    name: 'silences.max-silence-size-bytes',
    kind: 'number',
    fallback: '65536',
    help: 'The most bytes of a silence; 0 for no limit.',
  },
  {
    name: 'alertmanager.notification-queue-capacity',
    kind: 'number',
    fallback: '10000',
    help: 'Alerts that wait for one Alertmanager of prometheus.yml; the oldest are dropped.',
  },
  {
    name: 'alertmanager.notification-batch-size',
    kind: 'number',
    fallback: '256',
    help: 'Alerts of one request to an Alertmanager of prometheus.yml.',
  },
  unused(
    'alertmanager.drain-notification-queue-on-shutdown',
    'boolean',
    'true',
    'it is always done',
  ),
  unused('storage.path', 'text', '', 'all data is under --storage.tsdb.path'),
  unused('alerts.gc-interval', 'text', '30m', 'alerts that are over are forgotten all the while'),
  unused('data.maintenance-interval', 'text', '15m', 'every change is written at once'),
  unused('dispatch.maintenance-interval', 'text', '30s', 'empty groups end at once'),
  unused('dispatch.start-delay', 'text', '0s', 'alerts are known again before any is told'),
  unused('web.get-concurrency', 'text', '0', 'long answers are sent in pieces'),
  unused('web.timeout', 'text', '0s', 'long answers are sent in pieces'),
  unused('web.route-prefix', 'text', '', 'the path of --web.external-url is the prefix'),
  unused('cluster.listen-address', 'text', '', NO_PEERS),
  unused('cluster.advertise-address', 'text', '', NO_PEERS),
  unused('cluster.peer', 'list', '', NO_PEERS),
  unused('cluster.peers-resolve-timeout', 'text', '15s', NO_PEERS),
  unused('cluster.peer-name', 'text', '', NO_PEERS),
  unused('cluster.peer-timeout', 'text', '15s', NO_PEERS),
  unused('cluster.gossip-interval', 'text', '200ms', NO_PEERS),
  unused('cluster.pushpull-interval', 'text', '1m', NO_PEERS),
  unused('cluster.tcp-timeout', 'text', '10s', NO_PEERS),
  unused('cluster.probe-timeout', 'text', '500ms', NO_PEERS),
  unused('cluster.probe-interval', 'text', '1s', NO_PEERS),
  unused('cluster.settle-timeout', 'text', '1m', NO_PEERS),
  unused('cluster.reconnect-interval', 'text', '10s', NO_PEERS),
  unused('cluster.reconnect-timeout', 'text', '6h', NO_PEERS),
  unused('cluster.tls-config', 'text', '', NO_PEERS),
  unused('cluster.allow-insecure-public-advertise-address-discovery', 'boolean', 'false', NO_PEERS),
  unused('cluster.label', 'text', '', NO_PEERS),
];

function unused(
  name: string,
  kind: FlagDefinition['kind'],
  fallback: string,
  reason: string,
): FlagDefinition {
  return { name, kind, fallback, help: 'Accepted for compatibility.', unused: reason };
}
