/**
 * Metric families as a whole, for those who keep an exposition instead of storing its samples: read
 * from any format, and written as length-delimited messages io.prometheus.client.MetricFamily.
 */
import { TytoError } from '@tyto/base';
import { type FloatHistogram, Labels, METRIC_NAME, type MetricType } from '@tyto/model';
import type { ExpositionReader } from './expositionReader.ts';
import {
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
} from './expositionSyntax.ts';
import { ProtobufWriter } from './protobufWriter.ts';

/** One metric; which of the fields it has is its family's type's affair. */
export interface ExposedMetric {
  /** Without the name, `le` and `quantile`. */
  readonly labels: Labels;
  value: number;
  count: number;
  sum: number;
  /** Cumulative counts by upper bound, and values by quantile. */
  readonly buckets: Map<number, number>;
  readonly quantiles: Map<number, number>;
  native: FloatHistogram | undefined;
}

export interface ExposedFamily {
  readonly name: string;
  type: MetricType;
  help: string;
  unit: string;
  readonly metrics: readonly ExposedMetric[];
}

/** The suffixes of a family's samples. */
const SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  histogram: ['_bucket', '_count', '_sum'],
  gaugehistogram: ['_bucket', '_count', '_sum'],
  summary: ['_count', '_sum', ''],
};
const NO_SUFFIX = [''];
const TYPES: readonly MetricType[] = [
  'counter',
  'gauge',
  'summary',
  'unknown',
  'histogram',
  'gaugehistogram',
];
const VALUE_FIELDS = [3, 2, 4, 5, 7, 7];

/**
 * The families of an exposition. Throws TytoError `bad_data` for a malformed one, for a sample that
 * is there twice, and for one with a time.
 */
export function readFamilies(reader: ExpositionReader, body: Uint8Array): ExposedFamily[] {
  const draft = new FamiliesDraft();
  reader.start(body);
  for (let entry = reader.next(); entry !== ENTRY_END; entry = reader.next()) {
    if (entry === ENTRY_SAMPLE || entry === ENTRY_HISTOGRAM) draft.add(reader, entry);
    else {
      const family = draft.family(reader.metadataName());
      if (entry === ENTRY_TYPE) family.type = reader.metadataType();
      else if (entry === ENTRY_HELP) family.help = reader.metadataText();
      else if (entry === ENTRY_UNIT) family.unit = reader.metadataText();
    }
  }
  return [...draft.families.values()].filter(({ metrics }) => metrics.length > 0);
}

class FamiliesDraft {
  readonly families = new Map<string, ExposedFamily & { metrics: ExposedMetric[] }>();
  readonly #metrics = new Map<string, ExposedMetric>();
  readonly #seen = new Set<string>();

  family(name: string) {
    let family = this.families.get(name);
    if (family === undefined) {
      family = { name, type: 'unknown', help: '', unit: '', metrics: [] };
      this.families.set(name, family);
    }
    return family;
  }

  add(reader: ExpositionReader, entry: typeof ENTRY_SAMPLE | typeof ENTRY_HISTOGRAM): void {
    const labels = reader.labels();
    if (reader.hasTimestamp) throw bad(`${labels} has a timestamp`);
    const kind = entry === ENTRY_HISTOGRAM ? 'native' : 'float';
    if (this.#seen.has(kind + labels.key)) throw bad(`${labels} is there twice`);
    this.#seen.add(kind + labels.key);
    const [family, suffix] = this.#familyOf(labels.metricName);
    const names = new Set([METRIC_NAME]);
    const isBucket = suffix === '_bucket';
    const isQuantile = suffix === '' && family.type === 'summary';
    if (isBucket) names.add('le');
    if (isQuantile) names.add('quantile');
    const metric = this.#metric(family, labels.without(names));
    const { value } = reader;
    if (entry === ENTRY_HISTOGRAM) metric.native = reader.histogram?.();
    else if (isBucket) metric.buckets.set(boundOf(labels, 'le'), value);
    else if (isQuantile) metric.quantiles.set(boundOf(labels, 'quantile'), value);
    else if (suffix === '_count') metric.count = value;
    else if (suffix === '_sum') metric.sum = value;
    else metric.value = value;
  }

  #familyOf(name: string) {
    for (const suffix of ['_bucket', '_count', '_sum']) {
      if (!name.endsWith(suffix)) continue;
      const family = this.families.get(name.slice(0, -suffix.length));
      if (family !== undefined && (SUFFIXES[family.type] ?? NO_SUFFIX).includes(suffix)) {
        return [family, suffix] as const;
      }
    }
    return [this.family(name), ''] as const;
  }

