/** All routes of logs: Loki's, Elasticsearch's and Tyto's own. */
import type { FastifyInstance } from 'fastify';
import { isElasticClient, registerElasticApi, sendElasticAbout } from './elasticApi.ts';
import { registerLogPatternsApi, registerLokiPatternsApi } from './logPatternsApi.ts';
import { registerLogsApi } from './logsApi.ts';
import { registerLokiDeleteApi } from './lokiDeleteApi.ts';
import { registerLokiErrors } from './lokiErrors.ts';
import { registerLokiFieldsApi } from './lokiFieldsApi.ts';
import { registerLokiIndexApi } from './lokiIndexApi.ts';
import { type LokiPushOptions, registerLokiPushApi } from './lokiPushApi.ts';
import { registerLokiQueryApi } from './lokiQueryApi.ts';
import { type LokiRulesOptions, registerLokiRulesApi } from './lokiRulesApi.ts';
import { registerSqlApi, type SqlApiOptions } from './sqlApi.ts';
import { configText, type LokiStatusOptions, registerLokiStatusApi } from './lokiStatusApi.ts';

export interface LogRoutesOptions
  extends LokiPushOptions,
    LokiRulesOptions,
    LokiStatusOptions,
    Pick<SqlApiOptions, 'columnar'> {}

/** A query that wants too much is one to be changed, as in Loki; a body may be too large. */
const TOO_LARGE = 400;

export function registerLogRoutes(app: FastifyInstance, options: LogRoutesOptions): void {
  registerLokiPushApi(app, options);
  registerElasticApi(app, options);
  registerLogsApi(app, options);
  registerLogPatternsApi(app, options);
  const { columnar, logs } = options;
  registerSqlApi(app, {
    columnar,
    tenantOf: ({ headers }) => logs.tenantOf(headers['x-scope-orgid']),
  });
  app.register(async (scope) => {
    registerLokiErrors(scope, options.logger, TOO_LARGE);
    registerLokiQueryApi(scope, options);
    registerLokiIndexApi(scope, options);
    registerLokiFieldsApi(scope, options);
    registerLokiPatternsApi(scope, options);
    registerLokiDeleteApi(scope, options);
    registerLokiRulesApi(scope, options);
    registerLokiStatusApi(scope, options);
  });
  // At these two people get the page, and programs what they came for.
  app.addHook('onRequest', async (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const path = request.url.split('?', 1)[0];
    if (path === '/' && isElasticClient(request)) return sendElasticAbout(reply);
    if (path !== '/config' || /text\/html/.test(request.headers.accept ?? '')) return undefined;
    return reply.type('text/yaml; charset=utf-8').send(configText(options.logs.config));
  });
}
