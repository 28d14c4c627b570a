/**
 * The golden signals of a host in PromQL over node_exporter's names: usage and saturation of CPU,
 * memory, disk and network. Each signal has limits at which it needs attention. The window of
 * rates must hold at least four scrapes, so it comes from the target's scrape interval.
 */

import type { Unit } from './format.ts';

export type SignalId =
  | 'cpu'
  | 'cpuPressure'
  | 'load'
  | 'memory'
  | 'swap'
  | 'diskBusy'
  | 'diskRead'
  | 'diskWrite'
  | 'receive'
  | 'transmit'
  | 'networkErrors';

export interface Signal {
  readonly id: SignalId;
  readonly unit: Unit;
  readonly expr: string;
  /** From here on: attention, and trouble. Undefined where no value is bad as such. */
  readonly warning?: number;
  readonly critical?: number;
  /** The top of the scale where it is known. */
  readonly max?: number;
}

export type Level = 'good' | 'warning' | 'critical';

/** Filesystems that hold no user's data or mirror another. */
const FILESYSTEMS_LEFT_OUT = 'tmpfs|ramfs|overlay|squashfs|devtmpfs|iso9660|fuse.lxcfs|autofs';
/** Interfaces that repeat the traffic of another. */
const DEVICES_LEFT_OUT = 'lo|veth.*|docker.*|br-.*|cni.*|flannel.*|cali.*|tap.*';
const DISKS_LEFT_OUT = 'loop.*|ram.*|zram.*|sr[0-9]+|fd[0-9]+';

const CPU_CRITICAL_RATIO = 0.95;
const MEMORY_CRITICAL_RATIO = 0.95;
export const DISK_WARNING_RATIO = 0.85;
export const DISK_CRITICAL_RATIO = 0.95;
/** A disk that fills later than this is no news. */
export const FULL_HORIZON_MS = 7 * 86_400_000;

/** `1m` or four scrapes, whichever is longer, in PromQL's notation. */
export function rateWindow(scrapeIntervalMs: number | undefined): string {
  const seconds = Math.ceil(((scrapeIntervalMs ?? 15_000) * 4) / 1000);
  return `${Math.max(60, seconds)}s`;
}

export function hostSignals(job: string, instance: string, window: string): Signal[] {
  const host = `job=${JSON.stringify(job)},instance=${JSON.stringify(instance)}`;
  return [...processorAndMemory(host, window), ...diskAndNetwork(host, window)];
}

function processorAndMemory(host: string, window: string): Signal[] {
  const cores = `count(count by (cpu) (node_cpu_seconds_total{${host}}))`;
  const idle = `rate(node_cpu_seconds_total{${host},mode="idle"}[${window}])`;
  const total = `node_memory_MemTotal_bytes{${host}}`;
  const swap = `node_memory_SwapTotal_bytes{${host}}`;
  return [
    {
      id: 'cpu',
      unit: 'ratio',
      expr: `clamp_min(1 - avg(${idle}), 0)`,
      warning: 0.85,
      critical: CPU_CRITICAL_RATIO,
      max: 1,
    },
    {
      id: 'cpuPressure',
      unit: 'ratio',
      expr: `rate(node_pressure_cpu_waiting_seconds_total{${host}}[${window}])`,
      warning: 0.3,
      critical: 0.6,
    },
    {
      id: 'load',
      unit: 'number',
      expr: `sum(node_load1{${host}}) / ${cores}`,
      warning: 1.5,
      critical: 3,
    },
    {
      id: 'memory',
      unit: 'ratio',
      expr: `1 - sum(node_memory_MemAvailable_bytes{${host}}) / sum(${total})`,
      warning: 0.85,
      critical: MEMORY_CRITICAL_RATIO,
      max: 1,
    },
    {
      id: 'swap',
      unit: 'ratio',
      expr: `1 - sum(node_memory_SwapFree_bytes{${host}}) / sum(${swap} > 0)`,
    },
  ];
}

function diskAndNetwork(host: string, window: string): Signal[] {
  const disks = `${host},device!~"${DISKS_LEFT_OUT}"`;
  const devices = `${host},device!~"${DEVICES_LEFT_OUT}"`;
  const sum = (metric: string, matchers: string) => `sum(rate(${metric}{${matchers}}[${window}]))`;
  return [
    {
      id: 'diskBusy',
      unit: 'ratio',
      expr: `max(rate(node_disk_io_time_seconds_total{${disks}}[${window}]))`,
      warning: 0.8,
      critical: 0.95,
      max: 1,
    },
    { id: 'diskRead', unit: 'bytesPerSecond', expr: sum('node_disk_read_bytes_total', disks) },
    { id: 'diskWrite', unit: 'bytesPerSecond', expr: sum('node_disk_written_bytes_total', disks) },
    {
      id: 'receive',
      unit: 'bytesPerSecond',
      expr: sum('node_network_receive_bytes_total', devices),
    },
    {
      id: 'transmit',
      unit: 'bytesPerSecond',
      expr: sum('node_network_transmit_bytes_total', devices),
    },
    {
      id: 'networkErrors',
      unit: 'number',
      expr:
        `${sum('node_network_receive_errs_total', devices)}` +
        ` + ${sum('node_network_transmit_errs_total', devices)}`,
      warning: 0.1,
    },
  ];
}

/** Space by filesystem: what is available, the size, and how fast it changes. */
export function diskSpaceQueries(job: string, instance: string) {
  const host = `job=${JSON.stringify(job)},instance=${JSON.stringify(instance)}`;
  const matchers = `${host},fstype!~"${FILESYSTEMS_LEFT_OUT}"`;
  const available = `node_filesystem_avail_bytes{${matchers}}`;
  return {
    available: `max by (device, mountpoint) (${available})`,
    size: `max by (device, mountpoint) (node_filesystem_size_bytes{${matchers}} > 0)`,
    // A trend needs half an hour behind it; before that any download looks like the end.
    perSecond: `max by (device, mountpoint) (deriv(${available}[1h]) and ${available} offset 30m)`,
  };
}

export type StrainId = 'cpu' | 'memory' | 'space';

/**
 * Hosts at their limit, all hosts at once: the verdict needs them, because nobody may have written
 * a rule. Each result is a ratio at or above the critical limit of its signal.
 */
export function strainQueries(): readonly (readonly [id: StrainId, expr: string])[] {
  const idle = 'rate(node_cpu_seconds_total{mode="idle"}[5m])';
  const matchers = `{fstype!~"${FILESYSTEMS_LEFT_OUT}"}`;
  const size = `(node_filesystem_size_bytes${matchers} > 0)`;
  const space = `1 - node_filesystem_avail_bytes${matchers} / ${size}`;
  const memory = '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes';
  return [
    ['cpu', `1 - avg by (job, instance) (${idle}) >= ${CPU_CRITICAL_RATIO}`],
    ['memory', `${memory} >= ${MEMORY_CRITICAL_RATIO}`],
    ['space', `max by (job, instance, device) (${space}) >= ${DISK_CRITICAL_RATIO}`],
  ];
}

/** Milliseconds until nothing is left; undefined when it is not falling or too far away. */
export function timeToFull(availableBytes: number, bytesPerSecond: number): number | undefined {
  if (!(bytesPerSecond < 0)) return undefined;
  const ms = (availableBytes / -bytesPerSecond) * 1000;
  return ms < FULL_HORIZON_MS ? ms : undefined;
}

export function levelOf(value: number, warning?: number, critical?: number): Level {
  if (critical !== undefined && value >= critical) return 'critical';
  return warning !== undefined && value >= warning ? 'warning' : 'good';
}
