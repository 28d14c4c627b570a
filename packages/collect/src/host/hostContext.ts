/** What host collectors are given, and how they read the pseudo files of the kernel. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@tyto/base';
import type { HostFamilies } from './hostFamilies.ts';

export interface HostPaths {
  /** `/proc` of the host. */
  readonly procfs: string;
  /** `/sys` of the host. */
  readonly sysfs: string;
  /** The host's root, when it is mounted elsewhere, as in a container. */
  readonly rootfs: string;
  /** udev's data about devices, `/run/udev/data`. */
  readonly udev: string;
  /** Candidates; the first that is there is read. */
  readonly osRelease: readonly string[];
  /** A directory of `*.prom` files, or undefined. */
  readonly textfiles: string | undefined;
}

export const DEFAULT_HOST_PATHS: HostPaths = {
  procfs: '/proc',
  sysfs: '/sys',
  rootfs: '/',
  udev: '/run/udev/data',
  osRelease: ['/etc/os-release', '/usr/lib/os-release'],
  textfiles: undefined,
};

/** Which devices count; the defaults are node_exporter's. */
export interface HostFilters {
  readonly netDevice: (name: string) => boolean;
  readonly netClassDevice: (name: string) => boolean;
  readonly disk: (name: string) => boolean;
  readonly mountPoint: (path: string) => boolean;
  readonly fsType: (type: string) => boolean;
}

const DISKS_EXCLUDED = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;
const MOUNTS_EXCLUDED = new RegExp(
  '^/(dev|proc|run/credentials/.+|sys|' + 'var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
);
const TYPES_EXCLUDED = new RegExp(
  '^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|' +
    'mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|' +
    'tracefs)$',
);

export const DEFAULT_HOST_FILTERS: HostFilters = {
  netDevice: () => true,
  netClassDevice: () => true,
  disk: (name) => !DISKS_EXCLUDED.test(name),
  mountPoint: (path) => !MOUNTS_EXCLUDED.test(path),
  fsType: (type) => !TYPES_EXCLUDED.test(type),
};

export interface HostContext {
  readonly paths: HostPaths;
  readonly filters: HostFilters;
  readonly clock: Clock;
  readonly families: HostFamilies;
  /** Mounts that have been asked and have not answered yet; the collectors of one host share it. */
  readonly askedMounts: Set<string>;
  /** Tells what is wrong with a part of a collector; the same reason is told once. */
  readonly complain: (subject: string, reason: string) => void;
}

/** Adds to `context.families`; a rejection makes the collector unsuccessful, and no other one. */
export type HostCollector = (context: HostContext) => Promise<void>;

export async function readProc({ paths }: HostContext, ...parts: string[]): Promise<string> {
  return await readFile(join(paths.procfs, ...parts), 'utf8');
}

/** The content without blanks around it, or undefined when it cannot be read. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    // Drivers leave out what they do not know, or fail to read it: both mean "not known".
    return undefined;
  }
}

/** The entries of a directory, sorted; none when it is not there. */
export async function listOptional(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch {
    return [];
  }
}

/** A number, or NaN for anything else. */
export function toNumber(text: string | undefined): number {
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text);
}

/** The lines of a text that are not empty. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** The words of a line. */
export function wordsOf(line: string): string[] {
  return line.trim().split(/\s+/);
}