  #metric(family: ExposedFamily & { metrics: ExposedMetric[] }, labels: Labels): ExposedMetric {
    const key = `${family.name}\n${labels.key}`;
    let metric = this.#metrics.get(key);
    if (metric === undefined) {
      const maps = { buckets: new Map(), quantiles: new Map() };
      metric = { labels, value: 0, count: 0, sum: 0, ...maps, native: undefined };
      this.#metrics.set(key, metric);
      family.metrics.push(metric);
    }
    return metric;
  }
}

function boundOf(labels: Labels, name: string): number {
  const text = labels.get(name);
  const bound = text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
  if (text !== '' && (text === 'NaN' || !Number.isNaN(bound))) return bound;
  throw bad(`${labels} has no number as its label ${name}`);
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

/**
 * One family behind its length. `more` are labels that all metrics get; they win over those of the
 * same name.
 */
export function encodeFamily(
  family: ExposedFamily,
  more: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const writer = new ProtobufWriter();
  const type = Math.max(0, TYPES.indexOf(family.type));
  const known = TYPES[type] === family.type ? type : TYPES.indexOf('unknown');
  writer.string(1, family.name);
  if (family.help !== '') writer.string(2, family.help);
  writer.uint32(3, known);
  if (family.unit !== '') writer.string(5, family.unit);
  for (const metric of family.metrics) {
    const mark = writer.begin(4);
    const labels = Labels.fromEntries([...metric.labels.entries(), ...more]);
    for (const [name, value] of labels.entries()) {
      const pair = writer.begin(1);
      writer.string(1, name);
      writer.string(2, value);
      writer.end(pair);
    }
    const value = writer.begin(VALUE_FIELDS[known]);
    writeValue(writer, family.type, metric);
    writer.end(value);
    writer.end(mark);
  }
  return delimited(writer.finish());
}

function delimited(message: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = message.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  const bytes = new Uint8Array(length.length + message.length);
  bytes.set(length);
  bytes.set(message, length.length);
  return bytes;
}

function writeValue(writer: ProtobufWriter, type: MetricType, metric: ExposedMetric): void {
  if (type === 'summary') {
    writer.int64(1, whole(metric.count));
    writer.double(2, metric.sum);
    for (const [quantile, value] of metric.quantiles) {
      const mark = writer.begin(3);
      writer.double(1, quantile);
      writer.double(2, value);
      writer.end(mark);
    }
  } else if (type === 'histogram' || type === 'gaugehistogram') {
    writeHistogram(writer, metric);
  } else {
    writer.double(1, metric.value);
  }
}

/** A count that no uint64 can be is told as a float where there is a field for it, or as none. */
function whole(count: number): number {
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}

function writeCount(writer: ProtobufWriter, field: number, count: number): void {
  if (Number.isSafeInteger(count)) writer.int64(field, whole(count));
  else writer.double(4, count);
}

function writeHistogram(writer: ProtobufWriter, metric: ExposedMetric): void {
  const { native } = metric;
  if (native === undefined || native.isInteger) {
    writeCount(writer, 1, native === undefined ? metric.count : native.count);
  } else writer.double(4, native.count);
  writer.double(2, native === undefined ? metric.sum : native.sum);
  for (const [bound, count] of metric.buckets) {
    const mark = writer.begin(3);
    writeCount(writer, 1, count);
    writer.double(2, bound);
    writer.end(mark);
  }
  if (native !== undefined) writeNative(writer, native);
}

function writeNative(writer: ProtobufWriter, native: FloatHistogram): void {
  const isInteger = native.isInteger === true;
  writer.sint32(5, native.schema);
  writer.double(6, native.zeroThreshold);
  if (isInteger) writer.int64(7, native.zeroCount);
  else writer.double(8, native.zeroCount);
  const sides = [
    [9, native.negativeSpans, native.negativeBuckets],
    [12, native.positiveSpans, native.positiveBuckets],
  ] as const;
  for (const [field, spans, buckets] of sides) {
    // A span without buckets says that this is a native histogram, where nothing else does.
    for (const { offset, length } of spans.length > 0 ? spans : [{ offset: 0, length: 0 }]) {
      const mark = writer.begin(field);
      writer.sint32(1, offset);
      writer.uint32(2, length);
      writer.end(mark);
    }
    const deltas = buckets.map((count, i) => count - (i === 0 ? 0 : buckets[i - 1]));
    if (isInteger) writer.sint64s(field + 1, deltas);
    else writer.doubles(field + 2, buckets);
  }
}
