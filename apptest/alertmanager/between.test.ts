/** Alerts from Debian's Prometheus to Tyto, and from Tyto's rules to other Alertmanagers. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  atEnd,
  freePort,
  programPath,
  startProgram,
  startTyto,
  temporaryDirectory,
  waitFor,
  writeIn,
} from '../harness.ts';
import { startSink } from './sink.ts';

const RULES = `
groups:
- name: g
  interval: 1s
  rules:
  - {alert: Always, expr: vector(1), labels: {severity: page}, annotations: {summary: it is so}}
`;

const hook = (url: string) => `
route: {receiver: hook, group_by: [alertname], group_wait: 100ms, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: '${url}/hook'}]}]
`;

interface Posted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: readonly { readonly labels: Readonly<Record<string, string>> }[];
}

/** An Alertmanager that only takes alerts. */
async function startTaker(): Promise<{ host: string; posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      posted.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, posted };
}

describe.skipIf(programPath('prometheus') === undefined)('Prometheus', () => {
  it('sends its alerts to Tyto, which tells of their beginning and their end', async () => {
    const sink = await startSink(new Map());
    const tyto = await startTyto({
      config: 'scrape_configs: []\n',
      alertmanager: hook(sink.url),
      args: ['--web.external-url=http://127.0.0.1/tyto/'],
    });
    const config = (expression: string) => `
global: {evaluation_interval: 1s, external_labels: {cluster: eu}}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{path_prefix: /tyto, static_configs: [{targets: ['127.0.0.1:${tyto.port}']}]}]
# ${expression}
`;
    const directory = temporaryDirectory({
      'prometheus.yml': config('fires'),
      'rules.yml': RULES,
    });
    const port = await freePort();
    const prometheus = startProgram(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        // It sends nothing again for a minute else, and looks for Alertmanagers only after 5 s.
        '--rules.alert.resend-delay=1s',
      ],
      directory,
    );
    const told = (status: string) =>
      sink.arrivals
        .map(({ content }) => content as Record<string, unknown>)
        .find((content) => content.status === status);
    await waitFor('the alert is told', () => told('firing'), 20_000);
    expect(told('firing')).toMatchObject({
      commonLabels: { alertname: 'Always', cluster: 'eu', severity: 'page' },
      commonAnnotations: { summary: 'it is so' },
      externalURL: 'http://127.0.0.1/tyto',
    });
    writeIn(directory, 'rules.yml', RULES.replace('vector(1)', 'vector(1) > 2'));
    process.kill(prometheus.pid, 'SIGHUP');
    await waitFor('its end is told', () => told('resolved'), 20_000);
  }, 60_000);
});

describe('Tyto', () => {
  it('sends alerts with what the section says, and to what is discovered', async () => {
    const [first, second] = await Promise.all([startTaker(), startTaker()]);
    const tyto = await startTyto({
      config: `
global: {external_labels: {cluster: eu, replica: a}}
rule_files: [rules.yml]
scrape_configs: []
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers:
  - static_configs: [{targets: ['${first.host}']}]
    path_prefix: am
    basic_auth: {username: tyto, password: secret}
    http_headers: {X-Scope-OrgID: {values: [team]}}
    alert_relabel_configs: [{target_label: copy, replacement: first}]
  - file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
    authorization: {credentials: token}
`,
      files: { 'rules.yml': RULES, 'targets.json': '[]' },
    });
    const [posted] = await waitFor('the first is sent alerts', () =>
      first.posted.length > 0 ? first.posted : undefined,
    );
    expect(posted.path).toBe('/am/api/v2/alerts');
    expect(posted.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('tyto:secret').toString('base64')}`,
      'content-type': 'application/json',
      'x-scope-orgid': 'team',
    });
    expect(posted.body[0].labels).toEqual({
      alertname: 'Always',
      cluster: 'eu',
      copy: 'first',
      severity: 'page',
    });
    writeIn(tyto.directory, 'targets.json', JSON.stringify([{ targets: [second.host] }]));
    await waitFor('the second is found', async () => {
      return (await tyto.api('alertmanagers')).activeAlertmanagers.length === 3;
    });
    writeIn(tyto.directory, 'rules.yml', RULES.replace('Always', 'Other'));
    await tyto.post('-/reload');
    await waitFor('the second is sent alerts', () => second.posted.length > 0);
    expect(second.posted[0].headers.authorization).toBe('Bearer token');
    const metrics = (await tyto.get('metrics')).text;
    const address = `{alertmanager="http://${first.host}/am/api/v2/alerts"}`;
    expect(metrics).toMatch(
      new RegExp(`prometheus_notifications_sent_total${address.replace(/[.{}/]/g, '\\$&')} [1-9]`),
    );
    expect(metrics).toContain(`prometheus_notifications_queue_capacity${address} 10000`);
  }, 40_000);
});
