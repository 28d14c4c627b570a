/**
 * What is found in lines: /loki/api/v1/detected_fields and the values of one, from a sample of the
 * newest lines of a query.
 */
import type { LogqlResult } from '@tyto/logql';
import type { FastifyInstance } from 'fastify';
import { parseBytes, parseGoDuration } from '@tyto/syntax';
import { countOf, orderedRangeOf, queryOf } from './lokiParams.ts';
import { limited, type LokiQueryOptions } from './lokiQueryApi.ts';
import type { Params } from './params.ts';

const LINES_DEFAULT = 100;
const FIELDS_DEFAULT = 1000;
const FIELDS_MAX = 1000;
const LINES_MAX = 5000;
/** Different values of a field that are counted; the rest counts as one more. */
const VALUES_MAX = 1000;
const DEPTH_MAX = 8;
const LOGFMT = /(?:^|\s)([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/g;

interface Field {
  readonly values: Set<string>;
  readonly parsers: Set<string>;
  jsonPath: string[] | undefined;
}

type Fields = Map<string, Field>;

interface Asked {
  readonly params: Params;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export function registerLokiFieldsApi(scope: FastifyInstance, options: LokiQueryOptions): void {
  const method = ['GET', 'POST'];
  scope.route({
    method,
    url: '/loki/api/v1/detected_fields',
    handler: async (request, reply) => {
      const { fields, limit } = await limited(request, reply, options, (asked) =>
        fieldsOf(asked, options),
      );
      const shown = [...fields].slice(0, limit).map(([label, field]) => ({
        label,
        type: typeOf(field.values),
        cardinality: field.values.size,
        parsers: field.parsers.size === 0 ? null : [...field.parsers],
        ...(field.jsonPath === undefined ? {} : { jsonPath: field.jsonPath }),
      }));
      return reply.send({ fields: shown, limit });
    },
  });
  scope.route({
    method,
    url: '/loki/api/v1/detected_field/:name/values',
    handler: async (request, reply) => {
      const { fields, limit } = await limited(request, reply, options, (asked) =>
        fieldsOf(asked, options),
      );
      const { name } = request.params as { name: string };
      const values = [...(fields.get(name)?.values ?? [])].sort().slice(0, limit);
      return reply.send({ values, limit });
    },
  });
}

async function fieldsOf(
  { params, tenant, signal }: Asked,
  { clock, logs }: LokiQueryOptions,
): Promise<{ fields: Fields; limit: number }> {
  const limit = Math.min(countOf(params, 'limit', FIELDS_DEFAULT) || FIELDS_DEFAULT, FIELDS_MAX);
  const lines = Math.min(countOf(params, 'line_limit', LINES_DEFAULT) || LINES_DEFAULT, LINES_MAX);
  const range = orderedRangeOf(params, clock.nowMs());
  const result = await logs.engine.range({
    ...range,
    tenant,
    signal,
    query: queryOf(params),
    limit: lines,
    direction: 'backward',
    stepNs: 1_000_000_000n,
    intervalNs: 0n,
  });
  return { fields: collect(result), limit };
}

function collect({ value }: LogqlResult): Fields {
  const fields: Fields = new Map();
  if (value.type !== 'streams') return fields;
  for (const { entries } of value.streams) {
    for (const { line, metadata, parsed } of entries) {
      for (const [name, text] of metadata.entries()) add(fields, name, text);
      for (const [name, text] of parsed.entries()) add(fields, name, text);
      if (!addJson(fields, line)) addLogfmt(fields, line);
    }
  }
  return fields;
}

function add(fields: Fields, name: string, value: string): Field | undefined {
  const known = fields.get(name);
  if (known === undefined && fields.size >= FIELDS_MAX) return undefined;
  const field = known ?? { values: new Set(), parsers: new Set(), jsonPath: undefined };
  fields.set(name, field);
  if (field.values.size < VALUES_MAX) field.values.add(value);
  return field;
}

function addJson(fields: Fields, line: string): boolean {
  if (!/^\s*\{/.test(line)) return false;
  try {
    addRecord(fields, JSON.parse(line), []);
    return true;
  } catch {
    return false;
  }
}

/** As the stage `json` names them: keys joined by underscores, lists left out. */
function addRecord(fields: Fields, record: object, path: readonly string[]): void {
  for (const [key, value] of Object.entries(record)) {
    const here = [...path, key];
    if (typeof value === 'object' && value !== null) {
      if (!Array.isArray(value) && here.length < DEPTH_MAX) addRecord(fields, value, here);
      continue;
    }
    const name = here.join('_').replace(/\W/g, '_');
    const field = add(fields, name, value === null ? '' : String(value));
    field?.parsers.add('json');
    if (field !== undefined) field.jsonPath ??= here;
  }
}

function addLogfmt(fields: Fields, line: string): void {
  for (const [, key, quoted, bare] of line.matchAll(LOGFMT)) {
    const field = add(fields, key.replace(/\W/g, '_'), quoted ?? bare ?? '');
    field?.parsers.add('logfmt');
  }
}

/** The narrowest type that all values are of. */
function typeOf(values: ReadonlySet<string>): string {
  const all = [...values];
  if (all.every((text) => /^(true|false)$/.test(text))) return 'boolean';
  if (all.every((text) => /^[+-]?\d+$/.test(text))) return 'int';
  if (all.every((text) => text !== '' && Number.isFinite(Number(text)))) return 'float';
  if (all.every((text) => isRead(() => parseGoDuration(text)))) return 'duration';
  if (all.every((text) => isRead(() => parseBytes(text)))) return 'bytes';
  return 'string';
}

function isRead(read: () => unknown): boolean {
  try {
    return read() !== undefined;
  } catch {
    return false;
  }
}
