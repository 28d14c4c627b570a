/** The data that notification templates see. Specification: Alertmanager's template reference. */
import { Labels } from '@tyto/model';
import type { StoredAlert } from '../routing/alertStore.ts';
import { GoStruct, GoTime, keyValues, type Value, ZERO_TIME_MS } from '@tyto/gotemplate';
import { compareAlerts } from '../routing/alertOrder.ts';
import type { Notification } from './notification.ts';

const ALERT_JSON = {
  Status: 'status',
  Labels: 'labels',
  Annotations: 'annotations',
  StartsAt: 'startsAt',
  EndsAt: 'endsAt',
  GeneratorURL: 'generatorURL',
  Fingerprint: 'fingerprint',
};

const DATA_JSON = {
  Receiver: 'receiver',
  Status: 'status',
  Alerts: 'alerts',
  NotificationReason: 'notification_reason',
  GroupLabels: 'groupLabels',
  CommonLabels: 'commonLabels',
  CommonAnnotations: 'commonAnnotations',
  ExternalURL: 'externalURL',
};

export function templateData(notification: Notification): GoStruct {
  const alerts = alertsOf(notification);
  const resolved = new Set(notification.resolved);
  const values = alerts.map((alert) => {
    return { isOver: resolved.has(alert), value: alertValue(alert, resolved.has(alert)) };
  });
  const firing = () => values.filter(({ isOver }) => !isOver).map(({ value }) => value);
  const over = () => values.filter(({ isOver }) => isOver).map(({ value }) => value);
  const methods = { Firing: firing, Resolved: over };
  return new GoStruct(
    {
      Receiver: quoteMeta(notification.receiver),
      Status: statusOf(notification),
      Alerts: new GoStruct({}, methods, { underlying: values.map(({ value }) => value) }),
      NotificationReason: notification.reason,
      GroupLabels: kv(notification.groupLabels),
      CommonLabels: kv(common(alerts.map((alert) => alert.labels))),
      CommonAnnotations: kv(common(alerts.map((alert) => alert.annotations))),
      RouteLabels: keyValues(new Map(Object.entries(notification.routeLabels ?? {}))),
      ExternalURL: externalUrl(notification),
      IncidentURL: notification.links?.incident ?? '',
      AcknowledgeURL: notification.links?.acknowledge ?? '',
    },
    {},
    { json: DATA_JSON },
  );
}

/**
 * A whole group as the webhook's JSON has it; `alertsMax` 0 is no limit, and of those only the
 * first `shownMax` are written. A text, and not the value of one: of many groups at once, these
 * would be in memory until the last receiver has answered.
 */
export function groupJson(
  notification: Notification,
  version: string,
  alertsMax: number,
  shownMax = Infinity,
): string {
  const all = alertsOf(notification);
  const alerts = alertsMax > 0 ? all.slice(0, alertsMax) : all;
  const resolved = new Set(notification.resolved);
  const { incident, acknowledge } = notification.links ?? {};
  // As in Alertmanager, what is left out does not count for what is common.
  const head = {
    receiver: quoteMeta(notification.receiver),
    status: alerts.some((alert) => !resolved.has(alert)) ? 'firing' : 'resolved',
  };
  const tail = {
    notification_reason: notification.reason,
    groupLabels: notification.groupLabels.toRecord(),
    commonLabels: common(alerts.map((alert) => alert.labels)).toRecord(),
    commonAnnotations: common(alerts.map((alert) => alert.annotations)).toRecord(),
    externalURL: externalUrl(notification),
    ...(incident === undefined ? {} : { incidentURL: incident }),
    ...(acknowledge === undefined ? {} : { acknowledgeURL: acknowledge }),
    groupKey: notification.groupKey,
    truncatedAlerts: all.length - alerts.length,
    version,
  };
  const items = alerts
    .slice(0, shownMax)
    .map((alert) => JSON.stringify(alertJson(alert, resolved.has(alert))));
  const [before, after] = [JSON.stringify(head), JSON.stringify(tail)];
  return `${before.slice(0, -1)},"alerts":[${items.join(',')}],${after.slice(1)}`;
}

function alertJson(alert: StoredAlert, isOver: boolean) {
  return {
    status: isOver ? 'resolved' : 'firing',
    labels: alert.labels.toRecord(),
    annotations: alert.annotations.toRecord(),
    startsAt: rfc3339(alert.startsAtMs),
    endsAt: isOver ? rfc3339(alert.endsAtMs) : '0001-01-01T00:00:00Z',
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}

/** As Go writes it: without zeros at the end of the fraction. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** All alerts, as Alertmanager orders them. */
export function alertsOf({ firing, resolved }: Notification): StoredAlert[] {
  return [...firing, ...resolved].sort(compareAlerts);
}

export function statusOf(notification: Notification): 'firing' | 'resolved' {
  return notification.firing.length > 0 ? 'firing' : 'resolved';
}

/** The pairs that all sets have. */
export function common(sets: readonly Labels[]): Labels {
  if (sets.length === 0) return Labels.empty;
  const [first, ...others] = sets;
  return Labels.fromEntries(
    [...first.entries()].filter(([name, value]) => others.every((set) => set.get(name) === value)),
  );
}

function alertValue(alert: StoredAlert, isOver: boolean): GoStruct {
  return new GoStruct(
    {
      Status: isOver ? 'resolved' : 'firing',
      Labels: kv(alert.labels),
      Annotations: kv(alert.annotations),
      StartsAt: new GoTime(alert.startsAtMs),
      EndsAt: new GoTime(isOver ? alert.endsAtMs : ZERO_TIME_MS),
      GeneratorURL: alert.generatorUrl,
      Fingerprint: alert.fingerprint,
    },
    {},
    { json: ALERT_JSON },
  );
}

/** Without the slash at its end, as paths are put behind it. */
function externalUrl(notification: Notification): string {
  return notification.externalUrl.replace(/\/+$/, '');
}

/** As Alertmanager gives a receiver's name: quoted for a regular expression. */
function quoteMeta(name: string): string {
  return name.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function kv(labels: Labels): Value {
  return keyValues(new Map(labels.entries()));
}
