/**
 * An outage from its first second to its end, with real programs around Tyto: an exporter that is
 * killed and comes back, the seeds' rules and mail template, and everybody who is to be told.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  freePort,
  type Program,
  programPath,
  run,
  seedPath,
  sleep,
  startProgram,
  startTyto,
  tell,
  temporaryDirectory,
  type Tyto,
  waitFor,
} from './harness.ts';
import {
  type Arrived,
  type JsonServer,
  type MailServer,
  startJsonServer,
  startMailServer,
} from './notificationServers.ts';

const rules = seedPath('guide/prometheus/rules/alerts.yml');
const template = seedPath('guide/alertmanager/templates/email.tmpl');
const exporterPath = programPath('prometheus-node-exporter');
const prometheusPath = programPath('prometheus');
const alertmanagerPath = programPath('prometheus-alertmanager');
const amtool = programPath('amtool');

const MISSING = [rules, template, exporterPath, prometheusPath, alertmanagerPath, amtool].includes(
  undefined,
);

/** The rule's `for`, and how soon around it the alert must and must not fire. */
const FOR_MS = 60_000;
const QUIET_MS = 55_000;
const FIRING_MS_MAX = 65_000;
const NOTIFIED_MS_MAX = 5000;

let tyto: Tyto;
let exporter: Program;
let startExporter: () => Program;
let webhook: JsonServer;
let slack: JsonServer;
let mail: MailServer;
let alertmanagerUrl: string;

