/** Receivers, the section `global` and notification templates against what Alertmanager does. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotifyTemplates, parseAlertmanagerConfig } from '@tyto/alerting';
import { ManualClock, yaml } from '@tyto/base';
import { Labels } from '@tyto/model';
import { describe, expect, it } from 'vitest';
import { templateData } from '../packages/alerting/src/notify/templateData.ts';
import { truncateBytes, truncateRunes } from '../packages/alerting/src/notify/truncate.ts';
import { GoInt, GoStruct, GoTime, keyValues, type Value } from '@tyto/gotemplate';
import { sharedCases, sharedPath } from './shared.ts';

const root = sharedPath('alertmanager');
const suite = describe.skipIf(root === undefined);
const at = (path: string) => join(root ?? '', path);

function problemsOf(text: string, name = 'a.yml'): string {
  const { problems } = parseAlertmanagerConfig(text, name);
  return yaml.formatProblems(problems.filter((problem) => problem.severity === 'error'));
}

/** Words of Alertmanager that are a mistake of its own, or of its YAML library. */
const WORDS: Readonly<Record<string, string>> = {
  'at most one of auth_password & auth_password_file must be configured':
    'at most one of smtp_auth_password & smtp_auth_password_file must be configured',
  'yaml: unmarshal errors:\n  line 16: field teams not found in type opsgenie.plain':
    'unknown field "teams"',
};

suite('a configuration of the test data', () => {
  const directory = at('config_testdata');
  // Those that begin so are of routes and inhibition.
  const names =
    root === undefined ? [] : readdirSync(directory).filter((n) => !/^conf\.nil/.test(n));
  const errors = new Map(
    sharedCases<{ file?: string; error: string | null }>(
      'alertmanager',
      'extracted',
      'config_cases.json',
    ).map(({ file, error }) => [file, error]),
  );

  /** What its name says. */
  const isRefused = (name: string) =>
    /both-|-no-(api|bot|webhook|token)|-invalid|old-team|update-message-and-webhook/.test(name);

  for (const name of names) {
    it(`${name} is ${isRefused(name) ? 'refused' : 'read'}`, () => {
      const shown = problemsOf(readFileSync(join(directory, name), 'utf8'), name);
      expect(shown !== '', shown).toBe(isRefused(name));
      const error = errors.get(name);
      if (typeof error === 'string') expect(shown).toContain(WORDS[error] ?? error);
    });
  }
});

