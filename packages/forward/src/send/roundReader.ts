/**
 * Reads a queue round by round. A round is so many records as make a request for every shard, and
 * its requests depend on the plan and the records alone: made again, they are the same.
 *
 * A series is always in the same shard of a round, and a shard's requests go out one after the
 * other, so its samples stay in order. What came late has a shard of its own: a receiver that
 * refuses it does not refuse other samples with it.
 */
import { crc32 } from 'node:zlib';
import { errorMessage, type Logger } from '@tyto/base';
import { ROUND_SAMPLES_MAX } from '../limits.ts';
import { HEADER_BYTES } from '../queue/frame.ts';
import type { DiskQueue } from '../queue/diskQueue.ts';
import type { QueuePosition, RoundPlan } from '../queue/positionLog.ts';
import type { SegmentReader } from '../queue/segmentReader.ts';
import {
  decodeExtras,
  decodeSamples,
  decodeSeries,
  type Extra,
  EXTRAS,
  LATE_EXTRAS,
  LATE_SAMPLES,
  openPayload,
  SAMPLES,
  SampleBatch,
  SERIES,
} from './record.ts';
import { Request, SentSeries, Symbols } from './request.ts';

export interface Round {
  readonly plan: RoundPlan;
  /** For each shard its requests, in order; the last shard is that of late samples. */
  readonly shards: readonly (readonly Request[])[];
  readonly requestCount: number;
  /** Samples left out because they are too old, or of series that damage has cost. */
  readonly tooOld: number;
  readonly unknown: number;
  /** The number of the sample behind the round, since the queue began. */
  readonly endSample: number;
}

type RoundShape = Pick<RoundPlan, 'shards' | 'samplesPerSendMax' | 'oldestMs'>;

const NO_SHAPE: RoundShape = { shards: 1, samplesPerSendMax: 1, oldestMs: 0 };

export class RoundReader {
  readonly #queue: DiskQueue;
  readonly #logger: Logger;
  #segment: number;
  #reader: SegmentReader;
  #series = new Map<number, SentSeries>();
  /** Of the segment, as the series are. */
  #symbols = new Symbols();
  readonly #batch = new SampleBatch();

  constructor(queue: DiskQueue, position: QueuePosition | undefined, logger: Logger) {
    this.#queue = queue;
    this.#logger = logger;
    const first = queue.firstSegment;
    const known = position !== undefined && position.segment >= first;
    this.#segment = known ? position.segment : first;
    this.#reader = queue.read(this.#segment);
    if (known) this.#seek(position.offset);
  }

