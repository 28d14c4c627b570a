/** Alertmanager's webhook: version 4 of its JSON. */
import type { StoredAlert } from '../routing/alertStore.ts';
import type { HttpConfig, WebhookConfig } from './receiverConfig.ts';
import { postJson, readSecret } from './httpSend.ts';
import type { Integration, Notification } from './notification.ts';
import { common, statusOf } from './templateData.ts';
import type { NotifyTemplates } from './notifyTemplate.ts';
import { templateData } from './templateData.ts';

export function webhookIntegration(
  config: WebhookConfig,
  index: number,
  globalHttp: HttpConfig | undefined,
  templates: NotifyTemplates,
): Integration {
  return {
    kind: 'webhook',
    index,
    sendResolved: config.send_resolved,
    async notify(notification, signal) {
      const address = config.url === '' ? await readSecret(config.url_file) : config.url;
      const url = templates.expand(address, templateData(notification));
      const payload = webhookPayload(notification, config.max_alerts);
      await postJson(url, payload, config.http_config ?? globalHttp, signal);
      return undefined;
    },
  };
}

/** The payload; `maxAlerts` 0 sends all of them. */
export function webhookPayload(notification: Notification, maxAlerts: number): unknown {
  const all = [
    ...notification.firing.map((alert) => alertJson(alert, 'firing')),
    ...notification.resolved.map((alert) => alertJson(alert, 'resolved')),
  ];
  const alerts = maxAlerts > 0 ? all.slice(0, maxAlerts) : all;
  const sources = [...notification.firing, ...notification.resolved];
  return {
    receiver: notification.receiver,
    status: statusOf(notification),
    alerts,
    groupLabels: notification.groupLabels.toRecord(),
    commonLabels: common(sources.map((alert) => alert.labels)).toRecord(),
    commonAnnotations: common(sources.map((alert) => alert.annotations)).toRecord(),
    externalURL: notification.externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: all.length - alerts.length,
    notification_reason: notification.reason,
  };
}

function alertJson(alert: StoredAlert, status: 'firing' | 'resolved'): unknown {
  return {
    status,
    labels: alert.labels.toRecord(),
    annotations: alert.annotations.toRecord(),
    startsAt: new Date(alert.startsAtMs).toISOString(),
    endsAt: status === 'resolved' ? new Date(alert.endsAtMs).toISOString() : '0001-01-01T00:00:00Z',
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}
