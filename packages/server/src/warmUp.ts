/**
 * The runtime compiles code that is used often; until then it runs several times slower. So a
 * start asks some hundred questions of its own, through a server without a port and with metrics of
 * its own: the first page that a person opens after a restart is as quick as the later ones.
 */
import type { Clock } from '@tyto/base';
import type { FastifyInstance } from 'fastify';

/** The longest that a start goes on with it, beside everything else. */
const WARM_UP_MS_MAX = 2000;
const ROUNDS = 200;

/** Questions about a metric that is read anyway, so that nothing counts as read by this alone. */
function questions(nowMs: number): string[] {
  const end = Math.floor(nowMs / 1000);
  const range = `start=${end - 3600}&end=${end}&step=60`;
  const query = (text: string) => `query=${encodeURIComponent(text)}`;
  return [
    `/api/v1/query?${query('up')}&time=${end}`,
    `/api/v1/query?${query('sum by (job) (up)')}`,
    `/api/v1/query?${query('avg_over_time(up{job=~".+"}[5m]) > 0')}`,
    `/api/v1/query_range?${query('sum by (job) (rate(up[5m]))')}&${range}`,
    `/api/v1/query_range?${query('up')}&${range}`,
    `/api/v1/series?match[]=${encodeURIComponent('up{job=~".+"}')}&start=${end - 3600}`,
    `/api/v1/label/job/values?match[]=up`,
    '/api/v1/label/__name__/values',
  ];
}

/** Resolves when it is done, or its time is over, or `isStopped`. Never rejects. */
export async function warmUp(
  app: FastifyInstance,
  clock: Clock,
  isStopped: () => boolean,
): Promise<void> {
  const endMs = clock.monotonicMs() + WARM_UP_MS_MAX;
  const urls = questions(clock.nowMs());
  for (let round = 0; round < ROUNDS; round++) {
    for (const url of urls) {
      if (isStopped() || clock.monotonicMs() > endMs) return;
      await app.inject({ method: 'GET', url });
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
