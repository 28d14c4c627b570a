/**
 * The story of an alert system from its beginning to its figures: rules fire, who is told goes by
 * severity, a service's further alerts are suppressed for a while, people acknowledge and resolve.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startSink, type Sink } from './alertmanager/sink.ts';
import { sleep, startTyto, type Tyto, temporaryDirectory, waitFor } from './harness.ts';
import { startHttp } from './targets.ts';

const SUPPRESSED_SECONDS = 8;

const RULES = `
groups:
  - name: payment
    interval: 1s
    rules:
      - alert: HighErrorRate
        expr: error_rate > 0.05
        labels: {severity: high, service: payment, team: backend}
        annotations:
          summary: High Error Rate Detected
          description: Error rate is above 5% threshold
          runbook_url: https://wiki.company.com/runbooks/high-error-rate
      - alert: HighDbConnections
        expr: database_connections_active > 18
        labels: {severity: critical, service: payment, component: database}
        annotations:
          summary: Database Connection Pool Near Exhaustion
          description: Database connection pool is near exhaustion
          runbook_url: https://wiki.company.com/runbooks/db-connections
      - alert: LowPaymentSuccess
        expr: payment_success_rate < 95
        labels: {severity: medium, service: payment, type: business}
        annotations: {description: Payment success rate dropped below 95%}
`;

const ALERTMANAGER = (sink: string) => `
route:
  receiver: email
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  routes:
    - {matchers: ['severity="critical"'], receiver: everybody}
    - {matchers: ['severity="high"'], receiver: chat-and-mail}
receivers:
  - name: everybody
    webhook_configs: [{url: "${sink}/pagerduty"}, {url: "${sink}/slack"}, {url: "${sink}/email"}]
  - name: chat-and-mail
    webhook_configs: [{url: "${sink}/slack"}, {url: "${sink}/email"}]
  - name: email
    webhook_configs: [{url: "${sink}/email"}]
  - name: oncall
    webhook_configs: [{url: "${sink}/oncall"}]
`;

const CONFIG = (address: string) => `
host: false
starter_rules: false
alertmanager: alertmanager.yml
prometheus:
  global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
  rule_files: [rules.yml]
  scrape_configs:
    - {job_name: shop, static_configs: [{targets: ["${address}"]}]}
incidents:
  suppress:
    - {name: payment, matchers: ['service="payment"'], for: ${SUPPRESSED_SECONDS}s}
  escalations:
    - name: database
      matchers: ['component="database"']
      steps:
        - {wait: 0s, schedules: [primary]}
        - {wait: 1h, receivers: [everybody]}
  people: [{name: john.doe, receiver: oncall}]
  schedules: [{name: primary, time_zone: Asia/Seoul, people: [john.doe]}]
`;

interface Shown {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly timeline: readonly {
    readonly kind: string;
    readonly by?: string;
    readonly value?: number;
  }[];
}

describe('the story of an alert system', () => {
  const values = { error_rate: 0.01, database_connections_active: 10, payment_success_rate: 99 };
  let sink: Sink;
  let tyto: Tyto;

  const incidents = async (query = '') =>
    (await tyto.get(`tyto/api/v1/incidents${query}`)).json?.data.incidents as readonly Shown[];
  const incident = async (id: string) =>
    (await tyto.get(`tyto/api/v1/incidents/${id}`)).json?.data as Shown;
  const titled = async (title: string) => {
    const found = (await incidents()).find((one) => one.title === title);
    return found === undefined ? undefined : await incident(found.id);
  };
  const act = async (id: string, action: string, body: object) =>
    await fetch(`${tyto.baseUrl}tyto/api/v1/incidents/${id}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const arrivals = (path: string, status: string) =>
    sink.arrivals
      .filter((one) => one.path === `/${path}`)
      .map(({ content }) => content as { status: string; groupLabels: { alertname: string } })
      .filter((one) => one.status === status)
      .map(({ groupLabels }) => groupLabels.alertname);

  beforeAll(async () => {
    sink = await startSink(new Map());
    const target = await startHttp((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      const lines = Object.entries(values).map(([name, value]) => `${name} ${value}\n`);
      response.end(lines.join(''));
    });
    tyto = await startTyto({
      config: CONFIG(target.address),
      files: { 'rules.yml': RULES, 'alertmanager.yml': ALERTMANAGER(sink.url) },
    });
  }, 30_000);

  it('tells the first alert of the service by its severity', async () => {
    values.error_rate = 0.08;
    const told = () =>
      arrivals('slack', 'firing').length > 0 && arrivals('email', 'firing').length > 0;
    await waitFor('chat and mail are told', told);
    expect(arrivals('pagerduty', 'firing')).toEqual([]);
    const links = { acknowledgeURL: expect.stringContaining('/tyto/incident/') };
    expect(sink.arrivals[0].content).toMatchObject(links);
    expect(await titled('HighErrorRate')).toMatchObject({
      status: 'triggered',
      severity: 'high',
      priority: 'P1',
      alerts: [{ valueAtFiring: 0.08 }],
    });
  });

  it('suppresses the further ones of the service', async () => {
    values.database_connections_active = 19;
    values.payment_success_rate = 92;
    await waitFor('all three are there', async () => (await incidents()).length === 3);
    await sleep(2500);
    expect(await titled('HighDbConnections')).toMatchObject({
      status: 'suppressed',
      suppressedBy: 'rule payment',
    });
    expect((await incidents('?status=suppressed')).map(({ title }) => title).sort()).toEqual([
      'HighDbConnections',
      'LowPaymentSuccess',
    ]);
    expect(arrivals('pagerduty', 'firing')).toEqual([]);
    expect(arrivals('oncall', 'firing')).toEqual([]);
  });

  it('notes who acknowledged, and when the first is over', async () => {
    const { id } = (await titled('HighErrorRate')) as Shown;
    expect((await act(id, 'acknowledge', {})).status).toBe(400);
    const answer = await act(id, 'acknowledge', { by: 'john.doe@company.com', note: 'on it' });
    expect(answer.status).toBe(200);
    expect(await incident(id)).toMatchObject({
      status: 'acknowledged',
      acknowledgedBy: 'john.doe@company.com',
    });
    values.error_rate = 0.02;
    await waitFor('it is over', async () => (await incident(id)).status === 'resolved');
    const { timeline } = await incident(id);
    expect(timeline[0]).toMatchObject({ kind: 'triggered', value: 0.08 });
    expect(timeline).toContainEqual(
      expect.objectContaining({ kind: 'acknowledged', by: 'john.doe@company.com', text: 'on it' }),
    );
    await waitFor('chat is told of the end', () => arrivals('slack', 'resolved').length > 0);
  });

  it('tells what still fires when the suppression is over, and escalates it', async () => {
    const told = () => arrivals('pagerduty', 'firing').includes('HighDbConnections');
    await waitFor('the pager is told', told, (SUPPRESSED_SECONDS + 5) * 1000);
    await waitFor('whoever is on call is told', () => arrivals('oncall', 'firing').length > 0);
    expect(await titled('HighDbConnections')).toMatchObject({
      status: 'triggered',
      priority: 'P0',
    });
  });

  it('resolves by hand, and those who were paged hear of it', async () => {
    const { id } = (await titled('HighDbConnections')) as Shown;
    await act(id, 'resolve', { by: 'john.doe@company.com', note: 'raised the limit' });
    expect(await incident(id)).toMatchObject({
      status: 'resolved',
      resolvedBy: 'john.doe@company.com',
    });
    await waitFor('the end is told', () => arrivals('oncall', 'resolved').length > 0);
  });

  it('has figures, a history and a review', async () => {
    const statistics = (await tyto.get('tyto/api/v1/alerts/statistics')).json?.data;
    expect(statistics).toMatchObject({
      totalAlerts: 3,
      activeAlerts: 1,
      alertsBySeverity: { low: 0, medium: 1, high: 1, critical: 1 },
      notificationSuccessRate: 1,
      totalRules: 3,
      notificationChannels: 4,
    });
    expect(statistics.timeToAcknowledge.count).toBe(1);
    const history = (await tyto.get('tyto/api/v1/alerts/history?limit=1')).json?.data;
    expect(history.attempts).toHaveLength(1);
    expect(history.next).not.toBeNull();
    const review = (await tyto.get('tyto/api/v1/alerts/review')).json?.data;
    expect(review).toMatchObject({ alertingRules: 3, pagingRules: 1, warnings: [] });
    expect(review.proposals).toMatchObject([
      { kind: 'no runbook', alertname: 'LowPaymentSuccess' },
    ]);
    const duty = (await tyto.get('tyto/api/v1/oncall')).json?.data;
    expect(duty.schedules).toMatchObject([{ schedule: 'primary', person: 'john.doe' }]);
  });
});

describe('a link in a notification', () => {
  it('acknowledges by its button and by nothing else, and that outlives a kill', async () => {
    const dataDirectory = temporaryDirectory();
    const start = () => startTyto({ dataDirectory, config: 'scrape_configs: []\n' });
    let tyto = await start();
    const alerts = [{ labels: { alertname: '<b>Down</b>', severity: '심각' } }];
    await fetch(`${tyto.baseUrl}api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    const only = async () => {
      const [found] = (await tyto.get('tyto/api/v1/incidents')).json?.data.incidents ?? [];
      return (await tyto.get(`tyto/api/v1/incidents/${found?.id}`)).json?.data;
    };
    const { links } = await waitFor('the incident is there', only);
    const path = (link: string) => new URL(link).pathname.slice(1);
    const page = async (language: string) =>
      await (
        await fetch(tyto.baseUrl + path(links.acknowledge), {
          headers: { 'accept-language': language },
        })
      ).text();
    expect(await page('en')).toContain('Nobody has it yet');
    expect(await page('ko-KR,ko;q=0.9,en;q=0.5')).toContain('아직 아무도');
    expect(await page('en')).not.toContain('<b>Down');
    expect((await tyto.get(path(links.acknowledge))).headers.get('cache-control')).toBe('no-store');
    expect(await only()).toMatchObject({ status: 'triggered', severity: 'critical' });
    const form = { name: '<i>kim</i>' };
    expect((await tyto.post(path(links.incident), form)).status).toBe(403);
    expect((await tyto.post(`${path(links.acknowledge)}x`, form)).status).toBe(404);
    expect(await only()).toMatchObject({ status: 'triggered' });
    // As the browsers inside mail and chat apps post it.
    const headers = new Headers({ origin: 'null' });
    const answer = await tyto.post(path(links.acknowledge), form, headers);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('Acknowledged · &lt;i&gt;kim&lt;/i&gt;');
    await tyto.kill('SIGKILL');
    tyto = await start();
    expect(await only()).toMatchObject({ status: 'acknowledged', acknowledgedBy: '<i>kim</i>' });
    expect(await page('en')).toContain('Take it over');
  });
});

describe('what Tyto does by itself', () => {
  it('goes on over a kill: no page twice, none lost, no command twice', async () => {
    const failures = new Map([['broken', { count: 1000, status: 400 }]]);
    const sink = await startSink(failures);
    const dataDirectory = temporaryDirectory();
    const target = await startHttp((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end('down 1\n');
    });
    const files = {
      'rules.yml':
        'groups: [{name: g, interval: 1s, rules: [{alert: Down, expr: down == 1, ' +
        'labels: {severity: critical}}]}]\n',
      'alertmanager.yml': `
route: {receiver: broken, group_wait: 0s, group_interval: 1h}
receivers:
  - {name: broken, webhook_configs: [{url: "${sink.url}/broken"}]}
  - {name: first, webhook_configs: [{url: "${sink.url}/first"}]}
  - {name: second, webhook_configs: [{url: "${sink.url}/second"}]}
  - {name: spare, webhook_configs: [{url: "${sink.url}/spare"}]}
`,
    };
    const config = `
host: false
starter_rules: false
alertmanager: alertmanager.yml
prometheus:
  global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
  rule_files: [rules.yml]
  scrape_configs: [{job_name: shop, static_configs: [{targets: ["${target.address}"]}]}]
incidents:
  escalations:
    - name: down
      matchers: alertname="Down"
      steps: [{receivers: [first]}, {wait: 6s, receivers: [second]}]
  responses:
    - name: touch
      matchers: alertname="Down"
      command: [sh, -c, 'echo "$TYTO_TITLE $HOME" >> "$FILE"']
      environment: {FILE: "${dataDirectory}/ran"}
  heartbeat: {url: "${sink.url}/heartbeat", interval: 1s}
  notifications_failing: {fallback: spare}
`;
    const args = ['--incidents.enable-responses'];
    const start = () => startTyto({ dataDirectory, config, files, args });
    const count = (path: string) => sink.arrivals.filter((one) => one.path === `/${path}`).length;
    const tyto = await start();
    await waitFor('the first is told', () => count('first') === 1);
    await waitFor('the spare one is told of the broken one', () => count('spare') === 1);
    await sleep(500);
    await tyto.kill('SIGKILL');
    const again = await start();
    await waitFor('the second is told', () => count('second') === 1, 15_000);
    await sleep(1000);
    expect({ first: count('first'), second: count('second') }).toEqual({ first: 1, second: 1 });
    expect(readFileSync(`${dataDirectory}/ran`, 'utf8')).toBe('Down \n');
    expect(count('heartbeat')).toBeGreaterThan(3);
    const { incidents } = (await again.get('tyto/api/v1/incidents')).json?.data ?? {};
    const titles = incidents.map(({ title }: Shown) => title).sort();
    expect(titles).toEqual(['Down', 'TytoNotificationsFailing']);
  }, 60_000);
});
