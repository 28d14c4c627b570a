/** An incident, as it is kept in the state store, and what can be told from it alone. */
import type { StoredAlert } from '@tyto/alerting';
import { Labels } from '@tyto/model';
import {
  FIELD_LENGTH_MAX,
  FIELDS_MAX,
  INCIDENT_ALERTS_MAX,
  TEXT_LENGTH_MAX,
  TIMELINE_HEAD,
  TIMELINE_MAX,
} from './limits.ts';
import type { Priority, Severity } from './severity.ts';

export type IncidentStatus = 'triggered' | 'acknowledged' | 'resolved' | 'suppressed';

export type TimelineKind =
  | 'triggered'
  | 'alert joined'
  | 'alert resolved'
  | 'notified'
  | 'notification failed'
  | 'not notified'
  | 'acknowledged'
  | 'unacknowledged'
  | 'acknowledgement expired'
  | 'escalated'
  | 'suppressed'
  | 'suppression ended'
  | 'reopened'
  | 'resolved'
  | 'note'
  | 'response';

export interface TimelineEntry {
  readonly atMs: number;
  readonly kind: TimelineKind;
  /** Who did it; absent for what Tyto does by itself. */
  readonly by?: string;
  /** From where: `api`, `link`, and an address. */
  readonly from?: string;
  readonly text?: string;
  readonly receiver?: string;
  readonly value?: number;
}

/** An alert of an incident; times in milliseconds. */
export interface IncidentAlert {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorUrl: string;
  startsAtMs: number;
  endsAtMs: number | undefined;
  /** At firing, and the newest. */
  firstValue: number | undefined;
  value: number | undefined;
}

/** How far an escalation is. */
export interface EscalationState {
  readonly chain: string;
  round: number;
  /** The step that is next. */
  step: number;
  /** Undefined: none, or not while somebody has acknowledged. */
  dueAtMs: number | undefined;
}

export interface Incident {
  readonly id: string;
  /** What alerts have in common that are this incident. */
  readonly key: string;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  severity: Severity;
  priority: Priority;
  status: IncidentStatus;
  readonly alerts: IncidentAlert[];
  /** Of this firing; a reopened incident has had others before. */
  triggeredAtMs: number;
  readonly firstTriggeredAtMs: number;
  /** How often it fired. */
  firings: number;
  acknowledgedAtMs: number | undefined;
  acknowledgedBy: string | undefined;
  /** The first of this firing, for the time it took. */
  firstAcknowledgedAtMs: number | undefined;
  ackUntilMs: number | undefined;
  resolvedAtMs: number | undefined;
  /** Undefined: its alerts ended by themselves. */
  resolvedBy: string | undefined;
  /** Undefined while suppressed: until it is resolved. */
  suppressedUntilMs: number | undefined;
  suppressedBy: string | undefined;
  /** Whether it began suppressed: then it is no news that others are suppressed for. */
  beganSuppressed: boolean;
  /** Whether anybody did anything about it. */
  wasActedOn: boolean;
  escalation: EscalationState | undefined;
  /** Receivers that are being told by us; told again after a crash. */
  telling: string[];
  /** Receivers that we told, and that are to hear of the end. */
  paged: string[];
  /** Those that are hearing of it. */
  ending: string[];
  /** Receivers that routes told of it, with the keys of their groups. */
  readonly routed: Record<string, string>;
  /** What was run for this firing, by name; written before it is run. */
  responses: Record<string, 'started' | 'done'>;
  readonly timeline: TimelineEntry[];
  /** Entries that were left out of the middle of the timeline. */
  entriesLeftOut: number;
}

export function note(incident: Incident, entry: TimelineEntry): void {
  const { timeline } = incident;
  timeline.push(entry);
  if (timeline.length <= TIMELINE_MAX) return;
  timeline.splice(TIMELINE_HEAD, 1);
  incident.entriesLeftOut++;
}

export function shorten(text: string, lengthMax = TEXT_LENGTH_MAX): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}

export function isOpen(incident: Incident): boolean {
  return incident.status !== 'resolved';
}

export function firingAlerts(incident: Incident): IncidentAlert[] {
  return incident.alerts.filter((alert) => alert.endsAtMs === undefined);
}

/** Adds an alert, or brings the one that is there up to date. False when there are too many. */
export function putAlert(incident: Incident, alert: StoredAlert): boolean {
  const index = incident.alerts.findIndex((one) => one.fingerprint === alert.fingerprint);
  if (index < 0 && incident.alerts.length >= INCIDENT_ALERTS_MAX) return false;
  if (index < 0) incident.alerts.push(incidentAlert(alert));
  else incident.alerts[index] = incidentAlert(alert);
  return true;
}

export function incidentAlert(alert: StoredAlert): IncidentAlert {
  return {
    fingerprint: alert.fingerprint,
    labels: boundedRecord(alert.labels),
    annotations: boundedRecord(alert.annotations),
    generatorUrl: shorten(alert.generatorUrl, FIELD_LENGTH_MAX),
    startsAtMs: alert.startsAtMs,
    endsAtMs: undefined,
    firstValue: finite(alert.value),
    value: finite(alert.value),
  };
}

/** Labels or annotations as they are kept: of a hostile sender's not everything. */
function boundedRecord({ pairs }: Labels): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i < Math.min(pairs.length, 2 * FIELDS_MAX); i += 2) {
    const name = shorten(pairs[i]);
    const value = shorten(pairs[i + 1], FIELD_LENGTH_MAX);
    // Assigned, this one would change what the record is.
    if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true });
    else record[name] = value;
  }
  return record;
}

/** JSON has neither NaN nor infinity. */
export function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** The labels that matchers of the configuration are held against. */
export function labelsOf(incident: Incident): Labels {
  return Labels.of(incident.alerts[0]?.labels ?? incident.labels);
}

/** An alert of an incident as receivers are told of it; `endsAtMs` where it is over by now. */
export function toStored(alert: IncidentAlert, endsAtMs: number, nowMs: number): StoredAlert {
  return {
    labels: Labels.of(alert.labels),
    annotations: Labels.of(alert.annotations),
    startsAtMs: alert.startsAtMs,
    endsAtMs,
    generatorUrl: alert.generatorUrl,
    fingerprint: alert.fingerprint,
    updatedAtMs: nowMs,
    value: alert.value,
  };
}

/** As the state store has it: what it shares with its first alert is written once. */
export function plainIncident(incident: Incident): unknown {
  const { labels, annotations } = incident.alerts[0] ?? {};
  return {
    ...incident,
    labels: incident.labels === labels ? undefined : incident.labels,
    annotations: incident.annotations === annotations ? undefined : incident.annotations,
  };
}

/** Brings back what the state store has; undefined for what is none of ours. */
export function reviveIncident(value: unknown): Incident | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const incident = value as Partial<Incident>;
  const isSound =
    typeof incident.id === 'string' &&
    typeof incident.key === 'string' &&
    typeof incident.triggeredAtMs === 'number' &&
    Array.isArray(incident.alerts) &&
    Array.isArray(incident.timeline);
  if (!isSound) return undefined;
  const { labels = {}, annotations = {} } = incident.alerts?.[0] ?? {};
  return { labels, annotations, ...value } as Incident;
}
