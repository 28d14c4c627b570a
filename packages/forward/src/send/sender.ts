/**
 * Sends what is in a queue: waits until there is enough for a request or the deadline of a batch
 * is over, plans a round, sends its shards side by side, and goes on when all are through.
 */
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import { encodeSnappy } from '@tyto/kernels';
import type { RemoteWriteVersion } from '@tyto/wire';
import type { QueueConfig } from '../config.ts';
import { ROUND_SAMPLES_MAX } from '../limits.ts';
import type { DiskQueue } from '../queue/diskQueue.ts';
import type { FoundPosition, PositionLog } from '../queue/positionLog.ts';
import type { Delivery } from './delivery.ts';
import type { MetadataLookup, Request } from './request.ts';
import { type Round, RoundReader } from './roundReader.ts';

export interface SenderOptions {
  readonly queue: DiskQueue;
  readonly positions: PositionLog;
  readonly found: FoundPosition;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: QueueConfig;
  readonly version: RemoteWriteVersion;
  readonly metadataOf: MetadataLookup;
  readonly totals: SendTotals;
}

/** Counts that outlive a change of the configuration. */
export interface SendTotals {
  samples: number;
  histograms: number;
  exemplars: number;
  samplesFailed: number;
  histogramsFailed: number;
  exemplarsFailed: number;
  samplesRetried: number;
  histogramsRetried: number;
  exemplarsRetried: number;
  tooOld: number;
  unknown: number;
  bytes: number;
  requests: number;
  /** Durations of requests that were answered, in seconds, all together. */
  requestSeconds: number;
  shards: number;
  shardsDesired: number;
  newestSentMs: number;
}

export function noTotals(): SendTotals {
  return {
    samples: 0,
    histograms: 0,
    exemplars: 0,
    samplesFailed: 0,
    histogramsFailed: 0,
    exemplarsFailed: 0,
    samplesRetried: 0,
    histogramsRetried: 0,
    exemplarsRetried: 0,
    tooOld: 0,
    unknown: 0,
    bytes: 0,
    requests: 0,
    requestSeconds: 0,
    shards: 0,
    shardsDesired: 0,
    newestSentMs: 0,
  };
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #reader: RoundReader;
  #running: Promise<void> | undefined;
  #isStopped = false;
  #wake: (() => void) | undefined;
  #deadline: Timer | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { queue, found, logger } = options;
    this.#reader = new RoundReader(queue, found.position, logger);
    queue.sentSample = this.#reader.sampleNumber;
  }

  start(): void {
    this.#options.queue.onWritten = () => this.#look();
    this.#running = this.#run();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.queue.onWritten = () => {};
    this.#options.delivery.stop();
    this.#rouse();
    await this.#running;
    this.#reader.close();
  }

  async #run(): Promise<void> {
    await this.#guard(async () => {
      const { plan, answered } = this.#options.found;
      const round = plan === undefined ? undefined : this.#reader.again(plan);
      if (round !== undefined) await this.#sendRound(round, answered);
    });
    while (!this.#isStopped) await this.#guard(() => this.#step());
  }

  async #step(): Promise<void> {
    const round = this.#reader.next(this.#shape());
    if (round === undefined) {
      await this.#wait();
      return;
    }
    await this.#options.positions.plan(round.plan);
    await this.#sendRound(round, NONE);
    if (!this.#isEnough()) await this.#wait();
  }

  /** A mistake of ours costs a round, and does not end sending. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      const { logger } = this.#options;
      logger.error('BUG: a round of remote write failed', { error: errorMessage(error), stack });
      await this.#wait();
    }
  }

  #shape() {
    const { queue, config, totals, clock } = this.#options;
    const { shardsMin, shardsMax, samplesPerSendMax, sampleAgeMsMax } = config;
    const wanted = Math.ceil((queue.pending || 1) / samplesPerSendMax);
    const desired = Math.min(Math.max(wanted, shardsMin), shardsMax);
    // One that was away is not met with everything at once.
    const shards = Math.min(desired, Math.max(shardsMin, totals.shards * 2, 1));
    totals.shardsDesired = desired;
    totals.shards = shards;
    const oldestMs = sampleAgeMsMax > 0 ? clock.nowMs() - sampleAgeMsMax : -8.64e15;
    return { shards, samplesPerSendMax, oldestMs };
  }

  /** Until there is enough for a request, or for as long as what there is may wait. */
  async #wait(): Promise<void> {
    if (this.#isStopped) return;
    const { clock, config } = this.#options;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#deadline = clock.schedule(config.batchDeadlineMs, () => this.#rouse());
    });
  }

  #look(): void {
    if (this.#isEnough()) this.#rouse();
  }

  #isEnough(): boolean {
    const { queue, config } = this.#options;
    const waiting = queue.writtenSample - this.#reader.sampleNumber;
    return waiting >= Math.min(config.samplesPerSendMax, ROUND_SAMPLES_MAX);
  }

  #rouse(): void {
    this.#deadline?.cancel();
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async #sendRound(round: Round, answered: ReadonlySet<number>): Promise<void> {
    const { queue, positions, totals } = this.#options;
    totals.tooOld += round.tooOld;
    totals.unknown += round.unknown;
    const isRepeated = answered !== NONE;
    const shards = round.shards.map((requests) => this.#sendShard(requests, answered, isRepeated));
    const all = await Promise.all(shards);
    // What was not sent before a stop is planned, and sent at the next start.
    if (all.includes(false)) return;
    await positions.done(round.plan.to);
    queue.sentSample = Math.max(queue.sentSample, round.endSample);
    queue.release(round.plan.to.segment);
  }

  /** Whether all of it was answered. */
  async #sendShard(
    requests: readonly Request[],
    answered: ReadonlySet<number>,
    isRepeated: boolean,
  ): Promise<boolean> {
    for (const request of requests) {
      if (answered.has(request.index)) continue;
      if (this.#isStopped) return false;
      if (!(await this.#send(request, isRepeated))) return false;
      // Not waited for: it is written in order before the plan of the next round.
      void this.#options.positions.answered(request.index);
    }
    return true;
  }

  async #send(request: Request, isRepeated: boolean): Promise<boolean> {
    const { delivery, totals, version, metadataOf, clock, logger } = this.#options;
    const { samples, histograms, exemplars } = request.counts;
    const body = encodeSnappy(request.body(version, metadataOf));
    totals.samples += samples;
    totals.histograms += histograms;
    totals.exemplars += exemplars;
    const startedMs = clock.monotonicMs();
    const verdict = await delivery.deliver(body, () => {
      totals.samplesRetried += samples;
      totals.histogramsRetried += histograms;
      totals.exemplarsRetried += exemplars;
    });
    if (verdict === 'stopped') return false;
    totals.requests++;
    totals.requestSeconds += (clock.monotonicMs() - startedMs) / 1000;
    if (verdict === 'refused') {
      totals.samplesFailed += samples;
      totals.histogramsFailed += histograms;
      totals.exemplarsFailed += exemplars;
      if (isRepeated) {
        logger.info('remote write: a request that was under way at the last stop was refused', {
          meaning: 'usually the endpoint has its samples already',
          samples,
        });
      }
      return true;
    }
    totals.bytes += body.length;
    totals.newestSentMs = Math.max(totals.newestSentMs, request.newestMs);
    return true;
  }
}

const NONE: ReadonlySet<number> = new Set();
