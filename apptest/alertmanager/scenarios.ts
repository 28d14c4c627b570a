/**
 * What Tyto and a real Alertmanager are put through at the same time. Each scenario has a branch of
 * the routing tree and receivers of its own, so that all of them run at once.
 */

/** Milliseconds from the beginning of the run. */
type At = number;

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** 0 where it is not said. */
  readonly startsAt?: At;
  /** Not told where it is not said: then the resolve timeout ends it. */
  readonly endsAt?: At;
}

export interface PostedSilence {
  /** By what later steps name it. */
  readonly key: string;
  /** `name="value"` and the other operators. */
  readonly matchers: readonly string[];
  readonly startsAt?: At;
  readonly endsAt: At;
}

export interface Step {
  readonly at: At;
  readonly alerts?: readonly PostedAlert[];
  readonly silence?: PostedSilence;
  /** The key of a silence that ends now. */
  readonly unsilence?: string;
}

export interface Scenario {
  readonly name: string;
  /** Fields of the route for `scenario="<name>"`, as YAML, and of those below it. */
  readonly route: string;
  /** `receivers` entries; `{sink}` is where they are to post, `{mail}` a mail server. */
  readonly receivers: string;
  readonly inhibit?: string;
  readonly intervals?: string;
  /** How often the sink answers a path of this scenario with which status before it takes it. */
  readonly failures?: { readonly count: number; readonly status: number };
  readonly steps: readonly Step[];
  /** Notifications that there are at all: what a comparison of two empty lists would miss. */
  readonly expected: number;
}

export const HOUR = 3_600_000;

function alert(name: string, more: Readonly<Record<string, string>> = {}, rest = {}): PostedAlert {
  return {
    labels: { alertname: name, ...more },
    annotations: { summary: `${name} is wrong` },
    endsAt: HOUR,
    ...rest,
  };
}

const ended = (at: At) => ({ endsAt: at });
const hook = (name: string, more = '') =>
  `- name: ${name}\n  webhook_configs: [{url: "{sink}/${name}"${more}}]`;
const QUICK = 'group_wait: 1s, group_interval: 2s';

/** Fields of a route in flow style: `group_by: [a], group_wait: 1s`. */
const route = (receiver: string, more = `group_by: [alertname], ${QUICK}`) =>
  `receiver: ${receiver}, ${more}`;

const GROUPING: readonly Scenario[] = [
  {
    name: 'group',
    route: route('group'),
    receivers: hook('group'),
    steps: [
      { at: 0, alerts: [alert('A', { pod: '2' }), alert('A', { pod: '1' }), alert('B')] },
      { at: 500, alerts: [alert('A', { pod: '3' })] },
    ],
    expected: 2,
  },
  {
    name: 'interval',
    route: route('interval'),
    receivers: hook('interval'),
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' })] },
      { at: 1500, alerts: [alert('A', { pod: '2' })] },
    ],
    expected: 2,
  },
  {
    name: 'repeat',
    route: route('repeat', `group_by: [alertname], ${QUICK}, repeat_interval: 3s`),
    receivers: hook('repeat'),
    steps: [{ at: 0, alerts: [alert('A')] }],
    expected: 3,
  },
  {
    name: 'all-labels',
    route: route('all-labels', `group_by: ['...'], ${QUICK}`),
    receivers: hook('all-labels'),
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    expected: 2,
  },
  {
    name: 'no-labels',
    route: route('no-labels', `group_by: [], ${QUICK}`),
    receivers: hook('no-labels'),
    steps: [{ at: 0, alerts: [alert('B', { job: 'z' }), alert('A'), alert('C', { job: 'a' })] }],
    expected: 1,
  },
  {
    name: 'old-alert',
    route: route('old-alert', 'group_by: [alertname], group_wait: 5s, group_interval: 2s'),
    receivers: hook('old-alert'),
    steps: [{ at: 0, alerts: [alert('A', {}, { startsAt: -HOUR })] }],
    expected: 1,
  },
];

