/** Prometheus' HTTP API under /api/v1: queries and metadata. See statusApi.ts for the rest. */
import { type Clock, TytoError } from '@tyto/base';
import type { OtlpReceiver, ScrapeManager, WriteReceiver } from '@tyto/collect';
import { type LabelRequest, type MetricQuerier, matchesAll } from '@tyto/model';
import {
  formatNumber,
  parseExpr,
  parseSelector,
  prettyExpr,
  type VectorSelector,
  walkExpr,
} from '@tyto/syntax';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { QueryRunner } from '../queries.ts';
import { sendData, sendPieces, sendRaw } from './envelope.ts';
import { ALWAYS, Params } from './params.ts';
import { parsedQuery } from './parsedQuery.ts';
import { labelsPieces, queryDataPieces } from './queryJson.ts';

export interface PrometheusApiOptions {
  readonly clock: Clock;
  readonly queries: QueryRunner;
  readonly store: MetricQuerier;
  readonly scrapes: ScrapeManager;
  readonly receiver: WriteReceiver;
  readonly otlp: OtlpReceiver;
}

type Handler = (
  params: Params,
  reply: FastifyReply,
  request: FastifyRequest,
) => Promise<FastifyReply>;

export function registerPrometheusApi(app: FastifyInstance, options: PrometheusApiOptions): void {
  const both = (path: string, handler: Handler) => {
    app.route({
      method: ['GET', 'POST'],
      url: `/api/v1/${path}`,
      handler: (request, reply) => handler(paramsOf(request), reply, request),
    });
  };
  both('query', instantQuery(options));
  both('query_range', rangeQuery(options));
  both('series', series(options));
  both('labels', labelNames(options));
  both('format_query', async (params, reply) =>
    sendData(reply, prettyExpr(parseExpr(params.text('query')))),
  );
  both('parse_query', async (params, reply) =>
    sendData(reply, parsedQuery(parseExpr(params.text('query')))),
  );
  both('query_exemplars', exemplars(options));
  app.get<{ Params: { name: string } }>('/api/v1/label/:name/values', (request, reply) =>
    labelValues(options, request.params.name, paramsOf(request), reply),
  );
  app.get('/api/v1/metadata', (request, reply) => metadata(options, paramsOf(request), reply));
  app.get('/api/v1/targets/metadata', (request, reply) =>
    targetsMetadata(options, paramsOf(request), reply),
  );
}

/** Parameters of the address and, of a POST, those of the form in its body. */
export function paramsOf(request: FastifyRequest): Params {
  const query = request.url.indexOf('?');
  const params = new URLSearchParams(query < 0 ? '' : request.url.slice(query + 1));
  if (request.body instanceof URLSearchParams) {
    for (const [name, value] of request.body) params.append(name, value);
  }
  return new Params(params);
}

/** Aborted when the client goes away: nobody waits for the answer any more. */
function clientSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return controller.signal;
}