  get position(): QueuePosition {
    return { segment: this.#segment, offset: this.#reader.offset };
  }

  /** The number of the next sample, since the queue began. */
  get sampleNumber(): number {
    return this.#reader.sampleNumber;
  }

  close(): void {
    this.#reader.close();
  }

  /** Undefined where there is nothing to send. */
  next(shape: RoundShape): Round | undefined {
    const samplesMax = Math.min(shape.shards * shape.samplesPerSendMax, ROUND_SAMPLES_MAX);
    if (this.#segment < this.#queue.firstSegment) this.#go(this.#queue.firstSegment);
    for (;;) {
      const from = this.position;
      const builder = new RoundBuilder(shape, this.#symbols);
      const end = this.#queue.end(this.#segment);
      while (builder.read < samplesMax && this.#readRecord(builder, end));
      if (builder.read > 0) return this.#finish(builder, { ...shape, from, to: this.position });
      // A round ends with its segment: the next one names series anew.
      const next = this.#queue.after(this.#segment);
      if (next === undefined) return undefined;
      this.#go(next);
    }
  }

  /** The round of a plan, once more; undefined where the queue no longer has it. */
  again(plan: RoundPlan): Round | undefined {
    const { from, to } = plan;
    const here = this.position;
    if (from.segment !== here.segment || from.offset !== here.offset) return undefined;
    const builder = new RoundBuilder(plan, this.#symbols);
    while (this.#reader.offset < to.offset && this.#readRecord(builder, to.offset));
    return this.#finish(builder, plan);
  }

  #finish(builder: RoundBuilder, plan: RoundPlan): Round {
    const { shards, requestCount, tooOld, unknown } = builder;
    return { plan, shards, requestCount, tooOld, unknown, endSample: this.sampleNumber };
  }

  #go(segment: number): void {
    this.#reader.close();
    this.#segment = segment;
    this.#reader = this.#queue.read(segment);
    this.#series = new Map();
    this.#symbols = new Symbols();
  }

  /** Learns the series that are defined before `offset`. */
  #seek(offset: number): void {
    const ignored = new RoundBuilder(NO_SHAPE, this.#symbols);
    while (this.#reader.offset < offset && this.#readRecord(ignored, offset, true));
    if (this.#reader.offset < offset) this.#reader.offset = Math.max(offset, HEADER_BYTES);
  }

  #readRecord(builder: RoundBuilder, end: number, definitionsOnly = false): boolean {
    const record = this.#reader.next(end);
    if (record === undefined) return false;
    if (definitionsOnly && record.payload[0] !== SERIES) return true;
    try {
      const { type, body } = openPayload(record.payload);
      this.#open(type, body, builder);
    } catch (error) {
      this.#queue.damages++;
      this.#logger.error('a record of a remote write queue is damaged', {
        segment: this.#segment,
        error: errorMessage(error),
      });
    }
    builder.read += record.samples;
    return true;
  }

  #open(type: number, body: Uint8Array, builder: RoundBuilder): void {
    if (type === SERIES) {
      for (const { id, labels } of decodeSeries(body)) {
        this.#series.set(id, new SentSeries(labels, crc32(labels)));
      }
    } else if (type === SAMPLES || type === LATE_SAMPLES) {
      const batch = this.#batch;
      decodeSamples(body, batch);
      for (let i = 0; i < batch.count; i++) {
        const series = this.#series.get(batch.ids[i]);
        if (series === undefined) builder.unknown++;
        else builder.add(series, batch.timestamps[i], batch.bits, i, type === LATE_SAMPLES);
      }
    } else if (type === EXTRAS || type === LATE_EXTRAS) {
      for (const extra of decodeExtras(body)) {
        const series = this.#series.get(extra.id);
        if (series === undefined) builder.unknown++;
        else builder.addExtra(series, extra, type === LATE_EXTRAS);
      }
    }
  }
}

class RoundBuilder {
  /** Samples that were read, whether they are sent or not. */
  read = 0;
  requestCount = 0;
  tooOld = 0;
  unknown = 0;
  readonly shards: Request[][];
  readonly #shape: RoundShape;
  readonly #symbols: Symbols;

  constructor(shape: RoundShape, symbols: Symbols) {
    this.#shape = shape;
    this.#symbols = symbols;
    this.shards = Array.from({ length: shape.shards + 1 }, () => []);
  }

  add(
    series: SentSeries,
    timestampMs: number,
    bits: Uint32Array,
    at: number,
    isLate: boolean,
  ): void {
    if (timestampMs < this.#shape.oldestMs) this.tooOld++;
    else this.#request(series, isLate).add(series, timestampMs, bits, at);
  }

  addExtra(series: SentSeries, extra: Extra, isLate: boolean): void {
    if (extra.timestampMs < this.#shape.oldestMs) this.tooOld++;
    else this.#request(series, isLate).addExtra(series, extra);
  }

  #request(series: SentSeries, isLate: boolean): Request {
    const { shards, samplesPerSendMax } = this.#shape;
    const shard = this.shards[isLate ? shards : series.hash % shards];
    const open = shard.at(-1);
    if (open !== undefined && open.size < samplesPerSendMax) return open;
    const request = new Request(this.requestCount++, this.#symbols);
    shard.push(request);
    return request;
  }
}
