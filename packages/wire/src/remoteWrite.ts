/**
 * The messages of remote write: prometheus.WriteRequest (1.0) and io.prometheus.write.v2.Request
 * (2.0). Encoded as a whole; decoded piece by piece, because the receiver reads samples in
 * columns and asks for the rest of a series only when it has to. The bytes are not compressed here.
 */
import { TytoError } from '@tyto/base';
import { bitsOf, type Exemplar, Labels, type MetricMetadata, type MetricType } from '@tyto/model';
import { decodeHistogram, type HistogramSample, writeHistogram } from './histogramMessage.ts';
import { ProtobufReader, WIRE_LENGTH, WIRE_VARINT } from './protobufReader.ts';
import { ProtobufWriter } from './protobufWriter.ts';
import type { TextCache } from './textCache.ts';

export type RemoteWriteVersion = 1 | 2;

/** One series of a request: float samples as columns, and in 2.0 either those or histograms. */
export interface WriteSeries {
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  /** The bits are kept, so stale markers may be among them. */
  readonly values: Float64Array;
  readonly histograms?: readonly HistogramSample[];
  readonly exemplars?: readonly Exemplar[];
  /** Written in 2.0 only. */
  readonly metadata?: MetricMetadata;
}

/** The metadata of a metric family, which 1.0 sends beside the series. */
export interface FamilyMetadata extends MetricMetadata {
  readonly family: string;
}

export interface WriteRequest {
  readonly series: readonly WriteSeries[];
  /** Written in 1.0 only. */
  readonly metadata?: readonly FamilyMetadata[];
}

/** What a series has beside labels and float samples. */
export interface SeriesExtras {
  readonly histograms: readonly HistogramSample[];
  readonly exemplars: readonly Exemplar[];
  readonly metadata: MetricMetadata | undefined;
  /** What is wrong with each histogram that could not be taken. */
  readonly badHistograms: readonly TytoError[];
}

/** The text behind a reference of 2.0; throws TytoError `bad_data` where there is none. */
export type SymbolLookup = (reference: number) => string;

/** By their numbers, which are the same in both versions. */
export const METRIC_TYPES: readonly MetricType[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];

/** The field numbers of a TimeSeries. */
const LABELS = 1;
const SAMPLES = 2;
const HISTOGRAMS = { 1: 4, 2: 3 } as const;
const EXEMPLARS = { 1: 3, 2: 4 } as const;
const METADATA = 5;

/** Names and values by turns, as they were sent, from the fields in [start, end) of a series. */
export function decodeLabelPairs(
  bytes: Uint8Array,
  start: number,
  end: number,
  symbols: SymbolLookup | undefined,
  texts?: TextCache,
): string[] {
  const reader = new ProtobufReader(bytes, start, end);
  const pairs: string[] = [];
  const references: number[] = [];
  while (reader.next()) {
    if (reader.field !== LABELS) continue;
    if (symbols === undefined) addPair(reader.message(), pairs, texts);
    else reader.uint32s(references);
  }
  return symbols === undefined ? pairs : lookUp(references, symbols);
}

/**
 * Sorted, without empty values. Throws TytoError `bad_data` for an empty name or one that is
 * there twice.
 */
export function labelsOfPairs(pairs: readonly string[]): Labels {
  let isPlain = true;
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] === '') throw new TytoError('bad_data', 'a label has no name');
    if (pairs[i + 1] === '' || (i > 0 && pairs[i - 2] >= pairs[i])) isPlain = false;
  }
  if (isPlain) return Labels.fromSorted(pairs);
  const byName = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) {
    if (byName.has(pairs[i])) throw new TytoError('bad_data', `duplicated label ${pairs[i]}`);
    byName.set(pairs[i], pairs[i + 1]);
  }
  return Labels.fromEntries(byName);
}

/**
 * From the message of a series in [start, end). `symbols` is undefined for 1.0. What is wrong
 * within a histogram, an exemplar or metadata costs only that.
 */
