/** A: tens of thousands of alerts at once, from their arrival to the receiver. */
import { Agent, createServer, request } from 'node:http';
import { figure, formatNumber, MEBIBYTE, quantile } from '../figures.js';
import { Random } from '../random.js';
import { ALERT_SERVER_KINDS } from '../servers.js';
import { withServer } from './ingest.js';

const ALERTS = 50_000;
const GROUPS = 250;
/** As Prometheus sends them. */
const BATCH = 256;
const SENDERS = 4;
const GROUP_WAIT_SECONDS = 5;
const TOLD_MS_MAX = 180_000;
const REQUEST_MS_MAX = 120_000;

const TEAMS = ['checkout', 'search', 'payments', 'platform'];

function prepare({ seed, scale }) {
  const random = new Random(seed);
  const count = Math.round(ALERTS * scale);
  const bodies = [];
  for (let from = 0; from < count; from += BATCH) {
    const alerts = [];
    for (let i = from; i < Math.min(count, from + BATCH); i++) {
      const group = i % GROUPS;
      alerts.push({
        labels: {
          alertname: `ServiceDegraded${group}`,
          severity: i % 10 === 0 ? 'critical' : 'warning',
          team: TEAMS[group % TEAMS.length],
          cluster: `eu-${group % 7}`,
          namespace: `shop-${group % 31}`,
          job: 'api',
          instance: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}:8080`,
          pod: `api-${random.below(1 << 30).toString(36)}-${i.toString(36)}`,
        },
        annotations: {
          summary: `api on 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255} answers slowly`,
          description: 'The 99th percentile of its answers has been above 2 s for ten minutes.',
          runbook_url: `https://runbooks.example/ServiceDegraded${group}`,
        },
        generatorURL: 'http://prometheus.example/graph?g0.expr=latency&g0.tab=1',
      });
    }
    bodies.push(Buffer.from(JSON.stringify(alerts)));
  }
  return { bodies, count };
}

/** @type {import('../plan.js').Workload} */
export const alerts = {
  name: 'A',
  title: 'many alerts at once',
  servers: ALERT_SERVER_KINDS,
  base: 'alertmanager',
  prepare,
  describe: (_plan, data) =>
    `${formatNumber(data.count)} alerts of 8 labels and 3 annotations in ${GROUPS} groups, in ` +
    `batches of ${BATCH} over ${SENDERS} connections; group_wait ${GROUP_WAIT_SECONDS} s; a ` +
    'webhook takes each notification at once.',
  run: async (kind, _plan, data) => {
    const sink = await startSink();
    try {
      return await withServer(kind, configOf(sink.port), (server) => measure(server, data, sink));
    } finally {
      sink.close();
    }
  },
};

function configOf(port) {
  return `
route: {receiver: hook, group_by: [alertname], group_wait: ${GROUP_WAIT_SECONDS}s}
inhibit_rules:
- {source_matchers: ['severity="page"'], target_matchers: ['severity="warning"'], equal: [cluster]}
receivers:
- name: hook
  webhook_configs: [{url: 'http://127.0.0.1:${port}/'}]
`;
}

/** A webhook that counts the alerts of what it gets. */
async function startSink() {
  const told = { alerts: 0, notifications: 0, firstMs: NaN, lastMs: NaN };
  const server = createServer((message, response) => {
    const parts = [];
    message.on('data', (part) => parts.push(part));
    message.on('end', () => {
      response.end();
      const nowMs = performance.now();
      if (told.notifications++ === 0) told.firstMs = nowMs;
      told.lastMs = nowMs;
      told.alerts += JSON.parse(Buffer.concat(parts).toString('utf8')).alerts.length;
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port, told, close };
}

function post(agent, port, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
    const options = { agent, host: '127.0.0.1', port, path: '/api/v2/alerts', method: 'POST' };
    const message = request({ ...options, headers, timeout: REQUEST_MS_MAX }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(undefined);
        else reject(new Error(`POST alerts: ${response.statusCode} ${text.slice(0, 200)}`));
      });
      response.on('error', reject);
    });
    message.on('timeout', () => message.destroy(new Error('no answer in time')));
    message.on('error', reject);
    message.end(body);
  });
}

async function measure(server, { bodies, count }, { told }) {
  const { meter } = server;
  const idle = meter.memory();
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const latencies = [];
  const startCpu = meter.cpuSeconds();
  const startMs = performance.now();
  let next = 0;
  const sender = async () => {
    while (next < bodies.length) {
      const body = bodies[next++];
      const sentMs = performance.now();
      await post(agent, server.port, body);
      latencies.push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const acceptedMs = performance.now() - startMs;
  const acceptedCpu = meter.cpuSeconds() - startCpu;
  while (told.alerts < count && performance.now() - startMs < TOLD_MS_MAX) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const peak = meter.peak();
  agent.destroy();
  return [
    figure('alerts accepted', '/s', (count * 1000) / acceptedMs, 'more'),
    figure('processor time to accept one', 'us', (acceptedCpu * 1e6) / count),
    figure('processor time, until all are told, for one', 'us', cpuPer(meter, startCpu, count)),
    figure('a batch is accepted after, p99', 'ms', quantile(latencies, 0.99)),
    figure('first notification after the first alert', 'ms', told.firstMs - startMs),
    figure('last alert told after the first one', 'ms', told.lastMs - startMs),
    figure('alerts told / posted', '', told.alerts / count, 'more'),
    figure('notifications', '', told.notifications, 'none'),
    figure('peak RSS', 'MiB', peak.rss / MEBIBYTE),
    figure('RSS above idle, at the peak, per alert', 'B', (peak.rss - idle.rss) / count),
  ];
}

function cpuPer(meter, startCpu, count) {
  return ((meter.cpuSeconds() - startCpu) * 1e6) / count;
}
