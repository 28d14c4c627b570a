/**
 * /debug/pprof/…, with --web.enable-admin-api only: a profile of the processor and a snapshot of
 * the heap. They are V8's, for the developer tools of Chromium, not Go's.
 */
import { Session } from 'node:inspector/promises';
import { getHeapSnapshot } from 'node:v8';
import { type Clock, TytoError } from '@tyto/base';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Params, paramsOf } from './params.ts';

export interface ProfilingApiOptions {
  readonly clock: Clock;
  readonly isAdminApiEnabled: boolean;
}

const SECONDS_DEFAULT = 30;
/** Samples are held in memory until the end. */
const SECONDS_MAX = 300;

export function registerProfilingApi(app: FastifyInstance, options: ProfilingApiOptions): void {
  let isBusy = false;
  const get = (path: string, run: (params: Params, reply: FastifyReply) => Promise<unknown>) =>
    app.get(`/debug/pprof/${path}`, { exposeHeadRoute: false }, async (request, reply) => {
      if (!options.isAdminApiEnabled) throw new TytoError('unavailable', 'admin APIs disabled');
      if (isBusy) throw new TytoError('unavailable', 'a profile is being taken already');
      isBusy = true;
      try {
        await run(paramsOf(request), reply);
        return reply;
      } finally {
        isBusy = false;
      }
    });
  get('profile', async (params, reply) => {
    const profile = await cpuProfile(secondsOf(params), options.clock, reply);
    return sendFile(reply, 'tyto.cpuprofile', JSON.stringify(profile));
  });
  // The process stands still while the snapshot is taken.
  get('heap', async (_, reply) => sendFile(reply, 'tyto.heapsnapshot', getHeapSnapshot()));
}

function sendFile(reply: FastifyReply, name: string, payload: unknown): FastifyReply {
  reply.header('content-disposition', `attachment; filename="${name}"`);
  return reply.type('application/json').send(payload);
}

function secondsOf(params: Params): number {
  const text = params.text('seconds') || String(SECONDS_DEFAULT);
  const seconds = Number(text);
  if (seconds > 0 && seconds <= SECONDS_MAX) return seconds;
  const words = `invalid parameter "seconds": ${text} is not between 0 and ${SECONDS_MAX}`;
  throw new TytoError('bad_data', words);
}

async function cpuProfile(seconds: number, clock: Clock, reply: FastifyReply): Promise<unknown> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await new Promise<void>((resolve) => {
      const timer = clock.schedule(seconds * 1000, resolve);
      reply.raw.once('close', () => {
        timer.cancel();
        resolve();
      });
    });
    return (await session.post('Profiler.stop')).profile;
  } finally {
    session.disconnect();
  }
}
