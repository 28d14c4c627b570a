/**
 * The runtime compiles code that is used often; until then it runs several times slower. So a
 * start asks some hundred questions of its own, over a small database of its own, through a server
 * without a port: the first page that a person opens after a restart is as quick as the later ones.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@tyto/base';
import { Labels } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import type { FastifyInstance } from 'fastify';

/** The longest that a start goes on with it, beside everything else. */
const WARM_UP_MS_MAX = 2500;
const ROUNDS = 250;
/** Below the data directory; what a killed process leaves there, the next one removes. */
const DIRECTORY = '.warm-up';
const SERIES = 40;
const SAMPLES = 60;
const INTERVAL_MS = 15_000;

/** Questions such as pages and dashboards ask. */
function questions(nowMs: number): string[] {
  const end = Math.floor(nowMs / 1000);
  const range = `start=${end - 600}&end=${end}&step=15`;
  const query = (text: string) => `query=${encodeURIComponent(text)}`;
  const match = (text: string) => `match[]=${encodeURIComponent(text)}&start=${end - 600}`;
  const one = 'requests_total{instance="10.0.0.1:80",code="200"}';
  return [
    `/api/v1/query?${query(one)}&time=${end}`,
    `/api/v1/query?${query('requests_total')}&time=${end}`,
    `/api/v1/query?${query('sum by (code) (requests_total)')}`,
    `/api/v1/query?${query('avg_over_time(requests_total{code=~"2.+"}[5m]) > 0')}`,
    `/api/v1/query_range?${query('sum by (code) (rate(requests_total[5m]))')}&${range}`,
    `/api/v1/query_range?${query('requests_total')}&${range}`,
    `/api/v1/series?${match('requests_total{instance=~".*:80"}')}`,
    `/api/v1/label/instance/values?${match('requests_total')}`,
    '/api/v1/label/__name__/values',
  ];
}

/** Runs `work` with a database below the data directory, which goes away with it. */
export async function withSmallDatabase(
  dataDirectory: string,
  clock: Clock,
  work: (db: Tsdb) => Promise<void>,
): Promise<void> {
  const directory = join(dataDirectory, DIRECTORY);
  await rm(directory, { recursive: true, force: true });
  try {
    const db = await Tsdb.open({ directory, clock, maintenanceIntervalMs: 0 });
    try {
      await fill(db, clock.nowMs());
      await work(db);
    } finally {
      await db.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fill(db: Tsdb, nowMs: number): Promise<void> {
  const appender = db.appender();
  for (let n = 0; n < SERIES; n++) {
    const instance = `10.0.0.${n >> 2}:80`;
    const code = String(200 + (n & 3));
    const labels = { __name__: 'requests_total', job: 'shop', zone: 'a', instance, code };
    const ref = appender.series(Labels.of(labels));
    for (let i = SAMPLES; i > 0; i--) appender.append(ref, nowMs - i * INTERVAL_MS, (n + 1) / i);
  }
  await appender.commit();
}

/** Resolves when it is done, or its time is over, or `isStopped`. */
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
