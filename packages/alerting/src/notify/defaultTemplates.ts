/** The templates that a receiver uses where its owner wrote none; their names are Alertmanager's. */

export const DEFAULT_TEMPLATES = `
{{ define "__subject" }}[{{ .Status | toUpper }}{{ if eq .Status "firing" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join " " }}{{ if gt (len .CommonLabels) (len .GroupLabels) }} ({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}){{ end }}{{ end }}
{{ define "__alertmanagerURL" }}{{ .ExternalURL }}/alerts{{ end }}
{{ define "__text_alert_list" }}{{ range . }}{{ with .Annotations.summary }}{{ . }}
{{ end }}{{ with .Annotations.description }}{{ . }}
{{ end }}{{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
{{ end }}{{ with .Annotations.runbook_url }} Runbook: {{ . }}
{{ end }} {{ .GeneratorURL }}
{{ end }}{{ end }}

{{ define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{ define "slack.default.username" }}Tyto{{ end }}
{{ define "slack.default.color" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end }}
{{ define "slack.default.fallback" }}{{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}{{ end }}
{{ define "slack.default.pretext" }}{{ end }}
{{ define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{ define "slack.default.iconemoji" }}{{ end }}
{{ define "slack.default.iconurl" }}{{ end }}
{{ define "slack.default.callbackid" }}{{ end }}
{{ define "slack.default.footer" }}{{ end }}
{{ define "slack.default.text" }}{{ range .Alerts }}{{ with .Annotations.summary }}*{{ . }}*
{{ end }}{{ with .Annotations.description }}{{ . }}
{{ end }}{{ end }}{{ end }}

{{ define "email.default.subject" }}{{ template "__subject" . }}{{ end }}
{{ define "email.default.html" }}<!DOCTYPE html>
<html><head><meta charset="UTF-8"><title>{{ template "__subject" . }}</title></head>
<body style="font-family: sans-serif; color: #1b1f24; max-width: 640px; margin: 0 auto; padding: 16px">
<h1 style="font-size: 18px; padding: 12px 16px; color: #fff; background: {{ if eq .Status "firing" }}#b42318{{ else }}#067647{{ end }}">{{ if eq .Status "firing" }}{{ .Alerts.Firing | len }} firing{{ else }}resolved{{ end }}: {{ range .GroupLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}</h1>
{{ range .Alerts }}<div style="border: 1px solid #d0d5dd; padding: 12px 16px; margin: 12px 0">
<p style="margin: 0 0 8px"><strong>{{ .Status | toUpper }}</strong> {{ .Labels.alertname }}, since {{ .StartsAt }}</p>
{{ with .Annotations.summary }}<p><strong>{{ . }}</strong></p>{{ end }}
{{ with .Annotations.description }}<p>{{ . }}</p>{{ end }}
<ul>{{ range .Labels.SortedPairs }}<li>{{ .Name }} = {{ .Value }}</li>{{ end }}</ul>
{{ with .Annotations.runbook_url }}<p><a href="{{ . }}">Runbook</a></p>{{ end }}
<p><a href="{{ .GeneratorURL }}">See the expression</a></p>
</div>{{ end }}
<p><a href="{{ template "__alertmanagerURL" . }}">All alerts in Tyto</a></p>
</body></html>{{ end }}
`;