/** What a query holds is counted until its answer is sent, or its client has gone. */
function queryOptions(params: Params, reply: FastifyReply, queries: QueryRunner) {
  const lookbackMs = params.duration('lookback_delta');
  const timeoutMs = params.duration('timeout');
  const account = queries.openAccount();
  reply.raw.on('close', () => account.close());
  return {
    signal: clientSignal(reply),
    account,
    ...(lookbackMs === undefined ? {} : { lookbackMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function instantQuery({ queries, clock }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const timeMs = params.time('time', clock.nowMs());
    const limit = params.limit('limit');
    const options = queryOptions(params, reply, queries);
    const result = await queries.instant(params.text('query'), timeMs, options);
    const { value } = result;
    const warnings = [...result.warnings];
    let shown = value;
    if (limit > 0 && value.type === 'vector' && value.samples.length > limit) {
      shown = { ...value, samples: value.samples.slice(0, limit) };
      warnings.push('results truncated due to limit');
    }
    if (limit > 0 && value.type === 'matrix' && value.series.length > limit) {
      shown = { ...value, series: value.series.slice(0, limit) };
      warnings.push('results truncated due to limit');
    }
    return sendPieces(reply, queryDataPieces(shown), warnings, result.infos);
  };
}

function rangeQuery({ queries }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const { startMs, endMs, stepMs } = params.range();
    const limit = params.limit('limit');
    const options = queryOptions(params, reply, queries);
    const result = await queries.range(params.text('query'), startMs, endMs, stepMs, options);
    const { value } = result;
    const warnings = [...result.warnings];
    let shown = value;
    if (limit > 0 && value.type === 'matrix' && value.series.length > limit) {
      shown = { ...value, series: value.series.slice(0, limit) };
      warnings.push('results truncated due to limit');
    }
    return sendPieces(reply, queryDataPieces(shown), warnings, result.infos);
  };
}

function labelRequest(params: Params): LabelRequest {
  const minTimeMs = params.time('start', ALWAYS.minTimeMs);
  const maxTimeMs = params.time('end', ALWAYS.maxTimeMs);
  if (maxTimeMs < minTimeMs) {
    throw new TytoError(
      'bad_data',
      'invalid parameter "end": end timestamp must not be before start time',
    );
  }
  return { matcherSets: params.matcherSets(), minTimeMs, maxTimeMs, limit: params.limit('limit') };
}

function exemplars({ store }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const { minTimeMs, maxTimeMs } = labelRequest(params);
    const matcherSets: VectorSelector['matchers'][] = [];
    walkExpr(parseExpr(params.text('query')), (expr) => {
      if (expr.kind === 'vector') matcherSets.push(expr.matchers);
    });
    const found = await store.exemplars({ matcherSets, minTimeMs, maxTimeMs });
    const rows = found.map(({ seriesLabels, exemplars: list }) => ({
      seriesLabels: seriesLabels.toRecord(),
      exemplars: list.map(({ labels, value, timestampMs }) => ({
        labels: labels.toRecord(),
        value: formatNumber(value),
        timestamp: timestampMs / 1000,
      })),
    }));
    return sendData(reply, rows);
  };
}

function series({ store }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const request = labelRequest(params);
    if (request.matcherSets.length === 0) {
      throw new TytoError('bad_data', 'no match[] parameter provided');
    }
    const { items, truncated } = await store.series(request);
    return sendPieces(reply, labelsPieces(items), limitWarning(truncated), []);
  };
}

function labelNames({ store }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const { items, truncated } = await store.labelNames(labelRequest(params));
    return sendRaw(reply, JSON.stringify(items), limitWarning(truncated));
  };
}

async function labelValues(
  { store }: PrometheusApiOptions,
  given: string,
  params: Params,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const name = unescapeName(given);
  if (name === '') throw new TytoError('bad_data', `invalid label name: "${given}"`);
  const { items, truncated } = await store.labelValues(name, labelRequest(params));
  return sendRaw(reply, JSON.stringify(items), limitWarning(truncated));
}

/** Label names with other characters come as `U__` and the code points in hexadecimal. */
function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name;
  return name
    .slice(3)
    .replace(/__|_([0-9a-fA-F]+)_/g, (all, hex: string | undefined) =>
      all === '__' || hex === undefined ? '_' : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

function limitWarning(truncated: boolean): string[] {
  return truncated ? ['results truncated due to limit'] : [];
}

async function metadata(
  { scrapes, receiver, otlp }: PrometheusApiOptions,
  params: Params,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const limit = params.limit('limit');
  const perMetric = params.limit('limit_per_metric');
  const wanted = params.text('metric');
  const found = new Map<string, Map<string, { type: string; help: string; unit: string }>>();
  const sources = [
    ...scrapes.metadata().map((target) => target.metadata),
    receiver.metadata,
    otlp.metadata,
  ];
  for (const source of sources) {
    for (const [metric, { type, help, unit }] of source) {
      if (wanted !== '' && metric !== wanted) continue;
      if (limit > 0 && !found.has(metric) && found.size >= limit) continue;
      const entries = found.get(metric) ?? new Map();
      found.set(metric, entries);
      if (perMetric === 0 || entries.size < perMetric) {
        entries.set(`${type}\n${help}\n${unit}`, { type, help, unit });
      }
    }
  }
  const data = Object.fromEntries(
    [...found].map(([metric, entries]) => [metric, [...entries.values()]]),
  );
  return sendData(reply, data);
}

async function targetsMetadata(
  { scrapes }: PrometheusApiOptions,
  params: Params,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const limit = params.limit('limit');
  const metric = params.text('metric');
  const text = params.text('match_target');
  const matchers = text === '' ? [] : [...parseSelector(text)];
  const found: unknown[] = [];
  for (const target of scrapes.metadata()) {
    if (!matchesAll(matchers, target.labels)) continue;
    for (const [name, entry] of target.metadata) {
      if (metric !== '' && name !== metric) continue;
      if (limit > 0 && found.length >= limit) break;
      found.push({
        target: target.labels.toRecord(),
        ...(metric === '' ? { metric: name } : {}),
        ...entry,
      });
    }
  }
  return sendData(reply, found);
}
