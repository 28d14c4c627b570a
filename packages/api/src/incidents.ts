/** The answers of Tyto's own API of incidents, under `/tyto/api/v1`, inside the usual envelope. */
import type { LabelMap } from './prometheus.ts';

export type IncidentSeverity = 'low' | 'medium' | 'high' | 'critical';
export type IncidentPriority = 'P0' | 'P1' | 'P2';
export type IncidentState = 'triggered' | 'acknowledged' | 'resolved' | 'suppressed';

/** An incident in a list. Times are RFC 3339, durations in seconds; null: not (yet). */
export interface IncidentSummary {
  readonly id: string;
  readonly title: string;
  readonly severity: IncidentSeverity;
  readonly priority: IncidentPriority;
  readonly status: IncidentState;
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly triggeredAt: string;
  readonly firstTriggeredAt: string;
  readonly firings: number;
  readonly alertsFiring: number;
  readonly acknowledgedAt: string | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedUntil: string | null;
  readonly suppressedBy: string | null;
  /** Null while suppressed: until it is resolved. */
  readonly suppressedUntil: string | null;
  readonly resolvedAt: string | null;
  /** Null for one whose alerts ended by themselves. */
  readonly resolvedBy: string | null;
  readonly durationSeconds: number | null;
  readonly nextEscalationAt: string | null;
  /** Silences, inhibiting alerts and recurring silences that keep it quiet. */
  readonly silencedBy: readonly string[];
}

export interface IncidentAlertJson {
  readonly fingerprint: string;
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly generatorURL: string;
  readonly startsAt: string;
  readonly endsAt: string | null;
  /** What its expression was when it fired, and last. */
  readonly valueAtFiring: number | null;
  readonly value: number | null;
}

export interface IncidentEvent {
  readonly at: string;
  readonly kind: string;
  readonly by?: string;
  readonly from?: string;
  readonly text?: string;
  readonly receiver?: string;
  readonly value?: number;
}

export interface IncidentDetail extends IncidentSummary {
  readonly alerts: readonly IncidentAlertJson[];
  readonly timeline: readonly IncidentEvent[];
  /** Entries that were left out of the middle of the timeline. */
  readonly entriesLeftOut: number;
  /** Pages for whoever has the address: one shows the incident, one can acknowledge it. */
  readonly links: { readonly incident: string; readonly acknowledge: string };
}

export interface IncidentsPage {
  readonly incidents: readonly IncidentSummary[];
  /** Of the next page; null at the end. */
  readonly next: string | null;
}

export interface SuppressionJson {
  readonly id: string;
  readonly matchers: readonly string[];
  readonly createdBy: string;
  readonly comment: string;
  readonly startsAt: string;
  readonly endsAt: string;
}

export interface NotificationAttempt {
  readonly id: number;
  readonly at: string;
  readonly durationSeconds: number;
  readonly receiver: string;
  readonly integration: string;
  readonly reason: string;
  readonly outcome: 'delivered' | 'will be retried' | 'failed' | 'interrupted';
  readonly attempt: number;
  readonly error: string;
  readonly firing: number;
  readonly resolved: number;
  readonly alertnames: readonly string[];
  readonly incidents: readonly string[];
}

export interface AttemptsPage {
  readonly attempts: readonly NotificationAttempt[];
  readonly next: string | null;
}

export interface TimeFiguresJson {
  readonly count: number;
  readonly meanSeconds: number | null;
  readonly medianSeconds: number | null;
}

export interface DeliveryFiguresJson {
  readonly delivered: number;
  readonly failed: number;
  readonly retried: number;
  readonly successRate: number | null;
}

export interface AlertFiguresJson {
  readonly alertname: string;
  readonly incidents: number;
  readonly firings: number;
  readonly actedOn: number;
  readonly meanSeconds: number | null;
}

export interface AlertStatistics {
  readonly start: string;
  readonly end: string;
  readonly totalAlerts: number;
  readonly activeAlerts: number;
  readonly alertsBySeverity: Readonly<Record<IncidentSeverity, number>>;
  readonly alertsByPriority: Readonly<Record<IncidentPriority, number>>;
  readonly alertsByStatus: Readonly<Record<IncidentState, number>>;
  readonly timeToAcknowledge: TimeFiguresJson;
  readonly timeToResolve: TimeFiguresJson;
  readonly notificationSuccessRate: number | null;
  readonly notifications: DeliveryFiguresJson;
  readonly receivers: readonly ({ readonly receiver: string } & DeliveryFiguresJson)[];
  readonly noisiest: readonly AlertFiguresJson[];
  readonly neverActedOn: readonly AlertFiguresJson[];
  readonly totalRules: number;
  readonly notificationChannels: number;
}

export interface AlertReview {
  readonly start: string;
  readonly end: string;
  readonly alertingRules: number;
  readonly pagingRules: number;
  readonly warnings: readonly string[];
  readonly proposals: readonly {
    readonly kind: string;
    readonly alertname: string;
    readonly file: string;
    readonly group: string;
    readonly reason: string;
    readonly proposal: string;
  }[];
}

export interface OnCallNow {
  readonly schedule: string;
  readonly timeZone: string;
  readonly person: string;
  readonly receiver: string;
  readonly until: string;
  readonly isOverride: boolean;
}

/** Which words of labels mean which severity. */
export interface SeverityWords {
  readonly severityLabels: readonly string[];
  readonly priorityLabels: readonly string[];
  readonly words: Readonly<Record<string, IncidentSeverity>>;
  readonly priorities: Readonly<Record<IncidentSeverity, IncidentPriority>>;
  readonly fallback: IncidentSeverity;
}
