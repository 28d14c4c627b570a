/**
 * The severity of an alert from its labels, in the words that teams use: critical/warning/info,
 * low/medium/high, P0 to P4, page/ticket, SEV1. An alert without one counts as a warning, because
 * somebody wrote a rule for it.
 */

import type { LabelMap } from '@tyto/api';

/** `none` is an alert that means to fire always, such as a watchdog. */
export type Severity = 'critical' | 'warning' | 'info' | 'none';

const SEVERITY_ORDER: readonly Severity[] = ['critical', 'warning', 'info', 'none'];

const WORDS: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  crit: 'critical',
  high: 'critical',
  page: 'critical',
  emergency: 'critical',
  fatal: 'critical',
  error: 'critical',
  disaster: 'critical',
  p0: 'critical',
  p1: 'critical',
  sev0: 'critical',
  sev1: 'critical',
  info: 'info',
  information: 'info',
  informational: 'info',
  notice: 'info',
  low: 'info',
  p3: 'info',
  p4: 'info',
  none: 'none',
};

const ALWAYS_FIRING = new Set(['Watchdog', 'DeadMansSwitch', 'DeadMansSnitch']);

export function severityOf(labels: LabelMap): Severity {
  const text = labels.severity ?? labels.priority ?? labels.level ?? '';
  const word = WORDS[text.toLowerCase()];
  if (word !== undefined) return word;
  if (text === '' && ALWAYS_FIRING.has(labels.alertname ?? '')) return 'none';
  return 'warning';
}

/** Orders the gravest first. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITY_ORDER.indexOf(a) - SEVERITY_ORDER.indexOf(b);
}