export function decodeSeriesExtras(
  bytes: Uint8Array,
  start: number,
  end: number,
  symbols: SymbolLookup | undefined,
): SeriesExtras {
  const version = symbols === undefined ? 1 : 2;
  const reader = new ProtobufReader(bytes, start, end);
  const histograms: HistogramSample[] = [];
  const badHistograms: TytoError[] = [];
  const exemplars: Exemplar[] = [];
  let metadata: MetricMetadata | undefined;
  while (reader.next()) {
    if (reader.field === HISTOGRAMS[version]) {
      const histogram = attempt(() => decodeHistogram(reader.message()));
      if (histogram instanceof TytoError) badHistograms.push(histogram);
      else histograms.push(histogram);
    } else if (reader.field === EXEMPLARS[version]) {
      const exemplar = attempt(() => decodeExemplar(reader.message(), symbols));
      if (!(exemplar instanceof TytoError)) exemplars.push(exemplar);
    } else if (symbols !== undefined && reader.field === METADATA) {
      const found = attempt(() => decodeMetadata(reader.message(), symbols));
      if (!(found instanceof TytoError)) metadata = found;
    }
  }
  return { histograms, exemplars, metadata, badHistograms };
}

/**
 * The start times of the float samples of a series of 2.0 in [start, end), in their order, 0 for
 * an unknown one; null when all are.
 */
export function decodeStartTimes(
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly number[] | null {
  const reader = new ProtobufReader(bytes, start, end);
  const startTimes: number[] = [];
  let isAnyKnown = false;
  while (reader.next()) {
    // What is of another type is no sample for the kernel either.
    if (reader.field !== SAMPLES || reader.wireType !== WIRE_LENGTH) continue;
    const sample = reader.message();
    let startTimeMs = 0;
    while (sample.next()) {
      if (sample.field === 3 && sample.wireType === WIRE_VARINT) startTimeMs = sample.int64();
    }
    startTimes.push(startTimeMs);
    if (startTimeMs !== 0) isAnyKnown = true;
  }
  return isAnyKnown ? startTimes : null;
}

/** What `decode` gives, or the mistake in the data that it throws. */
function attempt<T>(decode: () => T): T | TytoError {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TytoError && error.kind === 'bad_data') return error;
    throw error;
  }
}

/** The MetricMetadata of 1.0 in [start, end). */
export function decodeFamilyMetadata(
  bytes: Uint8Array,
  start: number,
  end: number,
): FamilyMetadata {
  const reader = new ProtobufReader(bytes, start, end);
  const found = { family: '', type: METRIC_TYPES[0], help: '', unit: '' };
  while (reader.next()) {
    if (reader.field === 1) found.type = METRIC_TYPES[reader.int32()] ?? METRIC_TYPES[0];
    else if (reader.field === 2) found.family = reader.string();
    else if (reader.field === 4) found.help = reader.string();
    else if (reader.field === 5) found.unit = reader.string();
  }
  return found;
}

function addPair(reader: ProtobufReader, pairs: string[], texts?: TextCache): void {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.string(texts);
    else if (reader.field === 2) value = reader.string(texts);
  }
  pairs.push(name, value);
}

function lookUp(references: readonly number[], symbols: SymbolLookup): string[] {
  if (references.length % 2 === 1) {
    throw new TytoError('bad_data', `labels refs must come in pairs, got ${references.length}`);
  }
  return references.map(symbols);
}

function decodeExemplar(reader: ProtobufReader, symbols: SymbolLookup | undefined): Exemplar {
  const pairs: string[] = [];
  const references: number[] = [];
  let value = 0;
  let timestampMs = 0;
  while (reader.next()) {
    if (reader.field === 1 && symbols === undefined) addPair(reader.message(), pairs);
    else if (reader.field === 1) reader.uint32s(references);
    else if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) timestampMs = reader.int64();
  }
  const found = symbols === undefined ? pairs : lookUp(references, symbols);
  return { labels: labelsOfPairs(found), value, timestampMs };
}

function decodeMetadata(reader: ProtobufReader, symbols: SymbolLookup): MetricMetadata {
  const found = { type: METRIC_TYPES[0], help: '', unit: '' };
  while (reader.next()) {
    if (reader.field === 1) found.type = METRIC_TYPES[reader.int32()] ?? METRIC_TYPES[0];
    else if (reader.field === 3) found.help = symbols(reader.uint32());
    else if (reader.field === 4) found.unit = symbols(reader.uint32());
  }
  return found;
}

