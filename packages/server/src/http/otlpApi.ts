/**
 * OpenTelemetry's protocol over HTTP, metrics: /v1/metrics, and /api/v1/otlp/v1/metrics, where
 * Prometheus has it. Answers and errors are in the encoding of the request; 429 and 503 say to send
 * again, other errors do not.
 */
import type { IncomingMessage } from 'node:http';
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import { encodeOtlpResponse, encodeOtlpStatus, type OtlpEncoding } from '@tyto/wire';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, statusOfError } from './envelope.ts';
import { BodyRefusal, type HeldBodies, type HeldBody } from './heldBodies.ts';
import type { OtlpBodies } from './otlpBodies.ts';

export interface OtlpApiOptions {
  readonly logger: Logger;
  readonly otlpBodies: OtlpBodies;
  readonly receivedBodies: HeldBodies;
  /** Whether OpenTelemetry's metrics are received at all. */
  readonly receivesOtlp: boolean;
}

const MEDIA_TYPES: Readonly<Record<string, OtlpEncoding>> = {
  'application/x-protobuf': 'protobuf',
  'application/json': 'json',
};
const RETRY_AFTER_SECONDS = 1;
const NOT_ENABLED = 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver';

export function registerOtlpApi(app: FastifyInstance, options: OtlpApiOptions): void {
  // A scope of its own: only here bodies of any type are read as they come.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) =>
      options.receivedBodies.read(payload),
    );
    scope.setErrorHandler((error, request, reply) => sendFailure(error, request, reply, options));
    for (const url of ['/v1/metrics', '/api/v1/otlp/v1/metrics']) {
      scope.route({
        method: 'POST',
        url,
        onRequest: async (request) => void negotiate(request, options),
        handler: (request, reply) => receive(request, reply, options),
      });
    }
  });
}

function encodingOf(request: FastifyRequest): OtlpEncoding | undefined {
  const given = (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
  return Object.hasOwn(MEDIA_TYPES, given) ? MEDIA_TYPES[given] : undefined;
}

/** Throws a refusal, before the body is read, for what is not taken. */
function negotiate(request: FastifyRequest, { receivesOtlp }: OtlpApiOptions) {
  if (!receivesOtlp) throw new BodyRefusal(404, NOT_ENABLED);
  const encoding = encodingOf(request);
  if (encoding === undefined) {
    const given = request.headers['content-type'] ?? 'none';
    const known = Object.keys(MEDIA_TYPES).join(', ');
    throw new BodyRefusal(415, `unsupported content type: ${given}, supported: [${known}]`);
  }
  const compression = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (!['', 'identity', 'gzip'].includes(compression)) {
    const message = `unsupported compression: ${compression}; supported: [gzip, identity]`;
    throw new BodyRefusal(415, message);
  }
  return { encoding, isGzip: compression === 'gzip' };
}

async function receive(
  request: FastifyRequest,
  reply: FastifyReply,
  options: OtlpApiOptions,
): Promise<FastifyReply> {
  const { encoding, isGzip } = negotiate(request, options);
  // A request without a body has none that was read.
  const held = request.body as HeldBody | undefined;
  try {
    const body = Buffer.concat(held?.pieces ?? []);
    const outcome = await options.otlpBodies.receive(body, isGzip, encoding);
    const { rejectedPoints, message } = outcome;
    if (rejectedPoints > 0) {
      const reason = { from: request.ip, rejectedPoints, reason: message };
      options.logger.warn('data points of OpenTelemetry were rejected', reason);
    }
    return send(reply, encodeOtlpResponse(rejectedPoints, message, encoding), encoding);
  } finally {
    held?.release();
  }
}

function send(reply: FastifyReply, body: Uint8Array, encoding: OtlpEncoding): FastifyReply {
  const type = encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  return reply.type(type).send(Buffer.from(body));
}

function sendFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { logger }: OtlpApiOptions,
): FastifyReply {
  // A disk that takes nothing may take it later: exporters keep what they have and try again.
  const isRetried =
    error instanceof TytoError && (error.kind === 'io' || error.kind === 'internal');
  const status = isRetried ? 503 : statusOfError(error);
  if (status >= 500 && !(error instanceof BodyRefusal)) {
    logger.error('a request of OpenTelemetry failed', {
      from: request.ip,
      error: errorMessage(error),
    });
  }
  if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
  // Reading the rest of a giant, to keep the connection, is not worth it.
  if (status === 413) reply.header('connection', 'close');
  const message = error instanceof BodyRefusal ? error.message : errorBody(error).error;
  const encoding = encodingOf(request) ?? 'json';
  return send(reply.code(status), encodeOtlpStatus(grpcCode(status), message, encoding), encoding);
}

/** The code of gRPC that says what a status of HTTP does. */
export function grpcCode(status: number): number {
  if (status === 413) return 8;
  if (status === 404 || status === 415) return 12;
  if (status === 503) return 14;
  return status < 500 ? 3 : 13;
}
