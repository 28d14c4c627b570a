/** Figures of incidents and notifications over a range of time, for people who look back. */
import { getOrCreate } from '@tyto/base';
import type { AttemptRecord } from './history.ts';
import type { Incident, IncidentStatus } from './incident.ts';
import { type Priority, SEVERITIES, PRIORITIES, type Severity } from './severity.ts';

export interface TimeFigures {
  readonly count: number;
  readonly meanSeconds: number | undefined;
  readonly medianSeconds: number | undefined;
}

export interface ReceiverFigures {
  readonly receiver: string;
  readonly delivered: number;
  readonly failed: number;
  readonly retried: number;
  /** Of the notifications that came to an end; undefined where there are none. */
  readonly successRate: number | undefined;
}

export interface AlertFigures {
  readonly alertname: string;
  readonly incidents: number;
  readonly firings: number;
  readonly actedOn: number;
  readonly meanSeconds: number | undefined;
}

export interface Statistics {
  readonly total: number;
  readonly active: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  readonly byPriority: Readonly<Record<Priority, number>>;
  readonly byStatus: Readonly<Record<IncidentStatus, number>>;
  readonly timeToAcknowledge: TimeFigures;
  readonly timeToResolve: TimeFigures;
  readonly notifications: Omit<ReceiverFigures, 'receiver'>;
  readonly receivers: readonly ReceiverFigures[];
  /** The alerts that fired most. */
  readonly noisiest: readonly AlertFigures[];
  /** Those that nobody ever did anything about. */
  readonly neverActedOn: readonly AlertFigures[];
}

const SHOWN_MAX = 20;

/** `incidents` and `attempts` are those of the range already. */
export function statisticsOf(
  incidents: readonly Incident[],
  attempts: readonly AttemptRecord[],
): Statistics {
  const byAlert = alertFigures(incidents);
  const count = <T extends string>(words: readonly T[], of: (incident: Incident) => T) =>
    Object.fromEntries(
      words.map((word) => [word, incidents.filter((one) => of(one) === word).length]),
    ) as Record<T, number>;
  const statuses = ['triggered', 'acknowledged', 'suppressed', 'resolved'] as const;
  const byStatus = count(statuses, ({ status }) => status);
  return {
    total: incidents.length,
    active: incidents.length - byStatus.resolved,
    bySeverity: count(SEVERITIES, ({ severity }) => severity),
    byPriority: count(PRIORITIES, ({ priority }) => priority),
    byStatus,
    timeToAcknowledge: timeFigures(
      incidents.map(({ firstAcknowledgedAtMs, triggeredAtMs }) =>
        firstAcknowledgedAtMs === undefined ? undefined : firstAcknowledgedAtMs - triggeredAtMs,
      ),
    ),
    timeToResolve: timeFigures(incidents.map(durationMs)),
    notifications: receiverFigures('', attempts),
    receivers: [...new Set(attempts.map(({ receiver }) => receiver))].sort().map((receiver) => ({
      receiver,
      ...receiverFigures(receiver, attempts),
    })),
    noisiest: byAlert.slice(0, SHOWN_MAX),
    neverActedOn: byAlert.filter(({ actedOn }) => actedOn === 0).slice(0, SHOWN_MAX),
  };
}

/** By name, those that fired most first. */
export function alertFigures(incidents: readonly Incident[]): AlertFigures[] {
  return [...byTitle(incidents)]
    .map(([alertname, own]) => ({
      alertname,
      incidents: own.length,
      firings: own.reduce((sum, { firings }) => sum + firings, 0),
      actedOn: own.filter(({ wasActedOn }) => wasActedOn).length,
      meanSeconds: timeFigures(own.map(durationMs)).meanSeconds,
    }))
    .sort((a, b) => b.firings - a.firings || (a.alertname < b.alertname ? -1 : 1));
}

export function byTitle(incidents: readonly Incident[]): Map<string, Incident[]> {
  const groups = new Map<string, Incident[]>();
  for (const one of incidents) getOrCreate(groups, one.title, () => []).push(one);
  return groups;
}

/** How long an incident's last firing took; undefined while it lasts. */
export function durationMs({ resolvedAtMs, triggeredAtMs }: Incident): number | undefined {
  return resolvedAtMs === undefined ? undefined : resolvedAtMs - triggeredAtMs;
}

function timeFigures(times: readonly (number | undefined)[]): TimeFigures {
  const known = times.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return { count: 0, meanSeconds: undefined, medianSeconds: undefined };
  const sum = known.reduce((total, ms) => total + ms, 0);
  const middle = (known[(known.length - 1) >> 1] + known[known.length >> 1]) / 2;
  return {
    count: known.length,
    meanSeconds: sum / known.length / 1000,
    medianSeconds: middle / 1000,
  };
}

/** Of one receiver, or of all for ''. */
function receiverFigures(
  receiver: string,
  attempts: readonly AttemptRecord[],
): Omit<ReceiverFigures, 'receiver'> {
  const figures = { delivered: 0, failed: 0, retried: 0 };
  for (const attempt of attempts) {
    if (receiver !== '' && attempt.receiver !== receiver) continue;
    if (attempt.outcome === 'delivered') figures.delivered++;
    else if (attempt.outcome === 'failed') figures.failed++;
    else figures.retried++;
  }
  const ended = figures.delivered + figures.failed;
  return { ...figures, successRate: ended === 0 ? undefined : figures.delivered / ended };
}
