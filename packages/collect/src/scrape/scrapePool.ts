/** The targets of one job and their loops. */
import { errorMessage } from '@tyto/base';
import type { Labels } from '@tyto/model';
import type { TargetGroup } from '../config/discoveryConfig.ts';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { type DiscoveryPorts, JobDiscovery } from '../discovery/jobDiscovery.ts';
import type { HttpClient } from '../http/httpClient.ts';
import { DROPPED_TARGET_COUNT_MAX } from '../limits.ts';
import { type LoopPorts, ScrapeLoop } from './scrapeLoop.ts';
import { HttpSource } from './scrapeSource.ts';
import { type Target, targetsOfGroup } from './target.ts';

export type PoolPorts = LoopPorts & DiscoveryPorts;

/** What decides how a target is asked and what becomes of its samples; the rest finds targets. */
function scrapeKey(config: ScrapeConfig): string {
  const { staticConfigs, fileDiscoveries, httpDiscoveries, relabelConfigs, ...rest } = config;
  return JSON.stringify(rest);
}

export class ScrapePool {
  config: ScrapeConfig;
  droppedTargets: Labels[] = [];
  droppedCount = 0;
  readonly #ports: PoolPorts;
  readonly #loops = new Map<string, ScrapeLoop>();
  /** Loops that are ending, so that `stop` can wait for them. */
  readonly #ending = new Set<Promise<void>>();
  #client: HttpClient;
  #discovery: JobDiscovery;
  #complaints = new Set<string>();
  #stopped = false;

  constructor(config: ScrapeConfig, ports: PoolPorts) {
    this.config = config;
    this.#ports = ports;
    this.#client = ports.createHttpClient(config.http);
    this.#discovery = this.#createDiscovery();
  }

  start(): void {
    this.#discovery.start();
  }

  loops(): ScrapeLoop[] {
    return [...this.#loops.values()];
  }

  /** Takes a changed configuration; targets that stay as they are notice nothing. */
  async reload(config: ScrapeConfig): Promise<void> {
    const sameScrape = scrapeKey(config) === scrapeKey(this.config);
    this.#discovery.stop();
    this.config = config;
    if (!sameScrape) {
      this.#client.close();
      this.#client = this.#ports.createHttpClient(config.http);
      await Promise.all(this.loops().map((loop) => this.#replace(loop)));
    }
    this.#discovery = this.#createDiscovery();
    this.#discovery.start();
  }

  /** `markStale`: the job is gone. Without, the process ends and its series just stop. */
  async stop(markStale: boolean): Promise<void> {
    this.#stopped = true;
    this.#discovery.stop();
    for (const [key, loop] of this.#loops) this.#end(key, loop, markStale);
    await Promise.all(this.#ending);
    this.#client.close();
  }

  #createDiscovery(): JobDiscovery {
    return new JobDiscovery(this.config, this.#ports, (groups, complete) => {
      if (!this.#stopped) this.#sync(groups, complete);
    });
  }

  /** Starts loops of new targets; ends those that are gone, once all discoveries have answered. */
  #sync(groups: readonly TargetGroup[], complete: boolean): void {
    const targets = this.#targets(groups);
    for (const target of targets.values()) {
      if (!this.#loops.has(target.key)) this.#begin(this.#createLoop(target));
    }
    if (complete) {
      for (const [key, loop] of this.#loops) if (!targets.has(key)) this.#end(key, loop, true);
    }
    const { targetLimit, jobName } = this.config;
    const over = targetLimit > 0 && this.#loops.size > targetLimit;
    const counts = `number of targets: ${this.#loops.size}, limit: ${targetLimit}`;
    const error = over ? `target_limit exceeded (${counts})` : undefined;
    for (const loop of this.#loops.values()) loop.forcedError = error;
    this.#ports.metrics.onTargets(jobName, this.#loops.size);
  }

  #targets(groups: readonly TargetGroup[]): Map<string, Target> {
    const targets = new Map<string, Target>();
    const complaints = new Set<string>();
    const keepMax = this.config.keepDroppedTargets || DROPPED_TARGET_COUNT_MAX;
    this.droppedTargets = [];
    this.droppedCount = 0;
    for (const result of groups.flatMap((group) => targetsOfGroup(group, this.config))) {
      if (result.kind === 'target') targets.set(result.target.key, result.target);
      else if (result.kind === 'dropped') {
        this.droppedCount++;
        if (this.droppedTargets.length < keepMax) this.droppedTargets.push(result.discoveredLabels);
      } else {
        complaints.add(`${result.reason} in ${result.discoveredLabels}`);
      }
    }
    for (const reason of complaints) {
      if (this.#complaints.has(reason)) continue;
      this.#ports.logger.error('cannot create target', { job: this.config.jobName, reason });
    }
    this.#complaints = complaints;
    return targets;
  }

  #createLoop(target: Target, inherited: readonly number[] = []): ScrapeLoop {
    const { userAgent } = this.#ports;
    const source = new HttpSource(this.#client, this.config, target, userAgent);
    return new ScrapeLoop(target, this.config, source, this.#ports, inherited);
  }

  #begin(loop: ScrapeLoop): void {
    this.#loops.set(loop.target.key, loop);
    loop.start();
  }

  #end(key: string, loop: ScrapeLoop, markStale: boolean): void {
    this.#loops.delete(key);
    const ending = loop
      .stop(markStale)
      .catch((error: unknown) => {
        const fields = { url: loop.target.url, reason: errorMessage(error) };
        this.#ports.logger.error('cannot end a target', fields);
      })
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** The same target under a new configuration; its series go on. */
  async #replace(loop: ScrapeLoop): Promise<void> {
    await loop.stop(false);
    if (this.#stopped || this.#loops.get(loop.target.key) !== loop) return;
    const successor = this.#createLoop(loop.target, loop.aliveRefs());
    successor.status = loop.status;
    this.#begin(successor);
  }
}
