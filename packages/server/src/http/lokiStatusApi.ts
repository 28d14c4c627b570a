/**
 * What Loki tells of itself. Tyto is one process: rings have one member, shutting down is for
 * /-/quit, and nothing waits to be flushed that was acknowledged.
 */
import type { FastifyInstance } from 'fastify';
import type { LogsConfig } from '../config/logsConfig.ts';
import type { LogService } from '../logs/logService.ts';
import { BUILD_INFO } from './statusApi.ts';

export interface LokiStatusOptions {
  readonly logs: LogService;
  isReady(): boolean;
}

/** Grafana turns on what it knows of this version; all of it is here. */
const LOKI_VERSION = '3.8.0';
const SERVICES = ['server', 'distributor', 'ingester', 'querier', 'ruler', 'compactor', 'store'];
const RINGS = [
  '/ring',
  '/distributor/ring',
  '/indexgateway/ring',
  '/ruler/ring',
  '/compactor/ring',
  '/scheduler/ring',
  '/memberlist',
];

export function registerLokiStatusApi(scope: FastifyInstance, options: LokiStatusOptions): void {
  const { logs } = options;
  const buildInfo = { ...BUILD_INFO, version: LOKI_VERSION };
  scope.get('/loki/api/v1/status/buildinfo', async (_, reply) => reply.send(buildInfo));
  scope.get('/ready', async (_, reply) => {
    const isReady = options.isReady();
    reply.code(isReady ? 200 : 503).type('text/plain; charset=utf-8');
    return reply.send(isReady ? 'ready\n' : 'Tyto is starting\n');
  });
  scope.get('/services', async (_, reply) => {
    const state = options.isReady() ? 'Running' : 'Starting';
    const lines = SERVICES.map((name) => `${name} => ${state}\n`);
    return reply.type('text/plain; charset=utf-8').send(lines.join(''));
  });
  scope.get('/loki/api/v1/status/config', async (_, reply) =>
    reply.type('text/yaml; charset=utf-8').send(configText(logs.config)),
  );
  scope.get('/log_level', async (_, reply) => reply.send({ message: 'Current log level is info' }));
  scope.post('/log_level', async (_, reply) => {
    const message = 'the level of the log is set at the start, by --log.level';
    return reply.code(400).send({ message, status: 'failed' });
  });
  for (const url of RINGS) {
    scope.get(url, async (_, reply) =>
      reply.send({ shards: [{ id: 'tyto', state: 'ACTIVE', zone: '', tokens: [] }] }),
    );
  }
  scope.route({
    method: ['GET', 'POST'],
    url: '/flush',
    handler: async (_, reply) => reply.code(204).send(),
  });
  for (const url of ['/ingester/prepare_shutdown', '/ingester/shutdown']) {
    scope.route({
      method: ['GET', 'POST', 'DELETE'],
      url,
      handler: async (_, reply) =>
        reply.code(501).type('text/plain').send('Tyto is one process; see POST /-/quit\n'),
    });
  }
  scope.get('/loki/api/v1/drilldown-limits', async (request, reply) => {
    const limits = logs.limitsOf(logs.tenantOf(request.headers['x-scope-orgid']));
    return reply.send({
      limits: {
        discover_log_levels: limits.discoversLevels,
        discover_service_name: limits.serviceNameLabels,
        max_entries_limit_per_query: limits.query.entriesMax,
        max_line_size_truncate: limits.truncatesLines,
        max_query_bytes_read: '0B',
        max_query_length: seconds(limits.query.lengthMsMax),
        max_query_lookback: seconds(limits.query.lookbackMs),
        max_query_range: '0s',
        max_query_series: limits.query.seriesMax,
        query_timeout: seconds(limits.query.timeoutMs),
        retention_period: seconds(logs.config.retention.periodMs),
        volume_enabled: true,
        volume_max_series: limits.query.volumeSeriesMax,
      },
      pattern_ingester_enabled: true,
      version: LOKI_VERSION,
      maxDetectedFields: 1000,
      maxDetectedValues: 1000,
      maxLabelValues: 1000,
      maxLinesPerQuery: limits.query.entriesMax,
    });
  });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)}s`;
}

/** What is in force, under Loki's names. */
export function configText({ authEnabled, limits, retention, deleteCancelMs }: LogsConfig): string {
  return [
    `auth_enabled: ${authEnabled ?? false}`,
    'limits_config:',
    `  ingestion_rate_mb: ${limits.ingestionRate / 2 ** 20}`,
    `  ingestion_burst_size_mb: ${limits.ingestionBurst / 2 ** 20}`,
    `  per_stream_rate_limit: ${limits.streamRate}`,
    `  per_stream_rate_limit_burst: ${limits.streamBurst}`,
    `  max_line_size: ${limits.lineBytesMax}`,
    `  max_line_size_truncate: ${limits.truncatesLines}`,
    `  max_label_names_per_series: ${limits.labelCountMax}`,
    `  max_label_name_length: ${limits.labelNameLengthMax}`,
    `  max_label_value_length: ${limits.labelValueLengthMax}`,
    `  reject_old_samples: ${limits.rejectsOldSamples}`,
    `  reject_old_samples_max_age: ${seconds(limits.sampleAgeMsMax)}`,
    `  creation_grace_period: ${seconds(limits.aheadMsMax)}`,
    `  max_global_streams_per_user: ${limits.streamsMax}`,
    `  max_entries_limit_per_query: ${limits.query.entriesMax}`,
    `  max_query_series: ${limits.query.seriesMax}`,
    `  max_query_length: ${seconds(limits.query.lengthMsMax)}`,
    `  query_timeout: ${seconds(limits.query.timeoutMs)}`,
    `  max_concurrent_tail_requests: ${limits.query.tailsMax}`,
    `  retention_period: ${seconds(retention.periodMs)}`,
    'compactor:',
    `  delete_request_cancel_period: ${seconds(deleteCancelMs)}`,
    '',
  ].join('\n');
}
