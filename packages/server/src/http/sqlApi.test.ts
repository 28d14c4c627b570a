import { Readable } from 'node:stream';
import { TytoError } from '@tyto/base';
import type { UserSqlRequest } from '@tyto/columnar';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { registerSqlApi } from './sqlApi.ts';

function open() {
  const asked: Omit<UserSqlRequest, 'signal'>[] = [];
  const app = Fastify();
  const columnar = {
    async sql({ tenant, query, format }: UserSqlRequest) {
      asked.push({ tenant, query, format });
      if (query === 'bad') throw new TytoError('bad_data', 'log store: Unknown identifier');
      return Readable.from([Buffer.from('1\n')]);
    },
  };
  const tenantOf = (request: { headers: Record<string, unknown> }) =>
    String(request.headers['x-scope-orgid'] ?? 'fake');
  registerSqlApi(app, { columnar, tenantOf });
  return { app, asked };
}

describe('the API for SQL', () => {
  it('passes a query on with its tenant and format, and the answer back', async () => {
    const { app, asked } = open();
    const answer = await app.inject({
      url: '/tyto/api/v1/sql?query=SELECT%201&format=csv',
      headers: { 'x-scope-orgid': 'one' },
    });
    expect([answer.statusCode, answer.body]).toEqual([200, '1\n']);
    expect(answer.headers['content-type']).toMatch(/^text\/csv/);
    await app.inject('/tyto/api/v1/sql?query=SELECT%202');
    expect(asked).toEqual([
      { tenant: 'one', query: 'SELECT 1', format: 'csv' },
      { tenant: 'fake', query: 'SELECT 2', format: 'json' },
    ]);
  });

  it('says what is missing or wrong', async () => {
    const { app } = open();
    const message = async (url: string) => (await app.inject(url)).json().message;
    expect(await message('/tyto/api/v1/sql')).toBe('missing required parameter "query"');
    expect(await message('/tyto/api/v1/sql?query=x&format=xml')).toBe(
      'format is one of json, csv, arrow, parquet, ndjson, not "xml"',
    );
    expect(await message('/tyto/api/v1/sql?query=bad')).toBe('log store: Unknown identifier');
  });
});
