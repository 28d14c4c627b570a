/** What the section `incidents` of tyto.yaml says, checked and in milliseconds. */
import type { TimeIntervalSpec } from '@tyto/alerting';
import type { Matcher } from '@tyto/model';
import { DEFAULT_PRIORITIES, type Priority, type SeverityConfig } from './severity.ts';

/** Whom a step of an escalation tells. */
export interface Targets {
  /** Receivers of alertmanager.yml. */
  readonly receivers: readonly string[];
  /** On-call schedules: whoever has the duty then. */
  readonly schedules: readonly string[];
}

export interface EscalationStep {
  /** After the step before, or after the incident was triggered. */
  readonly waitMs: number;
  readonly notify: Targets;
}

export interface EscalationChain {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly steps: readonly EscalationStep[];
  /** Further rounds through all steps, and how long after the last step each begins. */
  readonly repeat: { readonly times: number; readonly afterMs: number };
}

export interface Person {
  readonly name: string;
  /** The receiver that reaches this person. */
  readonly receiver: string;
}

export interface ScheduleOverride {
  readonly person: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ScheduleConfig {
  readonly name: string;
  readonly timeZone: string;
  /** In the order of their turns. */
  readonly people: readonly string[];
  readonly turnDays: number;
  /** The local day (since 1970-01-01) at which the first of the people begins. */
  readonly startDay: number;
  /** The minute of the day at which the duty is handed over. */
  readonly handoverMinute: number;
  readonly overrides: readonly ScheduleOverride[];
}

/** After an incident that matches, further ones are not told for a while. */
export interface SuppressRule {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** Only incidents that have the same values of these labels suppress each other. */
  readonly same: readonly string[];
  readonly forMs: number;
}

/** A silence that comes back by itself. */
export interface RecurringSilence {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** As the time intervals of alertmanager.yml; any of them. */
  readonly specs: readonly TimeIntervalSpec[];
}

export interface DigestConfig {
  readonly receivers: readonly string[];
  readonly minute: number;
  readonly timeZone: string;
}

export interface PriorityConfig {
  /** Told at once, before the routes of alertmanager.yml have waited. */
  readonly notify: Targets;
  /** Told in a daily digest, and not by the routes. */
  readonly digest: DigestConfig | undefined;
}

export interface ResponseConfig {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** A program and its arguments; empty where a webhook is called. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly webhook: string;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
  /** At most so many runs in so long a time, over all incidents. */
  readonly rateMax: number;
  readonly rateMs: number;
}

export interface SelfWatchConfig {
  /** '' for none. */
  readonly heartbeatUrl: string;
  readonly heartbeatMs: number;
  readonly isFailureWatched: boolean;
  /** Told when another receiver cannot be told; '' for whoever was told last. */
  readonly fallback: string;
}

export interface ReviewConfig {
  readonly windowMs: number;
  /** More rules that page than this are more than people can answer for. */
  readonly pagingRulesMax: number;
  /** So many firings without anybody acting are worth a proposal. */
  readonly firingsMin: number;
  readonly checksRunbooks: boolean;
  readonly runbooksPerMinute: number;
}

export interface IncidentsConfig {
  /** The labels that make an incident; empty: each alert is its own. */
  readonly groupBy: readonly string[];
  readonly reopenWithinMs: number;
  /** After which an acknowledgement ends; 0: never. */
  readonly ackTimeoutMs: number;
  /** How long what is over, and notifications, are remembered. */
  readonly retentionMs: number;
  /** How long a link in a notification can be used. */
  readonly linkMs: number;
  /** Whether notifications have links to their incidents. */
  readonly showsLinks: boolean;
  readonly severity: SeverityConfig;
  readonly priorities: Readonly<Record<Priority, PriorityConfig>>;
  readonly escalations: readonly EscalationChain[];
  readonly people: readonly Person[];
  readonly schedules: readonly ScheduleConfig[];
  readonly suppress: readonly SuppressRule[];
  readonly recurringSilences: readonly RecurringSilence[];
  readonly responses: readonly ResponseConfig[];
  readonly selfWatch: SelfWatchConfig;
  readonly review: ReviewConfig;
}

const NOBODY: Targets = { receivers: [], schedules: [] };
const DAY_MS = 86_400_000;

/**
 * What is in force where tyto.yaml says nothing: incidents are kept, and nobody is told anything
 * that an Alertmanager with the same file would not tell.
 */
export const DEFAULT_CONFIG: IncidentsConfig = {
  groupBy: [],
  reopenWithinMs: 10 * 60_000,
  ackTimeoutMs: 0,
  retentionMs: 90 * DAY_MS,
  linkMs: 7 * DAY_MS,
  showsLinks: false,
  severity: {
    severityLabels: ['severity'],
    priorityLabels: ['priority'],
    words: {},
    priorities: DEFAULT_PRIORITIES,
    fallback: 'medium',
  },
  priorities: {
    P0: { notify: NOBODY, digest: undefined },
    P1: { notify: NOBODY, digest: undefined },
    P2: { notify: NOBODY, digest: undefined },
  },
  escalations: [],
  people: [],
  schedules: [],
  suppress: [],
  recurringSilences: [],
  responses: [],
  selfWatch: { heartbeatUrl: '', heartbeatMs: 60_000, isFailureWatched: false, fallback: '' },
  review: {
    windowMs: 30 * DAY_MS,
    pagingRulesMax: 20,
    firingsMin: 10,
    checksRunbooks: false,
    runbooksPerMinute: 6,
  },
};
