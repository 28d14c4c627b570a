import { describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import { NotifyTemplates } from '@tyto/alerting';
import { Labels } from '@tyto/model';
import { templateData } from './templateData.ts';
import { alert, NOW_MS, notification } from './testing.ts';

const templates = new NotifyTemplates([], new ManualClock(NOW_MS));
const firing = [alert({ pod: 'b', job: 'z' }), alert({ pod: 'a', job: 'y' })];
const data = (more = {}) => templateData(notification({ firing, ...more }));
const expand = (text: string, more = {}) => templates.expand(text, data(more));

describe('a notification template', () => {
  it('sees the data as Alertmanager shows it', () => {
    expect(expand('{{ .CommonLabels }}')).toBe('alertname=PoolEmpty, severity=critical');
    expect(expand('{{ .CommonLabels.SortedPairs }}')).toBe(
      'alertname=PoolEmpty, severity=critical',
    );
    expect(expand('{{ range .Alerts }}{{ .Labels.pod }}{{ end }}')).toBe('ab');
    expect(expand('{{ (index .Alerts 1).Labels.job }}{{ len .Alerts.Resolved }}')).toBe('z0');
    expect(expand('{{ .Receiver }}', { receiver: 'a.b (c)' })).toBe('a\\.b \\(c\\)');
    expect(expand('{{ .NotificationReason }}')).toBe('first notification');
    expect(expand('{{ .IncidentURL }}|{{ .AcknowledgeURL }}')).toBe('|');
    expect(expand('{{ .CommonLabels.none }}{{ .ExternalURL }}')).toBe('http://tyto:9090');
  });

  it('writes JSON as Go does', () => {
    const json = expand('{{ .Alerts | toJson }}', { firing: [alert({}, { a: '<&>' })] });
    expect(json).toContain('"annotations":{"a":"\\u003c\\u0026\\u003e"}');
    expect(JSON.parse(json)[0]).toMatchObject({
      status: 'firing',
      startsAt: '2026-03-01T11:59:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: alert().generatorUrl,
    });
    expect(expand('{{ .CommonLabels.SortedPairs | toJson }}')).toBe(
      '[{"Name":"alertname","Value":"PoolEmpty"},{"Name":"severity","Value":"critical"}]',
    );
  });

  it('has all functions', () => {
    const cases: [string, string][] = [
      ['{{ "hELLO wORLD, it\'s" | title }}', "Hello World, It's"],
      ['{{ join "-" (stringSlice "a" "b") }}', 'a-b'],
      ['{{ append (list 1 2) 3 | toJson }}', '[1,2,3]'],
      ['{{ dict "a" 1 "b" (list) | toJson }}', '{"a":1,"b":[]}'],
      ['{{ base64encode "a?>" }}{{ base64decode "YT8-" }}', 'YT8-a?>'],
      ['{{ urlUnescape "a%20b+c" }}', 'a b c'],
      ['{{ humanizeDuration 3661 }}', '1h 1m 1s'],
      ['{{ now | date "2006-01-02" }}', '2026-03-01'],
      ['{{ now | tz "Asia/Seoul" | date "15:04 MST" }}', '21:00 KST'],
      ['{{ since (index .Alerts 0).StartsAt }}', '1m0s'],
      ['{{ toDate "2006-01-02" "2024-03-15" | date "02 Jan 2006" }}', '15 Mar 2024'],
      [
        '{{ (toDate "Jan _2 2006 3:04PM -0700" "Feb  3 2026 9:05PM +0900").Unix }}',
        String(Date.UTC(2026, 1, 3, 12, 5) / 1000),
      ],
      [
        '{{ (toDate "2006-01-02T15:04:05.999Z07:00" "2026-02-03T01:02:03.25Z").UnixMilli }}',
        '1770080523250',
      ],
      ['{{ match "^Po+l" .GroupLabels.alertname }}', 'true'],
      ['{{ reReplaceAll "(.)o" "$1-" "foo" }}', 'f-o'],
      ['{{ .CommonLabels.Remove (stringSlice "alertname") }}', 'severity=critical'],
      ['{{ .CommonLabels.Names | join "," }}', 'alertname,severity'],
      ['{{ " x " | trimSpace | toUpper }}', 'X'],
    ];
    for (const [text, wanted] of cases) expect(expand(text), text).toBe(wanted);
  });

  it('has the labels of the route, which are templates, in no circle', () => {
    const routeLabels = {
      reason: '{{ .GroupLabels.alertname }}',
      whole: '{{ routeLabels "reason" }} fires',
      loop: '{{ routeLabels "pool" }}',
      pool: '{{ routeLabels "loop" }}',
    };
    expect(expand('{{ routeLabels "whole" }}{{ routeLabels "none" }}', { routeLabels })).toBe(
      'PoolEmpty fires',
    );
    expect(expand('{{ .RouteLabels.reason }}', { routeLabels })).toBe(routeLabels.reason);
    expect(() => expand('{{ routeLabels "loop" }}', { routeLabels })).toThrow('needs itself');
  });

  it('refuses what is no date', () => {
    for (const text of ['2024-02-30', '2024-13-01', 'x', '']) {
      expect(() => expand(`{{ toDate "2006-01-02" "${text}" }}`), text).toThrow('cannot parse');
    }
  });

  it('that runs away ends in an error, soon', () => {
    const files: [string, string][] = [
      ['a', '{{ define "down" }}{{ template "down" . }}{{ end }}'],
    ];
    const all = new NotifyTemplates(files, new ManualClock(0));
    const runaways = [
      '{{ template "down" . }}',
      '{{ $x := "x" }}{{ range 60 }}{{ $x = printf "%s%s" $x $x }}{{ end }}{{ $x }}',
      '{{ $l := list "x" }}{{ range 100000 }}{{ $l = append $l "x" }}{{ end }}',
      '{{ $l := list }}{{ range 60 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l }}',
      '{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}',
      '{{ $l := list }}{{ range 100000 }}{{ $l = list $l }}{{ end }}{{ $l }}',
      '{{ range 100000 }}{{ printf "%1000d" 1 }}{{ end }}',
      '{{ printf "%1000000d%1000000d%1000000d%1000000d%1000000d" 1 1 1 1 1 }}',
    ];
    for (const text of runaways) {
      const startedMs = performance.now();
      expect(() => all.expand(text, null), text).toThrow(/template|deep|longer|items|memory|steps/);
      expect(performance.now() - startedMs, text).toBeLessThan(5000);
    }
  });
});

it('alerts come by job, by instance, by their labels', () => {
  const order = [
    { job: 'a', instance: '2' },
    { job: 'a' },
    { job: 'b', instance: '1' },
    { instance: '0', pod: '1' },
    { pod: '0' },
    { pod: '0', team: 'x' },
  ].map((labels) => ({ ...alert(), labels: Labels.of(labels) }));
  const shuffled = [3, 0, 5, 1, 4, 2].map((i) => order[i]);
  const names = '{{ range .Alerts }}{{ .Labels }}; {{ end }}';
  expect(expand(names, { firing: shuffled })).toBe(expand(names, { firing: order }));
  expect(expand(names, { firing: shuffled })).toBe(
    'instance=2, job=a; job=a; instance=1, job=b; instance=0, pod=1; pod=0; pod=0, team=x; ',
  );
});
