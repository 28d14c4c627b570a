/**
 * What Tyto tells of logs beside Loki's API: the lines around a line, how many there are by level
 * over time, and what a query would read.
 */
import { TytoError } from '@tyto/base';
import type { Labels } from '@tyto/model';
import type { LogqlEntry, LogqlResult, LogqlStream } from '@tyto/logql';
import { formatLogql, parseLogPipeline } from '@tyto/syntax';
import type { FastifyInstance } from 'fastify';
import { sendData } from './envelope.ts';
import { limitOf, orderedRangeOf, parseLokiTime, queryOf, stepOf } from './lokiParams.ts';
import { limited, type LokiQueryOptions } from './lokiQueryApi.ts';
import type { Params } from './params.ts';

const CONTEXT_LINES_DEFAULT = 20;
const CONTEXT_LINES_MAX = 1000;
/** How far around a line others are looked for. */
const CONTEXT_NS = 24n * 3_600_000_000_000n;
const LEVEL = 'detected_level';

interface Asked {
  readonly params: Params;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export function registerLogsApi(app: FastifyInstance, options: LokiQueryOptions): void {
  app.get('/tyto/api/v1/logs/context', async (request, reply) =>
    sendData(reply, await limited(request, reply, options, (asked) => around(asked, options))),
  );
  app.get('/tyto/api/v1/logs/estimate', async (request, reply) =>
    sendData(reply, await limited(request, reply, options, (asked) => estimate(asked, options))),
  );
  app.get('/tyto/api/v1/logs/histogram', async (request, reply) =>
    sendData(reply, await limited(request, reply, options, (asked) => histogram(asked, options))),
  );
}

/** The lines of the streams of `query` before and after `time`, in order of time. */
async function around(
  { params, tenant, signal }: Asked,
  { logs }: LokiQueryOptions,
): Promise<unknown> {
  const { matchers, span } = parseLogPipeline(queryOf(params));
  const query = formatLogql({ kind: 'pipeline', matchers, stages: [], span });
  const text = params.text('time');
  if (text === '') throw new TytoError('bad_data', 'time parameter is required: that of the line');
  const timeNs = parseLokiTime(text);
  const limit = Math.min(limitOf(params, 'limit', CONTEXT_LINES_DEFAULT), CONTEXT_LINES_MAX);
  const read = { tenant, signal, query, limit, stepNs: 0n, intervalNs: 0n };
  const [before, after] = await Promise.all([
    logs.engine.range({
      ...read,
      direction: 'backward',
      startNs: timeNs - CONTEXT_NS,
      endNs: timeNs,
    }),
    logs.engine.range({
      ...read,
      direction: 'forward',
      startNs: timeNs,
      endNs: timeNs + CONTEXT_NS,
    }),
  ]);
  return { before: linesOf(before).reverse(), after: linesOf(after) };
}

interface Line {
  readonly labels: Labels;
  readonly entry: LogqlEntry;
}

function linesOf({ value }: LogqlResult) {
  if (value.type !== 'streams') return [];
  const isForward = isInOrder(value.streams);
  const lines: Line[] = value.streams.flatMap(({ labels, entries }) =>
    entries.map((entry) => ({ labels, entry })),
  );
  const sign = isForward ? 1 : -1;
  lines.sort((a, b) => sign * Number(a.entry.timestampNs - b.entry.timestampNs));
  return lines.map(({ labels, entry: { timestampNs, line, metadata } }) => ({
    timestamp: String(timestampNs),
    line,
    labels: labels.toRecord(),
    metadata: metadata.toRecord(),
  }));
}

function isInOrder(streams: readonly LogqlStream[]): boolean {
  const { entries } = streams.find((stream) => stream.entries.length > 1) ?? { entries: [] };
  const last = entries.at(-1);
  return last === undefined || entries[0].timestampNs <= last.timestampNs;
}

/** About what a query would read, before it does. */
async function estimate(
  { params, tenant, signal }: Asked,
  { clock, logs }: LokiQueryOptions,
): Promise<unknown> {
  const range = orderedRangeOf(params, clock.nowMs());
  return await logs.engine.estimate({ ...range, tenant, signal, query: queryOf(params) });
}

/** Lines of `query` by level and step. */
async function histogram(
  { params, tenant, signal }: Asked,
  { clock, logs }: LokiQueryOptions,
): Promise<unknown> {
  const range = orderedRangeOf(params, clock.nowMs());
  const stepNs = stepOf(params, range);
  const pipeline = formatLogql(parseLogPipeline(queryOf(params)));
  const window = `${stepNs / 1_000_000n}ms`;
  const { value } = await logs.engine.range({
    tenant,
    signal,
    query: `sum by (${LEVEL}) (count_over_time(${pipeline} [${window}]))`,
    limit: 1,
    direction: 'forward',
    // A window ends at its step.
    startNs: range.startNs + stepNs,
    endNs: range.endNs + stepNs,
    stepNs,
    intervalNs: 0n,
  });
  const series = value.type === 'matrix' ? value.series : [];
  return {
    step: Number(stepNs) / 1e9,
    levels: series.map(({ labels, samples }) => ({
      level: labels.get(LEVEL) || 'unknown',
      values: samples.map(({ timestampMs, value: count }) => [
        (timestampMs - Number(stepNs) / 1e6) / 1000,
        count,
      ]),
    })),
  };
}
