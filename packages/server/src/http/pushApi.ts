/**
 * Pushgateway's API: PUT, POST and DELETE of /metrics/job/…, and what is there as JSON at
 * /api/v1/metrics. What is pushed is not at /metrics, where Tyto's own metrics are: it is stored.
 */
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorCode, errorMessage, TytoError } from '@tyto/base';
import {
  expositionFormat,
  groupingKey,
  PUSH_BODY_BYTES_MAX,
  type PushGateway,
  type PushGroup,
  type ScrapeFormat,
} from '@tyto/collect';
import { Labels } from '@tyto/model';
import type { ExposedFamily, ExposedMetric } from '@tyto/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, sendData, statusOfError } from './envelope.ts';
import { BodyRefusal, type HeldBodies, type HeldBody } from './heldBodies.ts';

export interface PushApiOptions {
  readonly pushes: PushGateway;
  readonly receivedBodies: HeldBodies;
  /** Whether everything may be deleted at once. */
  readonly isAdminApiEnabled: boolean;
  /** Called after each change. */
  onPush(): void;
}

const PREFIX = '/metrics/';
const TEXT = 'text/plain; charset=utf-8';

export function registerPushApi(app: FastifyInstance, options: PushApiOptions): void {
  const { pushes } = options;
  app.get('/api/v1/metrics', async (_, reply) =>
    sendData(reply, pushes.groups().map(describeGroup)),
  );
  // A scope of its own: only here bodies of any type are read as they come.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) =>
      options.receivedBodies.read(payload),
    );
    scope.setErrorHandler((error, _, reply) => {
      const status = statusOfError(error);
      const message = error instanceof BodyRefusal ? error.message : errorBody(error).error;
      return reply.code(status).type(TEXT).send(`${message}\n`);
    });
    for (const url of [`${PREFIX}job/*`, `${PREFIX}job@base64/*`]) {
      scope.route({
        method: ['PUT', 'POST', 'DELETE'],
        url,
        handler: (request, reply) => change(request, reply, options),
      });
    }
    scope.route({
      method: 'PUT',
      url: '/api/v1/admin/wipe',
      handler: async (_, reply) => {
        if (!options.isAdminApiEnabled) {
          throw new BodyRefusal(403, 'the admin API is switched on with --web.enable-admin-api');
        }
        pushes.wipe();
        options.onPush();
        return reply.code(202).send();
      },
    });
  });
}

async function change(
  request: FastifyRequest,
  reply: FastifyReply,
  options: PushApiOptions,
): Promise<FastifyReply> {
  const { pushes } = options;
  const held = request.body as HeldBody | undefined;
  try {
    const path = request.url.split('?', 1)[0].slice(PREFIX.length).replace(/\/$/, '');
    const labels = groupingKey(path);
    if (request.method === 'DELETE') {
      pushes.delete(labels);
      return reply.code(202).send();
    }
    const body = await bodyOf(request, Buffer.concat(held?.pieces ?? []));
    pushes.push(labels, body, formatOf(request), request.method === 'PUT');
    return reply.code(200).send();
  } finally {
    held?.release();
    options.onPush();
  }
}

async function bodyOf(request: FastifyRequest, body: Buffer): Promise<Uint8Array> {
  const compression = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (!['', 'identity', 'gzip'].includes(compression)) {
    throw new BodyRefusal(415, `the encoding ${compression} is not taken; gzip is`);
  }
  const tooLarge = `the body is larger than ${PUSH_BODY_BYTES_MAX} bytes`;
  if (body.length > PUSH_BODY_BYTES_MAX) throw new BodyRefusal(413, tooLarge);
  if (compression !== 'gzip') return body;
  try {
    return await promisify(gunzip)(body, { maxOutputLength: PUSH_BODY_BYTES_MAX });
  } catch (error) {
    if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') throw new BodyRefusal(413, tooLarge);
    throw new TytoError('bad_data', `the body is no gzip: ${errorMessage(error)}`);
  }
}

/** What says nothing of itself is text, whatever curl says. */
function formatOf(request: FastifyRequest): ScrapeFormat {
  return expositionFormat(request.headers['content-type'] ?? '', 'PrometheusText0.0.4');
}

/** In the shape of Pushgateway. */
function describeGroup({ labels, families, isLastSuccessful }: PushGroup): object {
  const described = families.map(({ family, pushedMs }) => [
    family.name,
    {
      time_stamp: new Date(pushedMs).toISOString(),
      type: family.type === 'unknown' ? 'UNTYPED' : family.type.toUpperCase(),
      help: family.help,
      metrics: family.metrics.map((metric) => describeMetric(family, metric, labels)),
    },
  ]);
  return {
    ...Object.fromEntries(described),
    labels: Object.fromEntries(labels),
    last_push_successful: isLastSuccessful,
  };
}

function describeMetric(
  family: ExposedFamily,
  metric: ExposedMetric,
  group: ReadonlyMap<string, string>,
): object {
  const labels = {
    instance: '',
    ...Labels.fromEntries([...metric.labels.entries(), ...group]).toRecord(),
  };
  const totals = { count: String(metric.count), sum: String(metric.sum) };
  const texts = (values: ReadonlyMap<number, number>) =>
    Object.fromEntries([...values].map(([key, value]) => [numberText(key), numberText(value)]));
  if (family.type === 'summary') return { labels, quantiles: texts(metric.quantiles), ...totals };
  if (family.type === 'histogram' || family.type === 'gaugehistogram') {
    return { labels, buckets: texts(metric.buckets), ...totals };
  }
  return { labels, value: numberText(metric.value) };
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
