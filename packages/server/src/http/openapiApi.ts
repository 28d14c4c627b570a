/** GET /api/v1/openapi.yaml: the document that describes /api/v1, to be read by programs. */
import { formatYaml } from '@tyto/base';
import type { FastifyInstance } from 'fastify';
import { openApiDocument, type OpenApiVersion } from './openapi/document.ts';
import { paramsOf } from './params.ts';

export interface OpenApiOptions {
  readonly externalUrl: string;
}

export function registerOpenApi(app: FastifyInstance, { externalUrl }: OpenApiOptions): void {
  const prefix = new URL(externalUrl).pathname.replace(/\/+$/, '');
  const texts = new Map<OpenApiVersion, string>();
  app.get('/api/v1/openapi.yaml', async (request, reply) => {
    // As in Prometheus, what is no version of it is the default.
    const wanted = paramsOf(request).text('openapi_version');
    const version = /^3\.2(\.0)?$/.test(wanted) ? '3.2' : '3.1';
    const text = texts.get(version) ?? formatYaml(openApiDocument(version, `${prefix}/api/v1`));
    texts.set(version, text);
    reply.header('cache-control', 'no-cache, no-store, must-revalidate');
    return reply.type('application/yaml; charset=utf-8').send(text);
  });
}
