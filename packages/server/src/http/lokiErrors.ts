/** Errors of the routes of logs: plain text, as Loki has it, and its statuses. */
import { errorCode, errorMessage, type Logger, TytoError } from '@tyto/base';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { errorBody, statusOfError } from './envelope.ts';
import { BodyRefusal } from './heldBodies.ts';

const RETRY_AFTER_SECONDS = 1;
/** The status of nginx for a client that went away, which Loki has too. */
const CLIENT_GONE = 499;

/** What a request that could not be answered is told. */
export function lokiStatus(error: unknown): number {
  if (!(error instanceof TytoError)) return statusOfError(error);
  if (isDiskFull(error)) return 507;
  if (error.kind === 'timeout') return 504;
  if (error.kind === 'canceled') return CLIENT_GONE;
  if (error.message === 'too many outstanding requests') return 429;
  return error.kind === 'io' ? 503 : statusOfError(error);
}

function isDiskFull(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const codes = [errorCode(error), errorCode(cause)];
  if (codes.includes('ENOSPC') || codes.includes('EDQUOT')) return true;
  const isIo = error instanceof TytoError && (error.kind === 'io' || error.kind === 'unavailable');
  return isIo && /no space left|disk is full|ENOSPC|quota exceeded/i.test(error.message);
}

/** `tooLarge` is the status of what wants or sends too much. */
export function registerLokiErrors(scope: FastifyInstance, logger: Logger, tooLarge = 413): void {
  scope.setErrorHandler((error, request, reply) => {
    const isTooLarge = error instanceof TytoError && error.kind === 'too_large';
    const status = isTooLarge ? tooLarge : lokiStatus(error);
    const isOurs = !(error instanceof TytoError || error instanceof BodyRefusal);
    if (status >= 500 && isOurs) {
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error('a request for logs failed', {
        url: request.url,
        error: errorMessage(error),
        stack,
      });
    }
    return sendLokiError(reply, status, lokiMessage(error));
  });
}

export function lokiMessage(error: unknown): string {
  return error instanceof BodyRefusal ? error.message : errorBody(error).error;
}

export function sendLokiError(reply: FastifyReply, status: number, message: string): FastifyReply {
  if (status === 503 || status === 429) reply.header('retry-after', RETRY_AFTER_SECONDS);
  // Reading the rest of a giant, to keep the connection, is not worth it.
  if (status === 413) reply.header('connection', 'close');
  return reply.code(status).type('text/plain; charset=utf-8').send(`${message}\n`);
}
