/**
 * Logs that are sent: Loki's push (/loki/api/v1/push, and the older /api/prom/push),
 * OpenTelemetry's (/otlp/v1/logs and /v1/logs), and lines as curl sends them
 * (/tyto/api/v1/logs?service_name=shop). What is answered with 204 is stored for good.
 */
import type { IncomingMessage } from 'node:http';
import { errorMessage, type Clock, type Logger, TytoError } from '@tyto/base';
import { type LogBatch, type LogOutcome, readLines, readOtlpLogs } from '@tyto/collect';
import { Labels } from '@tyto/model';
import {
  encodeOtlpResponse,
  encodeOtlpStatus,
  type OtlpEncoding,
  walkLegacyPushJson,
  walkLokiPush,
  walkLokiPushJson,
} from '@tyto/wire';
import { decodeSnappy } from '@tyto/kernels';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { codingOf, LOG_BODY_BYTES_MAX, type LogBodies } from '../logs/logBodies.ts';
import type { LogService } from '../logs/logService.ts';
import type { HeldBodies, HeldBody } from './heldBodies.ts';
import { lokiMessage, lokiStatus, registerLokiErrors, sendLokiError } from './lokiErrors.ts';
import { grpcCode } from './otlpApi.ts';

export interface LokiPushOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logs: LogService;
  readonly logBodies: LogBodies;
  /** Not those of metrics: logs that wait for their store must not keep metrics out. */
  readonly heldLogBodies: HeldBodies;
}

/** Parsed, JSON takes several times its size. */
const JSON_BYTES_MAX = 32 * 1024 * 1024;
const decoder = new TextDecoder();

export function registerLokiPushApi(app: FastifyInstance, options: LokiPushOptions): void {
  rawBodies(app, options, (scope) => {
    scope.post('/loki/api/v1/push', (request, reply) => push(request, reply, options, false));
    scope.post('/api/prom/push', (request, reply) => push(request, reply, options, true));
    scope.post('/tyto/api/v1/logs', (request, reply) => pushLines(request, reply, options));
    for (const url of ['/otlp/v1/logs', '/v1/logs']) {
      scope.post(url, (request, reply) => pushOtlp(request, reply, options));
    }
  });
}

/** A scope of its own: only here bodies of any type are read as they come. */
export function rawBodies(
  app: FastifyInstance,
  { heldLogBodies, logger }: LokiPushOptions,
  routes: (scope: FastifyInstance) => void,
): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) =>
      heldLogBodies.read(payload),
    );
    registerLokiErrors(scope, logger);
    routes(scope);
  });
}

/** Decodes a body into a batch of the request's tenant, and stores it. */
export async function receiveLogs<T>(
  request: FastifyRequest,
  { logs, logBodies }: LokiPushOptions,
  decode: (bytes: Uint8Array, batch: LogBatch) => T,
): Promise<{ outcome: LogOutcome; decoded: T }> {
  const held = request.body as HeldBody | undefined;
  try {
    const tenant = logs.tenantOf(request.headers['x-scope-orgid']);
    const batch = logs.receiver.batch(tenant);
    const coding = codingOf(request.headers['content-encoding']);
    return await logBodies.take(
      Buffer.concat(held?.pieces ?? []),
      coding,
      (bytes) => decode(bytes, batch),
      async (decoded) => ({ outcome: await logs.receiver.store(tenant, batch), decoded }),
    );
  } finally {
    held?.release();
  }
}

async function push(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LokiPushOptions,
  isLegacy: boolean,
): Promise<FastifyReply> {
  const isJson = mediaType(request) === 'application/json';
  // Without a name of its own Snappy is meant by protobuf, and undone once.
  const isPacked = !isJson && codingOf(request.headers['content-encoding']) !== 'snappy';
  const { outcome } = await receiveLogs(request, options, (bytes, batch) => {
    if (isJson) (isLegacy ? walkLegacyPushJson : walkLokiPushJson)(jsonText(bytes), batch);
    else walkLokiPush(isPacked ? decodeSnappy(bytes, LOG_BODY_BYTES_MAX) : bytes, batch);
  });
  return answer(reply, outcome, request, options);
}

/** Throws TytoError `bad_data` for a header that is none. */
function mediaType(request: FastifyRequest): string {
  const [type, ...parameters] = (request.headers['content-type'] ?? '').split(';');
  const isWhole = parameters.every((text) => /^\s*[^\s=]+=("[^"]*"|[^\s"]+)\s*$/.test(text));
  if (!isWhole) throw new TytoError('bad_data', 'mime: invalid media parameter');
  return type.trim().toLowerCase();
}

function jsonText(bytes: Uint8Array): string {
  if (bytes.length > JSON_BYTES_MAX) {
    throw new TytoError('too_large', `a body of JSON has at most ${JSON_BYTES_MAX} bytes`);
  }
  return decoder.decode(bytes);
}

/** Labels are the parameters of the address. */
async function pushLines(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LokiPushOptions,
): Promise<FastifyReply> {
  const query = request.url.split('?').slice(1).join('?');
  const labels = Labels.fromEntries(new URLSearchParams(query));
  const { outcome } = await receiveLogs(request, options, (bytes, batch) =>
    readLines(jsonText(bytes), labels, options.clock, batch),
  );
  return answer(reply, outcome, request, options);
}

function answer(
  reply: FastifyReply,
  { status, message, refusedLines }: LogOutcome,
  request: FastifyRequest,
  { logger }: LokiPushOptions,
): FastifyReply {
  if (status === 204) return reply.code(204).send();
  logger.debug('logs were refused', { from: request.ip, refusedLines, reason: message });
  return sendLokiError(reply, status, message);
}

async function pushOtlp(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LokiPushOptions,
): Promise<FastifyReply> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
  const encoding: OtlpEncoding = type === 'application/json' ? 'json' : 'protobuf';
  const send = (status: number, body: Uint8Array) =>
    reply
      .code(status)
      .type(type || 'application/json')
      .send(Buffer.from(body));
  const fail = (status: number, message: string) => {
    if (status === 503 || status === 429) reply.header('retry-after', 1);
    return send(status, encodeOtlpStatus(grpcCode(status), message, encoding));
  };
  if (encoding === 'protobuf' && type !== 'application/x-protobuf') {
    return fail(415, `unsupported content type: ${type || 'none'}`);
  }
  try {
    const { outcome } = await receiveLogs(request, options, (bytes, batch) => {
      const { otlp } = options.logs.limitsOf(
        options.logs.tenantOf(request.headers['x-scope-orgid']),
      );
      if (encoding === 'json') jsonText(bytes.subarray(0, JSON_BYTES_MAX + 1));
      readOtlpLogs(bytes, encoding, otlp, options.clock, batch);
    });
    return otlpAnswer(outcome, encoding, send, fail);
  } catch (error) {
    const status = lokiStatus(error);
    if (status >= 500) {
      options.logger.error('logs of OpenTelemetry were not stored', {
        from: request.ip,
        error: errorMessage(error),
      });
    }
    return fail(status, lokiMessage(error));
  }
}

/** Where a part was stored, sending it all again would store that twice. */
function otlpAnswer(
  { status, message, refusedLines }: LogOutcome,
  encoding: OtlpEncoding,
  send: (status: number, body: Uint8Array) => FastifyReply,
  fail: (status: number, message: string) => FastifyReply,
): FastifyReply {
  const isEmpty = status === 422;
  if (status === 429) return fail(429, message);
  const text = isEmpty ? '' : message;
  return send(200, encodeOtlpResponse(refusedLines, text, encoding, 'LogRecords'));
}
