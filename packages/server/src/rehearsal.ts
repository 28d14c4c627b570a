/**
 * The runtime compiles code that is used often; until then it runs several times slower. So a
 * start asks itself some thousand questions over its own port, which a small database of its own
 * answers: the first page that a person opens after a restart is as quick as the later ones.
 */
import { rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { errorMessage, type Logger, silentLogger } from '@tyto/base';
import { MergedQuerier } from '@tyto/forward';
import { Labels } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import type { Backend, Backends } from './http/backends.ts';
import { SelfMetrics } from './metrics/selfMetrics.ts';
import { createEngine, type EngineSettings, QueryRunner } from './queries.ts';

/** The longest that each half goes on, beside everything else. */
const HALF_MS_MAX = 1250;
const ROUNDS = 400;
/** Code that has met one connection only, or one set of headers, is compiled for that one. */
const ROUNDS_OF_CONNECTION = 8;
const OTHER_HEADERS = { accept: '*/*', 'accept-encoding': 'gzip', 'user-agent': 'tyto' };
/** Below the data directory; what a killed process leaves there, the next one removes. */
const DIRECTORY = '.rehearsal';
const INSTANCES = 60;
const HANDLERS = 5;
const CODES = ['200', '404', '500'];
const SAMPLES = 30;
const INTERVAL_MS = 15_000;

/** Questions such as pages and dashboards ask. */
function pathsAt(nowMs: number): string[] {
  const end = Math.floor(nowMs / 1000);
  const range = `start=${end - 300}&end=${end}&step=15`;
  const query = (text: string) => `query=${encodeURIComponent(text)}`;
  const match = (text: string) => `match[]=${encodeURIComponent(text)}&start=${end - 600}`;
  const one = 'requests_total{instance="10.0.0.1:80",handler="/api/1",method="GET",code="200"}';
  const machine = 'requests_total{instance="10.0.0.2:80"}';
  return [
    `/api/v1/query?${query(one)}&time=${end}`,
    `/api/v1/query?${query(machine)}&time=${end}`,
    `/api/v1/query?${query(`sum by (code) (${machine})`)}`,
    `/api/v1/query?${query(one)}`,
    `/api/v1/query?${query(`avg_over_time(${machine}[5m]) > 0`)}`,
    `/api/v1/query_range?${query(`sum by (code) (rate(${machine}[5m]))`)}&${range}`,
    `/api/v1/query?${query(one)}&time=${end - 60}`,
    `/api/v1/query_range?${query(one)}&${range}`,
    `/api/v1/series?${match('requests_total{instance=~"10.0.0.[12]:80"}')}`,
    `/api/v1/label/instance/values?${match('requests_total')}`,
  ];
}

export interface RehearsalOptions extends EngineSettings {
  readonly dataDirectory: string;
  readonly logger: Logger;
  /** Of Tyto's own port. */
  readonly address: AddressInfo;
  readonly backends: Backends;
  isStopped(): boolean;
}

/**
 * Asks a database below the data directory, which goes away in the end: once when it is new, and
 * once when it was opened again, since what was restored is found in other ways.
 */
export async function rehearse(options: RehearsalOptions): Promise<void> {
  const { dataDirectory, clock, logger } = options;
  const directory = join(dataDirectory, DIRECTORY);
  let questions = 0;
  try {
    await rm(directory, { recursive: true, force: true });
    for (const isNew of [true, false]) {
      const db = await Tsdb.open({ directory, clock, maintenanceIntervalMs: 0 });
      try {
        if (isNew) await fill(db, clock.nowMs());
        await options.backends.rehearse(backendOf(db, options), async (headers) => {
          questions += await askAll(options, headers);
        });
      } finally {
        await db.close();
      }
    }
    logger.debug('queries were rehearsed', { questions });
  } catch (error) {
    logger.debug('queries were not rehearsed', { error: errorMessage(error) });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** As Tyto's own, and counted nowhere. */
function backendOf(db: Tsdb, options: RehearsalOptions): Backend {
  const { clock, query } = options;
  const logger = silentLogger;
  const querier = new MergedQuerier({ own: db, logger, completeFromMs: () => -Infinity });
  const engine = createEngine(querier, options);
  const queries = new QueryRunner(engine, clock, logger, new SelfMetrics(clock), query);
  return { queries, store: db };
}

async function fill(db: Tsdb, nowMs: number): Promise<void> {
  const appender = db.appender();
  const count = INSTANCES * HANDLERS * CODES.length;
  for (let n = 0; n < count; n++) {
    const code = CODES[n % CODES.length];
    const handler = `/api/${Math.floor(n / CODES.length) % HANDLERS}`;
    const instance = `10.0.0.${Math.floor(n / CODES.length / HANDLERS)}:80`;
    const more = { job: 'shop', zone: 'a', method: 'GET' };
    const labels = { __name__: 'requests_total', ...more, instance, handler, code };
    const ref = appender.series(Labels.of(labels));
    for (let i = SAMPLES; i > 0; i--) appender.append(ref, nowMs - i * INTERVAL_MS, (n + 1) / i);
  }
  await appender.commit();
}

/**
 * Resolves with how many questions were answered when it is done, or its time is over; rejects when
 * there is no answer.
 */
async function askAll(
  { address: { address, family, port }, clock, isStopped }: RehearsalOptions,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  let count = 0;
  const endMs = clock.monotonicMs() + HALF_MS_MAX;
  const everywhere = family === 'IPv6' ? '::' : '0.0.0.0';
  const host = address === everywhere ? 'localhost' : address;
  let agent = newAgent();
  const ask = (path: string, sent: Readonly<Record<string, string>>) =>
    new Promise<void>((resolve, reject) => {
      const request = get({ agent, host, port, path, headers: sent }, (response) => {
        response.resume();
        response.on('end', resolve);
        response.on('error', reject);
      });
      request.on('error', reject);
      request.setTimeout(HALF_MS_MAX, () => request.destroy(new Error('no answer')));
    });
  try {
    const paths = pathsAt(clock.nowMs());
    for (let round = 0; round < ROUNDS; round++) {
      if (round % ROUNDS_OF_CONNECTION === 0) {
        agent.destroy();
        agent = newAgent();
      }
      const sent = round % 2 === 0 ? headers : { ...OTHER_HEADERS, ...headers };
      for (const path of paths) {
        if (isStopped() || clock.monotonicMs() > endMs) return count;
        await ask(path, sent);
        count++;
      }
    }
    return count;
  } finally {
    agent.destroy();
  }
}

function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}
