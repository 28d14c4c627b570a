/** Logs of real senders: pushed to the started product and read back by LogQL. */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Logger as OtelLogger, SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  LoggerProvider,
  type LogRecordExporter,
} from '@opentelemetry/sdk-logs';
import pino from 'pino';
import { pinoLoki } from 'pino-loki';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from 'winston';
import LokiTransport from 'winston-loki';
import { WebSocket } from 'ws';
import {
  atEnd,
  freePort,
  programPath,
  run,
  seedPath,
  startProgram,
  startTyto,
  temporaryDirectory,
  type Tyto,
  waitFor,
  writeIn,
} from './harness.ts';

const RULES = `
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: ShopFails
        expr: sum by (service) (count_over_time({service="rules"} |= "error" [1m])) > 0
        labels: { severity: page }
      - record: service:errors:count1m
        expr: sum by (service) (count_over_time({service="rules"} |= "error" [1m]))
`;

let tyto: Tyto;
let grpcPort: number;
let tcpPort: number;
let udpPort: number;

beforeAll(async () => {
  [grpcPort, tcpPort, udpPort] = [await freePort(), await freePort(), await freePort()];
  const config = [
    'host: false',
    'starter_rules: false',
    'logs:',
    '  rule_files: [log-rules.yml]',
    '  syslog:',
    `    - listen: tcp://127.0.0.1:${tcpPort}`,
    `    - { listen: udp://127.0.0.1:${udpPort}, labels: { source: datagrams } }`,
    '',
  ].join('\n');
  const args = [`--otlp.grpc-listen-address=127.0.0.1:${grpcPort}`];
  tyto = await startTyto({ config, args, files: { 'log-rules.yml': RULES } });
});

interface Streams {
  readonly stream: Record<string, string>;
  readonly values: readonly (readonly [time: string, line: string])[];
}

async function ask(query: string, path = 'query_range'): Promise<Streams[]> {
  const answer = await tyto.get(`loki/api/v1/${path}?query=${encodeURIComponent(query)}`);
  if (answer.status !== 200) throw new Error(`${query}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text).data.result;
}

/** The streams of a query, as soon as it finds so many lines. */
async function found(query: string, count = 1): Promise<Streams[]> {
  return await waitFor(`lines of ${query}`, async () => {
    const streams = await ask(query);
    const lines = streams.reduce((sum, { values }) => sum + values.length, 0);
    return lines >= count ? streams : undefined;
  });
}

const linesOf = (streams: readonly Streams[]) =>
  streams.flatMap(({ values }) => values.map(([, line]) => line));

it('curl, as the documentation of Loki shows it', async () => {
  const script =
    'curl -sS -o /dev/null -w "%{http_code}" -H "Content-Type: application/json" -X POST ' +
    `"${tyto.baseUrl}loki/api/v1/push" --data-raw '{"streams": [{ "stream": { "foo": "bar2" }, ` +
    `"values": [ [ "'"$(date +%s)"'000000000", "fizzbuzz" ] ] }]}'`;
  const { stdout } = await run('sh', ['-c', script]);
  expect(stdout).toBe('204');
  expect(linesOf(await found('{foo="bar2"}'))).toEqual(['fizzbuzz']);
});

const formatter = seedPath('guide/backend/core/logging.py');

it.skipIf(formatter === undefined)("Python's logging, with every field to be found", async () => {
  const script = `
import importlib.util, json, logging, sys, time, urllib.request
spec = importlib.util.spec_from_file_location("seed", ${JSON.stringify(formatter)})
seed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(seed)

class Push(logging.Handler):
    def emit(self, record):
        values = [[str(time.time_ns()), self.format(record)]]
        body = json.dumps({"streams": [{"stream": {"job": "python"}, "values": values}]})
        request = urllib.request.Request(${JSON.stringify(`${tyto.baseUrl}loki/api/v1/push`)},
            data=body.encode(), headers={"Content-Type": "application/json"})
        assert urllib.request.urlopen(request).status == 204

logger = seed.setup_logging()
push = Push()
push.setFormatter(seed.JSONFormatter())
logger.addHandler(push)
logger.warning("disk %s", "full", extra={"extra": {"user": "kim", "took": 1.5}})
try:
    1 / 0
except ZeroDivisionError:
    logger.exception("it broke")
`;
  const directory = temporaryDirectory({ 'push.py': script });
  execFileSync('python3', [join(directory, 'push.py')], { cwd: directory, stdio: 'pipe' });
  await found('{job="python"}', 2);
  const has = async (filter: string) => (await ask(`{job="python"} | json | ${filter}`)).length;
  const filters = ['level="WARNING"', 'message="disk full"', 'module="push"', 'logger="app"'];
  const more = ['line > 10', 'user="kim"', 'took > 1', 'exception=~".*ZeroDivisionError.*"'];
  for (const filter of [...filters, ...more, 'detected_level="warn"']) {
    expect([filter, await has(filter)]).not.toEqual([filter, 0]);
  }
});

