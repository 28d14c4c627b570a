/**
 * The mail in HTML that receivers send where their owner wrote none: what is wrong first, then each
 * alert with all that is known of it. Styles are written at the elements, since mail clients leave
 * others out; colours are readable on white and on black, since some clients turn them around.
 */

const SANS = "font-family: system-ui, 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif;";
const RED = '#c0362c';
const GREEN = '#2e7d4f';

const heading = (color: string) =>
  `<div style="padding: 16px 20px; background: ${color}; color: #ffffff; font-size: 18px; ` +
  'font-weight: 600;">' +
  '{{ .Alerts | len }} alert{{ if gt (len .Alerts) 1 }}s{{ end }}' +
  '{{ range .GroupLabels.SortedPairs }} · {{ .Name }}={{ .Value }}{{ end }}</div>';

const linkTo = (url: string, text: string) =>
  `<a href="${url}" style="color: #2a6fb8; font-weight: 600;">${text}</a>`;

const BUTTON_STYLE =
  'display: inline-block; padding: 10px 18px; border-radius: 6px; background: #2a6fb8; ' +
  'color: #ffffff; font-weight: 600; text-decoration: none;';

/** Ours where an incident has been begun, besides the page of the alerts. */
const BUTTONS = `<p style="margin: 0 0 16px;">
<a href="{{ template "__alertmanagerURL" . }}" style="${BUTTON_STYLE}">View alerts</a>
{{ if .AcknowledgeURL }}
<a href="{{ .AcknowledgeURL }}" style="${BUTTON_STYLE}">Acknowledge</a>
{{ end }}</p>`;

const pairs = (title: string, which: string) =>
  `{{ if gt (len .${which}) 0 }}
<p style="margin: 8px 0 2px; color: #6b7280; font-size: 12px;">${title}</p>
{{ range .${which}.SortedPairs }}<div style="overflow-wrap: anywhere;">` +
  '{{ .Name }} = {{ .Value }}</div>\n{{ end }}{{ end }}';

const ALERT = (
  color: string,
) => `<div style="margin: 0 0 16px; padding: 12px 16px; border: 1px solid
#d1d5db; border-left: 5px solid ${color}; border-radius: 6px;">
{{ with .Annotations.summary }}<p style="margin: 0; font-size: 16px; font-weight: 600;">
{{ . }}</p>{{ end }}
${pairs('Labels', 'Labels')}
${pairs('Annotations', 'Annotations')}
<p style="margin: 10px 0 0;">
{{ if .GeneratorURL }}${linkTo('{{ .GeneratorURL }}', 'Source')}{{ end }}
{{ with .Annotations.runbook_url }}${linkTo('{{ . }}', 'Runbook')}{{ end }}</p>
</div>`;

const alerts = (which: string, color: string) => `{{ if gt (len .Alerts.${which}) 0 }}
<h2 style="margin: 20px 0 10px; font-size: 15px; color: ${color};">
[{{ .Alerts.${which} | len }}] ${which}</h2>
{{ range .Alerts.${which} }}${ALERT(color)}{{ end }}{{ end }}`;

export const EMAIL_HTML = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ template "__subject" . }}</title>
</head>
<body style="margin: 0; padding: 16px 8px; ${SANS} font-size: 14px; line-height: 1.5;">
<div style="max-width: 640px; margin: 0 auto; border: 1px solid #d1d5db; border-radius: 8px;
overflow: hidden;">
{{ if gt (len .Alerts.Firing) 0 }}${heading(RED)}{{ else }}${heading(GREEN)}{{ end }}
<div style="padding: 20px;">
${BUTTONS}
${alerts('Firing', RED)}
${alerts('Resolved', GREEN)}
<p style="margin: 20px 0 0; color: #6b7280; font-size: 12px;">
Sent by ${linkTo('{{ .ExternalURL }}', '{{ template "__alertmanager" . }}')}</p>
</div>
</div>
</body>
</html>
`;
