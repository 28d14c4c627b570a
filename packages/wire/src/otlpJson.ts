/** ExportMetricsServiceRequest as JSON, told to the same visitor as the protobuf one. */
import { TytoError } from '@tyto/base';
import { LABEL_COUNT_MAX } from './limits.ts';
import { parseJson } from './logVisitor.ts';
import {
  checkDepth,
  type OtlpAttribute,
  type OtlpValue,
  textOf,
  tooMany,
} from './otlpAttributes.ts';
import {
  emptyPoint,
  type OtlpBuckets,
  type OtlpExemplar,
  type OtlpKind,
  type OtlpPoint,
  type OtlpVisitor,
  temporalityOf,
} from './otlpMetrics.ts';

export type Json = Readonly<Record<string, unknown>>;

const KINDS: Readonly<Record<string, OtlpKind>> = {
  gauge: 'gauge',
  sum: 'sum',
  histogram: 'histogram',
  exponentialHistogram: 'exponential',
  summary: 'summary',
};

/** Walks a request. Throws TytoError `bad_data` for a malformed one, and what visiting throws. */
export function walkOtlpJson(text: string, visitor: OtlpVisitor): void {
  for (const item of list(object(parseJson(text), 'the request'), 'resourceMetrics')) {
    const resource = object(item, 'resourceMetrics');
    visitor.resource(attributesOf(optionalObject(resource, 'resource')));
    for (const scope of list(resource, 'scopeMetrics')) {
      walkScope(object(scope, 'scopeMetrics'), visitor);
    }
    visitor.endResource();
  }
}

function walkScope(scopeMetrics: Json, visitor: OtlpVisitor): void {
  const scope = optionalObject(scopeMetrics, 'scope');
  visitor.scope({
    name: string(scope, 'name'),
    version: string(scope, 'version'),
    schemaUrl: string(scopeMetrics, 'schemaUrl'),
    attributes: attributesOf(scope),
  });
  for (const item of list(scopeMetrics, 'metrics')) walkMetric(object(item, 'metrics'), visitor);
}

function walkMetric(metric: Json, visitor: OtlpVisitor): void {
  const field = Object.keys(KINDS).find((name) => (metric[name] ?? undefined) !== undefined);
  if (field === undefined) return;
  const data = object(metric[field], field);
  const kind = KINDS[field];
  visitor.metric({
    name: string(metric, 'name'),
    description: string(metric, 'description'),
    unit: string(metric, 'unit'),
    kind,
    temporality: temporalityOf(number(data, 'aggregationTemporality')),
    isMonotonic: data.isMonotonic === true,
  });
  for (const item of list(data, 'dataPoints')) {
    visitor.point(pointOf(object(item, 'dataPoints'), kind));
  }
}

function pointOf(json: Json, kind: OtlpKind): OtlpPoint {
  const isNumber = kind === 'gauge' || kind === 'sum';
  const point = emptyPoint();
  point.attributes = attributesOf(json);
  point.startMs = milliseconds(json, 'startTimeUnixNano');
  point.timeMs = milliseconds(json, 'timeUnixNano');
  point.hasNoValue = (number(json, 'flags') & 1) === 1;
  point.exemplars = list(json, 'exemplars').map((item) => exemplarOf(object(item, 'exemplars')));
  if (isNumber) {
    point.value = numberValue(json);
    return point;
  }
  point.count = number(json, 'count');
  point.sum = (json.sum ?? undefined) === undefined ? undefined : number(json, 'sum');
  if (kind === 'histogram') {
    point.counts = numbers(json, 'bucketCounts');
    point.bounds = numbers(json, 'explicitBounds');
  } else if (kind === 'exponential') {
    point.scale = integer(json, 'scale');
    point.zeroCount = number(json, 'zeroCount');
    point.zeroThreshold = number(json, 'zeroThreshold');
    point.positive = bucketsOf(optionalObject(json, 'positive'));
    point.negative = bucketsOf(optionalObject(json, 'negative'));
  } else {
    point.quantiles = list(json, 'quantileValues').map((item) => {
      const pair = object(item, 'quantileValues');
      return [number(pair, 'quantile'), number(pair, 'value')];
    });
  }
  return point;
}

