/**
 * A cursor over an exposition in protobuf: messages io.prometheus.client.MetricFamily, each after
 * its length. It stands on the same entries as `ExpositionParser`; one metric becomes as many
 * samples as it would in text, or a native histogram.
 *
 * The bytes of a series are made here, of its name, its labels as they were sent, and which of the
 * metric's samples it is: name, 0xff, label fields, kind, bound. A label field begins with its tag,
 * 0x0a, which is no kind, and 0xff is in no UTF-8, so different series never have the same bytes.
 */
import { TytoError } from '@tyto/base';
import { type FloatHistogram, type Labels, METRIC_NAME, type MetricType } from '@tyto/model';
import type { Exemplar, ExpositionReader, HistogramOptions } from './expositionReader.ts';
import {
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
  type Entry,
} from './expositionSyntax.ts';
import {
  decodeFamilyExemplar,
  FamilyHistogram,
  type MessageRange,
  rangeOf,
  readPair,
  readTimestamp,
} from './familyHistogram.ts';
import { LABEL_COUNT_MAX, LINE_BYTES_MAX } from './limits.ts';
import { boundText } from './nativeHistogram.ts';
import { ProtobufReader } from './protobufReader.ts';
import { labelsOfPairs } from './remoteWrite.ts';
import { TextCache } from './textCache.ts';

const TYPES: readonly MetricType[] = [
  'counter',
  'gauge',
  'summary',
  'unknown',
  'histogram',
  'gaugehistogram',
];
/** The field of a Metric that holds the value, by type. */
const VALUE_FIELDS = [3, 2, 4, 5, 7, 7];
const SUMMARY = 2;
const HISTOGRAM = 4;

/** Which of a metric's samples one is; the suffixes are by these numbers. */
const PLAIN = 0;
const COUNT = 1;
const SUM = 2;
const BUCKET = 3;
const QUANTILE = 4;
const NATIVE = 5;
const SUFFIXES = ['', '_count', '_sum', '_bucket', '', ''];

/** A sample of the current metric. */
interface Pending {
  readonly kind: number;
  readonly value: number;
  readonly bound: number;
  readonly exemplar: MessageRange | undefined;
}

export class FamilyParser implements ExpositionReader {
  /** The bytes of the current series; they change with each entry. */
  bytes: Uint8Array = new Uint8Array(256);
  readonly seriesStart = 0;
  seriesEnd = 0;
  value = 0;
  hasTimestamp = false;
  timestampMs = 0;
  hasExemplar = false;
  startTimeMs = 0;
  guessBytes: Uint8Array = new Uint8Array(0);
  guessStart = 0;
  guessEnd = 0;
  guessed = false;

  readonly #options: HistogramOptions;
  readonly #texts = new TextCache();
  #body: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** Of the current family. */
  #name = '';
  #help: string | undefined;
  #unit = '';
  #type = 0;
  /** The starts and ends of its metrics by turns, and the next of them. */
  #metrics: number[] = [];
  #nextMetric = 0;
  #metadata: Entry[] = [];
  #entry: Entry = ENTRY_END;
  /** Of the current metric: the label fields as starts and ends by turns, with their tags. */
  #labelFields: number[] = [];
  /** Where its name and labels end in `bytes`. */
  #prefixEnd = 0;
  #pending: Pending[] = [];
  #nextPending = 0;
  #sample: Pending | undefined;
  #histogram: FamilyHistogram | undefined;
  readonly #bound = new DataView(new ArrayBuffer(8));

  constructor(options: HistogramOptions) {
    this.#options = options;
  }

  start(bytes: Uint8Array, length = bytes.length): void {
    this.#body = bytes;
    this.#at = 0;
    this.#end = length;
    this.#metrics = [];
    this.#nextMetric = 0;
    this.#metadata = [];
    this.#pending = [];
    this.#nextPending = 0;
    this.#name = '';
  }

  /** Moves to the next entry. Throws TytoError `bad_data` with the family that is at fault. */
  next(): Entry {
    try {
      return this.#next();
    } catch (error) {
      throw this.#located(error);
    }
  }

