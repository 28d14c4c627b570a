/**
 * Remote write, 1.0 and 2.0, at /api/v1/write and at /api/v1/push, which VictoriaMetrics has. As in
 * Prometheus, errors are plain text; 4xx says not to send again, 5xx to do so.
 */
import type { IncomingMessage } from 'node:http';
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import { negotiateWrite, type WriteReceiver, writtenHeaders } from '@tyto/collect';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, statusOfError } from './envelope.ts';
import { BodyRefusal, type HeldBodies, type HeldBody } from './heldBodies.ts';

export interface WriteApiOptions {
  readonly logger: Logger;
  readonly receiver: WriteReceiver;
  readonly receivedBodies: HeldBodies;
  /** Whether remote write is received at all. */
  readonly receivesWrites: boolean;
}

/** When a sender may try again that was sent away. */
const RETRY_AFTER_SECONDS = 1;
const NOT_ENABLED =
  'remote write receiver needs to be enabled with --web.enable-remote-write-receiver';
const NOTHING_WRITTEN = { samples: 0, histograms: 0, exemplars: 0 };

export function registerWriteApi(app: FastifyInstance, options: WriteApiOptions): void {
  // A scope of its own: only here bodies of any type are read as they come.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) =>
      options.receivedBodies.read(payload),
    );
    scope.setErrorHandler((error, request, reply) => sendFailure(error, request, reply, options));
    for (const url of ['/api/v1/write', '/api/v1/push']) {
      scope.route({
        method: 'POST',
        url,
        onRequest: async (request) => void versionOf(request, options),
        handler: (request, reply) => write(request, reply, options),
      });
    }
  });
}

/** Throws a refusal, before the body is read, for what is not taken. */
function versionOf({ headers }: FastifyRequest, { receivesWrites }: WriteApiOptions) {
  if (!receivesWrites) throw new BodyRefusal(404, NOT_ENABLED);
  const found = negotiateWrite(headers['content-type'], headers['content-encoding']);
  if ('unsupported' in found) throw new BodyRefusal(415, found.unsupported);
  return found.version;
}

async function write(
  request: FastifyRequest,
  reply: FastifyReply,
  options: WriteApiOptions,
): Promise<FastifyReply> {
  const version = versionOf(request, options);
  // A request without a body has none that was read.
  const body = request.body as HeldBody | undefined;
  if (version === 2) reply.headers(writtenHeaders(NOTHING_WRITTEN));
  try {
    const outcome = await options.receiver.receive(body?.pieces ?? [], version);
    if (version === 2) reply.headers(writtenHeaders(outcome));
    if (outcome.refused === undefined) return reply.code(204).send();
    options.logger.warn('samples of a remote write request were refused', {
      from: request.ip,
      reason: outcome.refused,
    });
    return reply.code(400).type(TEXT).send(`${outcome.refused}\n`);
  } finally {
    body?.release();
  }
}

const TEXT = 'text/plain; charset=utf-8';

function sendFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { logger }: WriteApiOptions,
): FastifyReply {
  // A disk that takes nothing may take it later: senders keep what they have and try again.
  const isRetried =
    error instanceof TytoError && (error.kind === 'io' || error.kind === 'internal');
  const status = isRetried ? 503 : statusOfError(error);
  if (status >= 500 && !(error instanceof BodyRefusal)) {
    logger.error('a remote write request failed', {
      from: request.ip,
      error: errorMessage(error),
      stack: error instanceof TytoError || !(error instanceof Error) ? undefined : error.stack,
    });
  }
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  // Reading the rest of a giant, to keep the connection, is not worth it.
  if (status === 413) reply.header('connection', 'close');
  const message = error instanceof BodyRefusal ? error.message : errorBody(error).error;
  return reply.code(status).type(TEXT).send(`${message}\n`);
}