const RESOLVING: readonly Scenario[] = [
  {
    name: 'resolve',
    route: route('resolve'),
    receivers: hook('resolve'),
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] },
      { at: 2000, alerts: [alert('A', { pod: '1' }, ended(2000))] },
      { at: 4200, alerts: [alert('A', { pod: '2' }, ended(4200))] },
    ],
    expected: 3,
  },
  {
    name: 'resolved-early',
    route: route('resolved-early'),
    receivers: hook('resolved-early'),
    steps: [
      { at: 0, alerts: [alert('A')] },
      { at: 400, alerts: [alert('A', {}, ended(400))] },
    ],
    expected: 0,
  },
  {
    name: 'no-resolved',
    route: route('no-resolved'),
    receivers: hook('no-resolved', ', send_resolved: false'),
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] },
      { at: 2000, alerts: [alert('A', { pod: '1' }, ended(2000))] },
      { at: 4000, alerts: [alert('A', { pod: '3' })] },
    ],
    expected: 2,
  },
  {
    name: 'again',
    route: route('again'),
    receivers: hook('again'),
    steps: [
      { at: 0, alerts: [alert('A')] },
      { at: 2000, alerts: [alert('A', {}, ended(2000))] },
      { at: 6000, alerts: [alert('A', {}, { startsAt: 6000 })] },
    ],
    expected: 3,
  },
  {
    name: 'timeout',
    route: route('timeout'),
    receivers: hook('timeout'),
    steps: [{ at: 0, alerts: [{ labels: { alertname: 'A' } }] }],
    expected: 2,
  },
  {
    name: 'changed',
    route: route('changed', `group_by: [alertname], ${QUICK}, repeat_interval: 3s`),
    receivers: hook('changed'),
    steps: [
      { at: 0, alerts: [alert('A')] },
      { at: 2000, alerts: [alert('A', {}, { annotations: { summary: 'worse', more: '1' } })] },
    ],
    expected: 3,
  },
];

const ROUTING: readonly Scenario[] = [
  {
    name: 'continue',
    route: `${route('continue-1')}, routes: [
      {matchers: ['severity="page"'], receiver: continue-2, continue: true},
      {matchers: ['team=~"a|b"'], receiver: continue-3},
      {receiver: continue-4}]`,
    receivers: ['1', '2', '3', '4'].map((n) => hook(`continue-${n}`)).join('\n'),
    steps: [
      {
        at: 0,
        alerts: [alert('A', { severity: 'page', team: 'b' }), alert('B', { team: 'c' })],
      },
    ],
    expected: 3,
  },
  {
    name: 'deep',
    route: `${route('deep-1')}, routes: [{matchers: ['team!=""'], group_by: [team], receiver: deep-2,
      routes: [{matchers: ['severity!~"low|medium"', 'team="a"'], receiver: deep-3,
        group_wait: 2s}]}]`,
    receivers: ['1', '2', '3'].map((n) => hook(`deep-${n}`)).join('\n'),
    steps: [
      {
        at: 0,
        alerts: [
          alert('A'),
          alert('B', { team: 'a', severity: 'low' }),
          alert('C', { team: 'a', severity: 'high' }),
          alert('D', { team: 'b' }),
        ],
      },
    ],
    expected: 4,
  },
  {
    name: 'legacy',
    route: `${route('legacy-1')}, routes: [{match: {team: a}, match_re: {severity: 'h.*'},
      receiver: legacy-2}]`,
    receivers: ['1', '2'].map((n) => hook(`legacy-${n}`)).join('\n'),
    steps: [
      {
        at: 0,
        alerts: [alert('A', { team: 'a', severity: 'high' }), alert('B', { team: 'a' })],
      },
    ],
    expected: 2,
  },
  {
    name: 'several',
    route: route('several'),
    receivers:
      '- name: several\n  webhook_configs: [{url: "{sink}/several-a"}, {url: "{sink}/several-b"}]',
    steps: [{ at: 0, alerts: [alert('A')] }],
    expected: 2,
  },
  {
    name: 'truncation',
    route: route('truncation', `group_by: [], ${QUICK}`),
    receivers: hook('truncation', ', max_alerts: 2'),
    steps: [{ at: 0, alerts: ['3', '1', '4', '2'].map((pod) => alert('A', { pod })) }],
    expected: 1,
  },
];