/** The kind of receiver that a test is of, by its name. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/Email/, 'email'],
  [/PagerDuty/i, 'pagerduty'],
  [/OpsGenie/i, 'opsgenie'],
  [/VictorOps/, 'victorops'],
  [/Pushover/, 'pushover'],
  [/Slack/, 'slack'],
  [/SNS/, 'sns'],
  [/Wechat/i, 'wechat'],
  [/Telegram/, 'telegram'],
  [/Webhook/, 'webhook'],
];

suite('a receiver of the extracted cases', () => {
  const cases = sharedCases<{ test: string; yaml: string; error: string | null; valid: boolean }>(
    'alertmanager',
    'extracted',
    'notifier_config_cases.json',
  );
  // The error of this one is of a text that was not extracted.
  const usable = cases.filter(({ test }) => test !== 'TestVictorOpsConfiguration');
  for (const { test, yaml: text, error, valid } of usable) {
    it(`${test} is ${valid ? 'read' : 'refused'}`, () => {
      const kind = KINDS.find(([pattern]) => pattern.test(test))?.[1];
      // Fields and actions are parts of a configuration; the rest of it is given by `global`.
      const receiver = `- name: r\n  ${kind}_configs:\n  - send_resolved: true\n`;
      const indented = text.replace(/^(?=.)/gm, '    ');
      const global =
        'global: {smtp_smarthost: "a:25", smtp_from: a@b.c, slack_api_url: "https://s.test/"}\n';
      const shown = problemsOf(`${global}route: {receiver: r}\nreceivers:\n${receiver}${indented}`);
      expect(shown === '', shown).toBe(valid);
      if (error !== null) expect(shown).toContain(WORDS[error] ?? error);
    });
  }
});

it.skipIf(root === undefined)('texts are cut as there', () => {
  const cases = sharedCases<{
    in: string;
    n: number;
    runes: { out: string };
    bytes: { out: string };
  }>('alertmanager', 'extracted', 'truncate.json');
  for (const { in: text, n, runes, bytes } of cases) {
    expect(truncateRunes(text, n)).toBe(runes.out);
    expect(truncateBytes(text, n)).toBe(bytes.out);
  }
  expect(cases.length).toBeGreaterThan(0);
});

interface TemplateCase {
  readonly title: string;
  readonly template: string;
  readonly data: unknown;
  readonly html: boolean | 'both' | null;
  readonly expected: string;
  readonly fails: boolean;
}

/** Data of a case as a template sees it; numbers are whole where all of them are. */
function given(data: unknown): Value {
  if (typeof data === 'number') return Number.isInteger(data) ? new GoInt(data) : data;
  if (Array.isArray(data)) {
    const whole = data.every((item) => Number.isInteger(item));
    return data.map((item: unknown) => (whole ? given(item) : (item as number)));
  }
  if (typeof data !== 'object' || data === null) return data as string | boolean | null;
  const entries = Object.entries(data);
  if ('now_minus_seconds' in data) return new GoTime(-1000 * Number(data.now_minus_seconds));
  if (!entries.some(([, value]) => typeof value === 'object')) {
    return new Map(entries.map(([name, value]) => [name, given(value)]));
  }
  const fields = entries.map(([name, value]): [string, Value] => [
    name,
    keyValues(new Map(Object.entries(value as Record<string, string>))),
  ]);
  return new GoStruct(Object.fromEntries(fields));
}

suite('a template of the extracted cases', () => {
  const cases = sharedCases<TemplateCase>('alertmanager', 'extracted', 'template_expansion.json');
  for (const { title, template, data, html, expected, fails } of cases) {
    const ways = html === 'both' ? [false, true] : [html === true];
    it.each(ways)(`${title} (HTML: %s)`, (isHtml) => {
      const templates = new NotifyTemplates([], new ManualClock(0));
      const expand = () => templates.expand(template, given(data), isHtml);
      if (fails) expect(expand).toThrow();
      else expect(expand()).toBe(expected);
    });
  }
});

/** Templates as Debian's Alertmanager has them, where it is installed. */
const THEIRS = '/usr/share/prometheus/alertmanager';

describe.skipIf(!existsSync(join(THEIRS, 'email.tmpl')))('the default templates', () => {
  const files = ['default.tmpl', 'email.tmpl'].map((name): [string, string] => [
    name,
    // html/template leaves comments out; in text they would stay.
    existsSync(join(THEIRS, name))
      ? readFileSync(join(THEIRS, name), 'utf8').replace(/<!--[\s\S]*?-->/g, '')
      : '',
  ]);
  const clock = new ManualClock(0);
  const theirs = new NotifyTemplates(files, clock);
  const ours = new NotifyTemplates([], clock);
  const names = files.flatMap(([, text]) =>
    [...text.matchAll(/define "([^"]+)"/g)].map((match) => match[1]),
  );
  const alert = (n: number) => ({
    labels: Labels.of({ alertname: 'A<b>', pod: `p${n}`, severity: 'critical' }),
    annotations: Labels.of(n === 2 ? {} : { summary: 's & "t"', runbook: "it's" }),
    startsAtMs: 1e12,
    endsAtMs: 1e12,
    generatorUrl: 'http://p/graph?g0.expr=a+b&x=<>',
    fingerprint: 'f',
    updatedAtMs: 0,
  });

  // The mail's look is ours: beside Alertmanager it is compared by what it says.
  const compared = names.filter((name) => name !== 'email.default.html');

  it.each(compared)('%s says what it says there', (name) => {
    for (const [firing, resolved] of [
      [1, 0],
      [2, 1],
      [0, 2],
    ]) {
      const data = templateData({
        receiver: 'a.b c',
        groupKey: 'k',
        groupLabels: Labels.of({ alertname: 'A<b>' }),
        firing: Array.from({ length: firing }, (_, i) => alert(i)),
        resolved: Array.from({ length: resolved }, (_, i) => alert(5 + i)),
        reason: 'first notification',
        externalUrl: 'http://am.test/',
        nowMs: 0,
        data: {},
        links: undefined,
      });
      const isOfAlerts = name === '__text_alert_list' || name === 'pagerduty.default.instances';
      const text = `{{ template "${name}" ${isOfAlerts ? '.Alerts' : '.'} }}`;
      for (const html of [false, true]) {
        const [mine, other] = [ours, theirs].map((all) => all.expand(text, data, html));
        // The mail begins behind a comment in one of the two.
        expect(html ? mine : mine.trimStart()).toBe(html ? other : other.trimStart());
      }
    }
  });
});

