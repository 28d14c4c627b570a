/**
 * The templates that a receiver uses where its owner wrote none. Their names and what comes out of
 * them are Alertmanager's, so that templates which build on them go on working.
 */
import { EMAIL_HTML } from './emailTemplate.ts';

const define = (name: string, body: string) => `{{ define "${name}" }}${body}{{ end }}`;
const call = (name: string, data = '.') => `{{ template "${name}" ${data} }}`;
const SUBJECT = call('__subject');
const PROGRAM = call('__alertmanager');
const LINK = call('__alertmanagerURL');
const ANNOTATIONS = '{{ .CommonAnnotations.SortedPairs.Values | join " " }}';

/** The alerts of one kind under their heading, `before` and `after` that. */
const kind = (which: string, list: string, heading: string, open: string, close: string) =>
  `{{ if gt (len .Alerts.${which}) 0 ${open}}}\n${heading}Alerts ${which}:\n` +
  `${call(list, `.Alerts.${which}`)}\n{{${close} end }}\n`;

/** Both kinds without the lines around them that are empty. */
const CLOSE_LISTS =
  kind('Firing', '__text_alert_list', '', '-', '-') +
  kind('Resolved', '__text_alert_list', '', '-', '-');
const WIDE_LISTS =
  kind('Firing', '__text_alert_list', '', '', '') +
  kind('Resolved', '__text_alert_list', '', '', '');
const MARKDOWN_LISTS =
  kind('Firing', '__text_alert_list_markdown', '# ', '', '') +
  kind('Resolved', '__text_alert_list_markdown', '# ', '', '');

const SHARED = [
  define('__alertmanager', 'Alertmanager'),
  define('__alertmanagerURL', '{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}'),
  define(
    '__subject',
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] ' +
      '{{ .GroupLabels.SortedPairs.Values | join " " }} ' +
      '{{ if gt (len .CommonLabels) (len .GroupLabels) }}' +
      '({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }})' +
      '{{ end }}',
  ),
  define('__description', ''),
  define(
    '__text_alert_list',
    '{{ range . }}Labels:\n' +
      '{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}\n{{ end }}Annotations:\n' +
      '{{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}\n{{ end }}' +
      'Source: {{ .GeneratorURL }}\n{{ end }}',
  ),
  define(
    '__text_alert_list_markdown',
    '{{ range . }}\nLabels:\n' +
      '{{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}\n{{ end }}\nAnnotations:\n' +
      '{{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}\n{{ end }}\n' +
      'Source: {{ .GeneratorURL }}\n{{ end }}\n',
  ),
];

const STATUS_COLOR = '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}';

const CHAT = [
  define('slack.default.title', SUBJECT),
  define('slack.default.username', PROGRAM),
  define(
    'slack.default.fallback',
    `${call('slack.default.title')} | ${call('slack.default.titlelink')}`,
  ),
  define('slack.default.color', STATUS_COLOR),
  define('slack.default.titlelink', LINK),
  ...['callbackid', 'pretext', 'iconemoji', 'iconurl', 'text', 'footer'].map((name) =>
    define(`slack.default.${name}`, ''),
  ),
  define('mattermost.default.username', PROGRAM),
  define('mattermost.default.color', STATUS_COLOR),
  define('mattermost.default.title', SUBJECT),
  define('mattermost.default.titlelink', LINK),
  define(
    'mattermost.default.fallback',
    `${call('mattermost.default.title')} | ${call('mattermost.default.titlelink')}`,
  ),
  define('mattermost.default.text', `\n${MARKDOWN_LISTS}`),
  define('rocketchat.default.title', SUBJECT),
  define('rocketchat.default.alias', PROGRAM),
  define('rocketchat.default.titlelink', LINK),
  ...['emoji', 'iconurl', 'text'].map((name) => define(`rocketchat.default.${name}`, '')),
  define('discord.default.content', ''),
  define('discord.default.title', SUBJECT),
  define('discord.default.message', `\n${WIDE_LISTS}`),
  define('telegram.default.message', `\n${WIDE_LISTS}`),
  define('webex.default.message', `${ANNOTATIONS}\n${WIDE_LISTS}`),
  define('msteams.default.summary', SUBJECT),
  define('msteams.default.title', SUBJECT),
  define('msteams.default.text', `\n${MARKDOWN_LISTS}`),
  define('msteamsv2.default.title', SUBJECT),
  define('msteamsv2.default.text', `\n${MARKDOWN_LISTS}`),
  define(
    'wechat.default.message',
    `${SUBJECT}\n${ANNOTATIONS}\n${CLOSE_LISTS}AlertmanagerUrl:\n${LINK}`,
  ),
  ...['to_user', 'to_party', 'to_tag', 'agent_id'].map((name) =>
    define(`wechat.default.${name}`, ''),
  ),
];

/** The highest severity of the firing alerts, otherwise of those that are over. */
const severest = (list: string) =>
  `{{- range .Alerts.${list} -}}{{- $severity := index .Labels "severity" -}}` +
  '{{- if eq $severity "critical" -}}{{- $priority = "High" -}}' +
  '{{- else if and (eq $severity "warning") (ne $priority "High") -}}{{- $priority = "Medium" -}}' +
  '{{- else if and (eq $severity "info") (eq $priority "") -}}{{- $priority = "Low" -}}' +
  '{{- end -}}{{- end -}}';

const PAGERS = [
  define('pagerduty.default.description', SUBJECT),
  define('pagerduty.default.client', PROGRAM),
  define('pagerduty.default.clientURL', LINK),
  define('pagerduty.default.instances', call('__text_alert_list')),
  define('opsgenie.default.message', SUBJECT),
  define('opsgenie.default.description', `${ANNOTATIONS}\n${CLOSE_LISTS}{{- "" -}}`),
  define('opsgenie.default.source', LINK),
  define('victorops.default.state_message', `${ANNOTATIONS}\n${CLOSE_LISTS}{{- "" -}}`),
  define('victorops.default.entity_display_name', SUBJECT),
  define('victorops.default.monitoring_tool', PROGRAM),
  define('pushover.default.title', SUBJECT),
  define('pushover.default.message', `${ANNOTATIONS}\n${WIDE_LISTS}`),
  define('pushover.default.url', LINK),
  define('sns.default.subject', SUBJECT),
  define('sns.default.message', `${ANNOTATIONS}\n${WIDE_LISTS}`),
  define('jira.default.summary', SUBJECT),
  define('jira.default.description', `\n${MARKDOWN_LISTS}`),
  define(
    'jira.default.priority',
    `{{- $priority := "" -}}${severest('Firing')}` +
      `{{- if eq $priority "" -}}${severest('Resolved')}{{- end -}}{{- $priority -}}`,
  ),
];

const MAIL = [define('email.default.subject', SUBJECT), define('email.default.html', EMAIL_HTML)];

export const DEFAULT_TEMPLATES: readonly string[] = [...SHARED, ...CHAT, ...PAGERS, ...MAIL];
