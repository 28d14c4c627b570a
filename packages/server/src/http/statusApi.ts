/** Prometheus' HTTP API under /api/v1/status: the state of the server and of its database. */
import { availableParallelism, hostname } from 'node:os';
import type { TsdbBlock, UnreadSeries } from '@tyto/api';
import { type Clock, TytoError } from '@tyto/base';
import type { Tsdb } from '@tyto/tsdb';
import type { FastifyInstance } from 'fastify';
import type { SelfMetrics } from '../metrics/selfMetrics.ts';
import { VERSION } from '../version.ts';
import { sendData } from './envelope.ts';
import { isoTime } from './isoTime.ts';
import { type Params, paramsOf } from './params.ts';
import { hideSecrets } from './secrets.ts';
import { selfMetricFamilies } from './selfMetricsJson.ts';

export interface StatusApiOptions {
  readonly clock: Clock;
  readonly tsdb: Tsdb;
  readonly metrics: SelfMetrics;
  readonly flags: ReadonlyMap<string, string>;
  status(): ServerStatus;
}

export interface ServerStatus {
  readonly startedMs: number;
  readonly configYaml: string;
  readonly reloadSuccessful: boolean;
  readonly lastReloadMs: number;
  readonly retention: string;
}

/** What was built; the names are Prometheus'. */
export const BUILD_INFO = {
  version: VERSION,
  revision: 'tyto',
  branch: 'HEAD',
  buildUser: '',
  buildDate: '',
  goVersion: `node ${process.version}`,
};

export function registerStatusApi(app: FastifyInstance, options: StatusApiOptions): void {
  const { tsdb, metrics } = options;
  const get = (url: string, answer: (params: Params) => unknown) =>
    app.get(url, async (request, reply) => sendData(reply, await answer(paramsOf(request))));
  get('/api/v1/status/config', () => ({ yaml: hideSecrets(options.status().configYaml) }));
  get('/api/v1/status/flags', () => Object.fromEntries(options.flags));
  get('/api/v1/status/buildinfo', () => BUILD_INFO);
  get('/api/v1/status/runtimeinfo', () => runtimeInfo(options));
  get('/api/v1/status/tsdb', (params) => tsdbStatus(tsdb, params));
  get('/api/v1/status/tsdb/blocks', () => ({ blocks: tsdb.blocks().map(blockJson) }));
  // The log is read before anything listens.
  get('/api/v1/status/walreplay', () => ({ min: 0, max: 0, current: 0, state: 'done' }));
  get('/api/v1/status/self_metrics', (params) => selfMetricFamilies(metrics.registry, params));
  get('/tyto/api/v1/unread', (params) => unreadSeries(tsdb, params));
}

function runtimeInfo({ clock, status, tsdb }: StatusApiOptions) {
  const { startedMs, reloadSuccessful, lastReloadMs, retention } = status();
  return {
    startTime: isoTime(startedMs),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: isoTime(clock.nowMs()),
    reloadConfigSuccess: reloadSuccessful,
    lastConfigTime: isoTime(lastReloadMs),
    corruptionCount: tsdb.stats().corruptions,
    goroutineCount: 0,
    GOMAXPROCS: availableParallelism(),
    GOMEMLIMIT: 0,
    GOGC: '',
    GODEBUG: '',
    storageRetention: retention,
  };
}

const CARDINALITY_DEFAULT = 10;
/** Each costs a name in the answer; all of them are counted in any case. */
const CARDINALITY_MAX = 10_000;

function tsdbStatus(tsdb: Tsdb, params: Params) {
  const text = params.text('limit');
  const limit = text === '' ? CARDINALITY_DEFAULT : Number(text);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new TytoError('bad_data', 'limit must be a positive number');
  }
  if (limit > CARDINALITY_MAX) {
    throw new TytoError('bad_data', `limit must not exceed ${CARDINALITY_MAX}`);
  }
  const stats = tsdb.stats();
  const { valuesByLabel, seriesByMetric, seriesByPair, textByLabel } = tsdb.topCardinality(limit);
  const named = (entries: readonly (readonly [string, number])[]) =>
    entries.map(([name, value]) => ({ name, value }));
  return {
    headStats: {
      numSeries: stats.seriesCount,
      numLabelPairs: stats.symbolCount,
      chunkCount: stats.chunkCount,
      minTime: Number.isFinite(stats.headMinTimeMs) ? stats.headMinTimeMs : 0,
      maxTime: Number.isFinite(stats.headMaxTimeMs) ? stats.headMaxTimeMs : 0,
    },
    seriesCountByMetricName: named(seriesByMetric),
    labelValueCountByLabelName: named(valuesByLabel),
    memoryInBytesByLabelName: named(textByLabel),
    seriesCountByLabelValuePair: named(seriesByPair),
  };
}

/** A block's name stands where Prometheus has its ULID. */
function blockJson(block: ReturnType<Tsdb['blocks']>[number]): TsdbBlock {
  return {
    ulid: block.name,
    minTime: block.minTimeMs,
    maxTime: block.maxTimeMs,
    stats: {
      numSamples: block.sampleCount,
      numSeries: block.seriesCount,
      numChunks: block.chunkCount,
    },
    compaction: { level: block.level, sources: block.sources },
    version: block.version,
  };
}

const UNREAD_DAYS = 30;

/** What is stored and read by nobody. Parameters: `days` (30), `limit` of metrics (100). */
function unreadSeries(tsdb: Tsdb, params: Params): UnreadSeries {
  const text = params.text('days') || String(UNREAD_DAYS);
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 3650) {
    throw new TytoError('bad_data', `invalid parameter "days": ${text} is no number of days`);
  }
  const metrics = tsdb.unreadMetrics(days);
  return {
    days,
    seriesTotal: tsdb.stats().seriesCount,
    unreadTotal: metrics.reduce((sum, { unread }) => sum + unread, 0),
    metrics: metrics.slice(0, params.limit('limit') || 100),
  };
}
