/**
 * Targets from JSON and YAML files. The directories are watched, and everything is read again at
 * the refresh interval, because watching misses network file systems. A file that cannot be read
 * or understood keeps its last good targets; one that is gone takes its targets with it.
 */
import { watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type Clock,
  errorCode,
  errorMessage,
  type Logger,
  type Timer,
  TytoError,
  yaml,
} from '@tyto/base';
import {
  type FileDiscoveryConfig,
  staticConfigSchema,
  type TargetGroup,
} from '../config/discoveryConfig.ts';
import { DISCOVERY_BYTES_MAX } from '../limits.ts';
import { type Discoverer, type PublishGroups, toGroup } from './discoverer.ts';

/** Editors write a file in several steps; one reading after the last of them is enough. */
const SETTLE_MS = 50;

const groupsSchema = yaml.list(staticConfigSchema);

/** The part of the disk that file discovery needs. */
export interface DiscoveryFiles {
  /** The files that a path with `*` and `?` in its last part names, sorted. */
  glob(pattern: string): Promise<string[]>;
  read(path: string): Promise<string>;
  /** Calls back when something in the directory changes; undefined where that cannot be told. */
  watch(directory: string, onChange: () => void): { close(): void } | undefined;
}

export const nodeDiscoveryFiles: DiscoveryFiles = {
  async glob(pattern) {
    const directory = dirname(pattern);
    const matches = globPattern(basename(pattern));
    try {
      const names = (await readdir(directory)).filter((name) => matches.test(name)).sort();
      return names.map((name) => join(directory, name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  },
  async read(path) {
    const { size } = await stat(path);
    if (size > DISCOVERY_BYTES_MAX) {
      throw new TytoError('too_large', `the file is larger than ${DISCOVERY_BYTES_MAX} bytes`);
    }
    return await readFile(path, 'utf8');
  },
  watch(directory, onChange) {
    try {
      const watcher = watch(directory, { persistent: false }, onChange);
      // A directory that goes away ends the watch; the refresh interval still sees to it.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  },
};

export class FileDiscoverer implements Discoverer {
  readonly #config: FileDiscoveryConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #files: DiscoveryFiles;
  #publish: PublishGroups = () => {};
  #watchers: { close(): void }[] = [];
  #refreshTimer: Timer | undefined;
  #settleTimer: Timer | undefined;
  #stopped = false;
  #reading = false;
  #readAgain = false;
  /** How many groups each file had when it was last good. */
  #groupCounts = new Map<string, number>();

  constructor(config: FileDiscoveryConfig, clock: Clock, logger: Logger, files: DiscoveryFiles) {
    this.#config = config;
    this.#clock = clock;
    this.#logger = logger;
    this.#files = files;
  }

  start(publish: PublishGroups): void {
    this.#publish = publish;
    for (const directory of new Set(this.#config.files.map((path) => dirname(path)))) {
      const watcher = this.#files.watch(directory, () => this.#changed());
      if (watcher !== undefined) this.#watchers.push(watcher);
    }
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#refreshTimer?.cancel();
    this.#settleTimer?.cancel();
    for (const watcher of this.#watchers) watcher.close();
  }

  #changed(): void {
    this.#settleTimer?.cancel();
    this.#settleTimer = this.#clock.schedule(SETTLE_MS, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = true;
    this.#refreshTimer?.cancel();
    try {
      do {
        this.#readAgain = false;
        const groups = await this.#readAll();
        if (!this.#stopped) this.#publish(groups);
      } while (this.#readAgain && !this.#stopped);
    } finally {
      this.#reading = false;
      if (!this.#stopped) {
        const delayMs = this.#config.refreshIntervalMs || 1000;
        this.#refreshTimer = this.#clock.schedule(delayMs, () => void this.#refresh());
      }
    }
  }

  async #readAll(): Promise<TargetGroup[]> {
    const groups: TargetGroup[] = [];
    const present = new Set<string>();
    for (const pattern of this.#config.files) {
      for (const path of await this.#glob(pattern)) {
        if (present.has(path)) continue;
        present.add(path);
        groups.push(...(await this.#readFile(path)));
      }
    }
    for (const [path, count] of this.#groupCounts) {
      if (present.has(path)) continue;
      this.#groupCounts.delete(path);
      groups.push(...emptyGroups(path, 0, count));
    }
    return groups;
  }

  async #glob(pattern: string): Promise<string[]> {
    try {
      return await this.#files.glob(pattern);
    } catch (error) {
      this.#complain(pattern, errorMessage(error));
      return [...this.#groupCounts.keys()].filter((path) => dirname(path) === dirname(pattern));
    }
  }

  /** The groups of a file, and empty ones for those that it had before; none when it is bad. */
  async #readFile(path: string): Promise<TargetGroup[]> {
    let text: string;
    try {
      text = await this.#files.read(path);
    } catch (error) {
      this.#complain(path, errorMessage(error));
      return [];
    }
    const { value, problems } = yaml.decodeYaml(text, path, groupsSchema);
    if (value === undefined || yaml.hasErrors(problems)) {
      this.#complain(path, yaml.formatProblems(problems));
      return [];
    }
    const before = this.#groupCounts.get(path) ?? 0;
    this.#groupCounts.set(path, value.length);
    const groups = value.map((config, i) =>
      toGroup(config, `${path}:${i}`, { __meta_filepath: path }),
    );
    return [...groups, ...emptyGroups(path, value.length, before)];
  }

  #complain(path: string, reason: string): void {
    this.#logger.warn('cannot read targets from file; its last good ones stay', { path, reason });
  }
}

function emptyGroups(path: string, from: number, to: number): TargetGroup[] {
  const groups: TargetGroup[] = [];
  for (let i = from; i < to; i++) groups.push({ source: `${path}:${i}`, targets: [], labels: {} });
  return groups;
}

function globPattern(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
