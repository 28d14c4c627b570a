/** Prometheus' admin API under /api/v1/admin/tsdb: deleting samples and taking snapshots. */
import { basename } from 'node:path';
import { TytoError } from '@tyto/base';
import type { Tsdb } from '@tyto/tsdb';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { sendData } from './envelope.ts';
import { ALWAYS, type Params, paramsOf } from './params.ts';

export interface AdminApiOptions {
  readonly tsdb: Tsdb;
  /** Whether --web.enable-admin-api was given; without it every request is refused. */
  readonly isAdminApiEnabled: boolean;
}

export function registerAdminApi(app: FastifyInstance, options: AdminApiOptions): void {
  const { tsdb, isAdminApiEnabled } = options;
  const route = (path: string, run: (params: Params, reply: FastifyReply) => Promise<unknown>) => {
    app.route({
      method: ['POST', 'PUT'],
      url: `/api/v1/admin/tsdb/${path}`,
      handler: async (request, reply) => {
        if (!isAdminApiEnabled) throw new TytoError('unavailable', 'admin APIs disabled');
        await run(paramsOf(request), reply);
        return reply;
      },
    });
  };
  route('delete_series', async (params, reply) => {
    const matcherSets = params.requiredMatcherSets();
    const minTimeMs = params.time('start', ALWAYS.minTimeMs);
    const maxTimeMs = params.time('end', ALWAYS.maxTimeMs);
    await tsdb.deleteSeries({ matcherSets, minTimeMs, maxTimeMs });
    return reply.code(204).send();
  });
  route('clean_tombstones', async (_, reply) => {
    await tsdb.cleanTombstones();
    return reply.code(204).send();
  });
  route('snapshot', async (params, reply) => {
    const path = await tsdb.snapshot({ skipHead: params.boolean('skip_head') });
    return sendData(reply, { name: basename(path) });
  });
}
