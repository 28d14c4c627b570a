/** Loki's queries: /loki/api/v1/query and query_range, with the older /api/prom/query. */
import { type Clock, TytoError } from '@tyto/base';
import type { LogQueryLimits } from '@tyto/collect';
import type { LogqlResult } from '@tyto/logql';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LogService } from '../logs/logService.ts';
import { sendPieces } from './envelope.ts';
import { CATEGORIZE_LABELS, labelsJson, lokiDataPieces, mergedStreams } from './lokiJson.ts';
import {
  countOf,
  directionOf,
  intervalOf,
  limitOf,
  orderedRangeOf,
  parseLokiTime,
  queryOf,
  stepOf,
} from './lokiParams.ts';
import { type Params, paramsOf } from './params.ts';

export interface LokiQueryOptions {
  readonly clock: Clock;
  readonly logs: LogService;
}

const NS_PER_MS = 1_000_000n;

export function registerLokiQueryApi(scope: FastifyInstance, options: LokiQueryOptions): void {
  const method = ['GET', 'POST'];
  scope.route({
    method,
    url: '/loki/api/v1/query_range',
    handler: (request, reply) => answer(request, reply, options, queryRange),
  });
  scope.route({
    method,
    url: '/loki/api/v1/query',
    handler: (request, reply) => answer(request, reply, options, queryInstant),
  });
  scope.route({
    method,
    url: '/api/prom/query',
    handler: (request, reply) => answerLegacy(request, reply, options),
  });
}

interface Asked {
  readonly params: Params;
  readonly tenant: string;
  readonly limits: LogQueryLimits;
  readonly signal: AbortSignal;
}

type Query = (asked: Asked, options: LokiQueryOptions) => Promise<LogqlResult>;

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LokiQueryOptions,
  query: Query,
): Promise<FastifyReply> {
  const { clock } = options;
  const arrivedMs = clock.monotonicMs();
  let startMs = arrivedMs;
  const result = await limited(request, reply, options, (asked) => {
    startMs = clock.monotonicMs();
    return query(asked, options);
  });
  const executionMs = clock.monotonicMs() - startMs;
  const flags = String(request.headers['x-loki-response-encoding-flags'] ?? '').split(',');
  const isCategorized = flags.some((flag) => flag.trim() === CATEGORIZE_LABELS);
  const timing = { queueMs: startMs - arrivedMs, executionMs };
  return sendPieces(reply, lokiDataPieces(result, isCategorized, timing), result.warnings, []);
}

/** Runs `work` when it is its turn, for as long as a query may take and somebody waits for it. */
export async function limited<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  { clock, logs }: LokiQueryOptions,
  work: (asked: Asked) => Promise<T>,
): Promise<T> {
  const params = paramsOf(request);
  const tenant = logs.tenantOf(request.headers['x-scope-orgid']);
  const limits = logs.limitsOf(tenant).query;
  const ending = new AbortController();
  let isLate = false;
  const timer = clock.schedule(limits.timeoutMs || Number.MAX_SAFE_INTEGER, () => {
    isLate = true;
    ending.abort();
  });
  const onClose = () => ending.abort();
  reply.raw.once('close', onClose);
  try {
    return await logs.gate.run(() => {
      if (ending.signal.aborted) throw new TytoError('canceled', 'the client went away');
      return work({ params, tenant, limits, signal: ending.signal });
    });
  } catch (error) {
    if (!isLate) throw error;
    const seconds = limits.timeoutMs / 1000;
    const message = `request timed out: queries may take ${seconds} s (query_timeout)`;
    throw new TytoError('timeout', message, { cause: error });
  } finally {
    timer.cancel();
    reply.raw.removeListener('close', onClose);
  }
}

async function queryRange(asked: Asked, { clock, logs }: LokiQueryOptions): Promise<LogqlResult> {
  const { params, tenant, limits, signal } = asked;
  const range = orderedRangeOf(params, clock.nowMs());
  const limit = entriesOf(params, limits);
  const direction = directionOf(params);
  const stepNs = stepOf(params, range);
  const intervalNs = intervalOf(params);
  const { startNs, endNs } = checkedRange(range, limits, clock.nowMs());
  const query = queryOf(params);
  return await logs.engine.range({
    tenant,
    query,
    limit,
    direction,
    signal,
    startNs,
    endNs,
    stepNs,
    intervalNs,
  });
}

async function queryInstant(asked: Asked, { clock, logs }: LokiQueryOptions): Promise<LogqlResult> {
  const { params, tenant, limits, signal } = asked;
  const limit = entriesOf(params, limits);
  const time = params.text('time');
  const timeNs = time === '' ? BigInt(clock.nowMs()) * NS_PER_MS : parseLokiTime(time);
  const direction = directionOf(params);
  return await logs.engine.instant({
    tenant,
    query: queryOf(params),
    limit,
    direction,
    signal,
    timeNs,
  });
}

function entriesOf(params: Params, { entriesMax }: LogQueryLimits): number {
  const limit = limitOf(params);
  // Taken for what it is, and of no use here.
  countOf(params, 'line_limit', 0);
  if (entriesMax === 0 || limit <= entriesMax) return limit;
  throw new TytoError(
    'bad_data',
    `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ` +
      `${entriesMax})`,
  );
}

/** As far back as is allowed, and no longer. */
function checkedRange(
  range: { startNs: bigint; endNs: bigint },
  { lengthMsMax, lookbackMs }: LogQueryLimits,
  nowMs: number,
): { startNs: bigint; endNs: bigint } {
  const earliestNs =
    lookbackMs > 0 ? BigInt(Math.floor(nowMs - lookbackMs)) * NS_PER_MS : undefined;
  const isEarlier = earliestNs !== undefined && range.startNs < earliestNs;
  const startNs = isEarlier ? earliestNs : range.startNs;
  const endNs = range.endNs < startNs ? startNs : range.endNs;
  const lengthMs = Number((endNs - startNs) / NS_PER_MS);
  if (lengthMsMax > 0 && lengthMs > lengthMsMax) {
    const [length, limit] = [lengthMs, lengthMsMax].map((ms) => `${Math.round(ms / 36e5)}h`);
    throw new TytoError(
      'bad_data',
      `the query time range exceeds the limit (query length: ${length}, limit: ${limit})`,
    );
  }
  return { startNs, endNs };
}

/** Streams with their labels as text, and entries with times of RFC 3339. */
async function answerLegacy(
  request: FastifyRequest,
  reply: FastifyReply,
  options: LokiQueryOptions,
): Promise<FastifyReply> {
  const { value } = await limited(request, reply, options, (asked) => queryRange(asked, options));
  if (value.type !== 'streams') {
    throw new TytoError('bad_data', 'legacy endpoints only support queries that give logs');
  }
  const streams = mergedStreams(value.streams).map(({ labels, entries }) => ({
    labels: `{${Object.entries(JSON.parse(labelsJson(labels)))
      .map(([name, text]) => `${name}=${JSON.stringify(text)}`)
      .join(', ')}}`,
    entries: entries.map(({ timestampNs, line }) => ({ ts: timeText(timestampNs), line })),
  }));
  return reply.send({ streams });
}

/** RFC 3339 with nanoseconds. */
function timeText(timestampNs: bigint): string {
  const seconds = timestampNs / 1_000_000_000n;
  const nanos = String(timestampNs - seconds * 1_000_000_000n).padStart(9, '0');
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const decimals = nanos.replace(/0+$/, '');
  return `${text}${decimals === '' ? '' : `.${decimals}`}Z`;
}
