/** How alerts become incidents: which belong together, and what a new one looks like. */
import { randomBytes } from 'node:crypto';
import type { StoredAlert } from '@tyto/alerting';
import type { Labels } from '@tyto/model';
import type { IncidentsConfig } from './config.ts';
import { boundedRecord, type Incident, shorten } from './incident.ts';
import { type Judgement, judge, PRIORITIES, SEVERITIES } from './severity.ts';

/** Alerts with the same key are one incident. */
export function keyOf(
  alert: Pick<StoredAlert, 'labels' | 'fingerprint'>,
  groupBy: readonly string[],
) {
  if (groupBy.length === 0) return alert.fingerprint;
  return JSON.stringify(groupBy.map((name) => [name, alert.labels.get(name)]));
}

export function newIncident(alert: StoredAlert, config: IncidentsConfig, nowMs: number): Incident {
  const { severity, priority } = judge(alert.labels, config.severity);
  return {
    id: randomBytes(6).toString('hex'),
    key: keyOf(alert, config.groupBy),
    title: titleOf(alert.labels),
    labels: shownLabels(alert.labels, config.groupBy),
    annotations: boundedRecord(alert.annotations),
    severity,
    priority,
    status: 'triggered',
    alerts: [],
    triggeredAtMs: nowMs,
    firstTriggeredAtMs: nowMs,
    firings: 1,
    acknowledgedAtMs: undefined,
    acknowledgedBy: undefined,
    firstAcknowledgedAtMs: undefined,
    ackUntilMs: undefined,
    resolvedAtMs: undefined,
    resolvedBy: undefined,
    suppressedUntilMs: undefined,
    suppressedBy: undefined,
    beganSuppressed: false,
    wasActedOn: false,
    escalation: undefined,
    telling: [],
    paged: [],
    ending: [],
    routed: {},
    responses: {},
    timeline: [],
    entriesLeftOut: 0,
  };
}

/** The worse of what an incident is and what an alert that joins it is. */
export function worstOf(a: Judgement, b: Judgement): Judgement {
  const severity = Math.max(SEVERITIES.indexOf(a.severity), SEVERITIES.indexOf(b.severity));
  const priority = Math.min(PRIORITIES.indexOf(a.priority), PRIORITIES.indexOf(b.priority));
  return { severity: SEVERITIES[severity], priority: PRIORITIES[priority] };
}

function titleOf(labels: Labels): string {
  return shorten(labels.get('alertname')) || 'alert without a name';
}

function shownLabels(labels: Labels, groupBy: readonly string[]): Record<string, string> {
  if (groupBy.length === 0) return boundedRecord(labels);
  const entries = groupBy.map((name): [string, string] => [name, shorten(labels.get(name))]);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}