/** The message of a request, not compressed; a view of memory that is the caller's. */
export function encodeWriteRequest(
  request: WriteRequest,
  version: RemoteWriteVersion,
): Uint8Array<ArrayBuffer> {
  const writer = new ProtobufWriter();
  if (version === 2) {
    const symbols = new SymbolTable();
    // Symbols come first, so that a receiver knows them when it meets a reference.
    for (const series of request.series) symbols.addAll(series);
    for (const text of symbols.texts) writer.string(4, text);
    for (const series of request.series) writeSeries(writer, 5, series, symbols);
    return writer.finish();
  }
  for (const series of request.series) writeSeries(writer, 1, series, undefined);
  for (const { family, type, help, unit } of request.metadata ?? []) {
    const mark = writer.begin(3);
    writer.uint32(1, METRIC_TYPES.indexOf(type));
    writer.string(2, family);
    writer.string(4, help);
    writer.string(5, unit);
    writer.end(mark);
  }
  return writer.finish();
}

/** The texts of a request by their references; the empty one is 0. */
class SymbolTable {
  readonly #references = new Map([['', 0]]);

  get texts(): Iterable<string> {
    return this.#references.keys();
  }

  addAll({ labels, exemplars = [], metadata }: WriteSeries): void {
    for (const text of labels.pairs) this.#add(text);
    for (const exemplar of exemplars) for (const text of exemplar.labels.pairs) this.#add(text);
    if (metadata === undefined) return;
    this.#add(metadata.help);
    this.#add(metadata.unit);
  }

  reference(text: string): number {
    return this.#references.get(text) ?? 0;
  }

  #add(text: string): void {
    if (!this.#references.has(text)) this.#references.set(text, this.#references.size);
  }
}

function writeSeries(
  writer: ProtobufWriter,
  field: number,
  series: WriteSeries,
  symbols: SymbolTable | undefined,
): void {
  const version = symbols === undefined ? 1 : 2;
  const mark = writer.begin(field);
  writeLabels(writer, series.labels, symbols);
  writeSamples(writer, series.timestamps, series.values);
  for (const { labels, value, timestampMs } of series.exemplars ?? []) {
    const exemplar = writer.begin(EXEMPLARS[version]);
    writeLabels(writer, labels, symbols);
    writer.double(2, value);
    writer.int64(3, timestampMs);
    writer.end(exemplar);
  }
  for (const sample of series.histograms ?? []) {
    const histogram = writer.begin(HISTOGRAMS[version]);
    writeHistogram(writer, sample);
    writer.end(histogram);
  }
  if (symbols !== undefined && series.metadata !== undefined) {
    const { type, help, unit } = series.metadata;
    const metadata = writer.begin(METADATA);
    writer.uint32(1, METRIC_TYPES.indexOf(type));
    writer.uint32(3, symbols.reference(help));
    writer.uint32(4, symbols.reference(unit));
    writer.end(metadata);
  }
  writer.end(mark);
}

function writeLabels(
  writer: ProtobufWriter,
  labels: Labels,
  symbols: SymbolTable | undefined,
): void {
  if (symbols !== undefined) {
    writer.uint32s(
      LABELS,
      labels.pairs.map((text) => symbols.reference(text)),
    );
    return;
  }
  for (const [name, value] of labels.entries()) {
    const label = writer.begin(LABELS);
    writer.string(1, name);
    writer.string(2, value);
    writer.end(label);
  }
}

function writeSamples(
  writer: ProtobufWriter,
  timestamps: Float64Array,
  values: Float64Array,
): void {
  const bits = bitsOf(values);
  const low = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
  for (let i = 0; i < timestamps.length; i++) {
    const sample = writer.begin(SAMPLES);
    // As bits: a stale marker's payload would be lost on the way through a number.
    writer.doubleBits(1, bits[2 * i + low], bits[2 * i + 1 - low]);
    writer.int64(2, timestamps[i]);
    writer.end(sample);
  }
}
