/**
 * How bad an alert is, and how soon somebody has to know: read from its labels, in the words that
 * rule files use. The words are data, so that they can be shown.
 */
import type { Labels } from '@tyto/model';

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** P0 pages at once, P1 goes to chat, P2 can wait for a digest. */
export const PRIORITIES = ['P0', 'P1', 'P2'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface SeverityConfig {
  /** Labels that are looked at, the first that is there decides. */
  readonly severityLabels: readonly string[];
  readonly priorityLabels: readonly string[];
  /** Words in lower case, beside the built-in ones. */
  readonly words: Readonly<Record<string, Severity>>;
  readonly priorities: Readonly<Record<Severity, Priority>>;
  /** Of an alert whose labels say nothing that is known. */
  readonly fallback: Severity;
}

export interface Judgement {
  readonly severity: Severity;
  readonly priority: Priority;
}

const WORDS: Readonly<Record<Severity, readonly string[]>> = {
  critical: [
    ...['critical', 'crit', 'fatal', 'emergency', 'emerg', 'disaster', 'page', 'sev0', 'sev1'],
    ...['심각', '치명', '치명적', '긴급'],
  ],
  high: ['high', 'error', 'err', 'major', 'alert', 'sev2', '높음', '오류', '중대'],
  medium: [
    'medium',
    'warning',
    'warn',
    'moderate',
    'average',
    'sev3',
    '중간',
    '보통',
    '경고',
    '주의',
  ],
  low: [
    ...['low', 'info', 'information', 'informational', 'notice', 'minor', 'debug', 'none', 'ok'],
    ...['sev4', 'sev5', '낮음', '정보', '알림'],
  ],
};

const PRIORITY_WORDS: Readonly<Record<Priority, readonly string[]>> = {
  P0: ['p0', '0', '즉시'],
  P1: ['p1', '1'],
  P2: ['p2', 'p3', 'p4', 'p5', '2', '3', '4', '5'],
};

export const DEFAULT_PRIORITIES: Readonly<Record<Severity, Priority>> = {
  critical: 'P0',
  high: 'P1',
  medium: 'P2',
  low: 'P2',
};

const SEVERITY_OF: Readonly<Record<Priority, Severity>> = { P0: 'critical', P1: 'high', P2: 'low' };

const BUILT_IN = new Map(
  SEVERITIES.flatMap((severity) => WORDS[severity].map((word) => [word, severity] as const)),
);
const BUILT_IN_PRIORITIES = new Map(
  PRIORITIES.flatMap((priority) =>
    PRIORITY_WORDS[priority].map((word) => [word, priority] as const),
  ),
);

/** A severity that is not written follows from the priority, and the other way round. */
export function judge(labels: Labels, config: SeverityConfig): Judgement {
  const written = wordOf(labels, config.severityLabels);
  // Labels come from anybody: `constructor` is no word of the configuration.
  const own = Object.hasOwn(config.words, written) ? config.words[written] : undefined;
  const severity = own ?? BUILT_IN.get(written);
  const priority = BUILT_IN_PRIORITIES.get(wordOf(labels, config.priorityLabels));
  // Some write P0 where others write critical.
  const meant = priority ?? BUILT_IN_PRIORITIES.get(/^p\d$/.test(written) ? written : '');
  const known = severity ?? (meant === undefined ? config.fallback : SEVERITY_OF[meant]);
  return { severity: known, priority: meant ?? config.priorities[known] };
}

/** Every word that is known, with what it means; the configuration's own words win. */
export function severityWords(config: SeverityConfig): Readonly<Record<string, Severity>> {
  return { ...Object.fromEntries(BUILT_IN), ...config.words };
}

function wordOf(labels: Labels, names: readonly string[]): string {
  for (const name of names) {
    const value = labels.get(name);
    if (value !== '') return value.trim().toLowerCase();
  }
  return '';
}
