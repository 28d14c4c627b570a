/**
 * Pushed groups as the bytes of a file: a first line that names the format, then a protobuf message
 *
 *   1 group { 1 label { 1 name, 2 value }, 2 pushed ms, 3 failed ms,
 *             4 family { 1 pushed ms, 2 a MetricFamily behind its length } }
 *
 * and, as its last eight bytes, how long it is: a file that was cut short is no file.
 */
import { TytoError } from '@tyto/base';
import {
  encodeFamily,
  FamilyParser,
  ProtobufReader,
  ProtobufWriter,
  readFamilies,
} from '@tyto/wire';
import type { PushedFamily, SavedGroup } from './pushGateway.ts';

const HEADER = new TextEncoder().encode('tyto pushed metrics 1\n');
const LENGTH_BYTES = 8;
/** The last time that a Date holds. */
const TIME_MS_MAX = 8.64e15;
const OPTIONS = { readsNative: true, keepsClassic: true, convertsClassic: false };

export function encodePushed(groups: readonly SavedGroup[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const { labels, families, pushedMs, failedMs } of groups) {
    const mark = writer.begin(1);
    for (const [name, value] of labels) {
      const label = writer.begin(1);
      writer.string(1, name);
      writer.string(2, value);
      writer.end(label);
    }
    writer.int64(2, pushedMs);
    writer.int64(3, failedMs);
    for (const pushed of families) {
      const family = writer.begin(4);
      writer.int64(1, pushed.pushedMs);
      writer.bytes(2, encodeFamily(pushed.family));
      writer.end(family);
    }
    writer.end(mark);
  }
  const message = writer.finish();
  const bytes = new Uint8Array(HEADER.length + message.length + LENGTH_BYTES);
  bytes.set(HEADER);
  bytes.set(message, HEADER.length);
  new DataView(bytes.buffer).setFloat64(HEADER.length + message.length, message.length);
  return bytes;
}

/** Throws TytoError `bad_data` for what is no such file, or a damaged one. */
export function decodePushed(bytes: Uint8Array): SavedGroup[] {
  const end = bytes.length - LENGTH_BYTES;
  const isOurs = HEADER.every((byte, i) => bytes[i] === byte);
  const length = end - HEADER.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isOurs || length < 0 || view.getFloat64(end) !== length) {
    throw new TytoError('bad_data', 'the file of pushed metrics is damaged');
  }
  const groups: SavedGroup[] = [];
  const reader = new ProtobufReader(bytes, HEADER.length, end);
  while (reader.next()) if (reader.field === 1) groups.push(decodeGroup(reader.message()));
  return groups;
}

function decodeGroup(reader: ProtobufReader): SavedGroup {
  const labels = new Map<string, string>();
  const families: PushedFamily[] = [];
  let pushedMs = 0;
  let failedMs = 0;
  while (reader.next()) {
    if (reader.field === 1) {
      const [name, value] = decodeLabel(reader.message());
      labels.set(name, value);
    } else if (reader.field === 2) pushedMs = timeOf(reader);
    else if (reader.field === 3) failedMs = timeOf(reader);
    else if (reader.field === 4) families.push(...decodeFamily(reader.message()));
  }
  return { labels, families, pushedMs, failedMs };
}

function timeOf(reader: ProtobufReader): number {
  const timeMs = reader.int64();
  if (timeMs >= 0 && timeMs <= TIME_MS_MAX) return timeMs;
  throw new TytoError('bad_data', `a time of ${timeMs} ms in the file of pushed metrics`);
}

function decodeLabel(reader: ProtobufReader): [string, string] {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) value = reader.string();
  }
  return [name, value];
}

function decodeFamily(reader: ProtobufReader): PushedFamily[] {
  let pushedMs = 0;
  let body = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 1) pushedMs = timeOf(reader);
    else if (reader.field === 2) body = Uint8Array.from(reader.view());
  }
  return readFamilies(new FamilyParser(OPTIONS), body).map((family) => ({ family, pushedMs }));
}
