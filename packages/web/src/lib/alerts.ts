/**
 * Firing alerts as a person wants them: one entry per alert rule with its instances, the gravest
 * first, silenced ones apart. Rules give the expression, Alertmanager gives silences.
 */

import type { AlertingRule, AlertInstance, LabelMap, NotifiedAlert, RuleGroup } from '@tyto/api';
import { compareLabelMaps } from './series.ts';
import { compareSeverity, type Severity, severityOf } from './severity.ts';
import { parseServerTime } from './time.ts';

export interface FiringInstance {
  readonly alert: AlertInstance;
  readonly sinceMs: number;
  readonly isSilenced: boolean;
}

export interface FiringRule {
  readonly key: string;
  readonly name: string;
  readonly group: string;
  readonly rule: AlertingRule;
  readonly severity: Severity;
  readonly sinceMs: number;
  readonly instances: readonly FiringInstance[];
}

/** Rules with a firing instance, gravest first, then the one that fired last. */
export function firingRules(
  groups: readonly RuleGroup[],
  notified: readonly NotifiedAlert[],
): FiringRule[] {
  const silenced = notified.filter((alert) => alert.status.silencedBy.length > 0);
  const found: FiringRule[] = [];
  for (const group of groups) {
    group.rules.forEach((rule, index) => {
      if (rule.type !== 'alerting') return;
      const instances = firingInstances(rule, silenced);
      const [first] = instances;
      if (first === undefined) return;
      found.push({
        key: `${group.file}\u0000${group.name}\u0000${index}`,
        name: rule.name,
        group: group.name,
        rule,
        severity: gravest(instances),
        sinceMs: Math.min(...instances.map((instance) => instance.sinceMs)),
        instances,
      });
    });
  }
  return found.sort((a, b) => compareSeverity(a.severity, b.severity) || b.sinceMs - a.sinceMs);
}

/** Whether the notified alert, which may carry external labels, has all labels of the rule's. */
export function isSameAlert(labels: LabelMap, notified: LabelMap): boolean {
  return Object.entries(labels).every(([name, value]) => notified[name] === value);
}

function firingInstances(rule: AlertingRule, silenced: readonly NotifiedAlert[]): FiringInstance[] {
  return (rule.alerts ?? [])
    .filter((alert) => alert.state === 'firing')
    .map((alert) => ({
      alert,
      sinceMs: parseServerTime(alert.activeAt),
      isSilenced: silenced.some((one) => isSameAlert(alert.labels, one.labels)),
    }))
    .sort((a, b) => b.sinceMs - a.sinceMs || compareLabelMaps(a.alert.labels, b.alert.labels));
}

function gravest(instances: readonly FiringInstance[]): Severity {
  const severities = instances.map((instance) => severityOf(instance.alert.labels));
  return severities.sort(compareSeverity)[0] ?? 'warning';
}

/** A link of a runbook that a browser may follow; anything but http(s) is refused. */
export function runbookOf(annotations: LabelMap): string | undefined {
  const url = annotations.runbook_url ?? annotations.runbook;
  return url !== undefined && /^https?:\/\//i.test(url) ? url : undefined;
}

export function summaryOf(annotations: LabelMap): string | undefined {
  return annotations.summary ?? annotations.message ?? annotations.description;
}
