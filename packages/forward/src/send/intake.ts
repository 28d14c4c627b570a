/**
 * What an endpoint takes of the store's commits: labels are finished once for each series and
 * segment (external labels, relabelling, protobuf), samples go to the queue as columns.
 */
import { bitsOf, type CommittedSamples, type Exemplar, Labels, type SeriesRef } from '@tyto/model';
import { type RelabelConfig, relabel } from '@tyto/collect';
import { ProtobufWriter, writeHistogram } from '@tyto/wire';
import { RECORD_BYTES, RECORD_SAMPLES_MAX } from '../limits.ts';
import type { DiskQueue } from '../queue/diskQueue.ts';
import {
  EXEMPLAR,
  encodeExtras,
  encodeSamples,
  encodeSeries,
  type Extra,
  HISTOGRAM,
  SampleBatch,
} from './record.ts';

export interface IntakeConfig {
  readonly externalLabels: Labels;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly sendsExemplars: boolean;
  readonly sendsHistograms: boolean;
}

const DROPPED = -1;
const EXEMPLARS_FIELD = 3;
const HISTOGRAMS_FIELD = 4;

export class Intake {
  readonly #queue: DiskQueue;
  #config: IntakeConfig;
  /** By the store's id: the reference that it was known for, and where it was defined last. */
  #refs = new Float64Array(1024).fill(-1);
  #definedIn = new Float64Array(1024);
  #segment = 0;
  #definitions: { id: number; labels: Uint8Array }[] = [];
  /** Ids for exemplars, which come with labels and not with a reference; counted downwards. */
  #byLabels = new Map<string, number>();
  #lastId = 2 ** 40;
  readonly #batch = new SampleBatch();
  readonly #writer = new ProtobufWriter();
  /** Samples that write_relabel_configs dropped. */
  dropped = 0;
  /** Samples and histograms that were looked at. */
  taken = 0;

  constructor(queue: DiskQueue, config: IntakeConfig) {
    this.#queue = queue;
    this.#config = config;
  }

  /** Holds for the samples that come from here on; those in the queue stay as they are. */
  set config(config: IntakeConfig) {
    this.#config = config;
    this.#refs.fill(-1);
    this.#byLabels.clear();
  }

  /** Resolves when the samples are in the queue's file. */
  take(samples: CommittedSamples, labelsOf: (ref: SeriesRef) => Labels): Promise<void> {
    const written: Promise<void>[] = [];
    this.#takeFloats(samples, labelsOf, written);
    this.#takeExtras(samples, labelsOf, written);
    return written.length === 1 ? written[0] : Promise.all(written).then(() => {});
  }

