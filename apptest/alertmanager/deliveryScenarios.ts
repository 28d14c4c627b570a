/** Scenarios of receivers: what they get, and what happens when they refuse it. */
import { alert, ended, hook, route, type Scenario } from './scenario.ts';

/** Newer versions than the Alertmanager that is beside us send values, where it sent texts. */
const TOLD_DETAILS = `
    details:
      firing: 'now: {{ template "story" . }}'
      resolved: 'over: {{ len .Alerts.Resolved }}'
      num_firing: 'n={{ .Alerts.Firing | len }}'
      num_resolved: 'n={{ .Alerts.Resolved | len }}'`;

export const DELIVERY: readonly Scenario[] = [
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
    text: '{{ range .Alerts }}• {{ .Annotations.summary | title }}{{ "\\n" }}{{ end }}'
    short_fields: true
    fields:
    - {title: Status, value: '{{ .Status | toUpper }}'}
    - {title: Wide, value: x, short: false}
    actions:
    - {type: button, text: Runbook, url: 'https://runs.test/{{ .GroupLabels.alertname }}'}
    icon_emoji: ':owl:'
    username: owl`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '1' }), alert('A', { pod: '2' })] }],
    expected: 1,
  },
  {
    name: 'pagerduty-v1',
    route: route('pagerduty-v1'),
    receivers: `- name: pagerduty-v1
  pagerduty_configs:
  - service_key: abc
    http_config: {proxy_url: '{proxy}', tls_config: {insecure_skip_verify: true}}
${TOLD_DETAILS}`,
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
    details:
      extra: 'alerts: {{ len .Alerts }}'
      firing: '{{ template "pagerduty.default.instances" .Alerts.Firing }}'
      resolved: '{{ template "pagerduty.default.instances" .Alerts.Resolved }}'
      num_firing: '{{ .Alerts.Firing | len }} fire'
      num_resolved: '{{ .Alerts.Resolved | len }} are over'
    images: [{src: 'https://x.test/i.png', alt: '{{ .Status }}', href: 'https://x.test/'}]
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
     require_tls: false, text: '{{ template "story" . }} 장애',
     html: '<b>{{ .CommonLabels.alertname }} & {{ .CommonAnnotations.summary }}</b>',
     headers: {Subject: '[장애] {{ .CommonLabels.alertname }}', X-Own: a}}`,
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
  {
    name: 'opsgenie-whole',
    route: route('opsgenie-whole'),
    receivers: `- name: opsgenie-whole
  opsgenie_configs:
  - api_key: k
    api_url: "{sink}/opsgenie-whole"
    message: '{{ .CommonAnnotations.summary }}'
    description: '{{ template "__text_alert_list" .Alerts }}'
    details: {pods: '{{ range .Alerts }}{{ .Labels.pod }} {{ end }}'}
    responders: [{name: 'a,b', type: teams}, {username: '{{ .CommonLabels.owner }}', type: user}]
    note: '{{ .CommonLabels.alertname }}'
    entity: '{{ .GroupLabels.alertname }}'
    actions: 'restart,,ignore'
    update_alerts: true`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '2', owner: 'kim' }), alert('A', { pod: '1' })] }],
    expected: 3,
  },
  {
    name: 'victorops-whole',
    route: route('victorops-whole'),
    receivers: `- name: victorops-whole
  victorops_configs:
  - api_key: k
    api_url: "{sink}/victorops-whole"
    routing_key: '{{ .GroupLabels.alertname }}'
    message_type: '{{ .CommonLabels.severity }}'
    custom_fields: {own: '{{ .CommonAnnotations.summary }}'}`,
    steps: [
      { at: 0, alerts: [alert('A', { severity: 'WARNING' })] },
      { at: 2000, alerts: [alert('A', { severity: 'WARNING' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'wechat',
    route: route('wechat'),
    receivers: `- name: wechat
  wechat_configs:
  - {corp_id: c, api_secret: s, api_url: "{sink}/wechat", to_user: '@all', agent_id: '7',
     to_tag: '{{ .CommonLabels.severity }}', send_resolved: true}
  - {corp_id: c, api_secret: s, api_url: "{sink}/wechat", message_type: markdown,
     message: '**{{ .Status }}**'}`,
    steps: [{ at: 0, alerts: [alert('A', { pod: '1', severity: 'high' })] }],
    expected: 4,
  },
  {
    name: 'webex',
    route: route('webex'),
    receivers: `- name: webex
  webex_configs:
  - room_id: r
    api_url: "{sink}/webex"
    http_config: {authorization: {credentials: bot}}`,
    steps: [
      { at: 0, alerts: [alert('A', { pod: '1' })] },
      { at: 2000, alerts: [alert('A', { pod: '1' }, ended(2000))] },
    ],
    expected: 2,
  },
  {
    name: 'sns',
    route: route('sns'),
    receivers: `- name: sns
  sns_configs:
  - api_url: "{sink}/sns"
    topic_arn: 'arn:aws:sns:us-east-2:1:topic'
    sigv4: {region: us-east-2, access_key: a, secret_key: s}
    attributes: {severity: '{{ .CommonLabels.severity }}'}`,
    steps: [{ at: 0, alerts: [alert('A', { severity: 'high' })] }],
    expected: 1,
  },
];
