/** HTML of the pages behind links in notifications: one column, large targets, light and dark. */
import { createHash } from 'node:crypto';
import { formatDuration } from '@tyto/base';
import type { Incident } from '@tyto/incidents';
import type { Words } from './incidentWords.ts';

const LABELS_MAX = 30;
const ENTRIES_MAX = 15;

const STYLE = `
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --text: #1b1f24; --soft: #57606a;
  --line: #d5d9de; --button: #1457c8; --onbutton: #fff; --low: #4a6785; --medium: #8a5a00;
  --high: #b44a00; --critical: #b3131d; --good: #11703a; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1216; --card: #191d23; --text: #e6e9ed;
  --soft: #9aa4b0; --line: #313842; --button: #6ea4ff; --onbutton: #08142b; --low: #8fb2d6;
  --medium: #e0aa3e; --high: #ff9d5c; --critical: #ff7d7d; --good: #5fd38d; } }
* { box-sizing: border-box; }
body { margin: 0; word-break: keep-all; background: var(--page); color: var(--text);
  font: 16px/1.45 system-ui, -apple-system, 'Segoe UI', 'Noto Sans KR', sans-serif; }
main { max-width: 40rem; margin: 0 auto; padding: 1rem 1rem 3rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1rem 1.1rem; margin-bottom: 1rem; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: .35rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; }
.soft, time { color: var(--soft); }
.severity { font-weight: 650; }
.low { color: var(--low); } .medium { color: var(--medium); } .high { color: var(--high); }
.critical { color: var(--critical); } .resolved, .acknowledged { color: var(--good); }
.status { font-weight: 650; margin-top: .6rem; }
label { display: block; color: var(--soft); margin: .9rem 0 .3rem; }
input { width: 100%; font: inherit; padding: .7rem .8rem; border-radius: 10px; color: inherit;
  border: 1px solid var(--line); background: var(--page); }
button { width: 100%; min-height: 3.6rem; margin-top: .8rem; font: inherit; font-size: 1.15rem;
  font-weight: 650; border: 0; border-radius: 12px; background: var(--button);
  color: var(--onbutton); cursor: pointer; }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid var(--button);
  outline-offset: 2px; }
dl { display: grid; grid-template-columns: minmax(5rem, auto) 1fr; gap: .25rem .9rem; margin: 0; }
dt { color: var(--soft); overflow-wrap: anywhere; } dd { margin: 0; overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; }
li { padding: .45rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
li:first-child { border-top: 0; }
a { color: var(--button); }
`;

/** For the page's content security policy: this style, and nothing else. */
export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

export interface IncidentPageOptions {
  readonly incident: Incident;
  readonly canAcknowledge: boolean;
  /** Who probably looks at it; '' where nobody knows. */
  readonly name: string;
  readonly language: Words;
  readonly nowMs: number;
  newestValue(fingerprint: string): number | undefined;
}

export function incidentPage(options: IncidentPageOptions): string {
  const { incident, language: words } = options;
  const { title, severity, priority, annotations } = incident;
  const about = annotations.summary ?? annotations.description ?? annotations.message ?? '';
  const head =
    `<span class="severity ${severity}">${safe(words[severity])} · ${priority}</span>` +
    `<h1>${safe(title)}</h1>${about === '' ? '' : `<p>${safe(about)}</p>`}` +
    statusLine(options) +
    facts(options);
  const form = options.canAcknowledge ? formOf(options) : '';
  return page(
    words,
    title,
    `<section class="card">${head}${form}</section>${labels(incident, words)}${timeline(options)}`,
  );
}

export function messagePage(message: 'expired' | 'unknown' | 'not allowed', words: Words): string {
  return page(words, 'Tyto', `<section class="card"><p>${safe(words[message])}</p></section>`);
}

function page(words: Words, title: string, content: string): string {
  return (
    `<!doctype html><html lang="${words.lang}"><head><meta charset="utf-8">` +
    '<meta name="viewport" content="width=device-width, initial-scale=1">' +
    `<title>${safe(title)} · Tyto</title><style>${STYLE}</style></head>` +
    `<body><main>${content}</main></body></html>`
  );
}

function statusLine({ incident, language: words }: IncidentPageOptions): string {
  const { status, acknowledgedBy, resolvedBy, suppressedBy } = incident;
  const who = { acknowledged: acknowledgedBy, resolved: resolvedBy, suppressed: suppressedBy };
  const by = status === 'triggered' ? undefined : who[status];
  const shown = by === undefined ? words[status] : `${words[status]} · ${by}`;
  return `<p class="status ${status}">${safe(shown)}</p>`;
}

function facts({ incident, language: words, nowMs, newestValue }: IncidentPageOptions): string {
  const [alert] = incident.alerts;
  const value =
    alert && (alert.endsAtMs === undefined ? newestValue(alert.fingerprint) : alert.value);
  // Whole minutes: nobody at night counts seconds, or hours of other time zones.
  const minutes = Math.max(0, Math.floor((nowMs - incident.triggeredAtMs) / 60_000));
  const age = `${formatDuration(minutes * 60_000).replace('0s', '0m')} ${words.ago}`;
  const rows = [row(words.since, `${safe(age)} · ${time(incident.triggeredAtMs)}`)];
  if (value !== undefined) rows.push(row(words.value, safe(String(value))));
  const { runbook_url: runbook = '' } = incident.annotations;
  // Whatever somebody writes into an annotation: only an address of the web becomes a link.
  if (/^https?:\/\//i.test(runbook)) {
    const link = `<a href="${safe(runbook)}" rel="noreferrer noopener">${safe(runbook)}</a>`;
    rows.push(row(words.runbook, link));
  }
  return `<dl>${rows.join('')}</dl>`;
}

function formOf({ incident, name, language: words }: IncidentPageOptions): string {
  if (incident.status === 'resolved') return '';
  const button = incident.status === 'acknowledged' ? words.takeOver : words.acknowledge;
  return (
    `<form method="post"><label for="name">${safe(words.yourName)}</label>` +
    `<input id="name" name="name" autocomplete="name" maxlength="100" value="${safe(name)}">` +
    `<button type="submit">${safe(button)}</button></form>`
  );
}

function labels(incident: Incident, words: Words): string {
  const all = Object.entries(incident.alerts[0]?.labels ?? incident.labels);
  const rows = all.slice(0, LABELS_MAX).map(([name, value]) => row(safe(name), safe(value)));
  return `<section class="card"><h2>${safe(words.labels)}</h2><dl>${rows.join('')}</dl></section>`;
}

function timeline({ incident, language: words }: IncidentPageOptions): string {
  const entries = incident.timeline.slice(-ENTRIES_MAX).reverse();
  const items = entries.map(({ atMs, kind, by, receiver, text }) => {
    const more = [by, receiver, text].filter(Boolean).join(' · ');
    return `<li>${time(atMs)} <b>${safe(words.kinds[kind] ?? kind)}</b> ${safe(more)}</li>`;
  });
  return (
    `<section class="card"><h2>${safe(words.timeline)}</h2>` +
    `<ol>${items.join('')}</ol></section>`
  );
}

function row(name: string, content: string): string {
  return `<dt>${name}</dt><dd>${content}</dd>`;
}

function time(ms: number): string {
  const text = new Date(ms).toISOString();
  return `<time datetime="${text}">${text.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function safe(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}