async function startSurroundings(): Promise<{ node: string; prometheus: string }> {
  webhook = await startJsonServer();
  slack = await startJsonServer();
  mail = await startMailServer('alerts@example.com', 'correct horse');
  const node = `127.0.0.1:${await freePort()}`;
  const prometheus = `127.0.0.1:${await freePort()}`;
  const alertmanager = `127.0.0.1:${await freePort()}`;
  alertmanagerUrl = `http://${alertmanager}`;
  startExporter = () => startProgram(String(exporterPath), [`--web.listen-address=${node}`]);
  exporter = startExporter();
  const directory = temporaryDirectory({
    'prometheus.yml': 'global: {}\n',
    'alertmanager.yml': 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n',
  });
  startProgram(String(prometheusPath), [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/prometheus`,
    `--web.listen-address=${prometheus}`,
  ]);
  startProgram(String(alertmanagerPath), [
    `--config.file=${directory}/alertmanager.yml`,
    `--storage.path=${directory}/alertmanager`,
    `--web.listen-address=${alertmanager}`,
    '--cluster.listen-address=',
  ]);
  return { node, prometheus };
}

function prometheusYml(node: string, prometheus: string): string {
  return `
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
alerting:
  alertmanagers:
    - static_configs: [{targets: ['${new URL(alertmanagerUrl).host}']}]
rule_files: ['${rules}']
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['${node}']}]
  - job_name: prometheus
    static_configs: [{targets: ['${prometheus}']}]
`;
}

function alertmanagerYml(): string {
  return `
global:
  smtp_smarthost: '${mail.address}'
  smtp_from: 'alertmanager@example.com'
  smtp_auth_username: 'alerts@example.com'
  smtp_auth_password: 'correct horse'
  smtp_require_tls: false
templates: ['${template}']
route:
  receiver: everybody
  group_by: [alertname, job]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 4h
receivers:
  - name: everybody
    webhook_configs:
      - {url: '${webhook.url}hook', send_resolved: true}
    email_configs:
      - {to: 'team@example.com', send_resolved: true}
    slack_configs:
      - api_url: '${slack.url}services/T/B/X'
        channel: '#alerts'
        send_resolved: true
        icon_emoji: ':rotating_light:'
        title: "{{ range .Alerts }}{{ .Annotations.summary }}\\n{{ end }}"
        text: "{{ range .Alerts }}{{ .Annotations.description }}\\n{{ end }}"
`;
}

async function stateOfServiceDown(): Promise<string | undefined> {
  const { alerts } = await tyto.api('alerts');
  return alerts.find(
    ({ labels }: { labels: Record<string, string> }) =>
      labels.alertname === 'ServiceDown' && labels.job === 'node',
  )?.state;
}

function arrival<T>(list: readonly Arrived<T>[], index: number): Promise<Arrived<T>> {
  return waitFor(
    `notification ${index + 1} is there`,
    () => list.length > index && list[index],
    NOTIFIED_MS_MAX,
  );
}

function expectMail(index: number, status: string): void {
  const { content } = mail.arrived[index];
  expect(content.from).toBe('alertmanager@example.com');
  expect(content.to).toEqual(['team@example.com']);
  expect(content.headers.get('subject')).toBe(`[${status}] ServiceDown`);
  expect(content.headers.get('content-type')).toMatch(/^text\/html/);
  expect(content.body).toContain('<h1>ServiceDown</h1>');
  expect(content.body).toContain(`<strong>Status:</strong> ${status}`);
  expect(content.body).toContain('<strong>Severity:</strong> critical');
  expect(content.body).toContain('<strong>Summary:</strong> Service node is down');
}

function expectWebhook(index: number, status: string): void {
  expect(webhook.arrived[index].content).toMatchObject({
    version: '4',
    status,
    receiver: 'everybody',
    groupLabels: { alertname: 'ServiceDown', job: 'node' },
    truncatedAlerts: 0,
    alerts: [
      {
        status,
        labels: { alertname: 'ServiceDown', job: 'node', severity: 'critical' },
        annotations: { summary: 'Service node is down' },
        generatorURL: expect.stringMatching(/\/graph\?g0\.expr=up\+%3D%3D\+0/),
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ],
  });
}

function expectSlack(index: number, color: string): void {
  expect(slack.arrived[index].content).toMatchObject({
    channel: '#alerts',
    icon_emoji: ':rotating_light:',
    attachments: [
      {
        title: expect.stringMatching(/^Service node is down\n?$/),
        text: expect.stringMatching(/^Service node has been down for more than 1 minute\.\n?$/),
        color,
      },
    ],
  });
}

describe.skipIf(MISSING)('an outage', () => {
  beforeAll(async () => {
    const { node, prometheus } = await startSurroundings();
    tyto = await startTyto({
      config: prometheusYml(node, prometheus),
      alertmanager: alertmanagerYml(),
    });
    await waitFor('both targets are up', async () => (await tyto.query('up == 1')).length === 2);
  });

  let killedMs = 0;

  it('of an exporter is pending within three seconds', async () => {
    expect((await tyto.query('node_cpu_seconds_total')).length).toBeGreaterThan(0);
    expect((await tyto.query('prometheus_build_info')).length).toBe(1);
    await exporter.kill('SIGKILL');
    killedMs = Date.now();
    await waitFor('it is pending', async () => (await stateOfServiceDown()) === 'pending', 3000);
    tell(`pending ${Date.now() - killedMs} ms after the exporter was killed`);
  });

  it('does not fire before its minute is over, then does, and tells everybody', async () => {
    while (Date.now() - killedMs < QUIET_MS) {
      expect(await stateOfServiceDown()).toBe('pending');
      await sleep(250);
    }
    expect([webhook.arrived, slack.arrived, mail.arrived]).toEqual([[], [], []]);
    await waitFor(
      'it fires',
      async () => (await stateOfServiceDown()) === 'firing',
      FIRING_MS_MAX - (Date.now() - killedMs),
    );
    const firedMs = Date.now();
    tell(`firing ${firedMs - killedMs} ms after the kill; its rule says ${FOR_MS} ms`);
    const arrivals = await Promise.all([
      arrival(webhook.arrived, 0),
      arrival(slack.arrived, 0),
      arrival(mail.arrived, 0),
    ]);
    const [byWebhook, bySlack, byMail] = arrivals.map(({ timeMs }) => timeMs - firedMs);
    tell(`told after firing: webhook ${byWebhook}, Slack ${bySlack}, mail ${byMail} ms`);
    expectWebhook(0, 'firing');
    expectSlack(0, 'danger');
    expectMail(0, 'FIRING');
  });

  it('is shown by amtool, which can silence it', async () => {
    const at = `--alertmanager.url=${tyto.baseUrl}`;
    const shown = await run(String(amtool), [at, 'alert']);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^ServiceDown\s.*Service node is down\s+active/m);
    const added = await run(String(amtool), [
      at,
      'silence',
      'add',
      '--author=tester',
      '--comment=known',
      '--duration=1h',
      'alertname=Other',
    ]);
    expect(added.code).toBe(0);
    const silences = await run(String(amtool), [at, 'silence', 'query']);
    expect(silences.stdout).toContain(added.stdout.trim());
    expect(silences.stdout).toContain('alertname="Other"');
    const expired = await run(String(amtool), [at, 'silence', 'expire', added.stdout.trim()]);
    expect({ code: expired.code, stdout: expired.stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('is sent on to the Alertmanager that prometheus.yml names', async () => {
    await waitFor('the Alertmanager knows it', async () => {
      const shown = await run(String(amtool), [`--alertmanager.url=${alertmanagerUrl}`, 'alert']);
      return /^ServiceDown\s.*active/m.test(shown.stdout);
    });
  });

  it('ends with a resolved notification for everybody', async () => {
    startExporter();
    const startedMs = Date.now();
    const arrivals = await Promise.all([
      arrival(webhook.arrived, 1),
      arrival(slack.arrived, 1),
      arrival(mail.arrived, 1),
    ]);
    const [byWebhook, bySlack, byMail] = arrivals.map(({ timeMs }) => timeMs - startedMs);
    tell(`resolved after the start: webhook ${byWebhook}, Slack ${bySlack}, mail ${byMail} ms`);
    expectWebhook(1, 'resolved');
    expectSlack(1, 'good');
    expectMail(1, 'RESOLVED');
    expect(await stateOfServiceDown()).toBeUndefined();
    const shown = await run(String(amtool), [`--alertmanager.url=${tyto.baseUrl}`, 'alert']);
    expect(shown.stdout).not.toContain('ServiceDown');
  });

  it('is told once in each state', async () => {
    await sleep(3000);
    expect([webhook.arrived, slack.arrived, mail.arrived].map(({ length }) => length)).toEqual([
      2, 2, 2,
    ]);
  });
});
