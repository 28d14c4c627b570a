/** Self metrics of notifications and of those who follow them, under Prometheus' names. */
import type { Notifications } from '../notifications.ts';
import type { SelfMetrics } from './selfMetrics.ts';

const PREFIX = 'prometheus_api_notification';

export function registerNotificationMetrics(
  metrics: SelfMetrics,
  notifications: Notifications,
): void {
  metrics.gauge(
    `${PREFIX}_active_subscribers`,
    'The current number of active notification subscribers.',
    () => notifications.followerCount,
  );
  metrics.counter(
    `${PREFIX}_updates_sent_total`,
    'Total number of notification updates sent.',
    () => notifications.counts.sent,
  );
  metrics.counter(
    `${PREFIX}_updates_dropped_total`,
    'Total number of notification updates dropped.',
    () => notifications.counts.dropped,
  );
}
