/** Tyto's own API of queries in flight: seeing them, and ending one. */
import type { RunningQuery } from '@tyto/api';
import { TytoError } from '@tyto/base';
import type { FastifyInstance } from 'fastify';
import type { ActiveQuery, QueryRunner } from '../queries.ts';
import { sendData } from './envelope.ts';

export interface QueriesApiOptions {
  readonly queries: QueryRunner;
  /** Whether --web.enable-lifecycle is on; without it nothing is ended. */
  readonly lifecycle: boolean;
}

export function registerQueriesApi(app: FastifyInstance, options: QueriesApiOptions): void {
  const { queries, lifecycle } = options;
  app.get('/tyto/api/v1/queries', async (_, reply) =>
    sendData(reply, { queries: queries.active().map(queryJson) }),
  );
  app.post<{ Params: { id: string } }>('/tyto/api/v1/queries/:id/kill', async (request, reply) => {
    if (!lifecycle) throw new TytoError('unavailable', 'lifecycle API is not enabled');
    const { id } = request.params;
    if (!queries.kill(id)) throw new TytoError('not_found', `no query ${id} waits or runs`);
    return reply.code(204).send();
  });
}

function queryJson(query: ActiveQuery): RunningQuery {
  const { id, text, startMs, endMs, stepMs, arrivedMs, runningMs, usage } = query;
  return {
    id,
    query: text,
    start: startMs / 1000,
    end: endMs / 1000,
    step: stepMs / 1000,
    arrivedAt: new Date(arrivedMs).toISOString(),
    state: runningMs === undefined ? 'waiting' : 'running',
    runningSeconds: (runningMs ?? 0) / 1000,
    series: (usage?.reads ?? []).reduce((sum, { seriesCount }) => sum + seriesCount, 0),
    samplesRead: usage?.readSamples ?? 0,
    samplesHeld: usage?.heldSamples ?? 0,
    samplesPeak: usage?.peakSamples ?? 0,
  };
}
