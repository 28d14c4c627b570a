/**
 * Prometheus' search API: names of metrics and labels, and values of labels, that fit what somebody
 * types, as lines of JSON. Experimental there: `--enable-feature=search-api`.
 */
import { Readable } from 'node:stream';
import { type Clock, TytoError } from '@tyto/base';
import type { ScrapeManager } from '@tyto/collect';
import { type LabelRequest, type Limited, METRIC_NAME, type MetricQuerier } from '@tyto/model';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Params, paramsOf } from './params.ts';
import { type SearchFilter, searchFilter } from './searchFilters.ts';

export interface SearchApiOptions {
  readonly clock: Clock;
  readonly store: MetricQuerier;
  readonly scrapes: ScrapeManager;
  readonly isSearchEnabled: boolean;
  /** The largest `limit` that is taken; 0 for no bound. */
  readonly searchLimitMax: number;
}

const LIMIT_DEFAULT = 100;
const BATCH_DEFAULT = 100;
/** Without `start`, series of the last hour are searched. */
const RANGE_DEFAULT_MS = 3_600_000;
/** Each is compared with every name, in time that grows with its length. */
const SEARCHES_MAX = 32;
const SEARCH_LENGTH_MAX = 200;
/** Of longer names only the beginning is looked at. */
const NAME_LENGTH_MAX = 500;
/** Names are looked at for so long before everything else gets its turn. */
const PACE_MS = 20;
/** So many are found, at the least, before they are sorted and most of them forgotten. */
const FOUND_LENGTH_MIN = 1000;
const NDJSON = 'application/x-ndjson; charset=utf-8';

interface Found {
  readonly name: string;
  readonly score: number;
}

/** Reads all candidates of a request. */
type Candidates = (request: LabelRequest) => Promise<Limited<string>>;
/** What a line says of a name, besides its score. */
type Describe = (name: string) => Readonly<Record<string, unknown>>;

export function registerSearchApi(app: FastifyInstance, options: SearchApiOptions): void {
  const { store, scrapes } = options;
  const both = (path: string, prepare: (params: Params) => [Candidates, Describe]) => {
    app.route({
      method: ['GET', 'POST'],
      url: `/api/v1/search/${path}`,
      handler: async (request, reply) => {
        if (!options.isSearchEnabled) throw new TytoError('unavailable', 'search API disabled');
        const params = paramsOf(request);
        const search = readSearch(path, params, options);
        return answer(search, reply, options.clock, ...prepare(params));
      },
    });
  };
  both('metric_names', (params) => {
    const withMetadata = boolean(params, 'include_metadata', false);
    const describe = withMetadata ? metadataOf(scrapes) : () => ({});
    return [
      (request) => store.labelValues(METRIC_NAME, request),
      (name) => ({ name, ...describe(name) }),
    ];
  });
  both('label_names', () => [(request) => store.labelNames(request), (name) => ({ name })]);
  both('label_values', (params) => {
    const label = params.text('label');
    if (label === '') throw bad('missing required parameter "label"');
    return [(request) => store.labelValues(label, request), (value) => ({ value })];
  });
}

interface Search {
  readonly request: LabelRequest;
  readonly filter: SearchFilter;
  readonly compare: (a: Found, b: Found) => number;
  readonly includeScore: boolean;
  readonly limit: number;
  readonly batchSize: number;
}

function readSearch(path: string, params: Params, options: SearchApiOptions): Search {
  const nowMs = options.clock.nowMs();
  const minTimeMs = params.time('start', nowMs - RANGE_DEFAULT_MS);
  const maxTimeMs = params.time('end', nowMs);
  const searches = params.all('search[]');
  if (searches.length > SEARCHES_MAX) throw bad(`more than ${SEARCHES_MAX} search[] parameters`);
  if (searches.some((text) => text.length > SEARCH_LENGTH_MAX)) {
    throw bad(`a search[] is longer than ${SEARCH_LENGTH_MAX} characters`);
  }
  return {
    request: { matcherSets: params.matcherSets(), minTimeMs, maxTimeMs, limit: 0 },
    filter: searchFilter({
      searches,
      algorithm: algorithmOf(params),
      threshold: thresholdOf(params),
      isCaseSensitive: boolean(params, 'case_sensitive', true),
    }),
    compare: orderOf(path, params, searches.length > 0),
    includeScore: boolean(params, 'include_score', false),
    limit: limitOf(params, options.searchLimitMax),
    batchSize: count(params, 'batch_size') || BATCH_DEFAULT,
  };
}

function algorithmOf(params: Params): 'subsequence' | 'jarowinkler' {
  const text = params.text('fuzz_alg') || 'subsequence';
  if (text === 'subsequence' || text === 'jarowinkler') return text;
  const known = '[subsequence jarowinkler]';
  throw bad(`unsupported fuzz_alg ${JSON.stringify(text)}: must be one of ${known}`);
}

function thresholdOf(params: Params): number {
  const text = params.text('fuzz_threshold') || '0';
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text) / 100;
  throw bad(`invalid fuzz_threshold ${JSON.stringify(text)}: must be 0-100`);
}

