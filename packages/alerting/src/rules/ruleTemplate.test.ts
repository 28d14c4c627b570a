import { describe, expect, it } from 'vitest';
import { type InstantQuery, Labels } from '@tyto/model';
import { expandRuleTemplate } from '@tyto/alerting';

const answers: Record<string, [Record<string, string>, number][]> = {
  metric: [
    [{ instance: 'b' }, 21],
    [{ instance: 'a' }, 11],
  ],
  missing: [],
};

const query: InstantQuery = async (expression, timestampMs) => ({
  value: {
    type: 'vector',
    samples: (answers[expression] ?? []).map(([labels, value]) => ({
      labels: Labels.of(labels),
      timestampMs,
      value,
    })),
  },
  warnings: [],
  infos: [],
});

function expand(text: string, value = 0): Promise<string> {
  const data = {
    labels: Labels.of({ job: 'api', instance: 'host:9100' }),
    value,
    externalLabels: Labels.of({ region: 'seoul' }),
    externalUrl: 'http://tyto:9090/path/prefix',
    timeMs: 1_353_755_652_000,
  };
  return expandRuleTemplate(text, data, query);
}

async function expectAll(cases: readonly (readonly [text: string, output: string])[]) {
  for (const [text, output] of cases) expect(await expand(text), text).toBe(output);
}

describe('rule templates', () => {
  it('know the alert by its variables and by the dot', async () => {
    await expectAll([
      ['{{ $labels.job }} {{ .Labels.job }} [{{ $labels.nothing }}]', 'api api []'],
      ['{{ $externalLabels.region }} {{ $externalURL }}', 'seoul http://tyto:9090/path/prefix'],
      ['plain text with { and }', 'plain text with { and }'],
    ]);
    expect(await expand('{{ $value }}', 85.5)).toBe('85.5');
    expect(await expand('{{ .Value }}', 1_234_567)).toBe('1.234567e+06');
    expect(await expand('{{ $value }}', 0.00001)).toBe('1e-05');
    expect(await expand('{{ $value | printf "%.2f" }}%', 99.989)).toBe('99.99%');
  });

  it('follow Go in control flow, scopes and trimming', async () => {
    await expectAll([
      ['{{ if eq $labels.job "api" }}yes{{ else if true }}b{{ else }}no{{ end }}', 'yes'],
      ['{{ if false }}a{{ else if gt 2.0 1.0 }}b{{ else }}c{{ end }}', 'b'],
      ['{{ with $x := "v" }}{{ $x }}{{ . }}{{ end }}', 'vv'],
      ['{{ range $i, $s := query "metric" }}{{ $i }}={{ $s.Value }};{{ end }}', '0=21;1=11;'],
      ['{{ range query "missing" }}x{{ else }}none{{ end }}', 'none'],
      ['{{ $n := 1 }}{{ range query "metric" }}{{ $n = 2 }}{{ end }}{{ $n }}', '2'],
      ['{{ range query "metric" }}{{ break }}{{ end }}-', '-'],
      ['a  {{- /* c */ -}}  b {{- "x" -}} c', 'abxc'],
      ['{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" "q" }}{{ tmpl "t" 1 }}', '<q><1>'],
      ['{{ block "b" 5 }}[{{ . }}]{{ end }}', '[5]'],
      [
        '{{ and true "" }}|{{ or "" "x" }}|{{ not 0 }}|{{ len "한" }}|{{ index "a" | len }}',
        '|x|true|3|1',
      ],
      [
        '{{ printf "%d %5.1f %-4s| %q %v %05d %x" 3 2.25 "a" "b" true 42 255 }}',
        '3   2.2 a   | "b" true 00042 ff',
      ],
      ['{{ ("a" | toUpper) | printf "%s%s" "b" }}', 'bA'],
    ]);
  });

  it('have the functions of Prometheus', async () => {
    await expectAll([
      ['{{ query "metric" | sortByLabel "instance" | first | label "instance" }}', 'a'],
      ['{{ query "metric" | first | value }}', '21'],
      ['{{ humanize 1234567.0 }}:{{ humanize 0.12 }}:{{ humanize 0.0 }}', '1.235M:120m:0'],
      [
        '{{ humanize1024 1048576.0 }}:{{ humanize1024 1234567 }}:{{ humanize1024 0.12 }}',
        '1Mi:1.177Mi:0.12',
      ],
      [
        '{{ humanizeDuration 1234567 }}:{{ humanizeDuration 0 }}:{{ humanizeDuration -1 }}',
        '14d 6h 56m 7s:0s:-1s',
      ],
      [
        '{{ humanizeDuration 0.12345 }}:{{ humanizeDuration 60.1 }}:{{ humanizeDuration 12.345 }}',
        '123.5ms:1m 0s:12.35s',
      ],
      ['{{ humanizePercentage 0.12345 }}', '12.35%'],
      ['{{ humanizeTimestamp 1435065584.128 }}', '2015-06-23 13:19:44.128 +0000 UTC'],
      ['{{ (now | toTime).Format "Mon Jan 2 15:04:05 2006" }}', 'Sat Nov 24 11:14:12 2012'],
      [
        '{{ "[2001:0DB8::1]::12345" | stripPort }} {{ "a:80" | stripPort }}',
        '[2001:0DB8::1]::12345 a',
      ],
      ['{{ "a.b.c:80" | stripDomain }} {{ "192.0.2.1:1" | stripDomain }}', 'a:80 192.0.2.1:1'],
      ['{{ graphLink "up == 0" }}', '/graph?g0.expr=up+%3D%3D+0&g0.tab=0'],
      ['{{ reReplaceAll "(a)b" "${1}x" "abab" }} {{ match "a.c" "xabc" }}', 'axax true'],
      [
        '{{ title "big cpu" }} {{ parseDuration "1h30m" }} {{ pathPrefix }}',
        'Big Cpu 5400 /path/prefix',
      ],
      ['{{ "5m" | parseDuration | humanizeDuration }}', '5m 0s'],
    ]);
  });

  it('refuse what does not parse, with the line', async () => {
    for (const text of [
      '{{ }}',
      '{{',
      '{{ unknown 1 }}',
      '{{ $y }}',
      '{{ if 1 }}',
      '{{ end }}',
      '{{ "a }}',
      '{{ .a.b | }}',
      '{{ \u00a0 }}',
      '{{ range }}{{ end }}',
      '{{ else }}',
      '{{ break }}',
      '{{ nil }}',
    ]) {
      await expect(expand(text), text).rejects.toThrow();
    }
    await expect(expand('a\nb {{ nope }}')).rejects.toThrow('line 2: function "nope" not defined');
  });

  it('fail in words when they run into what is not there', async () => {
    const failing: [string, string][] = [
      ['{{ query "missing" | first }}', 'first() called on vector with no elements'],
      ['{{ (query "missing").banana }}', "can't evaluate field banana"],
      ['{{ humanize1024 "one" }}', "can't convert one to float"],
      ['{{ $labels.job.constructor }}', "can't evaluate field constructor"],
      ['{{ .constructor }}', "can't evaluate field constructor"],
      ['{{ template "none" }}', 'template "none" not defined'],
      ['{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', 'too deeply'],
      ['{{ range $i, $e := 9999999 }}{{ range 9999999 }}x{{ end }}{{ end }}', 'steps'],
      ['{{ eq 1 "1" }}', 'incompatible types'],
    ];
    for (const [text, message] of failing) {
      await expect(expand(text), text).rejects.toThrow(message);
    }
  });
});
