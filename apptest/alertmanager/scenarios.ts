/**
 * What Tyto and a real Alertmanager are put through at the same time. Each scenario has a branch of
 * the routing tree and receivers of its own, so that all of them run at once.
 */
import { DELIVERY } from './deliveryScenarios.ts';
import { GROUPING, RESOLVING, ROUTING } from './flowScenarios.ts';
import { QUIET } from './quietScenarios.ts';
import type { Sink } from './sink.ts';
import { alert, ended, hook, HOUR, QUICK, route, type Scenario, type Step } from './scenario.ts';

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

export const TEMPLATE = `{{ define "story" -}}
{{ .Alerts.Firing | len }} of {{ len .Alerts }} fire: {{ range $i, $a := .Alerts -}}
{{ if $i }}, {{ end }}{{ .Labels.SortedPairs.Values | join "/" }}{{ end -}}
{{ with .CommonAnnotations.summary }} — {{ . }}{{ end }}{{ end }}`;

/** alertmanager.yml for one side. */
export function configOf(
  scenarios: readonly Scenario[],
  sinkName: string,
  sink: Pick<Sink, 'url' | 'mail' | 'proxy'>,
) {
  const fill = (text: string) =>
    text
      .replaceAll('{sink-name}', sinkName)
      .replaceAll('{sink}', sink.url)
      .replaceAll('{mail}', sink.mail)
      .replaceAll('{proxy}', sink.proxy);
  return `
global: {resolve_timeout: 5s}
templates: ['*.tmpl']
route:
  receiver: nobody
  routes:
${scenarios.map((one) => `  - {matchers: ['scenario="${one.name}"'], ${one.route}}`).join('\n')}
inhibit_rules:
${scenarios.flatMap(({ inhibit }) => (inhibit === undefined ? [] : [`- ${inhibit}`])).join('\n')}
time_intervals:
${scenarios.map(({ intervals }) => intervals ?? '').join('')}
receivers:
- name: nobody
${scenarios.map(({ receivers }) => fill(receivers)).join('\n')}
`;
}