suite('the seeds', () => {
  const seeds = join(at('../../fixtures/seed-configs'));
  const read = (path: string) => readFileSync(join(seeds, path), 'utf8');

  it('load, with the warnings that they deserve', () => {
    const messagesOf = (text: string) =>
      parseAlertmanagerConfig(text, 'a.yml').problems.map(
        ({ severity, message }) => `${severity}: ${message}`,
      );
    expect(messagesOf(read('guide/alertmanager/config.yml'))).toEqual([]);
    // Parts of a file: a route to their receiver makes them whole.
    for (const name of ['pagerduty', 'slack-alerts']) {
      const path = `guide/alertmanager/${name.split('-')[0]}-receivers.yml`;
      expect(messagesOf(`route: {receiver: ${name}}\n${read(path)}`)).toEqual([]);
    }
    expect(messagesOf(read('stack/alertmanager/alertmanager.yml'))).toEqual([
      expect.stringContaining('warning: api_url is a placeholder'),
    ]);
    const part = read('guide/optimised/alertmanager-global.yml');
    const whole = `${part}\n  receiver: r\nreceivers: [{name: r}]\n`;
    expect(messagesOf(whole)).toEqual([
      expect.stringMatching(/^warning: .*"idle_conn_timeout" is accepted but not used/),
      expect.stringMatching(/^warning: .*"max_idle_conns_per_host" is accepted but not used/),
    ]);
  });

  it('have a mail that is rendered as it is written', () => {
    const file: [string, string] = ['email.tmpl', read('guide/alertmanager/templates/email.tmpl')];
    const templates = new NotifyTemplates([file], new ManualClock(0));
    const data = templateData({
      receiver: 'team-email',
      groupKey: 'k',
      groupLabels: Labels.empty,
      firing: [
        {
          labels: Labels.of({ alertname: '높은 오류율', severity: 'critical' }),
          annotations: Labels.of({ summary: '<5xx>', description: '한국어' }),
          startsAtMs: Date.parse('2026-03-01T12:00:00Z'),
          endsAtMs: 0,
          generatorUrl: '',
          fingerprint: '',
          updatedAtMs: 0,
        },
      ],
      resolved: [],
      reason: 'first notification',
      externalUrl: 'http://am.test/',
      nowMs: 0,
      data: {},
      links: undefined,
    });
    const subject = templates.expand('{{ template "email.default.subject" . }}', data);
    expect(subject).toBe('[FIRING] 높은 오류율');
    const html = templates.expand('{{ template "email.default.html" . }}', data, true);
    expect(html).toContain('<p><strong>Summary:</strong> &lt;5xx&gt;</p>');
    expect(html).toContain('<p><strong>Start:</strong> 2026-03-01 12:00:00 &#43;0000 UTC</p>');
    expect(html).not.toContain('<strong>End:</strong>');
  });
});
