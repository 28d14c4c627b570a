/** All discoveries of one job, as one list of groups. */
import type { Clock, Logger } from '@tyto/base';
import type { TargetGroup } from '../config/discoveryConfig.ts';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import type { HttpClientFactory } from '../http/httpClient.ts';
import { type Discoverer, StaticDiscoverer } from './discoverer.ts';
import { type DiscoveryFiles, FileDiscoverer } from './fileDiscoverer.ts';
import { HttpDiscoverer } from './httpDiscoverer.ts';

/** What finds targets, of a job or of anything else that has targets. */
export type DiscoveryConfig = Pick<
  ScrapeConfig,
  'jobName' | 'staticConfigs' | 'fileDiscoveries' | 'httpDiscoveries'
>;

export interface DiscoveryPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: DiscoveryFiles;
  readonly createHttpClient: HttpClientFactory;
  readonly userAgent: string;
}

/** `complete` is false until every discovery has looked once: targets may still be missing. */
export type GroupsChanged = (groups: readonly TargetGroup[], complete: boolean) => void;

export class JobDiscovery {
  readonly #discoverers: readonly Discoverer[];
  readonly #groups = new Map<string, TargetGroup>();
  readonly #waiting = new Set<number>();
  readonly #onChange: GroupsChanged;
  #starting = true;

  constructor(config: DiscoveryConfig, ports: DiscoveryPorts, onChange: GroupsChanged) {
    this.#onChange = onChange;
    this.#discoverers = createDiscoverers(config, ports);
    this.#discoverers.forEach((_, index) => {
      this.#waiting.add(index);
    });
  }

  /** Begins; static targets are reported before this returns. */
  start(): void {
    this.#discoverers.forEach((discoverer, index) => {
      discoverer.start((groups) => this.#update(index, groups));
    });
    this.#starting = false;
    this.#report();
  }

  stop(): void {
    for (const discoverer of this.#discoverers) discoverer.stop();
  }

  #update(index: number, groups: readonly TargetGroup[]): void {
    this.#waiting.delete(index);
    for (const group of groups) {
      const key = `${index}/${group.source}`;
      if (group.targets.length === 0) this.#groups.delete(key);
      else this.#groups.set(key, group);
    }
    if (!this.#starting) this.#report();
  }

  #report(): void {
    this.#onChange([...this.#groups.values()], this.#waiting.size === 0);
  }
}

function createDiscoverers(config: DiscoveryConfig, ports: DiscoveryPorts): Discoverer[] {
  const { clock, files } = ports;
  const logger = ports.logger.child({ job: config.jobName });
  return [
    new StaticDiscoverer(config.staticConfigs),
    ...config.fileDiscoveries.map((file) => new FileDiscoverer(file, clock, logger, files)),
    ...config.httpDiscoveries.map((http) => {
      const client = ports.createHttpClient(http.http);
      return new HttpDiscoverer(http, clock, logger, client, ports.userAgent);
    }),
  ];
}
