/**
 * One request: samples of several series in the order in which they were stored, and its body.
 * In a body the samples of a series stand together.
 */
import { bitsOf, type Labels, type MetricMetadata } from '@tyto/model';
import {
  decodeLabelPairs,
  decodeSeriesExtras,
  encodeWriteRequest,
  labelsOfPairs,
  type RemoteWriteVersion,
  type WriteSeries,
} from '@tyto/wire';
import { ByteWriter } from './bytes.ts';
import { EXEMPLAR, type Extra } from './record.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const LOW = LITTLE_ENDIAN ? 0 : 1;
const TWO_32 = 2 ** 32;
const FIRST_SAMPLES = 256;

/** A series as it is sent. */
export class SentSeries {
  /** The fields `labels` of a TimeSeries of 1.0, with their tags. */
  readonly fields: Uint8Array;
  /** Of the labels: decides which shard the series goes to. */
  readonly hash: number;
  /** The request that it was met in last, and its place there. */
  request: Request | undefined;
  group = 0;
  #labels: Labels | undefined;

  constructor(fields: Uint8Array, hash: number) {
    this.fields = fields;
    this.hash = hash;
  }

  get labels(): Labels {
    this.#labels ??= labelsOfPairs(decodeLabelPairs(this.fields, 0, this.fields.length, undefined));
    return this.#labels;
  }
}

export interface RequestCounts {
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
}

export type MetadataLookup = (metricName: string) => MetricMetadata | undefined;

const scratch = new ByteWriter();

export class Request {
  /** Its number in the round. */
  readonly index: number;
  readonly #series: SentSeries[] = [];
  #timestamps = new Float64Array(FIRST_SAMPLES);
  #values = new Float64Array(FIRST_SAMPLES);
  #bits = bitsOf(this.#values);
  readonly #extras: { readonly series: SentSeries; readonly extra: Extra }[] = [];
  newestMs = -Infinity;

  constructor(index: number) {
    this.index = index;
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
    return groups;
  }

  #writeSeries({ series, samples, extras }: Group): void {
    let size = series.fields.length;
    for (const i of samples) size += 2 + sampleSize(this.#timestamps[i]);
    for (const { field } of extras) size += field.length;
    scratch.reserve(size + 16);
    scratch.bytes[scratch.length++] = 0x0a;
    scratch.varint(size);
    scratch.raw(series.fields);
    for (const i of samples) {
      this.#writeSample(i);
    }
    for (const { field } of extras) scratch.raw(field);
  }

  #writeSample(index: number): void {
    const { bytes } = scratch;
    const timestampMs = this.#timestamps[index];
    let at = scratch.length;
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
    scratch.length = at;
  }

  #secondBody(groups: readonly Group[], metadataOf: MetadataLookup): Uint8Array {
    const series = groups.map(({ series: { labels }, samples, extras }): WriteSeries => {
      const values = new Float64Array(samples.length);
      const bits = bitsOf(values);
      samples.forEach((from, to) => {
        bits[2 * to] = this.#bits[2 * from];
        bits[2 * to + 1] = this.#bits[2 * from + 1];
      });
      const metadata = metadataOf(labels.metricName);
      const plain = {
        labels,
        timestamps: Float64Array.from(samples, (i) => this.#timestamps[i]),
        values,
        ...(metadata === undefined ? {} : { metadata }),
      };
      if (extras.length === 0) return plain;
      const fields = Buffer.concat(extras.map(({ field }) => field));
      const { histograms, exemplars } = decodeSeriesExtras(fields, 0, fields.length, undefined);
      return { ...plain, histograms, exemplars };
    });
    return encodeWriteRequest({ series: series.flatMap(unmixed) }, 2);
  }
}

interface Group {
  readonly series: SentSeries;
  readonly samples: number[];
  readonly extras: Extra[];
}

/** In 2.0 a series has either floats or histograms. */
function unmixed(series: WriteSeries): WriteSeries[] {
  if (series.timestamps.length === 0 || (series.histograms ?? []).length === 0) return [series];
  const none = new Float64Array(0);
  return [
    { ...series, histograms: [] },
    { ...series, timestamps: none, values: none, exemplars: [] },
  ];
}

/** Bytes of a message Sample: the float, and the time as a varint. */
function sampleSize(timestampMs: number): number {
  if (timestampMs < 0) return 20;
  let size = 11;
  for (let rest = timestampMs; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
