/**
 * The rules over logs: those that are put in by namespace and group at /loki/api/v1/rules, and how
 * all of them fare at /prometheus/api/v1/rules and alerts.
 */
import type { RuleGroup, RuleManager } from '@tyto/alerting';
import { formatYaml, TytoError } from '@tyto/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LogRules } from '../logs/logRules.ts';
import type { LogService } from '../logs/logService.ts';
import { sendData } from './envelope.ts';
import { paramsOf } from './params.ts';
import { alertsData, rulesData } from './rulesApi.ts';

export interface LokiRulesOptions {
  readonly logs: LogService;
  readonly logRules: LogRules;
  readonly rules: RuleManager;
  /** Puts the rules that are stored now in force. */
  onLogRules(): Promise<void>;
}

const ROOTS = ['/loki/api/v1/rules', '/api/prom/rules'];
const BODY_BYTES_MAX = 1024 * 1024;
const YAML = 'application/yaml; charset=utf-8';

interface Named {
  readonly namespace?: string;
  readonly group?: string;
}

export function registerLokiRulesApi(scope: FastifyInstance, options: LokiRulesOptions): void {
  const { logs, logRules } = options;
  const tenantOf = (request: FastifyRequest) => logs.tenantOf(request.headers['x-scope-orgid']);
  scope.register(async (raw) => {
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: BODY_BYTES_MAX },
      (_, body, done) => done(null, body),
    );
    for (const root of ROOTS) {
      raw.get(root, (request, reply) => list(tenantOf(request), {}, reply, logRules));
      raw.get(`${root}/:namespace`, (request, reply) =>
        list(tenantOf(request), request.params as Named, reply, logRules),
      );
      raw.get(`${root}/:namespace/:group`, (request, reply) =>
        list(tenantOf(request), request.params as Named, reply, logRules),
      );
      raw.post(`${root}/:namespace`, async (request, reply) => {
        const { namespace = '' } = request.params as Named;
        await logRules.put(tenantOf(request), namespace, String(request.body ?? ''));
        return await accepted(reply, options);
      });
      for (const url of [`${root}/:namespace`, `${root}/:namespace/:group`]) {
        raw.delete(url, async (request, reply) => {
          const { namespace = '', group } = request.params as Named;
          await logRules.remove(tenantOf(request), namespace, group);
          return await accepted(reply, options);
        });
      }
    }
  });
  const groupsOf = (request: FastifyRequest): RuleGroup[] => {
    const tenant = tenantOf(request);
    return options.rules.groups.filter(({ config }) => config.logs?.tenant === tenant);
  };
  scope.get('/prometheus/api/v1/rules', async (request, reply) =>
    sendData(reply, rulesData(groupsOf(request), paramsOf(request))),
  );
  scope.get('/prometheus/api/v1/alerts', async (request, reply) =>
    sendData(reply, alertsData(groupsOf(request))),
  );
}

async function accepted(reply: FastifyReply, options: LokiRulesOptions): Promise<FastifyReply> {
  await options.onLogRules();
  return reply.code(202).send({ status: 'success', data: null, errorType: '', error: '' });
}

async function list(
  tenant: string,
  { namespace, group }: Named,
  reply: FastifyReply,
  logRules: LogRules,
): Promise<FastifyReply> {
  const namespaces = logRules.of(tenant);
  const wanted = [...namespaces].filter(([name]) => namespace === undefined || name === namespace);
  if (wanted.length === 0) throw new TytoError('not_found', 'no rule groups found');
  if (group !== undefined) {
    const found = wanted[0][1].get(group);
    if (found === undefined) throw new TytoError('not_found', 'group does not exist');
    return reply.type(YAML).send(formatYaml(found));
  }
  const shown = Object.fromEntries(wanted.map(([name, groups]) => [name, [...groups.values()]]));
  return reply.type(YAML).send(formatYaml(shown));
}
