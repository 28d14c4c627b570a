/** One port for everything: the APIs, self metrics, lifecycle, and the web UI. */
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { SelfMetrics } from '../metrics/selfMetrics.ts';
import { type AdminApiOptions, registerAdminApi } from './adminApi.ts';
import { type AlertmanagerApiOptions, registerAlertmanagerApi } from './alertmanagerApi.ts';
import { registerCompression } from './compression.ts';
import { errorBody, statusOfError } from './envelope.ts';
import { registerExplainApi } from './explainApi.ts';
import { type FeaturesApiOptions, registerFeaturesApi } from './featuresApi.ts';
import { type FederateOptions, registerFederate } from './federate.ts';
import { type IncidentsApiOptions, registerIncidentsApi } from './incidentsApi.ts';
import { Methods } from './methods.ts';
import { type LogRoutesOptions, registerLogRoutes } from './logRoutes.ts';
import { type NotificationsApiOptions, registerNotificationsApi } from './notificationsApi.ts';
import { registerOpenApi } from './openapiApi.ts';
import { type OriginsOptions, registerOrigins } from './origins.ts';
import { type OtlpApiOptions, registerOtlpApi } from './otlpApi.ts';
import { type ProfilingApiOptions, registerProfilingApi } from './profilingApi.ts';
import { type PrometheusApiOptions, registerPrometheusApi } from './prometheusApi.ts';
import { type PushApiOptions, registerPushApi } from './pushApi.ts';
import { type QueriesApiOptions, registerQueriesApi } from './queriesApi.ts';
import { type ReadApiOptions, registerReadApi } from './readApi.ts';
import { registerRulesApi, type RulesApiOptions } from './rulesApi.ts';
import { registerSearchApi, type SearchApiOptions } from './searchApi.ts';
import { registerSqlApi, type SqlApiOptions } from './sqlApi.ts';
import { BUILD_INFO, registerStatusApi, type StatusApiOptions } from './statusApi.ts';
import { registerTargetsApi, type TargetsApiOptions } from './targetsApi.ts';
import { registerWebUi } from './webUi.ts';
import { registerWriteApi, type WriteApiOptions } from './writeApi.ts';

export interface HttpServerOptions
  extends PrometheusApiOptions,
    StatusApiOptions,
    TargetsApiOptions,
    RulesApiOptions,
    SearchApiOptions,
    FeaturesApiOptions,
    NotificationsApiOptions,
    ProfilingApiOptions,
    OriginsOptions,
    AlertmanagerApiOptions,
    IncidentsApiOptions,
    OtlpApiOptions,
    PushApiOptions,
    FederateOptions,
    ReadApiOptions,
    LogRoutesOptions,
    QueriesApiOptions,
    WriteApiOptions,
    AdminApiOptions {
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
  /** Where people reach Tyto; its path is the prefix of all routes. */
  readonly externalUrl: string;
  readonly lifecycle: boolean;
  /** Without it there is no SQL over logs. */
  readonly sql?: SqlApiOptions | undefined;
  isReady(): boolean;
  /** Rejects with what is wrong with the new configuration. */
  reload(): Promise<void>;
  quit(): void;
}

/** A request's body; alerts and queries are far smaller. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
const HEADER_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 5 * 60_000;

/** `methods` notes the routes. */
export async function createHttpServer(
  options: HttpServerOptions,
  methods = new Methods(),
): Promise<FastifyInstance> {
  const prefix = new URL(options.externalUrl).pathname.replace(/\/+$/, '');
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4096 },
    // Links hold whole queries, and proxies add headers of their own.
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    rewriteUrl: (request) => stripPrefix(request.url ?? '/', prefix),
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_, body, done) => done(null, new URLSearchParams(String(body))),
  );
  registerErrors(app, options.logger);
  registerGuards(app, options);
  methods.watch(app);
  registerOrigins(app, options);
  registerCompression(app);
  registerLifecycle(app, options);
  registerPrometheusApi(app, options);
  registerTargetsApi(app, options);
  registerRulesApi(app, options);
  registerStatusApi(app, options);
  registerSearchApi(app, options);
  if (options.sql !== undefined) registerSqlApi(app, options.sql);
  registerFeaturesApi(app, options);
  registerNotificationsApi(app, options);
  registerOpenApi(app, options);
  registerProfilingApi(app, options);
  registerQueriesApi(app, options);
  registerExplainApi(app, options);
  registerAlertmanagerApi(app, options);
  registerIncidentsApi(app, options);
  registerWriteApi(app, options);
  registerAdminApi(app, options);
  registerOtlpApi(app, options);
  registerPushApi(app, options);
  registerReadApi(app, options);
  registerFederate(app, options);
  registerLogRoutes(app, options);
  await registerWebUi(app, prefix, methods);
  return app;
}

function stripPrefix(url: string, prefix: string): string {
  if (prefix === '' || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function registerErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler(async (error, request, reply) => {
    const status = statusOfError(error);
    if (status >= 500 && !(error instanceof TytoError)) {
      logger.error('a request failed', {
        url: request.url,
        error: errorMessage(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
    }
    return sendError(error, request, reply);
  });
}

/** Alertmanager's API answers errors with a JSON string, Prometheus' with an envelope. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.code(statusOfError(error));
  const body = errorBody(error);
  if (request.url.startsWith('/api/v2/')) {
    return reply.type('application/json').send(JSON.stringify(body.error));
  }
  if (!/^\/(tyto\/)?api\//.test(request.url))
    return reply.type('text/plain').send(`${body.error}\n`);
  return reply.type('application/json').send(JSON.stringify({ status: 'error', ...body }));
}

function registerGuards(app: FastifyInstance, options: HttpServerOptions): void {
  const { metrics, backends } = options;
  app.addHook('onSend', async (_, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'same-origin');
    reply.header('x-frame-options', 'SAMEORIGIN');
  });
  app.addHook('onResponse', async (request, reply) => {
    if (backends.isRehearsed(request)) return;
    const handler = request.routeOptions.url ?? 'other';
    metrics.httpRequests.inc({ handler, code: String(reply.statusCode) });
    metrics.httpDuration.observe({ handler }, reply.elapsedTime / 1000);
  });
}

function registerLifecycle(app: FastifyInstance, options: HttpServerOptions): void {
  app.get('/-/healthy', async (_, reply) => reply.type('text/plain').send('Tyto is Healthy.\n'));
  app.get('/-/ready', async (_, reply) => {
    const ready = options.isReady();
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'Tyto is Ready.\n' : 'Tyto is not ready.\n');
  });
  app.get('/version', async () => BUILD_INFO);
  app.get('/metrics', async (_, reply) =>
    reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()),
  );
  app.route({
    method: ['POST', 'PUT'],
    url: '/-/reload',
    handler: async (_, reply) => {
      requireLifecycle(options.lifecycle);
      try {
        await options.reload();
      } catch (error) {
        const message = `failed to reload config: ${errorMessage(error)}\n`;
        return reply.code(500).type('text/plain').send(message);
      }
      return reply.code(200).send();
    },
  });
  app.route({
    method: ['POST', 'PUT'],
    url: '/-/quit',
    handler: async (_, reply) => {
      requireLifecycle(options.lifecycle);
      setImmediate(() => options.quit());
      return reply.type('text/plain').send('Requesting termination... Goodbye!');
    },
  });
}

function requireLifecycle(lifecycle: boolean): void {
  if (lifecycle) return;
  throw Object.assign(new Error('Lifecycle API is not enabled.'), { statusCode: 403 });
}
