/** One `remote_write`: its queue, what fills it, and what empties it. */
import { join } from 'node:path';
import type { Clock, Logger, Timer } from '@tyto/base';
import type { HttpClientConfig, HttpPoster } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import type { Labels, MetricMetadata } from '@tyto/model';
import type { Disk } from '@tyto/tsdb';
import { encodeWriteRequest, type FamilyMetadata } from '@tyto/wire';
import type { RemoteWriteConfig } from './config.ts';
import { METADATA_PER_REQUEST_MAX } from './limits.ts';
import { DiskQueue } from './queue/diskQueue.ts';
import { PositionLog } from './queue/positionLog.ts';
import { Delivery } from './send/delivery.ts';
import { Intake } from './send/intake.ts';
import { noTotals, Sender } from './send/sender.ts';

export interface ForwarderOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the queues are. */
  readonly directory: string;
  /** The most bytes of one queue. */
  readonly queueBytesMax: number;
  readonly fsyncIntervalMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly userAgent: string;
  createClient(config: HttpClientConfig): HttpPoster;
  /** What is known of metric families now. */
  metadata(): Iterable<FamilyMetadata>;
}

/** What is under way may still be answered for so long when Tyto stops. */
const STOP_MS_MAX = 1000;
const SUFFIX = /_(?:bucket|sum|count|total|created|info)$/;

export class Endpoint {
  readonly #options: ForwarderOptions;
  readonly #directory: string;
  readonly #queue: DiskQueue;
  readonly intake: Intake;
  readonly totals = noTotals();
  metadataSent = 0;
  metadataFailed = 0;
  #config: RemoteWriteConfig;
  #running:
    | {
        readonly sender: Sender;
        readonly delivery: Delivery;
        readonly positions: PositionLog;
      }
    | undefined;
  #metadataTimer: Timer | undefined;
  #families = new Map<string, MetricMetadata>();
  #familiesMs = -Infinity;

  private constructor(
    options: ForwarderOptions,
    directory: string,
    queue: DiskQueue,
    config: RemoteWriteConfig,
    externalLabels: Labels,
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#queue = queue;
    this.#config = config;
    this.intake = new Intake(queue, { ...config, externalLabels });
  }

  static async open(
    options: ForwarderOptions,
    key: string,
    config: RemoteWriteConfig,
    externalLabels: Labels,
  ): Promise<Endpoint> {
    const { disk, clock, logger, fsyncIntervalMs, queueBytesMax } = options;
    const directory = join(options.directory, key);
    const bytesMax = queueBytesMax;
    const queue = await DiskQueue.open({
      disk,
      clock,
      logger,
      directory,
      fsyncIntervalMs,
      bytesMax,
    });
    const endpoint = new Endpoint(options, directory, queue, config, externalLabels);
    await endpoint.#start();
    return endpoint;
  }

  get config(): RemoteWriteConfig {
    return this.#config;
  }

  get queue(): Pick<DiskQueue, 'bytes' | 'pending' | 'dropped' | 'failures' | 'damages'> {
    return this.#queue;
  }

  /** Goes on with other settings; what is in the queue stays. */
  async reconfigure(config: RemoteWriteConfig, externalLabels: Labels): Promise<void> {
    this.intake.config = { ...config, externalLabels };
    if (sameSettings(config, this.#config)) {
      this.#config = config;
      return;
    }
    await this.#stop();
    this.#config = config;
    await this.#start();
  }

  /** Ends with all that is in the queue kept for the next start. */
  async close(): Promise<void> {
    await this.#stop();
    await this.#queue.close();
  }

  /** Ends, and deletes the queue. */
  async remove(): Promise<void> {
    await this.#stop();
    await this.#queue.destroy();
  }

  async #start(): Promise<void> {
    const { disk, clock, logger, random, userAgent } = this.#options;
    const { queue: config, version, url, headers, timeoutMs, http, metadata } = this.#config;
    const { log: positions, found } = await PositionLog.open(disk, this.#directory, logger);
    const client = this.#options.createClient(http);
    const delivery = new Delivery({
      client,
      clock,
      logger,
      random,
      url,
      headers,
      version,
      userAgent,
      timeoutMs,
      queue: config,
    });
    const sender = new Sender({
      queue: this.#queue,
      positions,
      found,
      delivery,
      clock,
      logger,
      config,
      version,
      metadataOf: (name) => this.#metadataOf(name),
      totals: this.totals,
    });
    sender.start();
    this.#running = { sender, delivery, positions };
    if (metadata.send && version === 1) this.#scheduleMetadata(delivery);
  }

  async #stop(): Promise<void> {
    this.#metadataTimer?.cancel();
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    const timer = this.#options.clock.schedule(STOP_MS_MAX, () => running.delivery.abort());
    await running.sender.stop();
    timer.cancel();
    running.delivery.abort();
    await running.positions.close();
  }

  #scheduleMetadata(delivery: Delivery): void {
    const { intervalMs } = this.#config.metadata;
    this.#metadataTimer = this.#options.clock.schedule(Math.max(intervalMs, 100), () => {
      void this.#sendMetadata(delivery).finally(() => {
        if (this.#running?.delivery === delivery) this.#scheduleMetadata(delivery);
      });
    });
  }

  async #sendMetadata(delivery: Delivery): Promise<void> {
    const all = new Map<string, FamilyMetadata>();
    for (const family of this.#options.metadata()) all.set(family.family, family);
    const families = [...all.values()];
    for (let i = 0; i < families.length; i += METADATA_PER_REQUEST_MAX) {
      const metadata = families.slice(i, i + METADATA_PER_REQUEST_MAX);
      const body = encodeSnappy(encodeWriteRequest({ series: [], metadata }, 1));
      const verdict = await delivery.deliver(body, () => {});
      if (verdict === 'stopped') return;
      if (verdict === 'sent') this.metadataSent += metadata.length;
      else this.metadataFailed += metadata.length;
    }
  }

  /** Of the family that a metric name belongs to. */
  #metadataOf(metricName: string): MetricMetadata | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#familiesMs > this.#config.metadata.intervalMs) {
      this.#familiesMs = nowMs;
      this.#families = new Map();
      for (const { family, ...metadata } of this.#options.metadata()) {
        this.#families.set(family, metadata);
      }
    }
    return this.#families.get(metricName) ?? this.#families.get(metricName.replace(SUFFIX, ''));
  }
}

/** Whether nothing changed but what the intake does. */
function sameSettings(a: RemoteWriteConfig, b: RemoteWriteConfig): boolean {
  const settings = ({ relabelConfigs: _, ...rest }: RemoteWriteConfig) => JSON.stringify(rest);
  return settings(a) === settings(b);
}