const QUIET: readonly Scenario[] = [
  {
    name: 'inhibit',
    route: route('inhibit'),
    receivers: hook('inhibit'),
    inhibit: `{source_matchers: ['scenario="inhibit"', 'severity="critical"'],
      target_matchers: ['scenario="inhibit"', 'severity="warning"'], equal: [cluster, zone]}`,
    steps: [
      {
        at: 0,
        alerts: [
          alert('Source', { severity: 'critical', cluster: 'x' }),
          alert('Target', { severity: 'warning', cluster: 'x' }),
          alert('Other', { severity: 'warning', cluster: 'y' }),
        ],
      },
      { at: 3500, alerts: [alert('Source', { severity: 'critical', cluster: 'x' }, ended(3500))] },
    ],
    expected: 4,
  },
  {
    name: 'inhibit-legacy',
    route: route('inhibit-legacy'),
    receivers: hook('inhibit-legacy'),
    inhibit: `{source_match: {scenario: inhibit-legacy, severity: critical},
      target_match: {scenario: inhibit-legacy}, target_match_re: {severity: 'warn.*|critical'}}`,
    steps: [
      {
        at: 0,
        alerts: [
          alert('Source', { severity: 'critical' }),
          alert('Both', { severity: 'critical' }),
          alert('Target', { severity: 'warning' }),
        ],
      },
    ],
    expected: 2,
  },
  {
    name: 'silence',
    route: route('silence'),
    receivers: hook('silence'),
    steps: [
      {
        at: 0,
        silence: { key: 's1', matchers: ['scenario="silence"', 'pod="1"'], endsAt: HOUR },
      },
      { at: 100, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] },
      { at: 3500, unsilence: 's1' },
    ],
    expected: 2,
  },
  {
    name: 'silence-pattern',
    route: route('silence-pattern'),
    receivers: hook('silence-pattern'),
    steps: [
      {
        at: 0,
        silence: {
          key: 's2',
          matchers: ['scenario="silence-pattern"', 'pod=~"1|2"'],
          endsAt: HOUR,
        },
      },
      {
        at: 100,
        alerts: [alert('A', { pod: '1' }), alert('B', { pod: '2' }), alert('C', { pod: '12' })],
      },
    ],
    expected: 1,
  },
  {
    name: 'silence-negative',
    route: route('silence-negative'),
    receivers: hook('silence-negative'),
    steps: [
      {
        at: 0,
        silence: {
          key: 's3',
          matchers: ['scenario="silence-negative"', 'pod!="1"', 'team!~"b.*"'],
          endsAt: HOUR,
        },
      },
      {
        at: 100,
        alerts: [alert('A', { pod: '1' }), alert('B', { pod: '2' }), alert('C', { team: 'bb' })],
      },
    ],
    expected: 2,
  },
  {
    name: 'silence-ends',
    route: route('silence-ends'),
    receivers: hook('silence-ends'),
    steps: [
      { at: 0, silence: { key: 's4', matchers: ['scenario="silence-ends"'], endsAt: 4000 } },
      { at: 100, alerts: [alert('A')] },
    ],
    expected: 1,
  },
  {
    name: 'silence-begins',
    route: route('silence-begins', `group_by: [alertname], ${QUICK}, repeat_interval: 1s`),
    receivers: hook('silence-begins'),
    steps: [
      {
        at: 0,
        silence: {
          key: 's5',
          matchers: ['scenario="silence-begins"'],
          startsAt: 4000,
          endsAt: HOUR,
        },
      },
      { at: 100, alerts: [alert('A')] },
    ],
    expected: 2,
  },
  {
    name: 'silenced-resolve',
    route: route('silenced-resolve'),
    receivers: hook('silenced-resolve'),
    steps: [
      { at: 0, alerts: [alert('A')] },
      { at: 2000, silence: { key: 's6', matchers: ['scenario="silenced-resolve"'], endsAt: HOUR } },
      { at: 2100, alerts: [alert('A', {}, ended(2100))] },
    ],
    expected: 1,
  },
  {
    name: 'muted',
    route: `${route('muted-1')}, routes: [
      {matchers: ['pod="1"'], receiver: muted-2, mute_time_intervals: [always]},
      {matchers: ['pod="2"'], receiver: muted-3, mute_time_intervals: [never]},
      {matchers: ['pod="3"'], receiver: muted-4, active_time_intervals: [never]},
      {matchers: ['pod="4"'], receiver: muted-5, active_time_intervals: [seoul]}]`,
    receivers: ['1', '2', '3', '4', '5'].map((n) => hook(`muted-${n}`)).join('\n'),
    intervals: `
- {name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}
- {name: never, time_intervals: [{years: ['1999']}]}
- {name: seoul, time_intervals: [{location: Asia/Seoul, weekdays: ['sunday:saturday']}]}`,
    steps: [{ at: 0, alerts: ['1', '2', '3', '4', '5'].map((pod) => alert('A', { pod })) }],
    expected: 3,
  },
];

