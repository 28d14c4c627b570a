/**
 * The OpenAPI document of /api/v1, of version 3.1 or 3.2. Only the latter has the paths that answer
 * with a stream of events.
 */
import { VERSION } from '../../version.ts';
import { INCIDENT_OPERATIONS, INCIDENT_SCHEMAS } from './incidentOperations.ts';
import { type Answer, type Operation, OPERATIONS, type Parameter, TAGS } from './operations.ts';
import { list, object, oneOf, ref, type Schema, text } from './schema.ts';
import { SCHEMAS } from './schemas.ts';

export type OpenApiVersion = '3.1' | '3.2';

/** A part of the document. */
type Part = Readonly<Record<string, unknown>>;

/** `apiUrl` is where the paths are, as clients see it. */
export function openApiDocument(version: OpenApiVersion, apiUrl: string): Part {
  const all = [...OPERATIONS, ...INCIDENT_OPERATIONS];
  const shown = all.filter(({ answer }) => version === '3.2' || answer.kind !== 'events');
  const ownUrl = apiUrl.replace(/\/api\/v1$/, '/tyto/api/v1');
  return {
    openapi: `${version}.0`,
    info: {
      title: 'Tyto API',
      description: "The HTTP API of Prometheus 3, as Tyto serves it, and Tyto's own of incidents.",
      version: VERSION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: apiUrl }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(shown, ownUrl),
    components: { schemas: { ...SCHEMAS, ...INCIDENT_SCHEMAS } },
  };
}

/** Several operations may have one path, each with methods of its own. */
function pathsOf(operations: readonly Operation[], ownUrl: string): Part {
  const paths: Record<string, Part> = {};
  for (const operation of operations) {
    const { path, isOwn } = operation;
    const servers = isOwn === true ? { servers: [{ url: ownUrl }] } : {};
    paths[path] = { ...paths[path], ...servers, ...pathItem(operation) };
  }
  return paths;
}

function pathItem(operation: Operation): Part {
  return Object.fromEntries(
    operation.methods.map((method) => [
      method,
      {
        tags: [operation.tag],
        summary: operation.summary,
        operationId: operationId(operation, method),
        ...requestOf(operation, method),
        responses: { ...success(operation.answer), default: failure() },
      },
    ]),
  );
}

/** `query-range`, `query-range-post`. */
function operationId({ path, methods, isOwn }: Operation, method: string): string {
  const words = path.replace(/[{}]/g, '').split(/[/_.]/).filter(Boolean).join('-');
  const isFirst = isOwn === true ? method === 'get' : method === methods[0];
  return isFirst ? words : `${words}-${method}`;
}

function requestOf({ parameters = [], takesForm, body }: Operation, method: string): Part {
  if (method === 'post' && takesForm === true) {
    const inPath = parameters.filter(({ isInPath }) => isInPath === true);
    const inForm = parameters.filter(({ isInPath }) => isInPath !== true);
    return {
      ...(inPath.length > 0 ? { parameters: inPath.map(parameterJson) } : {}),
      requestBody: { required: true, content: formOf(inForm) },
    };
  }
  const content = Object.fromEntries((body ?? []).map((type) => [type, { schema: BINARY }]));
  return {
    ...(parameters.length > 0 ? { parameters: parameters.map(parameterJson) } : {}),
    ...(body === undefined ? {} : { requestBody: { required: true, content } }),
  };
}

const BINARY: Schema = { type: 'string', format: 'binary' };

function parameterJson({ name, description, schema, isRequired, isInPath }: Parameter): Part {
  return {
    name,
    in: isInPath === true ? 'path' : 'query',
    description,
    required: isRequired === true,
    // A list is the parameter as often as it has items.
    ...(schema.type === 'array' ? { explode: true } : {}),
    schema,
  };
}

function formOf(parameters: readonly Parameter[]): Part {
  const fields = (wanted: boolean) =>
    Object.fromEntries(
      parameters
        .filter(({ isRequired = false }) => isRequired === wanted)
        .map(({ name, description, schema }) => [name, { description, ...schema }]),
    );
  const schema = object(fields(true), fields(false));
  return { 'application/x-www-form-urlencoded': { schema } };
}

function success(answer: Answer): Part {
  switch (answer.kind) {
    case 'nothing':
      return { [answer.status]: { description: 'Done.' } };
    case 'other':
      return {
        200: { description: 'Success.', content: { [answer.type]: { schema: answer.schema } } },
      };
    case 'events':
      return {
        200: {
          description: 'A stream of events.',
          content: { 'text/event-stream': { itemSchema: eventOf(answer.schema) } },
        },
        204: { description: 'There are too many followers already.' },
      };
    case 'data':
      return {
        200: {
          description: 'Success.',
          content: { 'application/json': { schema: envelopeOf(answer.schema) } },
        },
      };
  }
}

function eventOf(schema: Schema): Schema {
  const event = { type: 'string', contentMediaType: 'application/json', contentSchema: schema };
  return object({ data: event });
}

function envelopeOf(schema: Schema): Schema {
  const notes = list(text);
  return object({ status: oneOf('success'), data: schema }, { warnings: notes, infos: notes });
}

function failure(): Part {
  const content = { 'application/json': { schema: ref('Error') } };
  return { description: 'What was wrong.', content };
}
