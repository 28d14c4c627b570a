/**
 * One request: samples of several series in the order in which they were stored, and its body.
 * In a body the samples of a series stand together.
 */
import { bitsOf, type Labels, type MetricMetadata } from '@tyto/model';
import {
  decodeLabelPairs,
  decodeSeriesExtras,
  labelsOfPairs,
  METRIC_TYPES,
  ProtobufWriter,
  type RemoteWriteVersion,
} from '@tyto/wire';
import { ByteWriter } from './bytes.ts';
import { EXEMPLAR, type Extra, HISTOGRAM } from './record.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const TWO_32 = 2 ** 32;
const FIRST_SAMPLES = 256;
/** Tags in 2.0: symbols and timeseries of a Request, histograms of a TimeSeries. */
const SYMBOLS_TAG = 0x22;
const SERIES_TAG = 0x2a;
const HISTOGRAMS_TAG = 0x1a;
const encoder = new TextEncoder();

/** A series as it is sent. */
export class SentSeries {
  /** The fields `labels` of a TimeSeries of 1.0, with their tags. */
  readonly fields: Uint8Array;
  /** Of the labels: decides which shard the series goes to. */
  readonly hash: number;
  /** The request that it was met in last, and its place there. */
  request: Request | undefined;
  group = 0;
  /** Once it is known. */
  metadata: MetricMetadata | undefined;
  #labels: Labels | undefined;
  #symbolIds: Uint32Array | undefined;

  constructor(fields: Uint8Array, hash: number) {
    this.fields = fields;
    this.hash = hash;
  }

  /** Of names and values by turns. */
  symbolIds(symbols: Symbols): Uint32Array {
    this.#symbolIds ??= Uint32Array.from(this.labels.pairs, (text) => symbols.idOf(text));
    return this.#symbolIds;
  }

  get labels(): Labels {
    this.#labels ??= labelsOfPairs(decodeLabelPairs(this.fields, 0, this.fields.length, undefined));
    return this.#labels;
  }
}

