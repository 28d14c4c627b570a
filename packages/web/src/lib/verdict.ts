/**
 * The answer to "is everything all right?" from what the server says. Exactly one verdict holds;
 * the order of the checks is the order of what a person must know first. A rule that cannot be
 * evaluated is a problem of its own: it would stay silent in an outage.
 */

import type { ActiveTarget, RuleGroup } from '@tyto/api';
import type { FiringRule } from './alerts.ts';
import type { StrainId } from './hostSignals.ts';

/** A host at its limit. */
export interface Strain {
  readonly id: StrainId;
  readonly job: string;
  readonly instance: string;
  /** Of the whole, 0 to 1. */
  readonly value: number;
}

export interface VerdictInput {
  readonly firing: readonly FiringRule[];
  readonly groups: readonly RuleGroup[];
  readonly targets: readonly ActiveTarget[];
  readonly strains: readonly Strain[];
  /** Whether the server was reached at the last attempt. */
  readonly isConnected: boolean;
}

export type VerdictKind =
  | 'disconnected'
  | 'firing'
  | 'down'
  | 'strained'
  | 'broken'
  | 'empty'
  /** Targets are known, but none has been scraped yet. */
  | 'starting'
  | 'good';
export type VerdictLevel = 'critical' | 'warning' | 'unknown' | 'good';

export interface Verdict {
  readonly kind: VerdictKind;
  readonly level: VerdictLevel;
  readonly criticalCount: number;
  readonly warningCount: number;
  readonly infoCount: number;
  readonly silencedCount: number;
  readonly pendingCount: number;
  readonly downCount: number;
  readonly upCount: number;
  readonly targetCount: number;
  readonly brokenRuleCount: number;
  readonly ruleCount: number;
  readonly strains: readonly Strain[];
  /** When the oldest problem among the loud alerts began; NaN where none is firing. */
  readonly sinceMs: number;
}

export function judge(input: VerdictInput): Verdict {
  const counts = countInstances(input.firing);
  const rules = input.groups.flatMap((group) => group.rules);
  const tally = {
    ...counts,
    pendingCount: rules
      .flatMap((rule) => (rule.type === 'alerting' ? (rule.alerts ?? []) : []))
      .filter((alert) => alert.state === 'pending').length,
    downCount: input.targets.filter((target) => target.health === 'down').length,
    upCount: input.targets.filter((target) => target.health === 'up').length,
    targetCount: input.targets.length,
    brokenRuleCount: rules.filter((rule) => rule.health === 'err').length,
    ruleCount: rules.length,
    strains: input.strains,
  };
  const say = (kind: VerdictKind, level: VerdictLevel): Verdict => ({ ...tally, kind, level });
  if (!input.isConnected) return say('disconnected', 'unknown');
  const loudCount = tally.criticalCount + tally.warningCount + tally.infoCount;
  if (loudCount > 0) {
    const isWarning = tally.warningCount > 0 || tally.downCount > 0 || tally.brokenRuleCount > 0;
    const calm = isWarning ? 'warning' : 'good';
    if (tally.criticalCount > 0) return say('firing', 'critical');
    if (tally.warningCount > 0 || tally.downCount === 0) return say('firing', calm);
  }
  if (tally.downCount > 0) return say('down', tally.upCount === 0 ? 'critical' : 'warning');
  if (tally.strains.length > 0) return say('strained', 'warning');
  if (tally.brokenRuleCount > 0) return say('broken', 'warning');
  if (input.targets.length === 0 && rules.length === 0) return say('empty', 'unknown');
  if (input.targets.length > 0 && tally.upCount === 0) return say('starting', 'unknown');
  return say('good', 'good');
}

/** The number for the title and the favicon: loud alerts, or undefined when there is none. */
export function loudCountOf(verdict: Verdict): number {
  return verdict.criticalCount + verdict.warningCount + verdict.infoCount;
}

function countInstances(firing: readonly FiringRule[]) {
  let [criticalCount, warningCount, infoCount, silencedCount] = [0, 0, 0, 0];
  let sinceMs = Number.NaN;
  for (const rule of firing) {
    for (const instance of rule.instances) {
      if (instance.isSilenced) silencedCount++;
      else if (rule.severity === 'critical') criticalCount++;
      else if (rule.severity === 'warning') warningCount++;
      else if (rule.severity === 'info') infoCount++;
      const isLoud = !instance.isSilenced && rule.severity !== 'none';
      if (isLoud && !(instance.sinceMs > sinceMs)) sinceMs = instance.sinceMs;
    }
  }
  return { criticalCount, warningCount, infoCount, silencedCount, sinceMs };
}
