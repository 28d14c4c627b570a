/** Attributes of OpenTelemetry's protocol, as text: the values of Prometheus' labels are texts. */
import { TytoError } from '@tyto/base';
import { LABEL_COUNT_MAX, VALUE_DEPTH_MAX } from './limits.ts';
import type { ProtobufReader } from './protobufReader.ts';

export type OtlpAttribute = readonly [key: string, value: string];

/** What JSON would hold for a value. */
export type OtlpValue =
  | string
  | number
  | boolean
  | bigint
  | null
  | OtlpValue[]
  | { [key: string]: OtlpValue };

/** The attributes in the repeated field `field` of a message. */
export function decodeAttributes(reader: ProtobufReader, field: number): OtlpAttribute[] {
  const attributes: OtlpAttribute[] = [];
  while (reader.next()) {
    if (reader.field !== field) continue;
    if (attributes.length >= LABEL_COUNT_MAX) throw tooMany();
    const [key, value] = decodeKeyValue(reader.message(), 0);
    attributes.push([key, textOf(value)]);
  }
  return attributes;
}

export function tooMany(): TytoError {
  return new TytoError('bad_data', `expected at most ${LABEL_COUNT_MAX} attributes`);
}

export function decodeKeyValue(reader: ProtobufReader, depth: number): [string, OtlpValue] {
  let key = '';
  let value: OtlpValue = null;
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = decodeValue(reader.message(), depth);
  }
  return [key, value];
}

export function decodeValue(reader: ProtobufReader, depth: number): OtlpValue {
  checkDepth(depth);
  let value: OtlpValue = null;
  while (reader.next()) {
    if (reader.field === 1) value = reader.string();
    else if (reader.field === 2) value = reader.bool();
    else if (reader.field === 3) value = exactInteger(reader);
    else if (reader.field === 4) value = reader.double();
    else if (reader.field === 5) value = decodeList(reader.message(), depth + 1);
    else if (reader.field === 6) value = decodeRecord(reader.message(), depth + 1);
    else if (reader.field === 7) value = base64(reader.view());
  }
  return value;
}

export function checkDepth(depth: number): void {
  if (depth <= VALUE_DEPTH_MAX) return;
  throw new TytoError('bad_data', `an attribute's value nests deeper than ${VALUE_DEPTH_MAX}`);
}

function exactInteger(reader: ProtobufReader): number | bigint {
  const nearest = reader.int64();
  if (Number.isSafeInteger(nearest)) return nearest;
  return BigInt.asIntN(64, (BigInt(reader.high) << 32n) | BigInt(reader.low));
}

function decodeList(reader: ProtobufReader, depth: number): OtlpValue[] {
  const values: OtlpValue[] = [];
  while (reader.next()) {
    if (reader.field === 1) values.push(decodeValue(reader.message(), depth));
  }
  return values;
}

function decodeRecord(reader: ProtobufReader, depth: number): OtlpValue {
  const entries: [string, OtlpValue][] = [];
  while (reader.next()) {
    if (reader.field === 1) entries.push(decodeKeyValue(reader.message(), depth));
  }
  return Object.fromEntries(entries);
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const four = [18, 12, 6, 0].map((shift) => DIGITS[(word >>> shift) & 63]).join('');
    const missing = Math.max(0, i + 3 - bytes.length);
    text += four.slice(0, 4 - missing) + '='.repeat(missing);
  }
  return text;
}

/** As the specification of attributes has it: lists and records are JSON. */
export function textOf(value: OtlpValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === 'bigint') return String(inner);
    return typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner;
  });
}

/**
 * Nanoseconds, given as two halves of 64 bits, in whole milliseconds. 2^32 ns are 4294 ms and
 * 967296 ns, so that every product here is exact.
 */
export function millisecondsOf(low: number, high: number): number {
  return high * 4294 + Math.floor((high * 967_296 + low) / 1e6);
}
