/** How alerts become incidents: which belong together, and what a new one looks like. */
import { randomBytes } from 'node:crypto';
import type { StoredAlert } from '@tyto/alerting';
import type { Labels } from '@tyto/model';
import type { IncidentsConfig } from './config.ts';
import { type Incident, incidentAlert, shorten } from './incident.ts';
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
  const first = incidentAlert(alert);
  const isAlone = config.groupBy.length === 0;
  return {
    id: newId(),
    key: keyOf(alert, config.groupBy),
    title: titleOf(alert.labels),
    labels: isAlone ? first.labels : commonLabels(alert.labels, config.groupBy),
    annotations: first.annotations,
    severity,
    priority,
    status: 'triggered',
    alerts: [first],
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

const ID_BYTES = 6;
/** Randomness costs more by the call than by the byte. */
const POOL_BYTES = 600;
let pool = Buffer.alloc(0);

function newId(): string {
  if (pool.length < ID_BYTES) pool = randomBytes(POOL_BYTES);
  const id = pool.toString('hex', 0, ID_BYTES);
  pool = pool.subarray(ID_BYTES);
  return id;
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

function commonLabels(labels: Labels, groupBy: readonly string[]): Record<string, string> {
  const entries = groupBy.map((name): [string, string] => [name, shorten(labels.get(name))]);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}
