/** What rule groups say of themselves at each scrape, under Prometheus' names. */
import type { RuleManager } from '@tyto/alerting';
import type { SelfMetrics } from './selfMetrics.ts';

type Group = RuleManager['groups'][number];

const COUNTERS: readonly (readonly [name: string, help: string, read: (group: Group) => number])[] =
  [
    [
      'prometheus_rule_evaluations_total',
      'The total number of rule evaluations.',
      (group) => group.evaluations,
    ],
    [
      'prometheus_rule_evaluation_failures_total',
      'The total number of rule evaluation failures.',
      (group) => group.failures,
    ],
    [
      'prometheus_rule_group_iterations_total',
      'The total number of scheduled rule group evaluations, whether executed or missed.',
      (group) => group.iterations + group.iterationsMissed,
    ],
    [
      'prometheus_rule_group_iterations_missed_total',
      'The total number of rule group evaluations missed due to slow rule group evaluation.',
      (group) => group.iterationsMissed,
    ],
  ];

const GAUGES: typeof COUNTERS = [
  [
    'prometheus_rule_group_interval_seconds',
    'The interval of a rule group.',
    (group) => group.intervalMs / 1000,
  ],
  [
    'prometheus_rule_group_last_duration_seconds',
    'The duration of the last rule group evaluation.',
    (group) => group.evaluationMs / 1000,
  ],
  [
    'prometheus_rule_group_last_rule_duration_sum_seconds',
    'The sum of time in seconds it took to evaluate each rule in the group.',
    (group) => group.rules.reduce((sum, { evaluationMs }) => sum + evaluationMs, 0) / 1000,
  ],
  [
    'prometheus_rule_group_last_restore_duration_seconds',
    'The duration of the last look for the state of alerts of an earlier run.',
    (group) => group.restoreMs / 1000,
  ],
  [
    'prometheus_rule_group_last_evaluation_timestamp_seconds',
    'The timestamp of the last rule group evaluation in seconds.',
    (group) => (group.lastEvaluationMs ?? 0) / 1000,
  ],
  [
    'prometheus_rule_group_last_evaluation_samples',
    'The number of samples returned during the last rule group evaluation.',
    (group) => group.lastSamples,
  ],
  ['prometheus_rule_group_rules', 'The number of rules.', (group) => group.rules.length],
];

export function registerRuleMetrics(metrics: SelfMetrics, rules: RuleManager): void {
  const each = (read: (group: Group) => number) => () =>
    rules.groups.map(
      (group) =>
        [{ rule_group: `${group.config.file};${group.config.name}` }, read(group)] as const,
    );
  for (const [name, help, read] of COUNTERS) {
    metrics.labelled('counter', name, help, ['rule_group'], each(read));
  }
  for (const [name, help, read] of GAUGES) {
    metrics.labelled('gauge', name, help, ['rule_group'], each(read));
  }
}