function limitOf(params: Params, limitMax: number): number {
  const most = limitMax === 0 ? Infinity : limitMax;
  const limit = count(params, 'limit');
  if (limit > most) throw bad(`limit ${limit} exceeds the maximum of ${most}`);
  return limit || Math.min(LIMIT_DEFAULT, most);
}

/** 0 where nothing is said. */
function count(params: Params, name: string): number {
  const text = params.text(name) || '0';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw bad(`invalid ${name} ${JSON.stringify(text)}: must be non-negative integer`);
}

function boolean(params: Params, name: string, fallback: boolean): boolean {
  const text = params.text(name);
  if (text === '') return fallback;
  try {
    return params.boolean(name);
  } catch {
    throw bad(`invalid ${name} ${JSON.stringify(text)}: must be boolean`);
  }
}

function orderOf(path: string, params: Params, hasSearch: boolean): Search['compare'] {
  const by = params.text('sort_by');
  const direction = params.text('sort_dir');
  if (!['', 'alpha', 'score'].includes(by)) {
    const given = JSON.stringify(by);
    throw bad(`invalid sort_by ${given} for ${path}: must be "alpha" or "score"`);
  }
  if (direction !== '' && by === '') throw bad('sort_dir is only valid when sort_by is set');
  if (direction !== '' && by === 'score') {
    throw bad('sort_dir is not supported for sort_by=score');
  }
  if (!['', 'asc', 'dsc'].includes(direction)) {
    throw bad(`invalid sort_dir ${JSON.stringify(direction)}: must be "asc" or "dsc"`);
  }
  if (by === 'score' && !hasSearch) throw bad('sort_by=score requires search[] to be set');
  const byName = (a: Found, b: Found) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  if (by === 'score') return (a, b) => b.score - a.score || byName(a, b);
  return direction === 'dsc' ? (a, b) => byName(b, a) : byName;
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

async function answer(
  search: Search,
  reply: FastifyReply,
  clock: Clock,
  candidates: Candidates,
  describe: Describe,
): Promise<FastifyReply> {
  const { items } = await candidates(search.request);
  const found = await fitting(items, search, clock, () => reply.raw.destroyed);
  const hasMore = found.length > search.limit;
  const shown = found.slice(0, search.limit);
  const results = shown.map(({ name, score }) => ({
    ...describe(name),
    ...(search.includeScore ? { score } : {}),
  }));
  return reply.type(NDJSON).send(Readable.from(lines(results, search.batchSize, hasMore)));
}

/**
 * The first of those that fit, in order, and one more than the limit where there are more.
 * Everything else goes on meanwhile, unless nobody reads the answer any more.
 */
async function fitting(
  names: readonly string[],
  { filter, compare, limit }: Search,
  clock: Clock,
  isUnread: () => boolean,
): Promise<Found[]> {
  const found: Found[] = [];
  const keepFirst = () => {
    found.sort(compare);
    found.length = Math.min(found.length, limit + 1);
  };
  let pausedMs = clock.monotonicMs();
  for (let i = 0; i < names.length; i++) {
    if (clock.monotonicMs() - pausedMs > PACE_MS) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (isUnread()) throw new TytoError('canceled', 'the search was canceled');
      pausedMs = clock.monotonicMs();
    }
    const name = names[i];
    const score = filter(name.length > NAME_LENGTH_MAX ? name.slice(0, NAME_LENGTH_MAX) : name);
    if (score === undefined) continue;
    found.push({ name, score });
    if (found.length >= FOUND_LENGTH_MIN + 4 * limit) keepFirst();
  }
  keepFirst();
  return found;
}

/** A line for each batch, at least one, and a last line. */
function* lines(
  results: readonly unknown[],
  batchSize: number,
  hasMore: boolean,
): IterableIterator<string> {
  for (let from = 0; from === 0 || from < results.length; from += batchSize) {
    yield `${JSON.stringify({ results: results.slice(from, from + batchSize) })}\n`;
  }
  yield `${JSON.stringify({ status: 'success', has_more: hasMore })}\n`;
}

/** Series that a family of metrics has under a name of its own, by the family's type. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  histogram: ['_bucket', '_sum', '_count'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount', '_sum', '_count'],
  summary: ['_sum', '_count'],
  info: ['_info'],
};

/** Type, help and unit as the first target that knows the metric says; empty texts are left out. */
function metadataOf(scrapes: ScrapeManager): Describe {
  const targets = scrapes.metadata().map(({ metadata }) => metadata);
  const find = (name: string, suffix: string) => {
    for (const metadata of targets) {
      const entry = metadata.get(name);
      if (entry === undefined) continue;
      if (suffix === '' || SUFFIXES[entry.type]?.includes(suffix) === true) return entry;
    }
    return undefined;
  };
  return (name) => {
    const cut = name.lastIndexOf('_');
    const entry =
      find(name, '') ?? (cut > 0 ? find(name.slice(0, cut), name.slice(cut)) : undefined);
    if (entry === undefined) return {};
    const { type, help, unit } = entry;
    return Object.fromEntries(
      Object.entries({ type, help, unit }).filter(([, text]) => text !== ''),
    );
  };
}