function numberValue(json: Json): number {
  return (json.asDouble ?? undefined) === undefined
    ? number(json, 'asInt')
    : number(json, 'asDouble');
}

function bucketsOf(json: Json): OtlpBuckets {
  return { offset: integer(json, 'offset'), counts: numbers(json, 'bucketCounts') };
}

function exemplarOf(json: Json): OtlpExemplar {
  return {
    attributes: attributesOf({ attributes: json.filteredAttributes }),
    timeMs: milliseconds(json, 'timeUnixNano'),
    value: numberValue(json),
    traceId: identifier(json, 'traceId', 32),
    spanId: identifier(json, 'spanId', 16),
  };
}

export function identifier(json: Json, name: string, length: number): string {
  const text = string(json, name).toLowerCase();
  if (text === '' || (text.length === length && /^[0-9a-f]+$/.test(text))) return text;
  throw bad(`${name} has not ${length} hexadecimal digits`);
}

function attributesOf(json: Json): OtlpAttribute[] {
  const items = list(json, 'attributes');
  if (items.length > LABEL_COUNT_MAX) throw tooMany();
  return items.map((item) => {
    const pair = object(item, 'attributes');
    return [string(pair, 'key'), textOf(anyValue(pair.value, 0))];
  });
}

export function anyValue(value: unknown, depth: number): OtlpValue {
  checkDepth(depth);
  if ((value ?? undefined) === undefined) return null;
  const json = object(value, 'value');
  if (typeof json.stringValue === 'string') return json.stringValue;
  if (typeof json.boolValue === 'boolean') return json.boolValue;
  if (json.intValue !== undefined) return integerValue(json.intValue);
  if (json.doubleValue !== undefined) return number(json, 'doubleValue');
  if (typeof json.bytesValue === 'string') return json.bytesValue;
  if (json.arrayValue !== undefined) {
    const values = list(object(json.arrayValue, 'arrayValue'), 'values');
    return values.map((inner) => anyValue(inner, depth + 1));
  }
  if (json.kvlistValue === undefined) return null;
  const pairs = list(object(json.kvlistValue, 'kvlistValue'), 'values');
  return Object.fromEntries(
    pairs.map((inner) => {
      const pair = object(inner, 'kvlistValue');
      return [string(pair, 'key'), anyValue(pair.value, depth + 1)];
    }),
  );
}

function integerValue(value: unknown): OtlpValue {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return number({ intValue: value }, 'intValue');
}

export function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw bad(`${what} is no object`);
}

export function optionalObject(json: Json, name: string): Json {
  return (json[name] ?? undefined) === undefined ? {} : object(json[name], name);
}

export function list(json: Json, name: string): readonly unknown[] {
  const value = json[name] ?? [];
  if (Array.isArray(value)) return value;
  throw bad(`${name} is no list`);
}

export function string(json: Json, name: string): string {
  const value = json[name] ?? '';
  if (typeof value === 'string') return value;
  throw bad(`${name} is no string`);
}

/** 64-bit numbers and those that are not finite come as strings. */
export function number(json: Json, name: string): number {
  const value = json[name] ?? 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && (value === 'NaN' || (value !== '' && !Number.isNaN(+value)))) {
    return Number(value);
  }
  throw bad(`${name} is no number`);
}

function integer(json: Json, name: string): number {
  const value = number(json, name);
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
  throw bad(`${name} is no 32-bit number`);
}

function numbers(json: Json, name: string): number[] {
  return list(json, name).map((value) => number({ [name]: value }, name));
}

function milliseconds(json: Json, name: string): number {
  const value = json[name];
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) {
    return Number(BigInt(value) / 1_000_000n);
  }
  return Math.floor(number(json, name) / 1e6);
}

export function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}
