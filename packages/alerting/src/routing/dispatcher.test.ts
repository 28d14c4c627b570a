import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SMTPServer } from 'smtp-server';
import { silentLogger, systemClock } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  Dispatcher,
  fingerprint,
  MemoryStateStore,
  NotifyTemplates,
  parseAlertmanagerConfig,
  type StateStore,
} from '@tyto/alerting';

interface Received {
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON a receiver gets.
  readonly body: any;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An HTTP server that keeps what it gets and answers with the status that `answer` gives. */
async function receiver(answer: (n: number) => number = () => 200) {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      received.push({ path: request.url ?? '', body: JSON.parse(text) });
      response.statusCode = answer(received.length);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function dispatcher(
  text: string,
  state: StateStore = new MemoryStateStore(),
  files: [string, string][] = [],
) {
  const { config, problems } = parseAlertmanagerConfig(text, 'a.yml');
  if (config === undefined) throw new Error(problems.map((p) => p.message).join('\n'));
  const made = new Dispatcher({
    clock: systemClock,
    logger: silentLogger,
    state,
    externalUrl: 'http://tyto:9090',
    observer: { attempt() {}, told() {} },
  });
  await made.apply(config, new NotifyTemplates(files, systemClock));
  cleanups.push(() => made.stop());
  return made;
}

function alert(labels: Record<string, string>, endsInMs = 60_000) {
  const nowMs = Date.now();
  return {
    labels: Labels.of(labels),
    annotations: Labels.of({ summary: `about ${labels.alertname}`, description: '<b>한국어</b>' }),
    startsAtMs: nowMs - 1000,
    endsAtMs: nowMs + endsInMs,
    generatorUrl: 'http://tyto:9090/graph?g0.expr=up',
  };
}

async function until(condition: () => boolean, what: string) {
  for (let i = 0; i < 300; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited 3 s in vain: ${what}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One receiver, at `url`, for everything. */
const oneWebhook = (url: string) =>
  `route: {receiver: w, ${TIMES}}\n` + `receivers: [{name: w, webhook_configs: [{url: "${url}"}]}]`;

const TIMES = 'group_wait: 50ms, group_interval: 100ms, repeat_interval: 1h';

describe('the dispatcher', () => {
  it('groups alerts, tells each change once, and tells the end', async () => {
    const { received, url } = await receiver();
    const made = await dispatcher(
      `route: {receiver: w, group_by: [alertname], ${TIMES}}\nreceivers: [{name: w, webhook_configs: [{url: "${url}/hook"}]}]`,
    );
    made.send([alert({ alertname: 'A', n: '1' }), alert({ alertname: 'A', n: '2' })]);
    await until(() => received.length === 1, 'the first notification');
    expect(received[0].body).toMatchObject({
      version: '4',
      receiver: 'w',
      status: 'firing',
      groupKey: '{}:{alertname="A"}',
      groupLabels: { alertname: 'A' },
      commonLabels: { alertname: 'A' },
      externalURL: 'http://tyto:9090',
      truncatedAlerts: 0,
    });
    expect(received[0].body.alerts.map((a: { status: string }) => a.status)).toEqual([
      'firing',
      'firing',
    ]);
    made.send([alert({ alertname: 'A', n: '1' })]);
    await pause(300);
    expect(received).toHaveLength(1);
    made.send([alert({ alertname: 'A', n: '3' })]);
    await until(() => received.length === 2, 'the third alert');
    made.send(['1', '2', '3'].map((n) => alert({ alertname: 'A', n }, -1)));
    await until(() => received.length === 3, 'the end');
    expect(received[2].body.status).toBe('resolved');
    expect(received[2].body.alerts[0].endsAt).not.toContain('0001-01-01');
    await pause(250);
    expect(received).toHaveLength(3);
    expect(made.groups()).toEqual([]);
  });

  it('retries a receiver that fails, and tells nobody twice over a restart', async () => {
    const { received, url } = await receiver((n) => (n === 1 ? 503 : 200));
    const state = new MemoryStateStore();
    const config = oneWebhook(url);
    const before = await dispatcher(config, state);
    before.send([alert({ alertname: 'A' })]);
    await until(() => received.length === 2, 'the retry');
    await pause(50);
    await before.stop();
    const after = await dispatcher(config, state);
    after.send([alert({ alertname: 'A' })]);
    await pause(300);
    expect(received).toHaveLength(2);
    after.send([alert({ alertname: 'A' }, -1)]);
    await until(() => received.length === 3, 'the end');
    expect(received[2].body.status).toBe('resolved');
  });

  it('tells the end of an alert that ended while nothing ran', async () => {
    const { received, url } = await receiver();
    const state = new MemoryStateStore();
    const config = oneWebhook(url);
    const before = await dispatcher(config, state);
    before.send([alert({ alertname: 'A' }, 400)]);
    await until(() => received.length === 1, 'the alert');
    await pause(50);
    await before.stop();
    await pause(500);
    await dispatcher(config, state);
    await until(() => received.length === 2, 'its end');
    expect(received[1].body.status).toBe('resolved');
  });

  it('routes by matchers and `continue`, inhibits and silences', async () => {
    const { received, url } = await receiver();
    const made = await dispatcher(`
route:
  receiver: other
  group_wait: 50ms
  group_interval: 100ms
  routes:
  - {match: {severity: critical}, receiver: pager, continue: true}
  - {matchers: ['severity =~ "critical|warning"'], receiver: mail}
receivers:
- {name: other, webhook_configs: [{url: "${url}/other"}]}
- {name: pager, webhook_configs: [{url: "${url}/pager"}]}
- {name: mail, webhook_configs: [{url: "${url}/mail"}]}
inhibit_rules:
- {source_match: {severity: critical}, target_match: {severity: warning}, equal: [instance]}
`);
    await made.silences.set({
      id: '',
      matchers: [{ name: 'alertname', value: 'Quiet.*', isRegex: true, isEqual: true }],
      startsAtMs: Date.now() - 1000,
      endsAtMs: Date.now() + 60_000,
      createdBy: 'me',
      comment: 'planned',
    });
    made.send([
      alert({ alertname: 'C', severity: 'critical', instance: 'a' }),
      alert({ alertname: 'W', severity: 'warning', instance: 'a' }),
      alert({ alertname: 'W', severity: 'warning', instance: 'b' }),
      alert({ alertname: 'QuietOne', severity: 'page' }),
      alert({ alertname: 'N', severity: 'info' }),
    ]);
    await until(() => received.length >= 3, 'all receivers');
    await pause(150);
    const told = received.flatMap(({ path, body }) =>
      body.alerts.map(
        (a: { labels: Record<string, string> }) =>
          `${path} ${a.labels.alertname}${a.labels.instance ?? ''}`,
      ),
    );
    expect(told.sort()).toEqual(['/mail Ca', '/mail Wb', '/other N', '/pager Ca']);
    const inhibited = [...made.alerts.all()].find(
      (a) => a.labels.get('instance') === 'a' && a.labels.get('alertname') === 'W',
    );
    expect(inhibited && made.status(inhibited).state).toBe('suppressed');
  });

  it('tells every receiver of sibling routes with the same matchers', async () => {
    const { received, url } = await receiver();
    const made = await dispatcher(`
route:
  receiver: none
  group_wait: 20ms
  group_interval: 50ms
  routes:
  - {matchers: [severity="critical"], receiver: chat, continue: true}
  - {matchers: [severity="critical"], receiver: pager}
receivers:
- {name: none}
- {name: chat, webhook_configs: [{url: "${url}/chat"}]}
- {name: pager, webhook_configs: [{url: "${url}/pager"}]}
`);
    made.send([alert({ alertname: 'A', severity: 'critical' })]);
    await until(() => received.length === 2, 'both receivers');
    expect(received.map(({ path }) => path).sort()).toEqual(['/chat', '/pager']);
  });

  it('goes on, and tells nobody twice, while its state cannot be written', async () => {
    const { received, url } = await receiver();
    const state = new MemoryStateStore();
    state.put = () => Promise.reject(new Error('ENOSPC: no space left on device'));
    const made = await dispatcher(oneWebhook(url), state);
    made.send([alert({ alertname: 'A' })]);
    await until(() => received.length === 1, 'the alert');
    await pause(250);
    expect(received).toHaveLength(1);
  });

  it('tells a receiver directly, with retries, whatever its routes say', async () => {
    const { received, url } = await receiver((n) => (n === 1 ? 503 : 200));
    const made = await dispatcher(`
route: {receiver: nobody}
receivers: [{name: nobody}, {name: boss, webhook_configs: [{url: "${url}/boss"}]}]
`);
    made.send([alert({ alertname: 'A' })]);
    const about = {
      groupKey: 'incident 7',
      groupLabels: Labels.of({ team: 'db' }),
      reason: 'first notification',
      links: undefined,
    } as const;
    expect(await made.tell('boss', [...made.alerts.all()], about)).toBe(true);
    expect(received).toHaveLength(2);
    expect(received[1]).toMatchObject({
      path: '/boss',
      body: { receiver: 'boss', groupKey: 'incident 7', groupLabels: { team: 'db' } },
    });
    expect(await made.tell('nobody', [...made.alerts.all()], about)).toBe(false);
    expect(await made.tell('unknown', [...made.alerts.all()], about)).toBe(false);
  });

  it('lets a delivery arrive that is under way when the configuration is reloaded', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.resume();
      bodies.push(request.url ?? '');
      void held.then(() => response.end('ok'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const text = oneWebhook(url);
    const made = await dispatcher(text);
    made.send([alert({ alertname: 'A' })]);
    await until(() => bodies.length === 1, 'the delivery to begin');
    const { config } = parseAlertmanagerConfig(text, 'a.yml');
    if (config === undefined) throw new Error('the configuration was read once already');
    const applied = made.apply(config, new NotifyTemplates([], systemClock));
    release();
    await applied;
    await pause(250);
    expect(bodies).toHaveLength(1);
  });

  it('sends Slack the message that its configuration describes', async () => {
    const { received, url } = await receiver();
    const made = await dispatcher(`
route: {receiver: s, ${TIMES}}
receivers:
- name: s
  slack_configs:
  - api_url: "${url}/services/X"
    channel: '#alerts'
    icon_emoji: ':rotating_light:'
    title: '{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}'
    text: '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}'
    actions: [{type: button, text: View in Grafana, url: 'https://grafana.example.com/explore'}]
`);
    made.send([alert({ alertname: 'A' })]);
    await until(() => received.length === 1, 'the message');
    expect(received[0].body).toEqual({
      channel: '#alerts',
      username: 'Alertmanager',
      icon_emoji: ':rotating_light:',
      attachments: [
        {
          title: 'about A',
          title_link: 'http://tyto:9090/#/alerts?receiver=s',
          callback_id: '',
          footer: '',
          text: '<b>한국어</b>',
          fallback: expect.stringContaining('[FIRING:1]'),
          color: 'danger',
          mrkdwn_in: ['fallback', 'pretext', 'text'],
          actions: [
            { type: 'button', text: 'View in Grafana', url: 'https://grafana.example.com/explore' },
          ],
        },
      ],
    });
  });

  it('sends e-mail through a real SMTP server, escaped and in Korean', async () => {
    const mails: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onAuth: (auth, _session, done) => done(null, { user: auth.username ?? '' }),
      allowInsecureAuth: true,
      onData(stream, _session, done) {
        let mail = '';
        stream.on('data', (part: Buffer) => (mail += part.toString()));
        stream.on('end', () => {
          mails.push(mail);
          done();
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    cleanups.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const { port } = server.server.address() as AddressInfo;
    const template = `{{ define "email.default.subject" }}[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }}{{ end }}
{{ define "email.default.html" }}<h1>{{ .CommonLabels.alertname }}</h1>{{ range .Alerts }}{{ .Annotations.description }}{{ if .EndsAt }}END{{ end }}{{ end }}{{ end }}`;
    const made = await dispatcher(
      `
global: {smtp_smarthost: '127.0.0.1:${port}', smtp_from: 'tyto@example.com', smtp_auth_username: u, smtp_auth_password: p, smtp_require_tls: false}
route: {receiver: m, ${TIMES}}
receivers: [{name: m, email_configs: [{to: 'a@example.com, b@example.com', send_resolved: true}]}]
`,
      new MemoryStateStore(),
      [['email.tmpl', template]],
    );
    made.send([alert({ alertname: '디스크 가득' })]);
    await until(() => mails.length === 1, 'the mail');
    const [head, body] = mails[0].split(/\r\n\r\n([\s\S]*)/);
    expect(head).toContain('To: a@example.com, b@example.com');
    const subject = /Subject: (.*(?:\r\n .*)*)/.exec(head)?.[1] ?? '';
    expect(decodeHeader(subject)).toBe('[FIRING] 디스크 가득');
    const html = decodeBody(head, body);
    expect(html).toContain('<h1>디스크 가득</h1>&lt;b&gt;한국어&lt;/b&gt;');
    expect(html).not.toContain('END');
    made.send([alert({ alertname: '디스크 가득' }, -1)]);
    await until(() => mails.length === 2, 'the mail of its end');
    const end = mails[1].split(/\r\n\r\n([\s\S]*)/);
    expect(decodeBody(end[0], end[1])).toContain('END');
  });
});

function decodeHeader(text: string): string {
  return text
    .replace(/\r\n /g, '')
    .replace(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_, kind: string, data: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(data, 'base64').toString()
        : quotedPrintable(data.replaceAll('_', ' ')),
    );
}

function decodeBody(head: string, body: string): string {
  return /base64/i.test(head) ? Buffer.from(body, 'base64').toString() : quotedPrintable(body);
}

function quotedPrintable(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

describe('parseAlertmanagerConfig', () => {
  it('refuses each mistake at its place', () => {
    const ok = 'receivers: [{name: a}]\n';
    const cases: [string, string][] = [
      [ok, 'no route provided'],
      [`${ok}route: {receiver: b}`, '2:19: undefined receiver "b" used in route'],
      [`${ok}route: {receiver: a, matchers: ['x="1"']}`, 'root route must not have any matchers'],
      [
        `${ok}route: {receiver: a, routes: [{matchers: ['x']}]}`,
        "bad matcher format: x: end of input: expected an operator such as '='",
      ],
      [`${ok}route: {receiver: a, routes: [{match_re: {x: '('}}]}`, 'regexp'],
      [`${ok}route: {receiver: a, group_by: [x, x]}`, 'duplicated label "x" in group_by'],
      [`${ok}route: {reciever: a}`, 'did you mean "receiver"?'],
      ['receivers: [{name: a}, {name: a}]\nroute: {receiver: a}', '"a" is not unique'],
      [
        'receivers: [{name: a, slack_configs: [{channel: x}]}]\nroute: {receiver: a}',
        'no Slack API URL',
      ],
      [
        'receivers: [{name: a, email_configs: [{to: x@y}]}]\nroute: {receiver: a}',
        'no global SMTP smarthost set',
      ],
      [
        'receivers: [{name: a, webhook_configs: [{url: x}]}]\nroute: {receiver: a}',
        'not a web address',
      ],
    ];
    for (const [text, message] of cases) {
      const { problems } = parseAlertmanagerConfig(text, 'a.yml');
      const shown = problems
        .map((p) => `${p.place.line}:${p.place.column}: ${p.message}`)
        .join('\n');
      expect(shown, text).toContain(message);
    }
  });
});

describe('fingerprint', () => {
  it('is the one that Alertmanager computes', () => {
    // From the answers of Alertmanager 0.25 for these label sets.
    expect(fingerprint(Labels.empty)).toBe('cbf29ce484222325');
    expect(fingerprint(Labels.of({ alertname: 'TestAlert' }))).toBe('dab43189276e5f48');
    const korean = { alertname: 'TestAlert', instance: '한국:9100', severity: 'critical' };
    expect(fingerprint(Labels.of(korean))).toBe('c5bb9224d39c4e2d');
  });
});
