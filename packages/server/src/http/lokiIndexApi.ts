/**
 * What streams there are, and how much is in them: labels, their values, series, index/stats,
 * volumes, shards, and the labels that Grafana's Logs Drilldown offers.
 */
import { TytoError } from '@tyto/base';
import { labelsText } from '@tyto/collect';
import { Labels, type LogStreamSize, type Matcher } from '@tyto/model';
import { parseLogql, pipelinesOf, prettyLogql } from '@tyto/syntax';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendData } from './envelope.ts';
import { statsJson } from './lokiJson.ts';
import { type LokiRange, limitOf, orderedRangeOf, queryOf, stepOf } from './lokiParams.ts';
import { limited, type LokiQueryOptions } from './lokiQueryApi.ts';
import type { Params } from './params.ts';

const HOUR_MS = 3_600_000;
/** Labels are asked for without a range by those who want to see what there is. */
const LABELS_SINCE_MS = 6 * HOUR_MS;
const SELECTORS_MAX = 200;
const SERIES_MAX = 100_000;

interface Asked {
  readonly params: Params;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export function registerLokiIndexApi(scope: FastifyInstance, options: LokiQueryOptions): void {
  const route = (
    urls: readonly string[],
    work: (asked: Asked, request: FastifyRequest) => Promise<unknown>,
    send: (reply: FastifyReply, data: unknown) => FastifyReply = sendData,
  ) => {
    for (const url of urls) {
      scope.route({
        method: ['GET', 'POST'],
        url,
        handler: async (request, reply) =>
          send(reply, await limited(request, reply, options, (asked) => work(asked, request))),
      });
    }
  };
  const plain = (reply: FastifyReply, data: unknown) => reply.send(data);
  const v1 = '/loki/api/v1';
  const names = (asked: Asked) => labelNames(asked, options);
  const values = (asked: Asked, request: FastifyRequest) =>
    labelValues(asked, options, (request.params as { name: string }).name);
  route([`${v1}/labels`, `${v1}/label`], names);
  route([`${v1}/label/:name/values`], values);
  route([`${v1}/series`, '/api/prom/series'], (asked) => series(asked, options));
  // The older answers are not in an envelope.
  const bare = (reply: FastifyReply, data: unknown) => reply.send({ values: data });
  route(['/api/prom/label'], names, bare);
  route(['/api/prom/label/:name/values'], values, bare);
  route([`${v1}/index/stats`], (asked) => indexStats(asked, options), plain);
  route([`${v1}/index/shards`], (asked) => indexShards(asked, options), plain);
  route([`${v1}/index/volume`], (asked) => volume(asked, options, false));
  route([`${v1}/index/volume_range`], (asked) => volume(asked, options, true));
  route([`${v1}/detected_labels`], (asked) => detectedLabels(asked, options), plain);
  route([`${v1}/format_query`], async ({ params }) => prettyLogql(parseLogql(queryOf(params))));
}

/** Matchers of a selector, or of all selectors in a query; `{}` means everything. */
function matcherSetsOf(text: string): (readonly Matcher[])[] {
  if (text === '' || /^\{\s*\}$/.test(text)) return [];
  return pipelinesOf(parseLogql(text)).map(({ pipeline }) => pipeline.matchers);
}

async function streamsOf(
  { params, tenant, signal }: Asked,
  { clock, logs }: LokiQueryOptions,
  matcherSets: (readonly Matcher[])[],
): Promise<readonly Labels[]> {
  const range = orderedRangeOf(params, clock.nowMs(), LABELS_SINCE_MS);
  return await logs.store.streams({ ...wholeRange(range), tenant, matcherSets, signal });
}

/** The end of a range of the API is the last time that counts here. */
function wholeRange({ startNs, endNs }: LokiRange): LokiRange {
  return { startNs, endNs: endNs + 1n };
}

async function labelNames(asked: Asked, options: LokiQueryOptions): Promise<string[]> {
  const sets = matcherSetsOf(asked.params.text('query'));
  const names = new Set<string>();
  for (const labels of await streamsOf(asked, options, sets)) {
    for (const [name] of labels.entries()) names.add(name);
  }
  return [...names].sort();
}

async function labelValues(
  asked: Asked,
  options: LokiQueryOptions,
  name: string,
): Promise<string[]> {
  const sets = matcherSetsOf(asked.params.text('query'));
  const values = new Set<string>();
  for (const labels of await streamsOf(asked, options, sets)) {
    const value = labels.get(name);
    if (value !== '') values.add(value);
  }
  return [...values].sort();
}

async function series(asked: Asked, options: LokiQueryOptions): Promise<unknown> {
  const texts = [...asked.params.all('match[]'), ...asked.params.all('match')];
  if (texts.length === 0) throw new TytoError('bad_data', '0 matcher groups supplied');
  if (texts.length > SELECTORS_MAX) {
    throw new TytoError('bad_data', `at most ${SELECTORS_MAX} match[] are taken`);
  }
  const sets = texts.flatMap((text) => {
    const found = matcherSetsOf(text);
    if (found.length === 0) throw new TytoError('bad_data', `0 matchers in group: ${text}`);
    return found;
  });
  const found = await streamsOf(asked, options, sets);
  if (found.length > SERIES_MAX) {
    throw new TytoError('too_large', `more than ${SERIES_MAX} series; ask for fewer by match[]`);
  }
  return found.map((labels) => labels.toRecord());
}

async function sizesOf(
  { params, tenant, signal }: Asked,
  { clock, logs }: LokiQueryOptions,
  stepNs?: bigint,
): Promise<readonly LogStreamSize[]> {
  const range = orderedRangeOf(params, clock.nowMs());
  const matcherSets = matcherSetsOf(queryOf(params));
  return await logs.store.sizes({ ...wholeRange(range), tenant, matcherSets, signal, stepNs });
}

async function indexStats(asked: Asked, options: LokiQueryOptions): Promise<unknown> {
  const sizes = await sizesOf(asked, options);
  const sum = { streams: sizes.length, chunks: sizes.length, bytes: 0, entries: 0 };
  for (const { bytes, entries } of sizes) {
    sum.bytes += bytes;
    sum.entries += entries;
  }
  return sum;
}

/** One machine has one shard. */
async function indexShards(asked: Asked, options: LokiQueryOptions): Promise<unknown> {
  const { streams, chunks, entries, bytes } = (await indexStats(asked, options)) as Record<
    string,
    number
  >;
  const bounds = { min: '0', max: '18446744073709551615' };
  return {
    shards: [{ bounds, stats: { streams, chunks, entries, bytes } }],
    statistics: statsJson(),
  };
}

/** Bytes by labels, the largest first. */
async function volume(asked: Asked, options: LokiQueryOptions, isRange: boolean): Promise<unknown> {
  const { params, tenant } = asked;
  const { clock, logs } = options;
  const range = orderedRangeOf(params, clock.nowMs());
  const stepNs = isRange ? stepOf(params, range) : undefined;
  const most = logs.limitsOf(tenant).query.volumeSeriesMax;
  const limit = Math.min(limitOf(params), most > 0 ? most : Number.MAX_SAFE_INTEGER);
  const nameOf = volumeName(params);
  const volumes = new Map<string, { metric: Record<string, string>; bytes: Map<bigint, number> }>();
  for (const { labels, bytes, endNs } of await sizesOf(asked, options, stepNs)) {
    for (const metric of nameOf(labels)) {
      const key = labelsText(Labels.of(metric)) + Object.keys(metric).join();
      const sum = volumes.get(key) ?? { metric, bytes: new Map<bigint, number>() };
      volumes.set(key, sum);
      const at = isRange ? endNs : range.endNs;
      sum.bytes.set(at, (sum.bytes.get(at) ?? 0) + bytes);
    }
  }
  const largest = [...volumes]
    .map(([key, { metric, bytes }]) => ({ key, metric, bytes, total: totalOf(bytes) }))
    .sort((a, b) => b.total - a.total || (a.key < b.key ? -1 : 1))
    .slice(0, limit);
  const result = largest.map(({ metric, bytes }) => {
    const points = [...bytes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([at, count]) => [Number(at / 1_000_000n) / 1000, String(count)]);
    return isRange ? { metric, values: points } : { metric, value: points[0] };
  });
  return { resultType: isRange ? 'matrix' : 'vector', result, stats: statsJson() };
}

function totalOf(bytes: ReadonlyMap<bigint, number>): number {
  let total = 0;
  for (const count of bytes.values()) total += count;
  return total;
}

/** What a stream counts for: its values of some labels, or each of its labels by itself. */
function volumeName(params: Params): (labels: Labels) => Record<string, string>[] {
  const aggregateBy = params.text('aggregateBy') || 'series';
  if (aggregateBy !== 'series' && aggregateBy !== 'labels') {
    throw new TytoError('bad_data', 'invalid aggregation option');
  }
  const targets = params
    .text('targetLabels')
    .split(',')
    .filter((name) => name !== '');
  const matched = matcherSetsOf(queryOf(params)).flatMap((set) => set.map(({ name }) => name));
  if (aggregateBy === 'labels') {
    const wanted = new Set(targets.length > 0 ? targets : matched);
    return (labels) =>
      [...labels.entries()]
        .filter(([name]) => wanted.size === 0 || wanted.has(name))
        .map(([name]) => ({ [name]: '' }));
  }
  const wanted = new Set(targets.length > 0 ? targets : matched);
  if (wanted.size === 0) return (labels) => [labels.toRecord()];
  return (labels) => [labels.keep(wanted).toRecord()];
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const NUMBER = /^[-+]?\d+(\.\d+)?$/;
/** Shown although their values may all be numbers or ids. */
const STATIC = new Set(['cluster', 'namespace', 'instance', 'pod']);

/** Labels that tell things apart for people: not those whose values are all ids or numbers. */
async function detectedLabels(asked: Asked, options: LokiQueryOptions): Promise<unknown> {
  const sets = matcherSetsOf(asked.params.text('query'));
  const values = new Map<string, Set<string>>();
  for (const labels of await streamsOf(asked, options, sets)) {
    for (const [name, value] of labels.entries()) {
      const known = values.get(name) ?? new Set();
      values.set(name, known.add(value));
    }
  }
  const isId = (text: string) => UUID.test(text) || NUMBER.test(text);
  const shown = [...values].filter(([name, all]) => STATIC.has(name) || ![...all].every(isId));
  return {
    detectedLabels: shown.map(([label, all]) => ({ label, cardinality: all.size })),
  };
}
