/** Scenarios of grouping, of what ends, and of the routing tree. */
import { alert, ended, hook, HOUR, QUICK, route, type Scenario } from './scenario.ts';

export const GROUPING: readonly Scenario[] = [
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

export const RESOLVING: readonly Scenario[] = [
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

export const ROUTING: readonly Scenario[] = [
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
    route: `${route('deep-1')}, routes: [
      {matchers: ['team!=""'], group_by: [team], receiver: deep-2,
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
