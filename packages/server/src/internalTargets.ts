/** Targets within this process: the machine, Tyto itself, and metrics that were pushed. */
import { hostname } from 'node:os';
import type { HostMetrics, PushGateway, ScrapeManager } from '@tyto/collect';
import type { LoadedConfig } from './config/load.ts';
import type { SelfMetrics } from './metrics/selfMetrics.ts';

export interface InternalTargetsOptions {
  readonly scrapes: ScrapeManager;
  readonly host: HostMetrics;
  readonly metrics: SelfMetrics;
  readonly pushes: PushGateway;
}

const HOST_JOB = 'node';
const SELF_JOB = 'tyto';
const PUSH_JOB = 'pushgateway';

export class InternalTargets {
  readonly #options: InternalTargetsOptions;
  /** The settings under which the machine is watched; undefined while it is not. */
  #watching: string | undefined;
  /** The settings under which pushed metrics are stored; undefined before the first push. */
  #watchingPushes: string | undefined;

  constructor(options: InternalTargetsOptions) {
    this.#options = options;
  }

  async apply(config: LoadedConfig): Promise<void> {
    await this.#watchHost(config);
    await this.watchPushes(config);
  }

  /** Pushed metrics as a target in this process, from the first push on. */
  async watchPushes(config: LoadedConfig): Promise<void> {
    const { scrapes, pushes } = this.#options;
    const { global } = config.prometheus;
    const wanted = pushes.size > 0 ? JSON.stringify(global) : this.#watchingPushes;
    if (wanted === this.#watchingPushes) return;
    const instance = hostname();
    if (this.#watchingPushes !== undefined) await scrapes.removeInternal(PUSH_JOB, instance);
    this.#watchingPushes = wanted;
    const read = () => pushes.exposition();
    scrapes.addInternal(
      { jobName: PUSH_JOB, instance, read, format: 'protobuf', hasOwnLabels: true },
      global,
    );
  }

  /** The machine and Tyto itself as targets in this process. */
  async #watchHost(config: LoadedConfig): Promise<void> {
    const { scrapes, host, metrics } = this.#options;
    const { global } = config.prometheus;
    const wanted = config.watchesHost ? JSON.stringify(global) : undefined;
    // What did not change runs on: its series, and the alerts on them, must not break off.
    if (wanted === this.#watching) return;
    const instance = hostname();
    if (this.#watching !== undefined) {
      await scrapes.removeInternal(HOST_JOB, instance);
      await scrapes.removeInternal(SELF_JOB, instance);
    }
    this.#watching = wanted;
    if (wanted === undefined) return;
    scrapes.addInternal({ jobName: HOST_JOB, instance, read: () => host.read() }, global);
    const read = () => metrics.registry.metrics();
    scrapes.addInternal({ jobName: SELF_JOB, instance, read }, global);
  }
}
