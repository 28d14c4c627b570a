/**
 * Reads an exposition of OpenMetrics and takes its `_created` samples for what they are: the start
 * times of the other samples of their metric, not series. They may stand behind those, so the
 * exposition is gone through twice. Only families that are declared as counters, histograms or
 * summaries have start times.
 */
import { type FloatHistogram, type Labels, METRIC_NAME, type MetricType } from '@tyto/model';
import { ExpositionParser } from './expositionParser.ts';
import type { Exemplar, ExpositionReader } from './expositionReader.ts';
import {
  ENTRY_END,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  type Entry,
} from './expositionSyntax.ts';

const CREATED = '_created';
const CREATED_BYTES = new TextEncoder().encode(CREATED);
/** The suffixes of the samples that a metric of each type has. */
const SUFFIXES: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  counter: ['_total'],
  histogram: ['_bucket', '_count', '_sum', ''],
  summary: ['_count', '_sum', ''],
};
/** What tells the samples of one metric apart. */
const OF_SAMPLE = new Set([METRIC_NAME, 'le', 'quantile']);

/** The family that a reader is in the middle of. */
interface Family {
  readonly name: string;
  readonly suffixes: readonly string[];
}

export class CreatedReader implements ExpositionReader {
  /** Of the current sample; 0 where it is unknown. */
  startTimeMs = 0;
  readonly #inner: ExpositionReader;
  readonly #first = new ExpositionParser('openmetrics');
  /** Start times by family, then by the labels of the metric. */
  #created = new Map<string, Map<string, number>>();
  #family: Family | undefined;

  /** `inner` reads OpenMetrics. */
  constructor(inner: ExpositionReader) {
    this.#inner = inner;
  }

  get bytes(): Uint8Array {
    return this.#inner.bytes;
  }

  get seriesStart(): number {
    return this.#inner.seriesStart;
  }

  get seriesEnd(): number {
    return this.#inner.seriesEnd;
  }

  get value(): number {
    return this.#inner.value;
  }

  get hasTimestamp(): boolean {
    return this.#inner.hasTimestamp;
  }

  get timestampMs(): number {
    return this.#inner.timestampMs;
  }

  get hasExemplar(): boolean {
    return this.#inner.hasExemplar;
  }

  get guessed(): boolean {
    return this.#inner.guessed;
  }

  get guessBytes(): Uint8Array {
    return this.#inner.guessBytes;
  }

  set guessBytes(bytes: Uint8Array) {
    this.#inner.guessBytes = bytes;
  }

  get guessStart(): number {
    return this.#inner.guessStart;
  }

  set guessStart(start: number) {
    this.#inner.guessStart = start;
  }

  get guessEnd(): number {
    return this.#inner.guessEnd;
  }

  set guessEnd(end: number) {
    this.#inner.guessEnd = end;
  }

  /** Throws TytoError `bad_data` for an exposition that is malformed anywhere. */
  start(bytes: Uint8Array, length = bytes.length): void {
    this.#findCreated(bytes, length);
    this.#inner.start(bytes, length);
    this.#family = undefined;
    this.startTimeMs = 0;
  }

  next(): Entry {
    for (;;) {
      const entry = this.#inner.next();
      if (entry === ENTRY_TYPE) this.#family = familyOf(this.#inner);
      if (entry !== ENTRY_SAMPLE && entry !== ENTRY_HISTOGRAM) return entry;
      this.startTimeMs = 0;
      const known = this.#family && this.#created.get(this.#family.name);
      if (this.#family === undefined || known === undefined) return entry;
      const labels = this.#inner.labels();
      if (labels.metricName === this.#family.name + CREATED) continue;
      if (isOf(this.#family, labels)) this.startTimeMs = known.get(keyOf(labels)) ?? 0;
      return entry;
    }
  }

  labels(): Labels {
    return this.#inner.labels();
  }

  exemplar(): Exemplar | undefined {
    return this.#inner.exemplar();
  }

  histogram(): FloatHistogram {
    return (this.#inner.histogram as () => FloatHistogram)();
  }

  exemplars(): readonly Exemplar[] {
    return this.#inner.exemplars?.() ?? [];
  }

  metadataName(): string {
    return this.#inner.metadataName();
  }

  metadataText(): string {
    return this.#inner.metadataText();
  }

  metadataType(): MetricType {
    return this.#inner.metadataType();
  }

  #findCreated(bytes: Uint8Array, length: number): void {
    this.#created = new Map();
    const parser = this.#first;
    parser.start(bytes, length);
    let family: Family | undefined;
    for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
      if (entry === ENTRY_TYPE) family = familyOf(parser);
      if (entry !== ENTRY_SAMPLE || family === undefined || !namesCreated(parser)) continue;
      const labels = parser.labels();
      if (labels.metricName !== family.name + CREATED) continue;
      const known = this.#created.get(family.name) ?? new Map<string, number>();
      this.#created.set(family.name, known.set(keyOf(labels), millisecondsOf(parser.value)));
    }
  }
}

function familyOf(reader: ExpositionReader): Family | undefined {
  const suffixes = SUFFIXES[reader.metadataType()];
  return suffixes === undefined ? undefined : { name: reader.metadataName(), suffixes };
}

function isOf({ name, suffixes }: Family, { metricName }: Labels): boolean {
  return metricName.startsWith(name) && suffixes.includes(metricName.slice(name.length));
}

function keyOf(labels: Labels): string {
  return labels.without(OF_SAMPLE).key;
}

/** Whether a series may be one of `_created`, without a look at its labels. */
function namesCreated({ bytes, seriesStart, seriesEnd }: ExpositionParser): boolean {
  const end = seriesEnd - CREATED_BYTES.length;
  for (let at = seriesStart; at <= end; at++) {
    if (
      bytes[at] === CREATED_BYTES[0] &&
      CREATED_BYTES.every((byte, i) => bytes[at + i] === byte)
    ) {
      return true;
    }
  }
  return false;
}

function millisecondsOf(seconds: number): number {
  const ms = Math.trunc(seconds * 1000);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : 0;
}
