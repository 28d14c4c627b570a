/** Prometheus' HTTP API under /api/v1: queries, labels and series. */
import type { QueryStats } from '@tyto/api';
import { type Clock, TytoError } from '@tyto/base';
import type { LabelRequest, QueryValue } from '@tyto/model';
import {
  type ExperimentalSyntax,
  type Expr,
  formatNumber,
  parseExpr,
  prettyExpr,
  type VectorSelector,
  walkExpr,
} from '@tyto/syntax';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { QueryRunner, TimedResult } from '../queries.ts';
import type { Backends } from './backends.ts';
import { sendData, sendPieces, sendRaw } from './envelope.ts';
import { unescapeLabelName } from './labelNames.ts';
import { ALWAYS, named, type Params, paramsOf } from './params.ts';
import { parsedQuery } from './parsedQuery.ts';
import { labelsPieces, queryDataPieces } from './queryJson.ts';

export interface PrometheusApiOptions {
  readonly clock: Clock;
  readonly backends: Backends;
  /** What of PromQL's experimental parts may be written. */
  readonly syntax: ExperimentalSyntax;
}

type Handler = (params: Params, reply: FastifyReply) => Promise<FastifyReply>;

export function registerPrometheusApi(app: FastifyInstance, options: PrometheusApiOptions): void {
  const both = (path: string, handler: Handler) => {
    app.route({
      method: ['GET', 'POST'],
      url: `/api/v1/${path}`,
      handler: (request, reply) => handler(paramsOf(request), reply),
    });
  };
  const parse = (params: Params) =>
    named('query', () => parseExpr(params.text('query'), { experimental: options.syntax }));
  both('query', instantQuery(options));
  both('query_range', rangeQuery(options));
  both('series', series(options));
  both('labels', labelNames(options));
  both('format_query', async (params, reply) => sendData(reply, prettyExpr(parse(params))));
  both('parse_query', async (params, reply) => sendData(reply, parsedQuery(parse(params))));
  both('query_exemplars', exemplars(options, parse));
  app.get<{ Params: { name: string } }>('/api/v1/label/:name/values', (request, reply) =>
    labelValues(options, request.params.name, paramsOf(request), reply),
  );
}

/**
 * What a request changes of how a query is run. It ends when its client goes away; what it holds is
 * counted until its answer is sent.
 */
