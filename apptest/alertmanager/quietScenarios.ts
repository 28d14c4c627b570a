/** Scenarios of inhibition, silences and time intervals. */
import { alert, ended, hook, HOUR, QUICK, route, type Scenario } from './scenario.ts';

export const QUIET: readonly Scenario[] = [
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
