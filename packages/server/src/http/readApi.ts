/** POST /api/v1/read: remote read of our store, in either type of answer. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { errorMessage, type Logger, TytoError } from '@tyto/base';
import type { ReadServer } from '@tyto/forward';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, statusOfError } from './envelope.ts';
import { BodyRefusal, type HeldBodies, type HeldBody } from './heldBodies.ts';

export interface ReadApiOptions {
  readonly logger: Logger;
  readonly readServer: ReadServer;
  readonly readBodies: HeldBodies;
}

/** Requests that are answered at once; each may hold an answer as a whole. */
const RUNNING_MAX = 20;
const TEXT = 'text/plain; charset=utf-8';

export function registerReadApi(app: FastifyInstance, options: ReadApiOptions): void {
  let running = 0;
  // A scope of its own: only here bodies of any type are read as they come.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_: FastifyRequest, payload: IncomingMessage) =>
      options.readBodies.read(payload),
    );
    scope.setErrorHandler((error, _, reply) => sendFailure(error, reply, options));
    scope.post('/api/v1/read', async (request, reply) => {
      if (running >= RUNNING_MAX) {
        throw new TytoError('unavailable', `${RUNNING_MAX} remote reads are running already`);
      }
      running++;
      reply.raw.once('close', () => running--);
      return await answer(request, reply, options);
    });
  });
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { readServer, logger }: ReadApiOptions,
): Promise<FastifyReply> {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  // A request without a body has none that was read.
  const body = request.body as HeldBody | undefined;
  const bytes = Buffer.concat(body?.pieces ?? []);
  body?.release();
  const found = await readServer.answer(bytes, gone.signal);
  if (found.type === 'samples') {
    reply.header('content-encoding', 'snappy');
    return reply.type('application/x-protobuf').send(found.body);
  }
  reply.type('application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse');
  const stream = Readable.from(found.frames, { objectMode: false });
  stream.on('error', (error) => {
    if (!gone.signal.aborted) logger.error('a remote read failed', { error: errorMessage(error) });
  });
  return reply.send(stream);
}

function sendFailure(error: unknown, reply: FastifyReply, { logger }: ReadApiOptions) {
  const status = statusOfError(error);
  const isOurs = status >= 500 && !(error instanceof BodyRefusal);
  if (isOurs) logger.error('a remote read failed', { error: errorMessage(error) });
  const message = error instanceof BodyRefusal ? error.message : errorBody(error).error;
  return reply.code(status).type(TEXT).send(`${message}\n`);
}
