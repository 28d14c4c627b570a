/** The web UI: its files, and its page for every path that is not an API's. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must, TytoError } from '@tyto/base';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { Methods } from './methods.ts';

/** Scripts and styles of our own only, so that no label value can become one. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'self'",
].join('; ');

export async function registerWebUi(
  app: FastifyInstance,
  prefix: string,
  methods: Methods,
): Promise<void> {
  const directory = webDirectory();
  const page = directory === undefined ? undefined : readPage(directory, prefix);
  if (directory !== undefined) {
    await app.register(fastifyStatic, {
      root: join(directory, 'assets'),
      prefix: '/assets/',
      // Names carry a hash of what they hold.
      immutable: true,
      maxAge: '365d',
      index: false,
      decorateReply: false,
    });
  }
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split('?')[0];
    const allowed = methods.of(path);
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '));
      const message = `${path} takes ${allowed.join(', ')}, and no ${request.method}`;
      throw Object.assign(new Error(message), { statusCode: 405 });
    }
    const isPage = request.method === 'GET' || request.method === 'HEAD';
    if (/^\/(api|assets|-|debug|loki|v1)\//.test(path) || !isPage) {
      throw new TytoError('not_found', `there is nothing at ${request.method} ${path}`);
    }
    if (page === undefined)
      throw new TytoError('not_found', 'the web UI is not built: npm run build');
    return reply
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .send(page);
  });
}

/** Beside the bundle in a release, in its own package in a checkout. */
function webDirectory(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, 'web'), join(here, '../../web/dist')];
  return candidates.find((candidate) => existsSync(join(candidate, 'index.html')));
}

/** The page with the base that its relative addresses start from. */
function readPage(directory: string, prefix: string): string {
  const html = readFileSync(join(directory, 'index.html'), 'utf8');
  const written = must(/<base [^>]*>/.exec(html), 'the page has a base')[0];
  return html.replace(written, `<base href="${prefix.replaceAll('"', '&quot;')}/">`);
}
