/** Helpers of this package's tests; not exported. */
import { ProtobufWriter } from './protobufWriter.ts';

export interface TestMetric {
  readonly labels?: Readonly<Record<string, string>>;
  readonly timestampMs?: number;
  /** Writes the fields of the message Counter, Gauge, Summary, Untyped or Histogram. */
  write(writer: ProtobufWriter): void;
}

export interface TestFamily {
  readonly name: string;
  readonly help?: string;
  readonly type: keyof typeof TYPES;
  readonly unit?: string;
  readonly metrics: readonly TestMetric[];
}

/** The number of each type, and the field of a Metric that has its value. */
const TYPES = {
  counter: [0, 3],
  gauge: [1, 2],
  summary: [2, 4],
  untyped: [3, 5],
  histogram: [4, 7],
  gaugehistogram: [5, 7],
} as const;

/** An exposition in protobuf, each family behind its length. */
export function encodeFamilies(families: readonly TestFamily[]): Uint8Array {
  const parts: number[] = [];
  for (const family of families) {
    const message = encodeFamily(family);
    let rest = message.length;
    for (; rest >= 0x80; rest >>>= 7) parts.push((rest & 0x7f) | 0x80);
    parts.push(rest);
    for (const byte of message) parts.push(byte);
  }
  return Uint8Array.from(parts);
}

function encodeFamily({ name, help, type, unit, metrics }: TestFamily): Uint8Array {
  const writer = new ProtobufWriter();
  writer.string(1, name);
  if (help !== undefined) writer.string(2, help);
  writer.uint32(3, TYPES[type][0]);
  for (const { labels = {}, timestampMs, write } of metrics) {
    const metric = writer.begin(4);
    writePairs(writer, 1, labels);
    const value = writer.begin(TYPES[type][1]);
    write(writer);
    writer.end(value);
    if (timestampMs !== undefined) writer.int64(6, timestampMs);
    writer.end(metric);
  }
  if (unit !== undefined) writer.string(5, unit);
  return writer.finish();
}

function writePairs(
  writer: ProtobufWriter,
  field: number,
  labels: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(labels)) {
    const pair = writer.begin(field);
    writer.string(1, name);
    writer.string(2, value);
    writer.end(pair);
  }
}

/** The message Exemplar; without a time where none is given. */
export function writeExemplar(
  writer: ProtobufWriter,
  field: number,
  labels: Readonly<Record<string, string>>,
  value: number,
  seconds?: number,
): void {
  const exemplar = writer.begin(field);
  writePairs(writer, 1, labels);
  writer.double(2, value);
  if (seconds !== undefined) {
    const timestamp = writer.begin(3);
    writer.int64(1, seconds);
    writer.uint32(2, 500_000_000);
    writer.end(timestamp);
  }
  writer.end(exemplar);
}