  #takeFloats(
    { refs, timestamps, values, from, end, late }: CommittedSamples,
    labelsOf: (ref: SeriesRef) => Labels,
    written: Promise<void>[],
  ): void {
    const batch = this.#batch;
    const source = bitsOf(values);
    this.taken += end - from;
    for (let at = from; at < end; ) {
      const stop = Math.min(end, at + RECORD_SAMPLES_MAX);
      this.#begin();
      let count = 0;
      const before = at;
      for (; at < stop; at++) {
        const id = refs[at] >>> 0;
        if (this.#refs[id] !== refs[at] || this.#definedIn[id] !== this.#segment) {
          this.#define(id, refs[at], labelsOf);
          if (this.#definedIn[id] === DROPPED) continue;
        }
        batch.ids[count] = id;
        batch.timestamps[count] = timestamps[at];
        batch.bits[2 * count] = source[2 * at];
        batch.bits[2 * count + 1] = source[2 * at + 1];
        count++;
      }
      this.dropped += stop - before - count;
      batch.count = count;
      this.#writeDefinitions(written);
      if (count > 0) written.push(this.#queue.append(encodeSamples(batch, late), count));
    }
  }

  #takeExtras(
    { histograms, exemplars, late }: CommittedSamples,
    labelsOf: (ref: SeriesRef) => Labels,
    written: Promise<void>[],
  ): void {
    const { sendsHistograms, sendsExemplars } = this.#config;
    const extras: Extra[] = [];
    this.#begin();
    if (sendsHistograms) {
      this.taken += histograms.length;
      for (const { ref, timestampMs, histogram } of histograms) {
        const id = ref >>> 0;
        if (!this.#isKept(id, ref, labelsOf)) continue;
        const field = this.#field(HISTOGRAMS_FIELD, (writer) =>
          writeHistogram(writer, { timestampMs, histogram }),
        );
        extras.push({ id, timestampMs, kind: HISTOGRAM, field });
      }
    }
    if (sendsExemplars) {
      for (const { series, exemplar } of exemplars) {
        const id = this.#exemplarSeries(series);
        if (id === DROPPED) continue;
        const field = this.#field(EXEMPLARS_FIELD, (writer) => writeExemplar(writer, exemplar));
        extras.push({ id, timestampMs: exemplar.timestampMs, kind: EXEMPLAR, field });
      }
    }
    this.#writeDefinitions(written);
    for (const part of parts(extras, ({ field }) => field.length)) {
      written.push(this.#queue.append(encodeExtras(part, late), part.length));
    }
  }

  /** Finds out which segment is written to; what it must repeat is forgotten with the old one. */
  #begin(): void {
    const segment = this.#queue.prepare();
    if (segment === this.#segment) return;
    this.#segment = segment;
    this.#byLabels.clear();
    this.#lastId = 2 ** 40;
  }

  #isKept(id: number, ref: SeriesRef, labelsOf: (ref: SeriesRef) => Labels): boolean {
    if (this.#refs[id] !== ref || this.#definedIn[id] !== this.#segment) {
      this.#define(id, ref, labelsOf);
    }
    if (this.#definedIn[id] !== DROPPED) return true;
    this.dropped++;
    return false;
  }

  #define(id: number, ref: SeriesRef, labelsOf: (ref: SeriesRef) => Labels): void {
    if (id >= this.#refs.length) this.#grow(id + 1);
    // What was dropped once is dropped in all segments.
    if (this.#refs[id] === ref && this.#definedIn[id] === DROPPED) return;
    this.#refs[id] = ref;
    const labels = this.#finished(labelsOf(ref));
    this.#definedIn[id] = labels === undefined ? DROPPED : this.#segment;
    if (labels !== undefined) this.#definitions.push({ id, labels: this.#encoded(labels) });
  }

  #exemplarSeries(series: Labels): number {
    const known = this.#byLabels.get(series.key);
    if (known !== undefined) return known;
    const labels = this.#finished(series);
    const id = labels === undefined ? DROPPED : --this.#lastId;
    this.#byLabels.set(series.key, id);
    if (labels !== undefined) this.#definitions.push({ id, labels: this.#encoded(labels) });
    return id;
  }

  /** With external labels, which do not replace its own, and relabelled. */
  #finished(series: Labels): Labels | undefined {
    const { externalLabels, relabelConfigs } = this.#config;
    const all =
      externalLabels.size === 0
        ? series
        : Labels.fromEntries([...externalLabels.entries(), ...series.entries()]);
    const labels = relabel(all, relabelConfigs);
    return labels === undefined || labels.size === 0 ? undefined : labels;
  }

  #encoded(labels: Labels): Uint8Array {
    const writer = this.#writer;
    writer.clear();
    for (const [name, value] of labels.entries()) {
      const label = writer.begin(1);
      writer.string(1, name);
      writer.string(2, value);
      writer.end(label);
    }
    return writer.finish().slice();
  }

  #field(number: number, write: (writer: ProtobufWriter) => void): Uint8Array {
    const writer = this.#writer;
    writer.clear();
    const mark = writer.begin(number);
    write(writer);
    writer.end(mark);
    return writer.finish().slice();
  }

  #writeDefinitions(written: Promise<void>[]): void {
    if (this.#definitions.length === 0) return;
    const definitions = this.#definitions;
    this.#definitions = [];
    for (const part of parts(definitions, ({ labels }) => labels.length)) {
      written.push(this.#queue.append(encodeSeries(part), 0));
    }
  }

  #grow(count: number): void {
    const size = Math.max(count, this.#refs.length * 2);
    const refs = new Float64Array(size).fill(-1);
    refs.set(this.#refs);
    const definedIn = new Float64Array(size);
    definedIn.set(this.#definedIn);
    this.#refs = refs;
    this.#definedIn = definedIn;
  }
}

/** Cuts a list so that each part makes a record of a bounded size. */
function* parts<T>(items: readonly T[], bytesOf: (item: T) => number): Generator<T[]> {
  let part: T[] = [];
  let bytes = 0;
  for (const item of items) {
    part.push(item);
    bytes += bytesOf(item);
    if (part.length < RECORD_SAMPLES_MAX && bytes < RECORD_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}

function writeExemplar(writer: ProtobufWriter, { labels, value, timestampMs }: Exemplar): void {
  for (const [name, text] of labels.entries()) {
    const label = writer.begin(1);
    writer.string(1, name);
    writer.string(2, text);
    writer.end(label);
  }
  writer.double(2, value);
  writer.int64(3, timestampMs);
}
