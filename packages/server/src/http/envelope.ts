/** The envelope of Prometheus' API, and which error has which status. */
import { type ErrorKind, errorMessage, TytoError } from '@tyto/base';
import type { FastifyReply } from 'fastify';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  bad_data: 400,
  not_found: 404,
  not_acceptable: 406,
  too_large: 413,
  execution: 422,
  internal: 500,
  io: 500,
  canceled: 503,
  timeout: 503,
  unavailable: 503,
};

export function statusOfError(error: unknown): number {
  if (error instanceof TytoError) return STATUS[error.kind];
  const given = (error as { statusCode?: unknown }).statusCode;
  return typeof given === 'number' && given >= 400 ? given : 500;
}

/** What the caller is told: of a mistake of ours no more than that it happened. */
export function errorBody(error: unknown): { errorType: string; error: string } {
  const status = statusOfError(error);
  if (error instanceof TytoError) {
    const errorType = error.kind === 'io' ? 'internal' : error.kind;
    return { errorType, error: errorMessage(error) };
  }
  if (status < 500) return { errorType: 'bad_data', error: errorMessage(error) };
  return { errorType: 'internal', error: 'internal error; the log has the details' };
}

export function sendData(reply: FastifyReply, data: unknown): FastifyReply {
  return sendRaw(reply, JSON.stringify(data));
}

/** Sends data that is JSON text already. */
export function sendRaw(
  reply: FastifyReply,
  data: string,
  warnings: readonly string[] = [],
  infos: readonly string[] = [],
): FastifyReply {
  const notes =
    (warnings.length > 0 ? `,"warnings":${JSON.stringify(warnings)}` : '') +
    (infos.length > 0 ? `,"infos":${JSON.stringify(infos)}` : '');
  reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(`{"status":"success","data":${data}${notes}}`);
}
