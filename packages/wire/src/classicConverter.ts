/**
 * Reads an exposition in a text format and makes native histograms with custom buckets of its
 * classic ones. A histogram is complete when a sample that is no part of it follows, so it is given
 * before that one. Only families that are declared as histograms are converted.
 */
import { type FloatHistogram, type Labels, METRIC_NAME, type MetricType } from '@tyto/model';
import { ExpositionParser } from './expositionParser.ts';
import type { Exemplar, ExpositionFormat, ExpositionReader } from './expositionReader.ts';
import { ENTRY_HISTOGRAM, ENTRY_SAMPLE, ENTRY_TYPE, type Entry } from './expositionSyntax.ts';
import { checkHistogram } from './histogramMessage.ts';
import { customOfClassic } from './nativeHistogram.ts';

const NOT_CONVERTED = new Set([METRIC_NAME, 'le']);
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

interface Group {
  readonly labels: Labels;
  readonly timestampMs: number | undefined;
  readonly buckets: Map<number, number>;
  readonly exemplars: Exemplar[];
  count: number | undefined;
  sum: number;
}

interface Converted extends Pick<Group, 'labels' | 'timestampMs' | 'exemplars'> {
  readonly histogram: FloatHistogram;
  readonly key: Uint8Array;
}

export class ClassicConverter implements ExpositionReader {
  guessBytes: Uint8Array = NOTHING;
  guessStart = 0;
  guessEnd = 0;
  readonly guessed = false;
  readonly #inner: ExpositionParser;
  readonly #keepsClassic: boolean;
  /** The name of the family that is being read, where it is a histogram. */
  #family: string | undefined;
  #group: Group | undefined;
  #current: Converted | undefined;
  /** What the inner reader stands on, to be given next. */
  #held: Entry | undefined;

  constructor(format: ExpositionFormat, keepsClassic: boolean) {
    this.#inner = new ExpositionParser(format);
    this.#keepsClassic = keepsClassic;
  }

  get bytes(): Uint8Array {
    return this.#current?.key ?? this.#inner.bytes;
  }

  get seriesStart(): number {
    return this.#current === undefined ? this.#inner.seriesStart : 0;
  }

  get seriesEnd(): number {
    return this.#current?.key.length ?? this.#inner.seriesEnd;
  }

  get value(): number {
    return this.#inner.value;
  }

  get hasTimestamp(): boolean {
    if (this.#current !== undefined) return this.#current.timestampMs !== undefined;
    return this.#inner.hasTimestamp;
  }

  get timestampMs(): number {
    return this.#current?.timestampMs ?? this.#inner.timestampMs;
  }

  get hasExemplar(): boolean {
    return this.#current === undefined && this.#inner.hasExemplar;
  }

  start(bytes: Uint8Array, length = bytes.length): void {
    this.#inner.start(bytes, length);
    this.#family = undefined;
    this.#group = undefined;
    this.#current = undefined;
    this.#held = undefined;
  }

  next(): Entry {
    this.#current = undefined;
    for (;;) {
      const entry = this.#held ?? this.#inner.next();
      const isNew = this.#held === undefined;
      this.#held = undefined;
      if (!isNew) return entry;
      const isPart = entry === ENTRY_SAMPLE && this.#isPart();
      if (!isPart && this.#convert()) {
        this.#held = entry;
        this.#noteType(entry);
        return ENTRY_HISTOGRAM;
      }
      this.#noteType(entry);
      if (!isPart) return entry;
      const labels = this.#inner.labels();
      if (this.#group !== undefined && !this.#belongs(labels) && this.#convert()) {
        this.#begin(labels);
        if (this.#keepsClassic) this.#held = ENTRY_SAMPLE;
        return ENTRY_HISTOGRAM;
      }
      if (this.#group === undefined) this.#begin(labels);
      else this.#add(labels);
      if (this.#keepsClassic) return ENTRY_SAMPLE;
    }
  }

  labels(): Labels {
    return this.#current?.labels ?? this.#inner.labels();
  }

  exemplar(): Exemplar | undefined {
    return this.#inner.exemplar();
  }

  histogram(): FloatHistogram {
    return (this.#current as Converted).histogram;
  }

  exemplars(): readonly Exemplar[] {
    return this.#current?.exemplars ?? [];
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

  #noteType(entry: Entry): void {
    if (entry !== ENTRY_TYPE) return;
    const isHistogram = this.#inner.metadataType() === 'histogram';
    this.#family = isHistogram ? this.#inner.metadataName() : undefined;
  }

  #isPart(): boolean {
    if (this.#family === undefined) return false;
    const name = this.#inner.labels().metricName;
    if (!name.startsWith(this.#family)) return false;
    return ['_bucket', '_count', '_sum'].includes(name.slice(this.#family.length));
  }

  #belongs(labels: Labels): boolean {
    const group = this.#group as Group;
    return (
      this.#seriesOf(labels).equals(group.labels) && group.timestampMs === this.#innerTimestampMs()
    );
  }

  #seriesOf(labels: Labels): Labels {
    return labels.without(NOT_CONVERTED).with(METRIC_NAME, this.#family ?? '');
  }

  #innerTimestampMs(): number | undefined {
    return this.#inner.hasTimestamp ? this.#inner.timestampMs : undefined;
  }

  #begin(labels: Labels): void {
    this.#group = {
      labels: this.#seriesOf(labels),
      timestampMs: this.#innerTimestampMs(),
      buckets: new Map(),
      exemplars: [],
      count: undefined,
      sum: 0,
    };
    this.#add(labels);
  }

  #add(labels: Labels): void {
    const group = this.#group as Group;
    const { metricName } = labels;
    const { value } = this.#inner;
    if (metricName.endsWith('_count')) group.count = value;
    else if (metricName.endsWith('_sum')) group.sum = value;
    else {
      const le = labels.get('le');
      if (le !== '') group.buckets.set(le === '+Inf' ? Infinity : Number(le), value);
      const exemplar = this.#inner.exemplar();
      if (exemplar?.timestampMs !== undefined) group.exemplars.push(exemplar);
    }
  }

  /** Ends the group; whether it was a histogram, on which the reader stands then. */
  #convert(): boolean {
    const group = this.#group;
    this.#group = undefined;
    if (group === undefined) return false;
    const { labels, timestampMs, exemplars, buckets, count, sum } = group;
    const histogram = customOfClassic(buckets, count, sum);
    if (histogram === undefined) return false;
    checkHistogram(histogram);
    const key = encoder.encode(`{${labels.key}`);
    this.#current = { labels, timestampMs, exemplars, histogram, key };
    return true;
  }
}
