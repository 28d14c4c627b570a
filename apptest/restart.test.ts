/** A crash in the middle of an outage: nobody is told twice, and nothing is lost. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  sleep,
  startTyto,
  temporaryDirectory,
  type Tyto,
  type TytoOptions,
  waitFor,
} from './harness.ts';
import { type JsonServer, startJsonServer } from './notificationServers.ts';

const RULES = `groups:
  - name: a
    rules:
      - {alert: Down, expr: 'up == 0', labels: {severity: critical}}
      - {alert: DownForLong, expr: 'up == 0', for: 1h}
      - {alert: Silenced, expr: 'up == 0'}
`;

let webhook: JsonServer;
let tyto: Tyto;
let options: TytoOptions;

async function activeAt(name: string): Promise<string | undefined> {
  const { alerts } = await tyto.api('alerts');
  return alerts.find(({ labels }: { labels: Record<string, string> }) => labels.alertname === name)
    ?.activeAt;
}

function told(name: string): number {
  return webhook.arrived.filter(({ content }) => content.groupLabels.alertname === name).length;
}

beforeAll(async () => {
  webhook = await startJsonServer();
  options = {
    config: `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - {job_name: dead, static_configs: [{targets: ['127.0.0.1:1']}]}
`,
    alertmanager: `
route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: '${webhook.url}'}]}]
`,
    files: { 'rules.yml': RULES },
    dataDirectory: temporaryDirectory(),
  };
  tyto = await startTyto(options);
});

describe('after kill -9 in an outage', () => {
  let pendingSince: string | undefined;

  it('(before it, an alert is told and another is silenced)', async () => {
    const answer = await fetch(`${tyto.baseUrl}api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'alertname', value: 'Silenced', isRegex: false, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: 'tester',
        comment: 'known',
      }),
    });
    expect(answer.status).toBe(200);
    await waitFor('the alert is told', () => told('Down') === 1);
    pendingSince = await activeAt('DownForLong');
    expect(pendingSince).toBeDefined();
    // The alert's state is a series too, which the next start reads.
    await sleep(2500);
    await tyto.kill('SIGKILL');
    tyto = await startTyto(options);
    await waitFor('the alert is active again', async () => (await activeAt('Down')) !== undefined);
  });

  it('the silence is still there, and still silences', async () => {
    const silences = JSON.parse((await tyto.get('api/v2/silences')).text);
    expect(silences).toMatchObject([{ comment: 'known', status: { state: 'active' } }]);
    const alerts = await waitFor('the alert is routed', async () => {
      const found = JSON.parse((await tyto.get('api/v2/alerts?filter=alertname=Silenced')).text);
      return found.length === 1 && found;
    });
    expect(alerts[0].status).toMatchObject({ state: 'suppressed', silencedBy: [silences[0].id] });
  });

  it('nobody is told again of what they know', async () => {
    await sleep(4000);
    expect(told('Down')).toBe(1);
    expect(told('Silenced')).toBe(0);
  });

  it('a pending alert knows since when it is pending', async () => {
    const since = await activeAt('DownForLong');
    expect(Math.abs(Date.parse(String(since)) - Date.parse(String(pendingSince)))).toBeLessThan(
      1500,
    );
  });
});
