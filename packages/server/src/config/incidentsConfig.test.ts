import { describe, expect, it } from 'vitest';
import { yaml } from '@tyto/base';
import { incidentsSchema, unknownReceivers } from './incidentsConfig.ts';

const WHOLE = `
group_by: [alertname, cluster]
reopen_within: 5m
ack_timeout: 4h
severity: {labels: [severity, level], words: {Sev-A: critical}, priorities: {high: P0}}
priorities:
  P0: {receivers: [pager], schedules: primary}
  P2: {digest: {receivers: mail, at: "08:30", time_zone: Asia/Seoul}}
escalations:
  - name: shop
    matchers: [team="shop", 'severity=~"critical|high"']
    steps:
      - {receivers: [chat]}
      - {wait: 10m, schedules: [primary]}
    repeat: {times: 2, after: 30m}
people:
  - {name: kim, receiver: kim-phone}
  - {name: lee, receiver: lee-phone}
schedules:
  - name: primary
    time_zone: Asia/Seoul
    people: [kim, lee]
    turn: 1w
    start: 2026-11-02
    handover: "10:00"
    overrides:
      - {person: lee, from: "2026-11-05 09:00", to: 2026-11-06T00:00:00Z}
suppress: [{matchers: service="payment", for: 30m, same: [cluster]}]
recurring_silences:
  - name: nights
    matchers: env="test"
    time_intervals:
      - {weekdays: ['monday:friday'], times: [{start_time: '20:00', end_time: '24:00'}]}
responses:
  - name: clean
    matchers: alertname="DiskFills"
    command: [/bin/clean, --all]
    rate: {max: 1, per: 1h}
heartbeat: {url: https://hc.example.com/x, interval: 30s}
notifications_failing: {fallback: chat}
review: {paging_rules_max: 10, check_runbooks: true}
`;

function read(text: string) {
  const { value, problems } = yaml.decodeYaml(text, 'tyto.yaml', incidentsSchema);
  return { section: value, problems: yaml.formatProblems(problems).split('\n').filter(Boolean) };
}

describe('the section incidents', () => {
  it('is read whole', () => {
    const { section, problems } = read(WHOLE);
    expect(problems).toEqual([]);
    expect(section?.config).toMatchObject({
      groupBy: ['alertname', 'cluster'],
      ackTimeoutMs: 4 * 3600_000,
      severity: { words: { 'sev-a': 'critical' }, priorities: { high: 'P0', low: 'P2' } },
      priorities: { P2: { digest: { receivers: ['mail'], minute: 510, timeZone: 'Asia/Seoul' } } },
      escalations: [{ steps: [{ waitMs: 0 }, { waitMs: 600_000 }], repeat: { times: 2 } }],
      schedules: [
        {
          turnDays: 7,
          handoverMinute: 600,
          overrides: [
            {
              person: 'lee',
              fromMs: Date.parse('2026-11-05T09:00:00+09:00'),
              toMs: Date.parse('2026-11-06T00:00:00Z'),
            },
          ],
        },
      ],
      recurringSilences: [{ specs: [{ weekdays: [{ begin: 1, end: 5 }], timeZone: 'UTC' }] }],
      review: { pagingRulesMax: 10, checksRunbooks: true, firingsMin: 10 },
    });
  });

  it('may be empty', () => {
    expect(read('').problems).toEqual([]);
  });

  it('names receivers that alertmanager.yml has to have, with their places', () => {
    const { section } = read(WHOLE);
    const known = ['pager', 'chat', 'mails', 'kim-phone', 'lee-phone'];
    const problems = section === undefined ? [] : unknownReceivers(section, known);
    expect(yaml.formatProblems(problems)).toBe(
      'tyto.yaml:8:28: incidents: there is no receiver "mail"; did you mean "mails"?',
    );
  });

  it.each([
    ['escalation: []', 'incidents: unknown field "escalation"; did you mean "escalations"?'],
    ['severity: {words: {a: hihg}}', 'unknown value "hihg"; did you mean "high"?'],
    ['priorities: {P2: {digest: {receivers: m, at: "25:00"}}}', '"25:00" is no time of day'],
    ['escalations: [{name: a, steps: [{wait: 5m}]}]', 'a step needs "receivers" or "schedules"'],
    ['escalations: [{name: a, steps: []}]', 'needs at least one step'],
    [
      'escalations: [{name: a, steps: [{schedules: primry}]}]\n' +
        'people: [{name: k, receiver: r}]\nschedules: [{name: primary, people: [k]}]',
      'there is no schedule "primry"; did you mean "primary"?',
    ],
    ['schedules: [{name: a, people: [k]}]', 'there is no person "k"; known are none'],
    [
      'people: [{name: k, receiver: r}]\nschedules: [{name: a, people: [k], turn: 12h}]',
      '"turn" must be whole days',
    ],
    [
      'people: [{name: k, receiver: r}]\nschedules: [{name: a, people: [k], time_zone: Seoul}]',
      '"Seoul" is no time zone; write for example Asia/Seoul',
    ],
    ['suppress: [{matchers: a=b, for: 0s}]', '"for" cannot be zero'],
    ['suppress: [{matchers: a>b, for: 1m}]', 'bad matcher format'],
    ['responses: [{name: a, matchers: a=b}]', 'one of "command" (a list) and "webhook"'],
    ['responses: [{name: a, matchers: a=b, command: ls -l}]', 'expected a list'],
    ['heartbeat: {url: "ftp://x"}', 'is no address of http or https'],
    [
      'recurring_silences: [{name: a, matchers: a=b, time_intervals: [{weekdays: [mon]}]}]',
      'mon is not a valid weekday',
    ],
  ])('refuses %s', (text, message) => {
    const { problems } = read(text);
    expect(problems.join('\n')).toContain(message);
    expect(problems[0]).toMatch(/^tyto\.yaml:\d+:\d+: /);
  });
});
