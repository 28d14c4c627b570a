/**
 * The logs of OpenTelemetry's protocol (ExportLogsServiceRequest, protobuf), told to a visitor one
 * resource, scope and record at a time. What a record belongs to is found first: fields may come in
 * any order.
 */
import { LABEL_COUNT_MAX } from './limits.ts';
import { decodeKeyValue, decodeValue, type OtlpValue, textOf, tooMany } from './otlpAttributes.ts';
import { ProtobufReader } from './protobufReader.ts';

export type OtlpPair = readonly [key: string, value: OtlpValue];

export interface OtlpLogScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly OtlpPair[];
}

export interface OtlpLogRecord {
  /** 0n where it is not told. */
  readonly timeNs: bigint;
  readonly observedNs: bigint;
  /** 0 where it is not told; 1 to 24 otherwise. */
  readonly severityNumber: number;
  readonly severityText: string;
  /** Lists and records are JSON. */
  readonly body: string;
  readonly attributes: readonly OtlpPair[];
  readonly flags: number;
  /** Hexadecimal; '' where there is none. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface OtlpLogVisitor {
  resource(attributes: readonly OtlpPair[]): void;
  scope(scope: OtlpLogScope): void;
  record(record: OtlpLogRecord): void;
}

/** Throws TytoError `bad_data` for a malformed request, and what visiting throws. */
export function walkOtlpLogs(bytes: Uint8Array, visitor: OtlpLogVisitor): void {
  const reader = new ProtobufReader(bytes);
  while (reader.next()) if (reader.field === 1) walkResource(reader.message(), visitor);
}

function walkResource(reader: ProtobufReader, visitor: OtlpLogVisitor): void {
  const scopes: ProtobufReader[] = [];
  let attributes: OtlpPair[] = [];
  while (reader.next()) {
    if (reader.field === 1) attributes = pairsIn(reader.message(), 1);
    else if (reader.field === 2) scopes.push(reader.message());
  }
  visitor.resource(attributes);
  for (const scope of scopes) walkScope(scope, visitor);
}

function walkScope(reader: ProtobufReader, visitor: OtlpLogVisitor): void {
  const records: ProtobufReader[] = [];
  let scope: OtlpLogScope = { name: '', version: '', attributes: [] };
  while (reader.next()) {
    if (reader.field === 1) scope = decodeScope(reader.message());
    else if (reader.field === 2) records.push(reader.message());
  }
  visitor.scope(scope);
  for (const record of records) visitor.record(decodeRecord(record));
}

function decodeScope(reader: ProtobufReader): OtlpLogScope {
  const scope = { name: '', version: '', attributes: [] as OtlpPair[] };
  while (reader.next()) {
    if (reader.field === 1) scope.name = reader.string();
    else if (reader.field === 2) scope.version = reader.string();
    else if (reader.field === 3) addPair(scope.attributes, reader);
  }
  return scope;
}

function decodeRecord(reader: ProtobufReader): OtlpLogRecord {
  const record = {
    timeNs: 0n,
    observedNs: 0n,
    severityNumber: 0,
    severityText: '',
    body: '',
    attributes: [] as OtlpPair[],
    flags: 0,
    traceId: '',
    spanId: '',
  };
  while (reader.next()) {
    if (reader.field === 1) record.timeNs = fixed64(reader);
    else if (reader.field === 2) record.severityNumber = reader.int32();
    else if (reader.field === 3) record.severityText = reader.string();
    else if (reader.field === 5) record.body = textOf(decodeValue(reader.message(), 0));
    else if (reader.field === 6) addPair(record.attributes, reader);
    else if (reader.field === 8) record.flags = reader.fixed32();
    else if (reader.field === 9) record.traceId = identifier(reader.view());
    else if (reader.field === 10) record.spanId = identifier(reader.view());
    else if (reader.field === 11) record.observedNs = fixed64(reader);
  }
  return record;
}

function pairsIn(reader: ProtobufReader, field: number): OtlpPair[] {
  const pairs: OtlpPair[] = [];
  while (reader.next()) if (reader.field === field) addPair(pairs, reader);
  return pairs;
}

function addPair(pairs: OtlpPair[], reader: ProtobufReader): void {
  if (pairs.length >= LABEL_COUNT_MAX) throw tooMany();
  pairs.push(decodeKeyValue(reader.message(), 0));
}

function fixed64(reader: ProtobufReader): bigint {
  reader.fixed64();
  return (BigInt(reader.high) << 32n) | BigInt(reader.low);
}

/** One of zeros is none. */
function identifier(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return '';
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
