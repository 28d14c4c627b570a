/** The data that notification templates see. Specification: Alertmanager's template reference. */
import { Labels } from '@tyto/model';
import type { StoredAlert } from '../routing/alertStore.ts';
import { GoStruct, GoTime, keyValues, type Value, ZERO_TIME_MS } from '../template/values.ts';
import type { Notification } from './notification.ts';

export function templateData(notification: Notification): GoStruct {
  const alerts = [...notification.firing, ...notification.resolved];
  const firing = notification.firing.map((alert) => alertValue(alert, 'firing'));
  const resolved = notification.resolved.map((alert) => alertValue(alert, 'resolved'));
  const list = (items: Value[]) => alertList(items, firing, resolved);
  return new GoStruct({
    Receiver: notification.receiver,
    Status: statusOf(notification),
    Alerts: list([...firing, ...resolved]),
    GroupLabels: kv(notification.groupLabels),
    CommonLabels: kv(common(alerts.map((alert) => alert.labels))),
    CommonAnnotations: kv(common(alerts.map((alert) => alert.annotations))),
    RouteLabels: kv(Labels.empty),
    ExternalURL: notification.externalUrl,
    NotificationReason: notification.reason,
  });
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

function alertList(items: Value[], firing: Value[], resolved: Value[]): GoStruct {
  return new GoStruct({}, { Firing: () => firing, Resolved: () => resolved }, items);
}

function alertValue(alert: StoredAlert, status: 'firing' | 'resolved'): GoStruct {
  return new GoStruct({
    Status: status,
    Labels: kv(alert.labels),
    Annotations: kv(alert.annotations),
    StartsAt: new GoTime(alert.startsAtMs),
    EndsAt: new GoTime(status === 'resolved' ? alert.endsAtMs : ZERO_TIME_MS),
    GeneratorURL: alert.generatorUrl,
    Fingerprint: alert.fingerprint,
  });
}

function kv(labels: Labels): GoStruct {
  return keyValues(new Map(labels.entries()));
}
