/** Requests of OpenTelemetry: both encodings say the same; damaged ones are refused, never more. */
import { TytoError } from '@tyto/base';
import { type OtlpVisitor, ProtobufWriter, walkOtlpJson, walkOtlpMetrics } from '@tyto/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const options = { seed, numRuns: 300 };

const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const count = fc.nat({ max: 1_000_000 });
/** Without -0, which JSON.stringify writes as 0. */
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const time = fc.nat({ max: 2 ** 40 }).map((ms) => `${ms}000123`);
const attributes = fc.array(fc.tuple(text, fc.oneof(text, fc.boolean(), count, double)), {
  maxLength: 3,
});
const exemplar = fc.record({
  timeUnixNano: time,
  asDouble: double,
  attributes,
  hasId: fc.boolean(),
});
const buckets = fc.record({
  offset: fc.integer({ min: -1000, max: 1000 }),
  bucketCounts: fc.array(count, { maxLength: 4 }),
});
const point = fc.record({
  attributes,
  startTimeUnixNano: time,
  timeUnixNano: time,
  flags: fc.nat(1),
  asInt: fc.integer(),
  isDouble: fc.boolean(),
  asDouble: double,
  count,
  sum: fc.option(double, { nil: undefined }),
  bucketCounts: fc.array(count, { maxLength: 4 }),
  explicitBounds: fc.array(double, { maxLength: 4 }),
  scale: fc.integer({ min: -20, max: 20 }),
  zeroCount: count,
  zeroThreshold: double,
  positive: buckets,
  negative: buckets,
  quantileValues: fc.array(fc.record({ quantile: double, value: double }), { maxLength: 3 }),
  exemplars: fc.array(exemplar, { maxLength: 2 }),
});
const FIELDS = { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11 } as const;
type Kind = keyof typeof FIELDS;
const metric = fc.record({
  name: text,
  description: text,
  unit: text,
  kind: fc.constantFrom(...(Object.keys(FIELDS) as Kind[])),
  aggregationTemporality: fc.nat(3),
  isMonotonic: fc.boolean(),
  points: fc.array(point, { maxLength: 3 }),
});
const request = fc.array(
  fc.record({ attributes, scope: text, metrics: fc.array(metric, { maxLength: 3 }) }),
  { maxLength: 3 },
);
type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Request = Generated<typeof request>;
type Point = Generated<typeof point>;
type Attributes = Generated<typeof attributes>;

const TRACE = '00112233445566778899aabbccddeeff';

function jsonOf(all: Request): string {
  const keyValues = (pairs: Attributes) =>
    pairs.map(([key, value]) => ({ key, value: any(value) }));
  const any = (value: string | number | boolean) => {
    if (typeof value === 'string') return { stringValue: value };
    if (typeof value === 'boolean') return { boolValue: value };
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  };
  return JSON.stringify({
    resourceMetrics: all.map((resource) => ({
      resource: { attributes: keyValues(resource.attributes) },
      scopeMetrics: [
        {
          scope: { name: resource.scope },
          metrics: resource.metrics.map(({ kind, points, name, description, unit, ...data }) => ({
            name,
            description,
            unit,
            [kind]: {
              ...data,
              dataPoints: points.map(({ asInt, asDouble, isDouble, ...rest }) => ({
                ...rest,
                ...(isDouble ? { asDouble } : { asInt }),
                attributes: keyValues(rest.attributes),
                exemplars: rest.exemplars.map(({ hasId, ...each }) => ({
                  ...each,
                  filteredAttributes: keyValues(each.attributes),
                  ...(hasId ? { traceId: TRACE.toUpperCase() } : {}),
                })),
              })),
            },
          })),
        },
      ],
    })),
  });
}

function nested(writer: ProtobufWriter, field: number, write: () => void): void {
  const mark = writer.begin(field);
  write();
  writer.end(mark);
}

function writeAttributes(writer: ProtobufWriter, field: number, pairs: Attributes): void {
  for (const [key, value] of pairs) {
    nested(writer, field, () => {
      writer.string(1, key);
      nested(writer, 2, () => {
        if (typeof value === 'string') writer.string(1, value);
        else if (typeof value === 'boolean') writer.uint32(2, value ? 1 : 0);
        else if (Number.isSafeInteger(value)) writer.int64(3, value);
        else writer.double(4, value);
      });
    });
  }
}

function nanos(writer: ProtobufWriter, field: number, value: string): void {
  const bits = BigInt(value);
  writer.doubleBits(field, Number(bits & 0xffffffffn), Number(bits >> 32n));
}

function fixed64s(writer: ProtobufWriter, field: number, values: readonly number[]): void {
  for (const value of values) writer.fixed64(field, value);
}