/** Texts by numbers of ours, and by the references that they have in the body that is written. */
export class Symbols {
  readonly #ids = new Map<string, number>([['', 0]]);
  readonly #texts: Uint8Array[] = [new Uint8Array(0)];
  #references = new Uint32Array(1024);
  #bodies = new Uint32Array(1024);
  #body = 0;
  #count = 0;
  /** The fields `symbols` of the body. */
  readonly fields = new ByteWriter();

  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#texts.length;
      this.#ids.set(text, id);
      this.#texts.push(encoder.encode(text));
    }
    return id;
  }

  begin(): void {
    this.#body++;
    this.#count = 0;
    this.fields.length = 0;
    // The empty text is always the first.
    this.reference(0);
  }

  /** Writes the text down where the body does not have it yet. */
  reference(id: number): number {
    if (id >= this.#bodies.length) this.#grow();
    if (this.#bodies[id] === this.#body) return this.#references[id];
    const text = this.#texts[id];
    this.fields.reserve(16);
    this.fields.bytes[this.fields.length++] = SYMBOLS_TAG;
    this.fields.varint(text.length);
    this.fields.raw(text);
    this.#bodies[id] = this.#body;
    this.#references[id] = this.#count;
    return this.#count++;
  }

  #grow(): void {
    const size = Math.max(this.#texts.length, this.#bodies.length * 2);
    const references = new Uint32Array(size);
    references.set(this.#references);
    this.#references = references;
    const bodies = new Uint32Array(size);
    bodies.set(this.#bodies);
    this.#bodies = bodies;
  }
}

export interface RequestCounts {
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
}

export type MetadataLookup = (metricName: string) => MetricMetadata | undefined;

const scratch = new ByteWriter();
/** One series of 2.0. */
const part = new ByteWriter();

export class Request {
  /** Its number in the round. */
  readonly index: number;
  readonly symbols: Symbols;
  readonly #series: SentSeries[] = [];
  #timestamps = new Float64Array(FIRST_SAMPLES);
  #values = new Float64Array(FIRST_SAMPLES);
  #bits = bitsOf(this.#values);
  readonly #extras: { readonly series: SentSeries; readonly extra: Extra }[] = [];
  newestMs = -Infinity;

  constructor(index: number, symbols: Symbols) {
    this.index = index;
    this.symbols = symbols;
  }

  get size(): number {
    return this.#series.length + this.#extras.length;
  }

  get counts(): RequestCounts {
    let exemplars = 0;
    for (const { extra } of this.#extras) if (extra.kind === EXEMPLAR) exemplars++;
    const histograms = this.#extras.length - exemplars;
    return { samples: this.#series.length, histograms, exemplars };
  }

  /** Adds the sample at `at` of a column. */
  add(series: SentSeries, timestampMs: number, bits: Uint32Array, at: number): void {
    const index = this.#series.length;
    if (index === this.#timestamps.length) this.#grow();
    this.#series.push(series);
    this.#timestamps[index] = timestampMs;
    this.#bits[2 * index] = bits[2 * at];
    this.#bits[2 * index + 1] = bits[2 * at + 1];
    if (timestampMs > this.newestMs) this.newestMs = timestampMs;
  }

  addExtra(series: SentSeries, extra: Extra): void {
    this.#extras.push({ series, extra });
    if (extra.timestampMs > this.newestMs) this.newestMs = extra.timestampMs;
  }

  /** The message, not compressed; a view until the next one is asked for. */
  body(version: RemoteWriteVersion, metadataOf: MetadataLookup): Uint8Array {
    const groups = this.#groups();
    if (version === 2) return this.#secondBody(groups, metadataOf);
    scratch.length = 0;
    for (const group of groups) this.#writeSeries(group);
    return scratch.finish();
  }

  #grow(): void {
    const timestamps = new Float64Array(this.#timestamps.length * 2);
    const values = new Float64Array(timestamps.length);
    const bits = bitsOf(values);
    timestamps.set(this.#timestamps);
    bits.set(this.#bits);
    this.#timestamps = timestamps;
    this.#values = values;
    this.#bits = bits;
  }

  #secondBody(groups: readonly Group[], metadataOf: MetadataLookup): Uint8Array {
    scratch.length = 0;
    this.symbols.begin();
    for (const group of groups) this.#writeSecond(group, metadataOf);
    // A receiver has to know symbols before it meets a reference to them.
    return Buffer.concat([this.symbols.fields.finish(), scratch.finish()]);
  }

  /** The places of each series' samples and extras. */
  #groups(): Group[] {
    const groups: Group[] = [];
    const groupOf = (series: SentSeries): Group => {
      if (series.request === this) return groups[series.group];
      series.request = this;
      series.group = groups.length;
      const group = { series, samples: [], extras: [] };
      groups.push(group);
      return group;
    };
    this.#series.forEach((series, i) => {
      groupOf(series).samples.push(i);
    });
    for (const { series, extra } of this.#extras) groupOf(series).extras.push(extra);
    for (const { series } of groups) series.request = undefined;
    return this.#extras.length === 0 ? groups : groups.flatMap((group) => this.#unmixed(group));
  }

  /** Floats and histograms of a series are two: 2.0 demands it, and receivers keep their order. */
  #unmixed({ series, samples, extras }: Group): Group[] {
    const histograms = extras.filter(({ kind }) => kind === HISTOGRAM);
    if (histograms.length === 0 || samples.length === 0) return [{ series, samples, extras }];
    const exemplars = extras.filter(({ kind }) => kind === EXEMPLAR);
    const parts = [
      { series, samples, extras: exemplars },
      { series, samples: [], extras: histograms },
    ];
    const floatsFirst = this.#timestamps[samples[0]] < histograms[0].timestampMs;
    return floatsFirst ? parts : parts.reverse();
  }

  #writeSeries({ series, samples, extras }: Group): void {
    let size = series.fields.length;
    for (const i of samples) size += 2 + sampleSize(this.#timestamps[i]);
    for (const { field } of extras) size += field.length;
    scratch.reserve(size + 16);
    scratch.bytes[scratch.length++] = 0x0a;
    scratch.varint(size);
    scratch.raw(series.fields);
    for (const i of samples) this.#writeSample(i, scratch);
    for (const { field } of extras) scratch.raw(field);
  }

  #writeSample(index: number, target: ByteWriter): void {
    target.reserve(24);
    const { bytes } = target;
    const timestampMs = this.#timestamps[index];
    let at = target.length;
    bytes[at++] = 0x12;
    bytes[at++] = sampleSize(timestampMs);
    bytes[at++] = 0x09;
    for (const word of [this.#bits[2 * index + LOW], this.#bits[2 * index + 1 - LOW]]) {
      bytes[at++] = word;
      bytes[at++] = word >>> 8;
      bytes[at++] = word >>> 16;
      bytes[at++] = word >>> 24;
    }
    bytes[at++] = 0x10;
    let low = timestampMs >>> 0;
    let high = Math.floor(timestampMs / TWO_32) >>> 0;
    while (high !== 0 || low >= 0x80) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at++] = low;
    target.length = at;
  }

  /** Of each series, whose texts are symbols. */
  #writeSecond({ series, samples, extras }: Group, metadataOf: MetadataLookup): void {
    const { symbols } = this;
    part.length = 0;
    writeReferences(series.symbolIds(symbols), symbols);
    for (const i of samples) this.#writeSample(i, part);
    for (const { kind, field } of extras) {
      if (kind === EXEMPLAR) writeExemplar(field, symbols);
      else {
        // The same message under another number.
        part.raw(field);
        part.bytes[part.length - field.length] = HISTOGRAMS_TAG;
      }
    }
    series.metadata ??= metadataOf(series.labels.metricName);
    if (series.metadata !== undefined) writeMetadata(series.metadata, symbols);
    scratch.reserve(16);
    scratch.bytes[scratch.length++] = SERIES_TAG;
    scratch.varint(part.length);
    scratch.raw(part.finish());
  }
}

interface Group {
  readonly series: SentSeries;
  readonly samples: number[];
  readonly extras: Extra[];
}

function writeReferences(ids: Uint32Array, symbols: Symbols): void {
  let size = 0;
  for (const id of ids) size += varintSize(symbols.reference(id));
  part.reserve(16);
  part.bytes[part.length++] = 0x0a;
  part.varint(size);
  for (const id of ids) part.varint(symbols.reference(id));
}

function writeExemplar(field: Uint8Array, symbols: Symbols): void {
  const [exemplar] = decodeSeriesExtras(field, 0, field.length, undefined).exemplars;
  const writer = new ProtobufWriter(64);
  const mark = writer.begin(4);
  const references = exemplar.labels.pairs.map((text) => symbols.reference(symbols.idOf(text)));
  writer.uint32s(1, references);
  writer.double(2, exemplar.value);
  writer.int64(3, exemplar.timestampMs);
  writer.end(mark);
  part.raw(writer.finish());
}

function writeMetadata({ type, help, unit }: MetricMetadata, symbols: Symbols): void {
  const helpReference = symbols.reference(symbols.idOf(help));
  const unitReference = symbols.reference(symbols.idOf(unit));
  part.reserve(32);
  part.bytes[part.length++] = 0x2a;
  part.varint(4 + varintSize(helpReference) + varintSize(unitReference));
  part.bytes[part.length++] = 0x08;
  part.bytes[part.length++] = METRIC_TYPES.indexOf(type);
  part.bytes[part.length++] = 0x18;
  part.varint(helpReference);
  part.bytes[part.length++] = 0x20;
  part.varint(unitReference);
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 2 ** 28 ? 4 : 5;
}

/** Bytes of a message Sample: the float, and the time as a varint. */
function sampleSize(timestampMs: number): number {
  if (timestampMs < 0) return 20;
  let size = 11;
  for (let rest = timestampMs; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
