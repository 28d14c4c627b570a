/** The messages of remote read: prometheus.ReadRequest, ReadResponse and ChunkedReadResponse. */
import { must, TytoError } from '@tyto/base';
import {
  bitsOf,
  createMatcher,
  type Labels,
  type Matcher,
  type MatchType,
  SampleColumns,
} from '@tyto/model';
import { crc32c, decodeChunk, type EncodedChunk, orderedPairs } from '@tyto/promblock';
import {
  decodeHistogram,
  decodeLabelPairs,
  labelsOfPairs,
  ProtobufReader,
  ProtobufWriter,
  writeHistogram,
} from '@tyto/wire';
import { READ_QUERIES_MAX } from '../limits.ts';
import { ByteReader } from '../send/bytes.ts';

export const SAMPLES_TYPE = 0;
export const CHUNKS_TYPE = 1;

export interface ReadQuery {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly matchers: readonly Matcher[];
}

export interface ReadRequest {
  readonly queries: readonly ReadQuery[];
  /** By preference. */
  readonly answerTypes: readonly number[];
}

export interface ReadSeries {
  readonly labels: Labels;
  readonly columns: SampleColumns;
}

const MATCH_TYPES: readonly MatchType[] = ['=', '!=', '=~', '!~'];
const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;

/** Throws TytoError `bad_data`. */
export function decodeReadRequest(body: Uint8Array): ReadRequest {
  const reader = new ProtobufReader(body);
  const queries: ReadQuery[] = [];
  const answerTypes: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) queries.push(decodeQuery(reader.message()));
    else if (reader.field === 2) reader.uint32s(answerTypes);
    if (queries.length > READ_QUERIES_MAX) {
      throw new TytoError('bad_data', `a request has at most ${READ_QUERIES_MAX} queries`);
    }
  }
  return { queries, answerTypes };
}

function decodeQuery(reader: ProtobufReader): ReadQuery {
  let minTimeMs = 0;
  let maxTimeMs = 0;
  const matchers: Matcher[] = [];
  while (reader.next()) {
    if (reader.field === 1) minTimeMs = reader.int64();
    else if (reader.field === 2) maxTimeMs = reader.int64();
    else if (reader.field === 3) matchers.push(decodeMatcher(reader.message()));
  }
  return { minTimeMs, maxTimeMs, matchers };
}

function decodeMatcher(reader: ProtobufReader): Matcher {
  let type: MatchType | undefined = '=';
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) type = MATCH_TYPES[reader.uint32()];
    else if (reader.field === 2) name = reader.string();
    else if (reader.field === 3) value = reader.string();
  }
  if (type === undefined) throw new TytoError('bad_data', 'invalid matcher type');
  return createMatcher(type, name, value);
}

export function encodeReadRequest(
  query: Pick<ReadQuery, 'minTimeMs' | 'maxTimeMs'> & {
    readonly matchers: readonly Pick<Matcher, 'type' | 'name' | 'value'>[];
  },
): Uint8Array {
  const writer = new ProtobufWriter();
  const mark = writer.begin(1);
  writer.int64(1, query.minTimeMs);
  writer.int64(2, query.maxTimeMs);
  for (const { type, name, value } of query.matchers) {
    const matcher = writer.begin(3);
    writer.uint32(1, MATCH_TYPES.indexOf(type));
    writer.string(2, name);
    writer.string(3, value);
    writer.end(matcher);
  }
  writer.end(mark);
  writer.uint32(2, CHUNKS_TYPE);
  writer.uint32(2, SAMPLES_TYPE);
  return writer.finish();
}

/** Writes a TimeSeries as the field 1 of a QueryResult. */
export function writeReadSeries(
  writer: ProtobufWriter,
  labels: Labels,
  columns: SampleColumns,
): void {
  const series = writer.begin(1);
  writeLabels(writer, labels);
  const bits = bitsOf(columns.values);
  const low = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
  for (let i = 0; i < columns.length; i++) {
    const timestampMs = columns.timestamps[i];
    const histogram = columns.histograms?.[i];
    const sample = writer.begin(histogram === undefined ? 2 : 4);
    if (histogram !== undefined) writeHistogram(writer, { timestampMs, histogram });
    else {
      writer.doubleBits(1, bits[2 * i + low], bits[2 * i + 1 - low]);
      writer.int64(2, timestampMs);
    }
    writer.end(sample);
  }
  writer.end(series);
}

