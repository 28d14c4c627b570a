/** `/tyto/api/v1/sql`: people's own SELECT over their logs, in the formats of `SQL_FORMATS`. */
import type { Readable } from 'node:stream';
import { TytoError } from '@tyto/base';
import { type Columnar, SQL_FORMATS, type SqlFormat } from '@tyto/columnar';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { paramsOf } from './params.ts';

export interface SqlApiOptions {
  readonly columnar: Pick<Columnar, 'sql'>;
  /** Whose logs a request may see. */
  readonly tenantOf: (request: FastifyRequest) => string;
}

const CONTENT_TYPES: Readonly<Record<SqlFormat, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  arrow: 'application/vnd.apache.arrow.stream',
  parquet: 'application/vnd.apache.parquet',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

export function registerSqlApi(app: FastifyInstance, options: SqlApiOptions): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/tyto/api/v1/sql',
    handler: async (request, reply) => {
      const params = paramsOf(request);
      const query = params.text('query');
      if (query === '') throw new TytoError('bad_data', 'missing required parameter "query"');
      const format = formatOf(params.text('format'));
      const ended = new AbortController();
      // Who has gone needs no answer, and the query is ended.
      reply.raw.once('close', () => ended.abort());
      const answer: Readable = await options.columnar.sql({
        tenant: options.tenantOf(request),
        query,
        format,
        signal: ended.signal,
      });
      reply.header('content-type', CONTENT_TYPES[format]);
      return reply.send(answer);
    },
  });
}

function formatOf(text: string): SqlFormat {
  const format = text === '' ? 'json' : text;
  if (Object.hasOwn(SQL_FORMATS, format)) return format as SqlFormat;
  const known = Object.keys(SQL_FORMATS).join(', ');
  throw new TytoError('bad_data', `format is one of ${known}, not "${text}"`);
}
