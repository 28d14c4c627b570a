/**
 * The metrics of OpenTelemetry's protocol (ExportMetricsServiceRequest, protobuf). A request is not
 * built as a whole: a visitor is told of each resource, scope, metric and data point in turn, so
 * that only one data point is held at once. Messages may have their fields in any order, so what a
 * point belongs to is found first.
 */
import { TytoError } from '@tyto/base';
import { decodeAttributes, type OtlpAttribute, millisecondsOf } from './otlpAttributes.ts';
import { ProtobufReader } from './protobufReader.ts';

export type OtlpKind = 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary';
export type OtlpTemporality = 'unspecified' | 'delta' | 'cumulative';
const TEMPORALITIES: readonly OtlpTemporality[] = ['unspecified', 'delta', 'cumulative'];

export interface OtlpScope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: readonly OtlpAttribute[];
}

export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: OtlpKind;
  /** Of sums and histograms. */
  readonly temporality: OtlpTemporality;
  readonly isMonotonic: boolean;
}

export interface OtlpExemplar {
  readonly attributes: readonly OtlpAttribute[];
  readonly timeMs: number;
  readonly value: number;
  /** Hexadecimal; '' where there is none. */
  readonly traceId: string;
  readonly spanId: string;
}

/** Buckets of an exponential histogram; the first has the index `offset`. */
export interface OtlpBuckets {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** A data point of any kind; what its kind has not is empty. */
export interface OtlpPoint {
  readonly attributes: readonly OtlpAttribute[];
  /** 0 where it is not told. */
  readonly startMs: number;
  readonly timeMs: number;
  /** Nothing was recorded: the series ends. */
  readonly hasNoValue: boolean;
  /** Of gauges and sums. */
  readonly value: number;
  readonly count: number;
  readonly sum: number | undefined;
  /** Of histograms: upper bounds, and the counts between them, which are one more, or none. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly scale: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: OtlpBuckets;
  readonly negative: OtlpBuckets;
  /** Of summaries: quantiles and their values. */
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
  readonly exemplars: readonly OtlpExemplar[];
}

export type OtlpDraft = { -readonly [K in keyof OtlpPoint]: OtlpPoint[K] };

export interface OtlpVisitor {
  resource(attributes: readonly OtlpAttribute[]): void;
  scope(scope: OtlpScope): void;
  metric(metric: OtlpMetric): void;
  point(point: OtlpPoint): void;
  endResource(): void;
}

const NO_BUCKETS: OtlpBuckets = { offset: 0, counts: [] };

export function emptyPoint(): OtlpDraft {
  return {
    attributes: [],
    startMs: 0,
    timeMs: 0,
    hasNoValue: false,
    value: 0,
    count: 0,
    sum: undefined,
    bounds: [],
    counts: [],
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: NO_BUCKETS,
    negative: NO_BUCKETS,
    quantiles: [],
    exemplars: [],
  };
}

/** Walks a request. Throws TytoError `bad_data` for a malformed one, and what visiting throws. */
export function walkOtlpMetrics(bytes: Uint8Array, visitor: OtlpVisitor): void {
  const reader = new ProtobufReader(bytes);
  while (reader.next()) if (reader.field === 1) walkResource(reader.message(), visitor);
}

/** The same message once more, from its beginning. */
type Message = () => ProtobufReader;

function rereadable(reader: ProtobufReader): Message {
  reader.message();
  const { bytes, start, end } = reader;
  return () => new ProtobufReader(bytes, start, end);
}

function walkResource(reader: ProtobufReader, visitor: OtlpVisitor): void {
  const scopes: Message[] = [];
  let attributes: OtlpAttribute[] = [];
  while (reader.next()) {
    if (reader.field === 1) attributes = decodeAttributes(reader.message(), 1);
    else if (reader.field === 2) scopes.push(rereadable(reader));
  }
  visitor.resource(attributes);
  for (const scope of scopes) walkScope(scope, visitor);
  visitor.endResource();
}

function walkScope(message: Message, visitor: OtlpVisitor): void {
  let scope = { name: '', version: '', attributes: [] as OtlpAttribute[] };
  let schemaUrl = '';
  const heads = message();
  while (heads.next()) {
    if (heads.field === 1) scope = decodeScope(rereadable(heads));
    else if (heads.field === 3) schemaUrl = heads.string();
  }
  visitor.scope({ ...scope, schemaUrl });
  const reader = message();
  while (reader.next()) if (reader.field === 2) walkMetric(rereadable(reader), visitor);
}

function decodeScope(message: Message) {
  const scope = { name: '', version: '', attributes: decodeAttributes(message(), 3) };
  const reader = message();
  while (reader.next()) {
    if (reader.field === 1) scope.name = reader.string();
    else if (reader.field === 2) scope.version = reader.string();
  }
  return scope;
}

const KINDS: Readonly<Record<number, OtlpKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential',
  11: 'summary',
};