const DELIVERY: readonly Scenario[] = [
  {
    name: 'retry',
    route: route('retry', 'group_by: [alertname], group_wait: 1s, group_interval: 5s'),
    receivers: hook('retry'),
    failures: { count: 1, status: 503 },
    steps: [{ at: 0, alerts: [alert('A')] }],
    expected: 2,
  },
  {
    name: 'refused',
    route: route('refused', 'group_by: [alertname], group_wait: 1s, group_interval: 3s'),
    receivers: hook('refused'),
    failures: { count: 2, status: 400 },
    steps: [{ at: 0, alerts: [alert('A')] }],
    expected: 3,
  },
  {
    name: 'slack',
    route: route('slack'),
    receivers: `- name: slack
  slack_configs: [{api_url: "{sink}/slack", channel: '#ops', send_resolved: true}]`,
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1', owner: '결제팀' }), alert('A', { pod: '2' })] },
      { at: 2000, alerts: [alert('A', { pod: '2' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'slack-fields',
    route: route('slack-fields'),
    receivers: `- name: slack-fields
  slack_configs:
  - api_url: "{sink}/slack-fields"
    channel: '#{{ .GroupLabels.alertname | toLower }}'
    color: '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}'
    title: '{{ template "story" . }}'
    text: '{{ range .Alerts }}• {{ .Annotations.summary | title }} ({{ .Labels.pod }}){{ "\\n" }}{{ end }}'
    short_fields: true
    fields: [{title: Status, value: '{{ .Status | toUpper }}'}, {title: Wide, value: x, short: false}]
    actions: [{type: button, text: Runbook, url: 'https://runbooks.test/{{ .GroupLabels.alertname }}'}]
    icon_emoji: ':owl:'
    username: owl`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    expected: 1,
  },
  {
    name: 'pagerduty-v1',
    route: route('pagerduty-v1'),
    receivers: `- name: pagerduty-v1
  pagerduty_configs: [{service_key: abc, url: "{sink}/pagerduty-v1"}]`,
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' })] },
      { at: 2000, alerts: [alert('A', { pod: '1' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'pagerduty-v2',
    route: route('pagerduty-v2'),
    receivers: `- name: pagerduty-v2
  pagerduty_configs:
  - routing_key: abc
    url: "{sink}/pagerduty-v2"
    severity: '{{ .CommonLabels.severity }}'
    class: c
    component: '{{ .GroupLabels.alertname }}'
    group: g
    details: {extra: '{{ len .Alerts }}'}
    links: [{href: 'https://x.test/', text: More}]`,
    steps: [
      { at: 0, alerts: [alert('A', { severity: 'critical' })] },
      { at: 2000, alerts: [alert('A', { severity: 'critical' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'email',
    route: route('email'),
    receivers: `- name: email
  email_configs:
  - {to: '{sink-name}-email@ops.test, more@ops.test', smarthost: '{mail}', from: alerts@ops.test,
     require_tls: false, send_resolved: true}`,
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] },
      { at: 2000, alerts: [alert('A', { pod: '1' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'email-own',
    route: route('email-own'),
    receivers: `- name: email-own
  email_configs:
  - {to: '{sink-name}-email-own@ops.test', smarthost: '{mail}', from: alerts@ops.test,
     require_tls: false, html: '<b>{{ .CommonLabels.alertname }} & {{ .CommonAnnotations.summary }}</b>',
     text: '{{ template "story" . }} 장애', headers: {Subject: '[장애] {{ .CommonLabels.alertname }}',
     X-Own: a}}`,
    steps: [{ at: 0, alerts: [alert('A')] }],
    expected: 1,
  },
  {
    name: 'opsgenie',
    route: route('opsgenie'),
    receivers: `- name: opsgenie
  opsgenie_configs: [{api_key: k, api_url: "{sink}/opsgenie/", priority: P1, tags: 'a,b'}]`,
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' })] },
      { at: 2000, alerts: [alert('A', { pod: '1' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'victorops',
    route: route('victorops'),
    receivers: `- name: victorops
  victorops_configs: [{api_key: k, api_url: "{sink}/victorops/", routing_key: team}]`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' })] }],
    expected: 1,
  },
  {
    name: 'telegram',
    route: route('telegram'),
    receivers: `- name: telegram
  telegram_configs: [{bot_token: t, chat_id: 5, api_url: "{sink}/telegram", parse_mode: HTML}]`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' })] }],
    expected: 1,
  },
  {
    name: 'discord',
    route: route('discord'),
    receivers: `- name: discord
  discord_configs: [{webhook_url: "{sink}/discord"}]`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' })] }],
    expected: 1,
  },
];

export const SCENARIOS: readonly Scenario[] = [
  ...GROUPING,
  ...RESOLVING,
  ...ROUTING,
  ...QUIET,
  ...DELIVERY,
];

/** Those that go through a reload and a restart; `reloaded` is the route from the reload on. */
export interface LastingScenario extends Scenario {
  readonly reloaded?: string;
  /** At times after the restart. */
  readonly later: readonly Step[];
}

export const LASTING: readonly LastingScenario[] = [
  {
    name: 'kept',
    route: route('kept'),
    receivers: hook('kept'),
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    later: [
      { at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] },
      { at: 3000, alerts: [alert('A', { pod: '1' }, ended(3000))] },
    ],
    expected: 2,
  },
  {
    name: 'regrouped',
    route: route('regrouped'),
    reloaded: route('regrouped', `group_by: [alertname, pod], ${QUICK}`),
    receivers: hook('regrouped'),
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    later: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    expected: 3,
  },
  {
    name: 'rerouted',
    route: `${route('rerouted-1')}, routes: [{matchers: ['pod="1"'], receiver: rerouted-2}]`,
    reloaded: `${route('rerouted-1')}, routes: [{matchers: ['pod="1"'], receiver: rerouted-3}]`,
    receivers: ['1', '2', '3'].map((n) => hook(`rerouted-${n}`)).join('\n'),
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    later: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    expected: 3,
  },
  {
    name: 'quiet',
    route: route('quiet'),
    receivers: hook('quiet'),
    steps: [
      { at: 0, silence: { key: 'q', matchers: ['scenario="quiet"', 'pod="1"'], endsAt: HOUR } },
      { at: 100, alerts: [alert('A', { pod: '1' })] },
    ],
    later: [
      { at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] },
      { at: 2500, unsilence: 'q' },
    ],
    expected: 2,
  },
];

export const TEMPLATE = `{{ define "story" }}{{ .Alerts.Firing | len }} of {{ len .Alerts }} fire: {{
range $i, $a := .Alerts }}{{ if $i }}, {{ end }}{{ .Labels.SortedPairs.Values | join "/" }}{{ end }}{{
with .CommonAnnotations.summary }} — {{ . }}{{ end }}{{ end }}`;

/** alertmanager.yml for one side. */
export function configOf(
  scenarios: readonly Scenario[],
  sinkName: string,
  sink: string,
  mail: string,
) {
  const fill = (text: string) =>
    text.replaceAll('{sink-name}', sinkName).replaceAll('{sink}', sink).replaceAll('{mail}', mail);
  return `
global: {resolve_timeout: 5s}
templates: ['*.tmpl']
route:
  receiver: nobody
  routes:
${scenarios.map(({ name, route: fields }) => `  - {matchers: ['scenario="${name}"'], ${fields}}`).join('\n')}
inhibit_rules:
${scenarios.flatMap(({ inhibit }) => (inhibit === undefined ? [] : [`- ${inhibit}`])).join('\n')}
time_intervals:
${scenarios.map(({ intervals }) => intervals ?? '').join('')}
receivers:
- name: nobody
${scenarios.map(({ receivers }) => fill(receivers)).join('\n')}
`;
}
