/** Incidents as the API shows them. */
import type {
  AlertStatistics,
  IncidentAlertJson,
  IncidentDetail,
  IncidentSummary,
  NotificationAttempt,
  SuppressionJson,
} from '@tyto/api';
import type {
  AttemptRecord,
  Incident,
  IncidentAlert,
  Incidents,
  Statistics,
  Suppression,
} from '@tyto/incidents';
import { formatMatcher } from '@tyto/model';

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : iso(ms);
}

export function summaryJson(
  incidents: Incidents,
  incident: Incident,
  nowMs: number,
): IncidentSummary {
  const { escalation, status, resolvedAtMs, triggeredAtMs } = incident;
  return {
    id: incident.id,
    title: incident.title,
    severity: incident.severity,
    priority: incident.priority,
    status,
    labels: incident.labels,
    annotations: incident.annotations,
    triggeredAt: iso(triggeredAtMs),
    firstTriggeredAt: iso(incident.firstTriggeredAtMs),
    firings: incident.firings,
    alertsFiring: incident.alerts.filter(({ endsAtMs }) => endsAtMs === undefined).length,
    acknowledgedAt: isoOrNull(incident.acknowledgedAtMs),
    acknowledgedBy: incident.acknowledgedBy ?? null,
    acknowledgedUntil: isoOrNull(incident.ackUntilMs),
    suppressedBy: incident.suppressedBy ?? null,
    suppressedUntil: isoOrNull(incident.suppressedUntilMs),
    resolvedAt: isoOrNull(resolvedAtMs),
    resolvedBy: incident.resolvedBy ?? null,
    durationSeconds: Math.max(0, (resolvedAtMs ?? nowMs) - triggeredAtMs) / 1000,
    nextEscalationAt: status === 'triggered' ? isoOrNull(escalation?.dueAtMs) : null,
    silencedBy: incidents.silencedBy(incident),
  };
}

export function detailJson(
  incidents: Incidents,
  incident: Incident,
  nowMs: number,
): IncidentDetail {
  const newestValue = (fingerprint: string) => incidents.newestValue(fingerprint);
  const shown = (alert: IncidentAlert): IncidentAlertJson => ({
    fingerprint: alert.fingerprint,
    labels: alert.labels,
    annotations: alert.annotations,
    generatorURL: alert.generatorUrl,
    startsAt: iso(alert.startsAtMs),
    endsAt: isoOrNull(alert.endsAtMs),
    valueAtFiring: alert.firstValue ?? null,
    value: (alert.endsAtMs === undefined ? newestValue(alert.fingerprint) : alert.value) ?? null,
  });
  return {
    ...summaryJson(incidents, incident, nowMs),
    alerts: incident.alerts.map(shown),
    timeline: incident.timeline.map(({ atMs, ...entry }) => ({ at: iso(atMs), ...entry })),
    entriesLeftOut: incident.entriesLeftOut,
    links: incidents.linksOf(incident, ''),
  };
}

export function suppressionJson(suppression: Suppression): SuppressionJson {
  const { id, createdBy, comment, startsAtMs, endsAtMs } = suppression;
  const matchers = suppression.matchers.map(({ name, value, isRegex, isEqual }) => {
    const type = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
    return formatMatcher({ type, name, value });
  });
  return { id, matchers, createdBy, comment, startsAt: iso(startsAtMs), endsAt: iso(endsAtMs) };
}

export function attemptJson({ atMs, durationMs, ...attempt }: AttemptRecord): NotificationAttempt {
  return { ...attempt, at: iso(atMs), durationSeconds: durationMs / 1000 };
}

export function statisticsJson(
  statistics: Statistics,
  range: { readonly startMs: number; readonly endMs: number },
  totals: Pick<AlertStatistics, 'totalRules' | 'notificationChannels'>,
): AlertStatistics {
  const { notifications, timeToAcknowledge, timeToResolve } = statistics;
  return {
    start: iso(range.startMs),
    end: iso(range.endMs),
    totalAlerts: statistics.total,
    activeAlerts: statistics.active,
    alertsBySeverity: statistics.bySeverity,
    alertsByPriority: statistics.byPriority,
    alertsByStatus: statistics.byStatus,
    timeToAcknowledge: withNulls(timeToAcknowledge, ['meanSeconds', 'medianSeconds']),
    timeToResolve: withNulls(timeToResolve, ['meanSeconds', 'medianSeconds']),
    notificationSuccessRate: notifications.successRate ?? null,
    notifications: withNulls(notifications, ['successRate']),
    receivers: statistics.receivers.map((one) => withNulls(one, ['successRate'])),
    noisiest: statistics.noisiest.map((one) => withNulls(one, ['meanSeconds'])),
    neverActedOn: statistics.neverActedOn.map((one) => withNulls(one, ['meanSeconds'])),
    ...totals,
  };
}

type WithNulls<T, K extends keyof T> = Omit<T, K> & {
  readonly [P in K]: Exclude<T[P], undefined> | null;
};

/** JSON leaves undefined out; what is not known is to be seen. */
function withNulls<T extends object, K extends keyof T>(
  value: T,
  keys: readonly K[],
): WithNulls<T, K> {
  const nulls = Object.fromEntries(keys.map((key) => [key, value[key] ?? null]));
  return { ...value, ...nulls } as WithNulls<T, K>;
}