function walkMetric(message: Message, visitor: OtlpVisitor): void {
  const head = { name: '', description: '', unit: '' };
  let kind: OtlpKind | undefined;
  let data: Message | undefined;
  const reader = message();
  while (reader.next()) {
    if (reader.field === 1) head.name = reader.string();
    else if (reader.field === 2) head.description = reader.string();
    else if (reader.field === 3) head.unit = reader.string();
    else if (KINDS[reader.field] !== undefined) {
      kind = KINDS[reader.field];
      data = rereadable(reader);
    }
  }
  // A kind of a later version of the protocol has nothing for us.
  if (kind === undefined || data === undefined) return;
  let temporality: OtlpTemporality = 'unspecified';
  let isMonotonic = false;
  const settings = data();
  while (settings.next()) {
    if (settings.field === 2) temporality = temporalityOf(settings.int32());
    else if (settings.field === 3) isMonotonic = settings.bool();
  }
  visitor.metric({ ...head, kind, temporality, isMonotonic });
  const points = data();
  while (points.next()) {
    if (points.field === 1) visitor.point(decodePoint(rereadable(points), kind));
  }
}

export function temporalityOf(number: number): OtlpTemporality {
  return TEMPORALITIES[number] ?? 'unspecified';
}

/** Where the kinds have what, which is not the same everywhere. */
const ATTRIBUTES = { gauge: 7, sum: 7, histogram: 9, exponential: 1, summary: 7 } as const;
const EXEMPLARS = { gauge: 5, sum: 5, histogram: 8, exponential: 11, summary: 0 } as const;
const FLAGS = { gauge: 8, sum: 8, histogram: 10, exponential: 10, summary: 8 } as const;

function decodePoint(message: Message, kind: OtlpKind): OtlpPoint {
  const draft = emptyPoint();
  const exemplars: OtlpExemplar[] = [];
  draft.attributes = decodeAttributes(message(), ATTRIBUTES[kind]);
  const reader = message();
  while (reader.next()) {
    const { field } = reader;
    if (field === 2) draft.startMs = readTime(reader);
    else if (field === 3) draft.timeMs = readTime(reader);
    else if (field === FLAGS[kind]) draft.hasNoValue = (reader.uint32() & 1) === 1;
    else if (field === EXEMPLARS[kind]) exemplars.push(decodeExemplar(rereadable(reader)));
    else if (kind === 'gauge' || kind === 'sum') readNumber(reader, draft);
    else readDistribution(reader, draft, kind);
  }
  draft.exemplars = exemplars;
  return draft;
}

function readTime(reader: ProtobufReader): number {
  reader.fixed64();
  return millisecondsOf(reader.low, reader.high);
}

function readNumber(reader: ProtobufReader, draft: OtlpDraft): void {
  if (reader.field === 4) draft.value = reader.double();
  else if (reader.field === 6) draft.value = reader.sfixed64();
}

function readDistribution(reader: ProtobufReader, draft: OtlpDraft, kind: OtlpKind): void {
  if (reader.field === 4) draft.count = reader.fixed64();
  else if (reader.field === 5) draft.sum = reader.double();
  else if (kind === 'histogram') readHistogram(reader, draft);
  else if (kind === 'exponential') readExponential(reader, draft);
  else if (reader.field === 6) (draft.quantiles as [number, number][]).push(decodeQuantile(reader));
}

function readHistogram(reader: ProtobufReader, draft: OtlpDraft): void {
  if (reader.field === 6) reader.fixed64s(draft.counts as number[]);
  else if (reader.field === 7) reader.doubles(draft.bounds as number[]);
}

function readExponential(reader: ProtobufReader, draft: OtlpDraft): void {
  if (reader.field === 6) draft.scale = reader.sint32();
  else if (reader.field === 7) draft.zeroCount = reader.fixed64();
  else if (reader.field === 8) draft.positive = decodeBuckets(reader.message());
  else if (reader.field === 9) draft.negative = decodeBuckets(reader.message());
  else if (reader.field === 14) draft.zeroThreshold = reader.double();
}

function decodeBuckets(reader: ProtobufReader): OtlpBuckets {
  const counts: number[] = [];
  let offset = 0;
  while (reader.next()) {
    if (reader.field === 1) offset = reader.sint32();
    else if (reader.field === 2) reader.uint64s(counts);
  }
  return { offset, counts };
}

function decodeQuantile(parent: ProtobufReader): [number, number] {
  const reader = parent.message();
  let quantile = 0;
  let value = 0;
  while (reader.next()) {
    if (reader.field === 1) quantile = reader.double();
    else if (reader.field === 2) value = reader.double();
  }
  return [quantile, value];
}

function decodeExemplar(message: Message): OtlpExemplar {
  const found = { timeMs: 0, value: 0, traceId: '', spanId: '' };
  const attributes = decodeAttributes(message(), 7);
  const reader = message();
  while (reader.next()) {
    if (reader.field === 2) found.timeMs = readTime(reader);
    else if (reader.field === 3) found.value = reader.double();
    else if (reader.field === 6) found.value = reader.sfixed64();
    else if (reader.field === 4) found.spanId = hexOf(reader.view(), 8);
    else if (reader.field === 5) found.traceId = hexOf(reader.view(), 16);
  }
  return { attributes, ...found };
}

function hexOf(bytes: Uint8Array, length: number): string {
  if (bytes.length === 0) return '';
  if (bytes.length !== length) {
    throw new TytoError('bad_data', `a trace or span ID has ${bytes.length} bytes, not ${length}`);
  }
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
