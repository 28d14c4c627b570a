import { describe, expect, it } from 'vitest';
import { compileAnchored } from '@tyto/base';
import { DEFAULT_FEATURES } from '../../features.ts';
import { createHttpServer, type HttpServerOptions } from '../httpServer.ts';
import { Methods } from '../methods.ts';
import { openApiDocument } from './document.ts';
import { INCIDENT_SCHEMAS } from './incidentOperations.ts';
import { SCHEMAS } from './schemas.ts';

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>;

/** `GET /label/{name}/values` of everything that the server answers below /api/v1. */
async function registered(): Promise<string[]> {
  const methods = new Methods();
  // Routes are only registered: nobody asks them, so what they would ask is not needed.
  const app = await createHttpServer(
    {
      externalUrl: 'http://localhost:9090',
      corsOrigin: compileAnchored('.*'),
      features: DEFAULT_FEATURES,
    } as HttpServerOptions,
    methods,
  );
  await app.close();
  return methods.all.flatMap(({ url, methods: names }) => {
    // Of what is Tyto's own, incidents are in the document.
    const isOwn = /^\/tyto\/api\/v1\/(incidents|suppressions|alerts|oncall)\b/.test(url);
    if (!url.startsWith('/api/v1/') && !isOwn) return [];
    const path = url.replace(/^(\/tyto)?\/api\/v1/, '').replace(/:(\w+)/g, '{$1}');
    return names.filter((name) => name !== 'HEAD').map((name) => `${name} ${path}`);
  });
}

function described(version: '3.1' | '3.2'): string[] {
  const { paths } = openApiDocument(version, '/api/v1') as { readonly paths: Paths };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((name) => name !== 'servers')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
}

describe('the OpenAPI document', () => {
  it('has every route of the server, and the server every one of the document', async () => {
    expect(described('3.2').sort()).toEqual((await registered()).sort());
  });

  it('leaves streams of events to version 3.2, which can describe them', () => {
    const only32 = described('3.2').filter((one) => !described('3.1').includes(one));
    expect(only32).toEqual(['GET /notifications/live']);
    expect(openApiDocument('3.1', '/p/api/v1')).toMatchObject({
      openapi: '3.1.0',
      servers: [{ url: '/p/api/v1' }],
    });
    expect(openApiDocument('3.2', '/api/v1').openapi).toBe('3.2.0');
  });

  it('refers to no schema that it has not, and gives each operation an id of its own', () => {
    const document = openApiDocument('3.2', '/api/v1');
    const references = JSON.stringify(document).match(/#\/components\/schemas\/\w+/g) ?? [];
    const named = new Set(references.map((reference) => reference.split('/').at(-1)));
    const schemas = { ...SCHEMAS, ...INCIDENT_SCHEMAS };
    expect([...named].sort()).toEqual(Object.keys(schemas).sort());
    const paths = Object.values((document as { readonly paths: Paths }).paths);
    const ids = paths.flatMap((item) =>
      Object.values(item).flatMap(({ operationId }) => operationId ?? []),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