  #next(): Entry {
    for (;;) {
      const metadata = this.#metadata.shift();
      if (metadata !== undefined) {
        this.#entry = metadata;
        return metadata;
      }
      if (this.#nextPending < this.#pending.length) return this.#step();
      if (this.#nextMetric < this.#metrics.length) this.#readMetric();
      else if (this.#at < this.#end) this.#readFamily();
      else return ENTRY_END;
    }
  }

  labels(): Labels {
    return this.#placed(() => {
      const { kind, bound } = this.#sample as Pending;
      const pairs = [METRIC_NAME, this.#name + SUFFIXES[kind]];
      if (kind === BUCKET) pairs.push('le', boundText(bound));
      if (kind === QUANTILE) pairs.push('quantile', boundText(bound));
      for (let i = 0; i < this.#labelFields.length; i += 2) {
        const reader = new ProtobufReader(
          this.#body,
          this.#labelFields[i],
          this.#labelFields[i + 1],
        );
        if (reader.next()) readPair(reader.message(), pairs, this.#texts);
      }
      return labelsOfPairs(pairs);
    });
  }

  exemplar(): Exemplar | undefined {
    const message = this.#sample?.exemplar;
    if (message === undefined) return undefined;
    return this.#placed(() => decodeFamilyExemplar(this.#body, message));
  }

  histogram(): FloatHistogram {
    return this.#placed(() => (this.#histogram as FamilyHistogram).native());
  }

  exemplars(): readonly Exemplar[] {
    return this.#placed(() => this.#histogram?.exemplars() ?? []);
  }

  metadataName(): string {
    return this.#name;
  }

  metadataText(): string {
    return this.#entry === ENTRY_UNIT ? this.#unit : (this.#help ?? '');
  }

  metadataType(): MetricType {
    return TYPES[this.#type] ?? 'unknown';
  }

  #readFamily(): void {
    const length = this.#readLength();
    const reader = new ProtobufReader(this.#body, this.#at, this.#at + length);
    this.#at += length;
    this.#metrics = [];
    this.#nextMetric = 0;
    this.#name = '';
    this.#help = undefined;
    this.#unit = '';
    this.#type = 0;
    while (reader.next()) {
      if (reader.field === 1) this.#name = reader.string();
      else if (reader.field === 2) this.#help = reader.string();
      else if (reader.field === 3) this.#type = reader.int32();
      else if (reader.field === 4) {
        reader.message();
        this.#metrics.push(reader.start, reader.end);
      } else if (reader.field === 5) this.#unit = reader.string();
    }
    this.#checkFamily();
    this.#metadata = [ENTRY_TYPE];
    if (this.#help !== undefined) this.#metadata.push(ENTRY_HELP);
    if (this.#unit !== '') this.#metadata.push(ENTRY_UNIT);
  }

  #readLength(): number {
    let length = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#end) throw bad('a length is cut short');
      const byte = this.#body[this.#at++];
      length += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if (length > this.#end - this.#at) throw bad('it is longer than the exposition');
      return length;
    }
    throw bad('its length is no 32-bit number');
  }

  #checkFamily(): void {
    if (this.#name === '') throw bad('it has no name');
    if (TYPES[this.#type] === undefined) throw bad(`the type ${this.#type} does not exist`);
    if (this.#unit === '') return;
    const name = this.#type === 0 ? this.#name.replace(/_total$/, '') : this.#name;
    if (!name.endsWith(`_${this.#unit}`)) throw bad(`the unit "${this.#unit}" is no suffix of it`);
  }

  #readMetric(): void {
    const start = this.#metrics[this.#nextMetric++];
    const reader = new ProtobufReader(this.#body, start, this.#metrics[this.#nextMetric++]);
    this.#labelFields = [];
    this.hasTimestamp = false;
    this.startTimeMs = 0;
    let value: ProtobufReader | undefined;
    while (reader.next()) {
      if (reader.field === 1) this.#labelFields.push(reader.fieldStart, reader.end);
      else if (reader.field === 6) {
        this.timestampMs = reader.int64();
        this.hasTimestamp = true;
      } else if (reader.field === VALUE_FIELDS[this.#type]) value = reader.message();
    }
    if (this.#labelFields.length > 2 * LABEL_COUNT_MAX) {
      throw bad(`expected at most ${LABEL_COUNT_MAX} labels`);
    }
    this.#writePrefix();
    this.#pending = [];
    this.#nextPending = 0;
    if (this.#type >= HISTOGRAM) this.#readHistogram(value);
    else if (this.#type === SUMMARY) this.#readSummary(value);
    else this.#readNumber(value);
  }

  #add(kind: number, value: number, bound = 0, exemplar?: MessageRange): void {
    this.#pending.push({ kind, value, bound, exemplar });
  }

  #readNumber(reader: ProtobufReader | undefined): void {
    let value = 0;
    let exemplar: MessageRange | undefined;
    while (reader?.next()) {
      if (reader.field === 1) value = reader.double();
      else if (this.#type !== 0) continue;
      else if (reader.field === 2) exemplar = rangeOf(reader);
      else if (reader.field === 3) this.startTimeMs = readTimestamp(reader.message());
    }
    this.#add(PLAIN, value, 0, exemplar);
  }

  #readSummary(reader: ProtobufReader | undefined): void {
    let count = 0;
    let sum = 0;
    const quantiles: [number, number][] = [];
    while (reader?.next()) {
      if (reader.field === 1) count = reader.uint64();
      else if (reader.field === 2) sum = reader.double();
      else if (reader.field === 3) {
        const quantile = reader.message();
        let at = 0;
        let value = 0;
        while (quantile.next()) {
          if (quantile.field === 1) at = quantile.double();
          else if (quantile.field === 2) value = quantile.double();
        }
        quantiles.push([at, value]);
      } else if (reader.field === 4) this.startTimeMs = readTimestamp(reader.message());
    }
    this.#add(COUNT, count);
    this.#add(SUM, sum);
    for (const [quantile, value] of quantiles) this.#add(QUANTILE, value, quantile);
  }

  #readHistogram(reader: ProtobufReader | undefined): void {
    const { readsNative, keepsClassic, convertsClassic } = this.#options;
    const histogram = new FamilyHistogram(this.#body, reader, this.#type > HISTOGRAM, readsNative);
    this.#histogram = histogram;
    this.startTimeMs = histogram.startTimeMs;
    if (histogram.isNative || convertsClassic) {
      this.#add(NATIVE, histogram.count);
      if (!keepsClassic || (histogram.isNative && !histogram.hasClassic)) return;
    }
    this.#add(COUNT, histogram.count);
    this.#add(SUM, histogram.sum);
    let hasInfinity = false;
    for (const { bound, count, exemplar } of histogram.buckets) {
      if (bound === Infinity) hasInfinity = true;
      this.#add(BUCKET, count, bound, exemplar);
    }
    if (!hasInfinity) this.#add(BUCKET, histogram.count, Infinity);
  }

  #step(): Entry {
    const sample = this.#pending[this.#nextPending++];
    const { kind, value, exemplar } = sample;
    this.#sample = sample;
    this.value = value;
    this.hasExemplar = exemplar !== undefined;
    let at = this.#prefixEnd;
    this.bytes[at++] = kind;
    if (kind === BUCKET || kind === QUANTILE) {
      this.#bound.setFloat64(0, sample.bound);
      for (let i = 0; i < 8; i++) this.bytes[at++] = this.#bound.getUint8(i);
    }
    this.seriesEnd = at;
    this.guessed = this.#isGuess();
    this.#entry = kind === NATIVE ? ENTRY_HISTOGRAM : ENTRY_SAMPLE;
    return this.#entry;
  }

  #isGuess(): boolean {
    const { bytes, guessBytes, guessStart, seriesEnd } = this;
    if (this.guessEnd - guessStart !== seriesEnd) return false;
    for (let i = seriesEnd - 1; i >= 0; i--) {
      if (bytes[i] !== guessBytes[guessStart + i]) return false;
    }
    return true;
  }

  /** Name and labels into `bytes`, with room for the rest of any sample. */
  #writePrefix(): void {
    const fields = this.#labelFields;
    let needed = this.#name.length * 3 + 16;
    for (let i = 0; i < fields.length; i += 2) needed += fields[i + 1] - fields[i];
    if (needed > LINE_BYTES_MAX) throw bad(`expected a series of at most ${LINE_BYTES_MAX} bytes`);
    if (needed > this.bytes.length) this.bytes = new Uint8Array(needed * 2);
    let at = encoder.encodeInto(this.#name, this.bytes).written;
    this.bytes[at++] = 0xff;
    for (let i = 0; i < fields.length; i += 2) {
      this.bytes.set(this.#body.subarray(fields[i], fields[i + 1]), at);
      at += fields[i + 1] - fields[i];
    }
    this.#prefixEnd = at;
  }

  #placed<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#located(error);
    }
  }

  #located(error: unknown): unknown {
    if (!(error instanceof TytoError)) return error;
    const which = this.#name === '' ? 'a metric family' : `metric family "${this.#name}"`;
    return new TytoError(error.kind, `${which}: ${error.message}`);
  }
}

const encoder = new TextEncoder();

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}