it('pino with pino-loki', async () => {
  const host = tyto.baseUrl.replace(/\/$/, '');
  const stream = pinoLoki({ host, labels: { application: 'pino' }, batching: false });
  const logger = pino({ level: 'debug' }, stream);
  logger.warn({ order: 17 }, 'slow');
  const [{ stream: labels }] = await found('{application="pino"} | json | order=17');
  expect(labels).toMatchObject({ service_name: 'pino', msg: 'slow' });
});

it('winston with winston-loki', async () => {
  const host = tyto.baseUrl.replace(/\/$/, '');
  const transport = new LokiTransport({
    host,
    labels: { app: 'winston' },
    interval: 1,
    json: true,
  });
  const logger = createLogger({ transports: [transport] });
  logger.error('it broke', { labels: { module: 'cart' } });
  const [{ stream }] = await found('{app="winston"}');
  expect(stream).toMatchObject({ module: 'cart', level: 'error', detected_level: 'error' });
  logger.close();
});

const exporters: [string, () => LogRecordExporter][] = [
  ['http-json', () => new JsonExporter({ url: `${tyto.baseUrl}v1/logs` })],
  ['http-protobuf', () => new ProtobufExporter({ url: `${tyto.baseUrl}otlp/v1/logs` })],
  ['grpc', () => new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}` })],
];

describe.each(exporters)("OpenTelemetry's exporter over %s", (name, create) => {
  it('has its records stored with severity, attributes and traces', async () => {
    const resource = resourceFromAttributes({ 'service.name': name, 'host.name': 'h1' });
    const processors = [new BatchLogRecordProcessor({ exporter: create() } as never)];
    const provider = new LoggerProvider({ resource, processors });
    atEnd(() => provider.shutdown().catch(() => undefined));
    const logger: OtelLogger = provider.getLogger('apptest');
    logger.emit({
      severityNumber: SeverityNumber.ERROR,
      severityText: 'ERROR',
      body: { message: 'it broke', tries: 3 },
      attributes: { 'http.route': '/cart' },
    });
    await provider.forceFlush();
    const [{ stream, values }] = await found(`{service_name="${name}"}`);
    expect(stream).toMatchObject({
      detected_level: 'error',
      host_name: 'h1',
      http_route: '/cart',
      scope_name: 'apptest',
      severity_text: 'ERROR',
    });
    expect(JSON.parse(values[0][1])).toEqual({ message: 'it broke', tries: 3 });
  });
});

const rsyslogd = programPath('rsyslogd');

it.skipIf(rsyslogd === undefined)('rsyslog, over TCP and UDP', async () => {
  const port = await freePort();
  const forward = (to: number, more: string) =>
    `action(type="omfwd" target="127.0.0.1" port="${to}" ${more} ` +
    'template="RSYSLOG_SyslogProtocol23Format")';
  const directory = temporaryDirectory();
  const config = [
    `global(workDirectory="${directory}")`,
    'module(load="imtcp")',
    `input(type="imtcp" port="${port}" address="127.0.0.1")`,
    forward(tcpPort, 'protocol="tcp" TCP_Framing="octet-counted"'),
    forward(udpPort, 'protocol="udp"'),
    '',
  ].join('\n');
  const file = writeIn(directory, 'rsyslog.conf', config);
  const pid = join(directory, 'rsyslog.pid');
  startProgram(rsyslogd ?? '', ['-n', '-f', file, '-i', pid], directory);
  const time = new Date().toISOString();
  const message = `<11>1 ${time} web1 cart 42 ID7 - payment failed: 결제\n`;
  await waitFor('rsyslog', async () => {
    const socket = connect(port, '127.0.0.1');
    return await new Promise<true | undefined>((resolve) => {
      socket.once('error', () => resolve(undefined));
      socket.once('connect', () => socket.end(message, () => resolve(true)));
    });
  });
  for (const selector of ['source=""', 'source="datagrams"']) {
    const [{ stream, values }] = await found(`{job="syslog", ${selector}}`);
    expect(stream).toMatchObject({
      service_name: 'cart',
      host: 'web1',
      facility: 'user',
      severity: 'error',
      proc_id: '42',
      detected_level: 'error',
    });
    expect(values[0][1]).toBe('payment failed: 결제');
  }
});

it('a live tail shows lines as they come', async () => {
  const query = encodeURIComponent('{service="tail"} |= "wanted"');
  const socket = new WebSocket(
    `${tyto.baseUrl.replace('http', 'ws')}loki/api/v1/tail?query=${query}`,
  );
  const lines: string[] = [];
  socket.on('message', (data) => lines.push(...linesOf(JSON.parse(String(data)).streams)));
  await new Promise((resolve) => socket.once('open', resolve));
  await pushLine('tail', 'wanted');
  await pushLine('tail', 'not this');
  await pushLine('tail', 'wanted too');
  await waitFor('lines of the tail', async () => (lines.length >= 2 ? true : undefined));
  expect(lines).toEqual(['wanted', 'wanted too']);
  socket.close();
});

async function pushLine(service: string, line: string): Promise<number> {
  const answer = await fetch(`${tyto.baseUrl}tyto/api/v1/logs?service=${service}`, {
    method: 'POST',
    body: line,
  });
  return answer.status;
}

it('rules over logs alert, and record series', async () => {
  expect(await pushLine('rules', 'an error')).toBe(204);
  await waitFor('the alert', async () => {
    const { alerts } = await tyto.api('alerts');
    return JSON.stringify(alerts).includes('ShopFails') ? true : undefined;
  });
  await waitFor('the series', async () => {
    const value = await tyto.value('service:errors:count1m{service="rules"}');
    return value === 1 ? true : undefined;
  });
  const rules = await tyto.get('prometheus/api/v1/rules');
  expect(rules.text).toContain('ShopFails');
});

it('what is acknowledged survives kill -9', async () => {
  const first = await startTyto({ config: 'host: false\n' });
  let acknowledged = 0;
  const push = async () => {
    for (let i = 0; ; i++) {
      const values = [[`${BigInt(Date.now()) * 1_000_000n}`, `line ${i}`]];
      const response = await fetch(`${first.baseUrl}loki/api/v1/push`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ streams: [{ stream: { app: 'killed' }, values }] }),
      }).catch(() => undefined);
      if (response?.status !== 204) return;
      acknowledged = i + 1;
    }
  };
  const pushing = push();
  await waitFor('pushes', async () => (acknowledged >= 20 ? true : undefined));
  await first.kill('SIGKILL');
  await pushing;
  const { dataDirectory, port } = first;
  const second = await startTyto({ config: 'host: false\n', dataDirectory, port });
  const query = encodeURIComponent('{app="killed"}');
  const answer = await second.get(`loki/api/v1/query_range?limit=5000&query=${query}`);
  const lines = new Set(linesOf(JSON.parse(answer.text).data.result));
  const missing = Array.from({ length: acknowledged }, (_, i) => `line ${i}`).filter(
    (line) => !lines.has(line),
  );
  expect(missing).toEqual([]);
});

it.each(['guide/loki/local-config.yaml', 'guide/optimised/loki-limits.yaml'])(
  "the seeds' %s loads",
  async (name) => {
    const path = seedPath(name);
    if (path === undefined) return;
    const own = await startTyto({ config: 'host: false\n', args: [`--loki.config.file=${path}`] });
    expect((await own.get('ready')).text).toBe('ready\n');
    expect((await own.get('config')).text).toContain('limits_config:');
    expect((await own.get('metrics')).status).toBe(200);
  },
);
