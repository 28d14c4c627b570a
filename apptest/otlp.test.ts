/** OpenTelemetry's own exporters, over HTTP in both encodings and over gRPC. */
import { connect, type ClientHttp2Stream, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { TraceFlags, type Context, type Meter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPMetricExporter as GrpcExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as JsonExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { beforeAll, describe, expect, it } from 'vitest';
import { atEnd, freePort, startTyto, type Tyto } from './harness.ts';

const CONFIG = `
global: { scrape_interval: 1s }
otlp:
  promote_resource_attributes: [deployment.environment]
`;

let tyto: Tyto;
let grpcPort: number;

beforeAll(async () => {
  grpcPort = await freePort();
  const args = [`--otlp.grpc-listen-address=127.0.0.1:${grpcPort}`];
  tyto = await startTyto({ config: CONFIG, args });
});

/** A service with this exporter; `flush` sends what was measured. */
function service(
  name: string,
  exporter: PushMetricExporter,
): { meter: Meter; flush(): Promise<void> } {
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': name,
      'service.instance.id': 'one',
      'deployment.environment': 'test',
      'host.name': 'h1',
    }),
    readers: [reader],
    views: [
      {
        instrumentName: 'size.exponential',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
      },
    ],
  });
  atEnd(() => provider.shutdown().catch(() => undefined));
  return { meter: provider.getMeter('apptest'), flush: () => provider.forceFlush() };
}

const url = (path: string) => `${tyto.baseUrl}${path}`;
const exporters: [string, () => PushMetricExporter][] = [
  ['protobuf', () => new ProtobufExporter({ url: url('v1/metrics') })],
  [
    'json',
    () => new JsonExporter({ url: url('api/v1/otlp/v1/metrics'), compression: 'gzip' as never }),
  ],
  ['grpc', () => new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}` })],
  [
    'grpc-gzip',
    () => new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}`, compression: 'gzip' as never }),
  ],
];

function traced(): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  });
}

describe.each(exporters)('the exporter over %s', (name, create) => {
  it('has all of its instruments stored', async () => {
    const { meter, flush } = service(name, create());
    meter.createCounter('http.requests', { unit: '{request}' }).add(3, { 'http.method': 'GET' });
    meter.createUpDownCounter('queue.length').add(-2, {}, traced());
    meter.createObservableGauge('cpu.utilization', { unit: '1' }).addCallback((result) => {
      result.observe(0.25);
    });
    const duration = meter.createHistogram('http.duration', {
      unit: 's',
      advice: { explicitBucketBoundaries: [0.1, 1] },
    });
    for (const value of [0.05, 0.5, 5]) duration.record(value);
    const size = meter.createHistogram('size.exponential', { unit: 'By' });
    for (const value of [1, 2, 1000]) size.record(value);
    await flush();
    const job = `job="${name}", instance="one", deployment_environment="test"`;
    expect(await tyto.value(`http_requests_total{${job}, http_method="GET"}`)).toBe(3);
    expect(await tyto.value(`queue_length{${job}}`)).toBe(-2);
    expect(await tyto.value(`cpu_utilization_ratio{${job}}`)).toBe(0.25);
    expect(await tyto.value(`http_duration_seconds_count{${job}}`)).toBe(3);
    expect(await tyto.value(`http_duration_seconds_bucket{${job}, le="1.0"}`)).toBe(2);
    expect(await tyto.value(`http_duration_seconds_bucket{${job}, le="+Inf"}`)).toBe(3);
    expect(await tyto.value(`histogram_count(size_exponential_bytes{${job}})`)).toBe(3);
    expect(await tyto.value(`histogram_sum(size_exponential_bytes{${job}})`)).toBe(1003);
    const [info] = await tyto.query(`target_info{job="${name}"}`);
    expect(info.metric).toMatchObject({ host_name: 'h1', instance: 'one' });
  });
});

