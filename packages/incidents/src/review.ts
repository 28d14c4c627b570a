/** What to delete or change among the alerting rules, with the reason: proposals, no decisions. */
import type { IncidentsConfig } from './config.ts';
import type { Incident } from './incident.ts';
import type { RuleFacts } from './ports.ts';
import type { RunbookState } from './runbookChecks.ts';
import { judge } from './severity.ts';
import { alertFigures, byTitle, durationMs } from './statistics.ts';

export type ProposalKind =
  | 'never acted on'
  | 'flapping'
  | 'resolves by itself'
  | 'no runbook'
  | 'dead runbook';

export interface Proposal {
  readonly kind: ProposalKind;
  readonly alertname: string;
  /** Where the rule is; '' for alerts that no rule of ours makes. */
  readonly file: string;
  readonly group: string;
  readonly reason: string;
  readonly proposal: string;
}

export interface Review {
  /** What is wrong with the whole of them; empty where nothing is. */
  readonly warnings: readonly string[];
  readonly alertingRules: number;
  readonly pagingRules: number;
  readonly proposals: readonly Proposal[];
}

/** Incidents that reopen more often than this on average flap. */
const FLAPPING_FIRINGS = 3;
const SHORT_MS = 60_000;
/** Of fewer it cannot be said what they always do. */
const SHORT_COUNT_MIN = 5;

/** `incidents` are those of the window already. */
export function reviewOf(
  incidents: readonly Incident[],
  rules: readonly RuleFacts[],
  config: IncidentsConfig,
  runbookOf: (url: string) => RunbookState | undefined,
): Review {
  const facts = new Map(rules.map((rule) => [rule.name, rule]));
  const paging = rules.filter(({ labels }) => judge(labels, config.severity).priority === 'P0');
  const { pagingRulesMax: most } = config.review;
  const warnings =
    paging.length > most
      ? [
          `${paging.length} rules page somebody; more than ${most} are more than people ` +
            'can answer for: merge some, or give them a lower priority',
        ]
      : [];
  const proposals = [
    ...proposalsOfIncidents(incidents, facts, config),
    ...rules.flatMap((rule) => runbookProposal(rule, runbookOf) ?? []),
  ];
  return { warnings, alertingRules: rules.length, pagingRules: paging.length, proposals };
}

function proposalsOfIncidents(
  incidents: readonly Incident[],
  facts: ReadonlyMap<string, RuleFacts>,
  { review }: IncidentsConfig,
): Proposal[] {
  const byName = byTitle(incidents);
  const proposals: Proposal[] = [];
  for (const { alertname, firings, actedOn, incidents: count } of alertFigures(incidents)) {
    const { file = '', group = '' } = facts.get(alertname) ?? {};
    const propose = (kind: ProposalKind, reason: string, proposal: string) =>
      proposals.push({ kind, alertname, file, group, reason, proposal });
    if (actedOn === 0 && firings >= review.firingsMin) {
      const reason = `fired ${firings} times, and nobody ever acknowledged, noted or resolved it`;
      propose('never acted on', reason, 'delete it, or make it a P2 that is told in a digest');
    }
    if (firings / count > FLAPPING_FIRINGS) {
      const reason = `fired ${firings} times in ${count} incidents`;
      propose('flapping', reason, 'give it a longer "for", "keep_firing_for" or hysteresis');
    }
    const over = (byName.get(alertname) ?? []).filter(
      ({ status, resolvedBy }) => status === 'resolved' && resolvedBy === undefined,
    );
    const isShort = over.every((incident) => (durationMs(incident) ?? Infinity) < SHORT_MS);
    if (over.length >= SHORT_COUNT_MIN && isShort) {
      const reason = `was over by itself in under a minute each of ${over.length} times`;
      propose('resolves by itself', reason, 'give it a longer "for", or delete it');
    }
  }
  return proposals;
}

function runbookProposal(
  { name, file, group, annotations }: RuleFacts,
  runbookOf: (url: string) => RunbookState | undefined,
): Proposal | undefined {
  const url = annotations.get('runbook_url');
  if (url === '') {
    const reason = 'has no annotation "runbook_url"';
    const proposal = 'say what whoever is woken is to do; delete it where there is nothing';
    return { kind: 'no runbook', alertname: name, file, group, reason, proposal };
  }
  const problem = runbookOf(url)?.problem ?? '';
  if (problem === '') return undefined;
  const reason = `its runbook ${url} ${problem}`;
  return { kind: 'dead runbook', alertname: name, file, group, reason, proposal: 'mend the link' };
}