export function queryOptions(params: Params, reply: FastifyReply, queries: QueryRunner) {
  const timeoutMs = params.duration('timeout');
  const lookbackMs = params.duration('lookback_delta');
  const account = queries.openAccount();
  const ending = new AbortController();
  reply.raw.on('close', () => {
    account.close();
    if (!reply.raw.writableEnded) ending.abort();
  });
  return {
    ending,
    account,
    // 0 is as good as nothing, as in Prometheus.
    ...(lookbackMs === undefined || lookbackMs <= 0 ? {} : { lookbackMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function instantQuery({ backends, clock }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const { queries } = backends.of(reply.request);
    const limit = params.limit('limit');
    const timeMs = params.time('time', clock.nowMs());
    const options = queryOptions(params, reply, queries);
    const query = () => queries.instant(params.text('query'), timeMs, options);
    return sendResult(reply, params, await ofQuery(query), limit);
  };
}

function rangeQuery({ backends }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const { queries } = backends.of(reply.request);
    const limit = params.limit('limit');
    const { startMs, endMs, stepMs } = params.range();
    const options = queryOptions(params, reply, queries);
    const query = () => queries.range(params.text('query'), startMs, endMs, stepMs, options);
    return sendResult(reply, params, await ofQuery(query), limit);
  };
}

/** What is wrong with the text of a query is told as what is wrong with the parameter. */
async function ofQuery(query: () => Promise<TimedResult>): Promise<TimedResult> {
  try {
    return await query();
  } catch (error) {
    return named('query', () => {
      throw error;
    });
  }
}

function sendResult(
  reply: FastifyReply,
  params: Params,
  result: TimedResult,
  limit: number,
): FastifyReply {
  const warnings = [...result.warnings];
  const { value, truncated } = truncate(result.value, limit);
  if (truncated) warnings.push(TRUNCATED);
  const wanted = params.text('stats');
  if (!['', 'true', 'all'].includes(wanted)) {
    warnings.push(`stats=${wanted.slice(0, 50)} is deprecated, use stats=true or stats=all`);
  }
  const stats = wanted === '' ? undefined : statsJson(result);
  return sendPieces(reply, queryDataPieces(value, stats), warnings, result.infos);
}

const TRUNCATED = 'results truncated due to limit';

function truncate(value: QueryValue, limit: number): { value: QueryValue; truncated: boolean } {
  if (limit > 0 && value.type === 'vector' && value.samples.length > limit) {
    return { value: { ...value, samples: value.samples.slice(0, limit) }, truncated: true };
  }
  if (limit > 0 && value.type === 'matrix' && value.series.length > limit) {
    return { value: { ...value, series: value.series.slice(0, limit) }, truncated: true };
  }
  return { value, truncated: false };
}

/**
 * Seconds, and samples. Each sample that was read counts once, however many steps looked at it;
 * sorting is a part of the evaluation.
 */
function statsJson({ timings, usage }: TimedResult): QueryStats {
  const { queueMs, preparationMs, evaluationMs } = timings;
  const read = usage?.readSamples ?? 0;
  return {
    timings: {
      evalTotalTime: evaluationMs / 1000,
      resultSortTime: 0,
      queryPreparationTime: preparationMs / 1000,
      innerEvalTime: Math.max(0, evaluationMs - preparationMs) / 1000,
      execQueueTime: queueMs / 1000,
      execTotalTime: (queueMs + evaluationMs) / 1000,
    },
    samples: {
      totalQueryableSamples: read,
      samplesRead: read,
      peakSamples: usage?.peakSamples ?? 0,
    },
  };
}

function labelRequest(params: Params, matcherSets = params.matcherSets()): LabelRequest {
  const minTimeMs = params.time('start', ALWAYS.minTimeMs);
  const maxTimeMs = params.time('end', ALWAYS.maxTimeMs);
  return { matcherSets, minTimeMs, maxTimeMs, limit: params.limit('limit') };
}

function exemplars({ backends }: PrometheusApiOptions, parse: (params: Params) => Expr): Handler {
  return async (params, reply) => {
    const minTimeMs = params.time('start', ALWAYS.minTimeMs);
    const maxTimeMs = params.time('end', ALWAYS.maxTimeMs);
    if (maxTimeMs < minTimeMs) {
      throw new TytoError('bad_data', 'end timestamp must not be before start timestamp');
    }
    const matcherSets: VectorSelector['matchers'][] = [];
    walkExpr(parse(params), (expr) => {
      if (expr.kind === 'vector') matcherSets.push(expr.matchers);
    });
    const found = await backends
      .of(reply.request)
      .store.exemplars({ matcherSets, minTimeMs, maxTimeMs });
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

function series({ backends }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const request = labelRequest(params, params.requiredMatcherSets());
    const { items, truncated } = await backends.of(reply.request).store.series(request);
    return sendPieces(reply, labelsPieces(items), limitWarning(truncated), []);
  };
}

function labelNames({ backends }: PrometheusApiOptions): Handler {
  return async (params, reply) => {
    const { items, truncated } = await backends
      .of(reply.request)
      .store.labelNames(labelRequest(params));
    return sendRaw(reply, JSON.stringify(items), limitWarning(truncated));
  };
}

async function labelValues(
  { backends }: PrometheusApiOptions,
  given: string,
  params: Params,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const name = unescapeLabelName(given);
  if (name === '') throw new TytoError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
  const { items, truncated } = await backends
    .of(reply.request)
    .store.labelValues(name, labelRequest(params));
  return sendRaw(reply, JSON.stringify(items), limitWarning(truncated));
}

function limitWarning(truncated: boolean): string[] {
  return truncated ? [TRUNCATED] : [];
}
