/** Loki's requests to delete logs: POST or PUT asks, GET lists, DELETE cancels. */
import { TytoError } from '@tyto/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DeleteRequest } from '../logs/logDeletions.ts';
import { type Params, paramsOf } from './params.ts';
import type { LokiQueryOptions } from './lokiQueryApi.ts';
import { parseTimeNs } from '@tyto/wire';

const URLS = ['/loki/api/v1/delete', '/loki/api/admin/delete'];
const NS_PER_MS = 1_000_000n;

export function registerLokiDeleteApi(scope: FastifyInstance, options: LokiQueryOptions): void {
  const { logs } = options;
  const tenantOf = (request: FastifyRequest) => logs.tenantOf(request.headers['x-scope-orgid']);
  const add = async (request: FastifyRequest, reply: FastifyReply) => {
    const params = paramsOf(request);
    const { startMs, endMs } = timesOf(params, options.clock.nowMs());
    const query = params.text('query');
    if (query === '') throw new TytoError('bad_data', 'query not set');
    await logs.deletions.add(tenantOf(request), query, startMs, endMs);
    return reply.code(204).send();
  };
  for (const url of URLS) {
    scope.route({ method: ['POST', 'PUT'], url, handler: add });
    scope.get(url, async (request, reply) =>
      reply.send(logs.deletions.list(tenantOf(request)).map(requestJson)),
    );
    scope.delete(url, async (request, reply) => {
      await logs.deletions.cancel(tenantOf(request), paramsOf(request).text('request_id'));
      return reply.code(204).send();
    });
  }
  scope.get('/loki/api/v1/cache/generation_numbers', async (_, reply) => reply.send('""'));
}

function timesOf(params: Params, nowMs: number): { startMs: number; endMs: number } {
  const [start, end] = ['start', 'end'].map((name) => params.text(name));
  if (start === '') throw new TytoError('bad_data', 'start time not set');
  const startMs = timeOf(start, 'start');
  const endMs = end === '' ? nowMs : timeOf(end, 'end');
  if (endMs > nowMs) throw new TytoError('bad_data', 'deletes in the future are not allowed');
  if (startMs > endMs) {
    throw new TytoError('bad_data', "start time can't be greater than end time");
  }
  return { startMs, endMs };
}

function timeOf(text: string, name: string): number {
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  const timestampNs = parseTimeNs(text);
  if (timestampNs !== undefined) return Number(timestampNs / NS_PER_MS);
  const message = `invalid ${name} time: require unix seconds or RFC3339 format`;
  throw new TytoError('bad_data', message);
}

function requestJson({ id, query, startMs, endMs, createdMs, status, outcome }: DeleteRequest) {
  return {
    request_id: id,
    start_time: startMs / 1000,
    end_time: endMs / 1000,
    query,
    status,
    created_at: createdMs / 1000,
    ...(outcome === '' ? {} : { outcome }),
  };
}
