/**
 * The metrics of the machine that Tyto runs on, under the names that dashboards and rules for
 * node_exporter expect, read in this process from /proc and /sys.
 */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import { type MetricFamily, writeExposition } from '@tyto/wire';
import {
  DEFAULT_HOST_FILTERS,
  DEFAULT_HOST_PATHS,
  type HostCollector,
  type HostFilters,
  type HostPaths,
} from './hostContext.ts';
import { HostFamilies } from './hostFamilies.ts';
import { diskstats, filesystem } from './linuxDisks.ts';
import {
  cpu,
  entropy,
  filefd,
  loadavg,
  meminfo,
  pressure,
  schedstat,
  sockstat,
  stat,
  vmstat,
} from './linuxKernel.ts';
import { arp, conntrack, netclass, netdev, netstat, softnet, udpQueues } from './linuxNetwork.ts';
import { hwmon, thermalZone } from './linuxSensors.ts';
import { darwinSystem, osRelease, textfile, time, uname } from './systemCollectors.ts';

const LINUX_COLLECTORS: Readonly<Record<string, HostCollector>> = {
  arp,
  conntrack,
  cpu,
  diskstats,
  entropy,
  filefd,
  filesystem,
  hwmon,
  loadavg,
  meminfo,
  netclass,
  netdev,
  netstat,
  os: osRelease,
  pressure,
  schedstat,
  sockstat,
  softnet,
  stat,
  textfile,
  thermal_zone: thermalZone,
  time,
  udp_queues: udpQueues,
  uname,
  vmstat,
};

const DARWIN_COLLECTORS: Readonly<Record<string, HostCollector>> = {
  system: darwinSystem,
  textfile,
  time,
  uname,
};

export interface HostMetricsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly paths?: Partial<HostPaths> | undefined;
  readonly filters?: Partial<HostFilters> | undefined;
  /** Names of collectors that do not run. */
  readonly disabled?: ReadonlySet<string> | undefined;
  /** As in `process.platform`, which it is unless given. */
  readonly platform?: string | undefined;
}

export class HostMetrics {
  readonly #options: HostMetricsOptions;
  readonly #collectors: readonly (readonly [name: string, collect: HostCollector])[];
  readonly #askedMounts = new Set<string>();
  /** The last complaint about each subject; each is told once. */
  readonly #complaints = new Map<string, string>();

  constructor(options: HostMetricsOptions) {
    this.#options = options;
    const linux = (options.platform ?? process.platform) === 'linux';
    this.#collectors = Object.entries(linux ? LINUX_COLLECTORS : DARWIN_COLLECTORS).filter(
      ([name]) => options.disabled?.has(name) !== true,
    );
  }

  /** The exposition in the text format; collectors that fail are left out and say so. */
  async read(): Promise<string> {
    const { clock } = this.#options;
    const own = new HostFamilies();
    const families: MetricFamily[] = [];
    let text = '';
    const results = await Promise.all(
      this.#collectors.map(async ([collector, collect]) => {
        const startMs = clock.monotonicMs();
        const collected = await this.#collect(collector, collect);
        return { collector, collected, seconds: (clock.monotonicMs() - startMs) / 1000 };
      }),
    );
    for (const { collector, collected, seconds } of results) {
      families.push(...(collected?.families() ?? []));
      text += collected?.text() ?? '';
      const duration = 'node_exporter: Duration of a collector scrape.';
      own.gauge('node_scrape_collector_duration_seconds', duration, seconds, { collector });
      const success = 'node_exporter: Whether a collector succeeded.';
      const value = collected === undefined ? 0 : 1;
      own.gauge('node_scrape_collector_success', success, value, { collector });
    }
    return writeExposition([...families, ...own.families()]) + text;
  }

  async #collect(name: string, collect: HostCollector): Promise<HostFamilies | undefined> {
    const { clock } = this.#options;
    const families = new HostFamilies();
    const paths = { ...DEFAULT_HOST_PATHS, ...this.#options.paths };
    const filters = { ...DEFAULT_HOST_FILTERS, ...this.#options.filters };
    const askedMounts = this.#askedMounts;
    const complain = (subject: string, reason: string) => this.#complain(subject, reason);
    try {
      await collect({ paths, filters, clock, families, askedMounts, complain });
      return families;
    } catch (error) {
      // Most of what is missing will be missing until the machine is another one.
      this.#complain(name, errorMessage(error));
      return undefined;
    }
  }

  #complain(subject: string, reason: string): void {
    if (this.#complaints.get(subject) === reason) return;
    this.#complaints.set(subject, reason);
    this.#options.logger.info('host metrics are incomplete', { subject, reason });
  }
}
