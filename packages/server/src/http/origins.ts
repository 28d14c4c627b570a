/**
 * Pages of other sites. Which of them may read /api/v1 is for --web.cors.origin to say, as in
 * Prometheus; what changes something is refused to all of them, whatever the flag says.
 */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { AnchoredRegExp } from '@tyto/base';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addVary } from './compression.ts';

export interface OriginsOptions {
  readonly externalUrl: string;
  /** Origins whose pages may read the API. */
  readonly corsOrigin: AnchoredRegExp;
}

const CORS_HEADERS = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers': 'Date',
};
const API = '/api/v1/';
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** They are posted because they are long; they change nothing. */
const POSTED_READS = new Set([
  ...['query', 'query_range', 'query_exemplars', 'format_query', 'parse_query', 'labels', 'series'],
  ...['search/metric_names', 'search/label_names', 'search/label_values'],
]);

/** Signed links: whoever posts there has one, which a page of another site has not. */
const SIGNED = '/tyto/incident/';

export function registerOrigins(app: FastifyInstance, options: OriginsOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    const isApi = request.url.startsWith(API);
    const isRead = isApi && isReading(request);
    if (isRead) allowOrigin(request, reply, options.corsOrigin);
    const isSigned = request.url.startsWith(SIGNED);
    if (!isRead && !isSigned && !READS.has(request.method)) refuseForeign(request, options);
  });
  app.options(`${API}*`, async (_, reply) => reply.code(204).send());
}

function isReading({ method, url }: FastifyRequest): boolean {
  return (
    READS.has(method) ||
    (method === 'POST' && POSTED_READS.has(url.split('?', 1)[0].slice(API.length)))
  );
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply, allowed: AnchoredRegExp): void {
  addVary(reply, 'Origin');
  const { origin } = request.headers;
  if (origin === undefined) return;
  reply.headers(CORS_HEADERS);
  if (allowed.source === '.*') reply.header('access-control-allow-origin', '*');
  else if (allowed.matches(origin)) reply.header('access-control-allow-origin', origin);
}

/** A page of another site must not silence alerts or reload with the browser of its visitor. */
function refuseForeign(request: FastifyRequest, { externalUrl }: OriginsOptions): void {
  const origin = request.headers.origin;
  if (origin === undefined) return;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  const external = new URL(externalUrl);
  if (page?.host === external.host) return;
  // A name that somebody else owns may be bound to this address; ours are known.
  const isOwnName =
    page !== undefined &&
    (isIP(page.hostname.replace(/^\[|\]$/g, '')) > 0 ||
      ['localhost', hostname().toLowerCase(), external.hostname].includes(page.hostname));
  if (isOwnName && page.host === request.headers.host) return;
  throw Object.assign(
    new Error(
      `requests from pages of ${origin} are refused; if that is how people reach Tyto, ` +
        'start it with --web.external-url',
    ),
    { statusCode: 403 },
  );
}