it('deltas are added up', async () => {
  const temporalityPreference = AggregationTemporalityPreference.DELTA;
  const exporter = new ProtobufExporter({ url: url('v1/metrics'), temporalityPreference });
  const { meter, flush } = service('delta', exporter);
  const counter = meter.createCounter('jobs');
  const histogram = meter.createHistogram('size.exponential');
  for (const value of [2, 3]) {
    counter.add(value);
    histogram.record(value);
    await flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await tyto.value('jobs_total{job="delta"}')).toBe(5);
  expect(await tyto.value('histogram_sum(size_exponential{job="delta"})')).toBe(5);
  expect((await tyto.get('metrics')).text).toContain('tyto_otlp_delta_series 2');
});

it('the configuration is taken over by a reload', async () => {
  tyto.writeConfig(`${CONFIG}  translation_strategy: NoTranslation\n`);
  expect((await tyto.post('-/reload')).status).toBe(200);
  const { meter, flush } = service('dots', new ProtobufExporter({ url: url('v1/metrics') }));
  meter.createCounter('http.requests').add(1);
  await flush();
  expect(await tyto.value('{"http.requests", job="dots"}')).toBe(1);
});

describe('what is no request', () => {
  const post = async (body: string | Buffer, headers: Record<string, string>) => {
    const response = await fetch(url('v1/metrics'), {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  const json = { 'content-type': 'application/json' };

  it('is told so in the encoding of the request', async () => {
    expect(await post('{', json)).toMatchObject({ status: 400, type: 'application/json' });
    expect(await post('{}', json)).toEqual({ status: 200, type: 'application/json', text: '{}' });
    const protobuf = { 'content-type': 'application/x-protobuf' };
    expect(await post('x', protobuf)).toMatchObject({
      status: 400,
      type: 'application/x-protobuf',
    });
    expect(await post('', protobuf)).toMatchObject({ status: 200, text: '' });
    expect(await post('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await post('{}', { ...json, 'content-encoding': 'br' })).toMatchObject({ status: 415 });
    const gzip = { ...json, 'content-encoding': 'gzip' };
    expect(await post('{}', gzip)).toMatchObject({ status: 400 });
    const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
    expect(await post(bomb, gzip)).toMatchObject({ status: 413 });
    expect((await tyto.get('metrics')).text).toContain('tyto_remote_write_held_body_bytes 0');
  });

  it('tells how many points were rejected, and keeps the rest', async () => {
    const timeUnixNano = `${Date.now()}000000`;
    const dataPoints = [{ asInt: '1', timeUnixNano }];
    const metrics = [
      { name: 'kept', gauge: { dataPoints } },
      { name: 'lost', sum: { dataPoints } },
    ];
    const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    const answer = await post(body, json);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ partialSuccess: { rejectedDataPoints: '1' } });
    expect(await tyto.value('kept')).toBe(1);
  });

  it('is answered over gRPC, too, and the connection lives on', async () => {
    const session = connect(`http://127.0.0.1:${grpcPort}`);
    const call = (path: string, body: Buffer, headers = {}) =>
      new Promise<string>((resolve, reject) => {
        const stream: ClientHttp2Stream = session.request({
          [constants.HTTP2_HEADER_METHOD]: 'POST',
          [constants.HTTP2_HEADER_PATH]: path,
          'content-type': 'application/grpc',
          ...headers,
        });
        let status = '';
        const note = (found: Record<string, unknown>) => {
          status = String(found['grpc-status'] ?? status);
        };
        stream.on('response', note).on('trailers', note).on('error', reject);
        stream.on('close', () => resolve(status));
        stream.resume();
        stream.end(body);
      });
    const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
    expect(await call('/other/Method', Buffer.alloc(5))).toBe('12');
    expect(await call(path, Buffer.from([0, 0, 0, 0, 9]))).toBe('12');
    expect(await call(path, Buffer.from([0, 0, 0, 0, 1, 0xff]))).toBe('3');
    expect(await call(path, Buffer.from([1, 0, 0, 0, 1, 0xff]), { 'grpc-encoding': 'gzip' })).toBe(
      '3',
    );
    expect(await call(path, Buffer.alloc(5), { 'content-length': '99999999' })).toBe('8');
    expect(await call(path, Buffer.alloc(5))).toBe('0');
    session.close();
  });

  it('is 404 where receiving is switched off', async () => {
    const deaf = await startTyto({ args: ['--no-web.enable-otlp-receiver'] });
    const answer = await deaf.post('v1/metrics');
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('--web.enable-otlp-receiver');
  });
});