function writeLabels(writer: ProtobufWriter, labels: Labels): void {
  const pairs = orderedPairs(labels);
  for (let i = 0; i < pairs.length; i += 2) {
    const label = writer.begin(1);
    writer.string(1, pairs[i]);
    writer.string(2, pairs[i + 1]);
    writer.end(label);
  }
}

/** One frame of a streamed answer: its length, its checksum, a ChunkedReadResponse. */
export function encodeFrame(
  queryIndex: number,
  labels: Labels,
  chunks: readonly EncodedChunk[],
): Uint8Array {
  const writer = new ProtobufWriter();
  const series = writer.begin(1);
  writeLabels(writer, labels);
  for (const { minTimeMs, maxTimeMs, encoding, data } of chunks) {
    const chunk = writer.begin(2);
    writer.int64(1, minTimeMs);
    writer.int64(2, maxTimeMs);
    writer.uint32(3, encoding);
    writer.bytes(4, data);
    writer.end(chunk);
  }
  writer.end(series);
  writer.int64(2, queryIndex);
  const message = writer.finish();
  const length: number[] = [];
  let rest = message.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  const frame = new Uint8Array(length.length + 4 + message.length);
  frame.set(length);
  new DataView(frame.buffer).setUint32(length.length, crc32c(message));
  frame.set(message, length.length + 4);
  return frame;
}

/** The series of an answer to one query. Throws TytoError for what is malformed. */
export function decodeReadResponse(body: Uint8Array): ReadSeries[] {
  const reader = new ProtobufReader(body);
  const series: ReadSeries[] = [];
  while (reader.next()) {
    if (reader.field !== 1) continue;
    const result = reader.message();
    while (result.next()) if (result.field === 1) series.push(decodeSeries(result));
  }
  return series;
}

function decodeSeries(at: ProtobufReader): ReadSeries {
  const labels = labelsOfPairs(decodeLabelPairs(at.bytes, at.start, at.end, undefined));
  const columns = new SampleColumns(16);
  const reader = at.message();
  while (reader.next()) {
    if (reader.field === 2) decodeSample(reader.message(), columns);
    else if (reader.field === 4) {
      const { timestampMs, histogram } = decodeHistogram(reader.message());
      if (histogram === undefined) columns.pushStale(timestampMs);
      else columns.pushHistogram(timestampMs, histogram);
    }
  }
  return { labels, columns };
}

function decodeSample(reader: ProtobufReader, columns: SampleColumns): void {
  let value = 0;
  let timestampMs = 0;
  let isStale = false;
  while (reader.next()) {
    if (reader.field === 1) {
      value = reader.double();
      isStale = reader.high === STALE_HIGH && reader.low === STALE_LOW;
    } else if (reader.field === 2) timestampMs = reader.int64();
  }
  if (isStale) columns.pushStale(timestampMs);
  else columns.push(timestampMs, value);
}

/** The series of a streamed answer to one query. Throws TytoError for what is malformed. */
export function decodeFrames(body: Uint8Array): ReadSeries[] {
  const reader = new ByteReader(body);
  const series = new Map<string, ReadSeries>();
  while (reader.left > 0) {
    const length = reader.varint();
    const checksum = reader.raw(4);
    const message = reader.raw(length);
    const view = new DataView(checksum.buffer, checksum.byteOffset, 4);
    if (view.getUint32(0) !== crc32c(message)) {
      throw new TytoError('bad_data', 'a frame of a streamed answer has a wrong checksum');
    }
    const fields = new ProtobufReader(message);
    while (fields.next()) if (fields.field === 1) decodeChunkedSeries(fields, series);
  }
  return [...series.values()];
}

function decodeChunkedSeries(at: ProtobufReader, all: Map<string, ReadSeries>): void {
  const labels = labelsOfPairs(decodeLabelPairs(at.bytes, at.start, at.end, undefined));
  if (!all.has(labels.key)) all.set(labels.key, { labels, columns: new SampleColumns() });
  const { columns } = must(all.get(labels.key), 'it was added');
  const reader = at.message();
  while (reader.next()) {
    if (reader.field !== 2) continue;
    const chunk = reader.message();
    let encoding = 0;
    let data = new Uint8Array(0);
    while (chunk.next()) {
      if (chunk.field === 3) encoding = chunk.uint32();
      else if (chunk.field === 4) data = chunk.view() as Uint8Array<ArrayBuffer>;
    }
    decodeChunk(encoding, data, columns);
  }
}
