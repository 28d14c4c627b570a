/** JSON Schema as OpenAPI 3.1 has it, written short. */

export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: 'string' };
export const integer: Schema = { type: 'integer', format: 'int64' };
export const number: Schema = { type: 'number' };
export const flag: Schema = { type: 'boolean' };
/** RFC 3339. */
export const dateTime: Schema = { type: 'string', format: 'date-time' };
/** A parameter: a moment. */
export const time: Schema = {
  description: 'RFC 3339, or seconds since 1970, with decimals.',
  oneOf: [dateTime, { type: 'number', format: 'unixtime' }],
};
/** A parameter: a length of time. */
export const duration: Schema = {
  description: 'Such as 30s or 1h30m, or a number of seconds.',
  oneOf: [
    { type: 'string', format: 'duration' },
    { type: 'number', format: 'float' },
  ],
};

export function oneOf(...words: string[]): Schema {
  return { type: 'string', enum: words };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

export function map(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

/** A named schema of the document. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** All fields are there but those in `optional`; there are no others. */
export function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  const names = Object.keys(required);
  return {
    type: 'object',
    properties: { ...required, ...optional },
    ...(names.length > 0 ? { required: names } : {}),
    additionalProperties: false,
  };
}
