/**
 * Elasticsearch, as far as its senders need it: _bulk, and what Filebeat, Fluent Bit, Vector and
 * Logstash ask before they send. It is below /elasticsearch as well as at the root, where senders
 * take an address without a path.
 */
import { type BulkOutcome, readBulk } from '@tyto/collect';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type LokiPushOptions, rawBodies, receiveLogs } from './lokiPushApi.ts';
import { sendLokiError } from './lokiErrors.ts';

/** Senders refuse to work with what is older than themselves, and with what is no Elasticsearch. */
const VERSION = '8.15.0';
const PREFIX = '/elasticsearch';
const CLUSTER = 'tyto';
const PRODUCT = { 'x-elastic-product': 'Elasticsearch' };

const LICENSE = { license: { status: 'active', uid: CLUSTER, type: 'basic', mode: 'basic' } };
const HEALTH = { cluster_name: CLUSTER, status: 'green', timed_out: false, number_of_nodes: 1 };
const ABOUT = {
  name: CLUSTER,
  cluster_name: CLUSTER,
  cluster_uuid: CLUSTER,
  version: {
    number: VERSION,
    build_flavor: 'default',
    lucene_version: '9.11.1',
    minimum_wire_compatibility_version: '7.17.0',
    minimum_index_compatibility_version: '7.0.0',
  },
  tagline: 'You Know, for Search',
};

/** Templates, pipelines and policies: there are none, and none is needed. */
const MANAGED = ['_index_template', '_template', '_component_template', '_ilm/policy'];
const ACKNOWLEDGED = { acknowledged: true };

export function registerElasticApi(app: FastifyInstance, options: LokiPushOptions): void {
  rawBodies(app, options, (scope) => {
    for (const prefix of ['', PREFIX]) {
      for (const method of ['POST', 'PUT'] as const) {
        scope.route({ method, url: `${prefix}/_bulk`, handler: (...of) => bulk(...of, options) });
        scope.route({
          method,
          url: `${prefix}/:index/_bulk`,
          handler: (...of) => bulk(...of, options),
        });
      }
      registerQuestions(scope, prefix);
    }
    const about = (_: FastifyRequest, reply: FastifyReply) => reply.headers(PRODUCT).send(ABOUT);
    for (const url of [PREFIX, `${PREFIX}/`]) scope.get(url, about);
  });
}

/** Whether a request for `/` is one of Elasticsearch's clients, which take no page. */
export function isElasticClient({ headers }: FastifyRequest): boolean {
  const agent = headers['user-agent'] ?? '';
  return /filebeat|metricbeat|libbeat|logstash|elastic|fluent|vector\//i.test(agent);
}

export function sendElasticAbout(reply: FastifyReply): FastifyReply {
  return reply.headers(PRODUCT).type('application/json').send(JSON.stringify(ABOUT));
}

function registerQuestions(scope: FastifyInstance, prefix: string): void {
  const get = (url: string, body: unknown) =>
    scope.get(prefix + url, (_, reply) => reply.headers(PRODUCT).send(body));
  get('/_license', LICENSE);
  get('/_xpack', { features: {}, license: LICENSE.license });
  get('/_cluster/health', HEALTH);
  get('/_nodes/http', { cluster_name: CLUSTER, nodes: {} });
  get('/_cat/health', HEALTH);
  for (const kind of MANAGED) {
    scope.route({
      method: ['GET', 'PUT', 'POST', 'HEAD'],
      url: `${prefix}/${kind}/:name`,
      handler: (_, reply) => reply.headers(PRODUCT).send(ACKNOWLEDGED),
    });
  }
  scope.route({
    method: ['GET', 'PUT'],
    url: `${prefix}/_ingest/pipeline/:name`,
    handler: (_, reply) => reply.headers(PRODUCT).send(ACKNOWLEDGED),
  });
}

async function bulk(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LokiPushOptions,
): Promise<FastifyReply> {
  const startMs = options.clock.monotonicMs();
  const { index = '' } = request.params as { index?: string };
  const { outcome, decoded } = await receiveLogs(request, options, (bytes, batch) =>
    readBulk(new TextDecoder().decode(bytes), index, options.clock, batch),
  );
  // All is sent again that is not acknowledged, so refusals of a part are told of no item.
  const isRefused = outcome.status === 429 || outcome.status === 260;
  if (isRefused) return sendLokiError(reply, outcome.status, outcome.message);
  const tookMs = Math.round(options.clock.monotonicMs() - startMs);
  const errors = decoded.some(({ status }) => status !== 201);
  reply.headers(PRODUCT);
  return reply.send({ took: tookMs, errors, items: decoded.map(itemJson) });
}

function itemJson({ item, status, reason }: BulkOutcome) {
  const { action, index: _index, id } = item;
  const about = { _index, _id: id, status };
  if (status !== 201) {
    const error = { type: 'illegal_argument_exception', reason };
    return { [action]: { ...about, error } };
  }
  return { [action]: { ...about, _version: 1, result: 'created' } };
}