/** The fields of a point of this kind. */
function writePoint(writer: ProtobufWriter, kind: Kind, given: Point): void {
  const isNumber = kind === 'gauge' || kind === 'sum';
  const isExponential = kind === 'exponentialHistogram';
  nanos(writer, 2, given.startTimeUnixNano);
  if (isNumber && given.isDouble) writer.double(4, given.asDouble);
  else if (isNumber) writer.fixed64(6, given.asInt);
  else writer.fixed64(4, given.count);
  if (!isNumber && given.sum !== undefined) writer.double(5, given.sum);
  if (kind === 'histogram') {
    fixed64s(writer, 6, given.bucketCounts);
    writer.doubles(7, given.explicitBounds);
  } else if (isExponential) {
    writer.sint32(6, given.scale);
    writer.fixed64(7, given.zeroCount);
    for (const [field, side] of [
      [8, given.positive],
      [9, given.negative],
    ] as const) {
      nested(writer, field, () => {
        writer.sint32(1, side.offset);
        writer.uint32s(2, side.bucketCounts);
      });
    }
    writer.double(14, given.zeroThreshold);
  } else if (kind === 'summary') {
    for (const { quantile, value } of given.quantileValues) {
      nested(writer, 6, () => {
        writer.double(1, quantile);
        writer.double(2, value);
      });
    }
  }
  writeAttributes(writer, isExponential ? 1 : kind === 'histogram' ? 9 : 7, given.attributes);
  writer.uint32(isExponential || kind === 'histogram' ? 10 : 8, given.flags);
  const exemplarField = isNumber ? 5 : kind === 'histogram' ? 8 : 11;
  for (const each of kind === 'summary' ? [] : given.exemplars) {
    nested(writer, exemplarField, () => {
      nanos(writer, 2, each.timeUnixNano);
      writer.double(3, each.asDouble);
      if (each.hasId) writer.bytes(5, Buffer.from(TRACE, 'hex'));
      writeAttributes(writer, 7, each.attributes);
    });
  }
  nanos(writer, 3, given.timeUnixNano);
}

function protobufOf(all: Request): Uint8Array {
  const writer = new ProtobufWriter();
  for (const resource of all) {
    nested(writer, 1, () => {
      // What belongs to the front comes last, as the format allows.
      nested(writer, 2, () => {
        for (const each of resource.metrics) {
          nested(writer, 2, () => {
            nested(writer, FIELDS[each.kind], () => {
              for (const given of each.points) {
                nested(writer, 1, () => writePoint(writer, each.kind, given));
              }
              writer.uint32(2, each.aggregationTemporality);
              writer.uint32(3, each.isMonotonic ? 1 : 0);
            });
            writer.string(1, each.name);
            writer.string(2, each.description);
            writer.string(3, each.unit);
          });
        }
        nested(writer, 1, () => writer.string(1, resource.scope));
      });
      nested(writer, 1, () => writeAttributes(writer, 1, resource.attributes));
    });
  }
  return writer.finish();
}

function recorder(): { visits: unknown[]; visitor: OtlpVisitor } {
  const visits: unknown[] = [];
  const note = (what: unknown) => void visits.push(what);
  const endResource = () => note('end');
  return {
    visits,
    visitor: { resource: note, scope: note, metric: note, point: note, endResource },
  };
}

test(`both encodings tell the same (seed ${seed})`, () => {
  fc.assert(
    fc.property(request, (all) => {
      const plain = all.map((resource) => ({
        ...resource,
        // The two encodings differ in what gauges and summaries leave out.
        metrics: resource.metrics.map((each) => ({
          ...each,
          points: each.points.map((given) =>
            each.kind === 'summary' ? { ...given, exemplars: [] } : given,
          ),
        })),
      }));
      const json = recorder();
      const protobuf = recorder();
      walkOtlpJson(jsonOf(plain), json.visitor);
      walkOtlpMetrics(protobufOf(plain), protobuf.visitor);
      expect(protobuf.visits).toEqual(json.visits);
    }),
    options,
  );
});

test(`damaged requests are read or refused (seed ${seed})`, () => {
  const edit = fc.tuple(fc.nat(), fc.nat(255), fc.nat(2));
  fc.assert(
    fc.property(request, fc.array(edit, { minLength: 1, maxLength: 4 }), (all, edits) => {
      const damage = (whole: Uint8Array) => {
        const bytes = [...whole];
        for (const [at, byte, how] of edits) {
          if (bytes.length === 0) break;
          bytes.splice(at % bytes.length, how === 0 ? 0 : 1, ...(how < 2 ? [byte] : []));
        }
        return Uint8Array.from(bytes);
      };
      attempt(() => walkOtlpMetrics(damage(protobufOf(all)), recorder().visitor));
      const json = damage(new TextEncoder().encode(jsonOf(all)));
      attempt(() => walkOtlpJson(new TextDecoder().decode(json), recorder().visitor));
    }),
    options,
  );
});

test(`random bytes are read or refused (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      attempt(() => walkOtlpMetrics(bytes, recorder().visitor));
    }),
    options,
  );
});

function attempt(walk: () => void): void {
  try {
    walk();
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
  }
}
