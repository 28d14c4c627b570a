/**
 * A data directory as the tools see it, Tyto's or Prometheus': told apart by what is in it. Series
 * come in the order of Prometheus' indexes, so that outputs of both can be compared.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger, TytoError } from '@tyto/base';
import {
  createMatcher,
  type Labels,
  type Matcher,
  matchesAll,
  METRIC_NAME,
  SampleColumns,
} from '@tyto/model';
import {
  appendRange,
  comparePairs,
  isPrometheusDirectory,
  mergeSeries,
  openPrometheusBlocks,
  orderedPairs,
  type PrometheusBlock,
  type PrometheusHead,
  readMerged,
  readPrometheusHead,
  type ReportDamage,
  type StoredSeries,
} from '@tyto/promblock';
import { BLOCK_RANGE_MS, BLOCKS_DIRECTORY, LOG_DIRECTORY, Tsdb } from '@tyto/tsdb';
import { tytoBlocks } from './tytoBlocks.ts';

export type DirectoryKind = 'tyto' | 'prometheus';

/** A series that matches any list of matchers; no list at all means every series. */
export type MatcherSets = readonly (readonly Matcher[])[];

export interface Database {
  readonly kind: DirectoryKind;
  /** The starts of all ranges of two hours in which there may be samples, rising. */
  windows(): number[];
  /** Both ends are included. */
  series(
    minTimeMs: number,
    maxTimeMs: number,
    matcherSets: MatcherSets,
  ): AsyncGenerator<StoredSeries>;
  close(): Promise<void>;
}

interface TimeRange {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Beyond this a block is not believed. */
const BLOCK_SPAN_MS_MAX = 10 * 366 * 24 * 3600_000;

/** Throws TytoError `not_found` for a directory that is neither. */
export function kindOf(directory: string): DirectoryKind {
  const isTyto = [BLOCKS_DIRECTORY, LOG_DIRECTORY].some((name) =>
    existsSync(join(directory, name)),
  );
  if (isTyto) return 'tyto';
  if (isPrometheusDirectory(directory)) return 'prometheus';
  const why = existsSync(directory) ? 'holds data of neither Tyto nor Prometheus' : 'is not there';
  throw new TytoError('not_found', `the directory ${directory} ${why}`);
}

/** Opens a directory; one of Tyto with its lock, because its log is replayed. */
export async function openDatabase(directory: string, report: ReportDamage): Promise<Database> {
  if (kindOf(directory) === 'prometheus') return openPrometheus(directory, report);
  return new TytoDatabase(await openTyto(directory), directory);
}

/** Rejects with TytoError `unavailable` where a running Tyto has the directory. */
export async function openTyto(directory: string): Promise<Tsdb> {
  try {
    return await Tsdb.open({ directory, logger: silentLogger, maintenanceIntervalMs: 0 });
  } catch (error) {
    if (!(error instanceof TytoError) || error.kind !== 'unavailable') throw error;
    const [inUse] = error.message.split(';');
    const hint = 'stop that Tyto first; list, analyze and verify work while it runs';
    throw new TytoError('unavailable', `${inUse}; ${hint}`, { cause: error });
  }
}

export function openPrometheus(directory: string, report: ReportDamage): PrometheusDatabase {
  const blocks = openPrometheusBlocks(directory, report).filter((block) => {
    const { minTimeMs, maxTimeMs } = block.meta;
    const isPossible = isTime(minTimeMs) && isTime(maxTimeMs) && maxTimeMs > minTimeMs;
    if (isPossible && maxTimeMs - minTimeMs < BLOCK_SPAN_MS_MAX) return true;
    const what = `a block from ${minTimeMs} to ${maxTimeMs} is not possible`;
    report({ file: join(block.directory, 'meta.json'), offset: 0, what });
    return false;
  });
  const head = readPrometheusHead(directory, blocks, report);
  return new PrometheusDatabase(directory, blocks, head, report);
}

class PrometheusDatabase implements Database {
  readonly kind = 'prometheus';
  readonly blocks: readonly PrometheusBlock[];
  readonly head: PrometheusHead;

  readonly #directory: string;
  readonly #report: ReportDamage;

  constructor(
    directory: string,
    blocks: readonly PrometheusBlock[],
    head: PrometheusHead,
    report: ReportDamage,
  ) {
    this.#directory = directory;
    this.blocks = blocks;
    this.head = head;
    this.#report = report;
  }

  windows(): number[] {
    return windowsOf(this.#timeRanges());
  }

  /** The time behind the last sample. */
  endMs(): number {
    let end = -Infinity;
    for (const { maxTimeMs } of this.#timeRanges()) end = Math.max(end, maxTimeMs + 1);
    return end;
  }

  *#timeRanges(): Generator<TimeRange> {
    for (const { meta } of this.blocks) {
      yield { minTimeMs: meta.minTimeMs, maxTimeMs: meta.maxTimeMs - 1 };
    }
    for (const range of this.head.timeRanges()) {
      if (isTime(range.minTimeMs) && isTime(range.maxTimeMs)) {
        yield range;
        continue;
      }
      const what = `a sample at ${range.maxTimeMs} ms is at no time of this world; it is left out`;
      this.#report({ file: join(this.#directory, 'wal'), offset: 0, what });
    }
  }

  async *series(
    minTimeMs: number,
    maxTimeMs: number,
    matcherSets: MatcherSets,
  ): AsyncGenerator<StoredSeries> {
    const blocks = this.blocks.filter((block) => block.overlaps(minTimeMs, maxTimeMs));
    try {
      yield* this.#merged([...blocks, this.head], matcherSets);
    } finally {
      for (const block of blocks) block.release();
    }
  }

  async *#merged(
    sources: readonly { series(): AsyncIterable<StoredSeries> }[],
    matcherSets: MatcherSets,
  ): AsyncGenerator<StoredSeries> {
    const scratch = new SampleColumns();
    for await (const group of mergeSeries(sources.map((source) => source.series()))) {
      const { labels } = group[0];
      if (!isWanted(labels, matcherSets)) continue;
      yield {
        labels,
        readInto: (fromMs, toMs, target) => {
          const merged = readMerged(group, fromMs, toMs, scratch);
          appendRange(merged, fromMs, toMs, [], target);
        },
      };
    }
  }

  async close(): Promise<void> {
    for (const block of this.blocks) block.release();
  }
}

class TytoDatabase implements Database {
  readonly kind = 'tyto';
  readonly #tsdb: Tsdb;
  readonly #directory: string;

  constructor(tsdb: Tsdb, directory: string) {
    this.#tsdb = tsdb;
    this.#directory = directory;
  }

  windows(): number[] {
    const ranges = tytoBlocks(this.#directory).map(({ minTimeMs, maxTimeMs }) => ({
      minTimeMs,
      maxTimeMs: maxTimeMs - 1,
    }));
    const { headMinTimeMs, headMaxTimeMs } = this.#tsdb.stats();
    const head = { minTimeMs: headMinTimeMs, maxTimeMs: headMaxTimeMs };
    if (Number.isFinite(headMinTimeMs) && Number.isFinite(headMaxTimeMs)) ranges.push(head);
    return windowsOf(ranges);
  }

  async *series(
    minTimeMs: number,
    maxTimeMs: number,
    matcherSets: MatcherSets,
  ): AsyncGenerator<StoredSeries> {
    const found: { pairs: readonly string[]; read: StoredSeries }[] = [];
    for (const matchers of await this.#disjointMatchers(minTimeMs, maxTimeMs)) {
      const selection = await this.#tsdb.select({ matchers, minTimeMs, maxTimeMs });
      for (let i = 0; i < selection.size; i++) {
        const labels = selection.labels(i);
        if (!isWanted(labels, matcherSets)) continue;
        const readInto = (fromMs: number, toMs: number, target: SampleColumns) => {
          const scratch = new SampleColumns();
          selection.readInto(i, scratch);
          appendRange(scratch, fromMs, toMs, [], target);
        };
        found.push({ pairs: orderedPairs(labels), read: { labels, readInto } });
      }
    }
    found.sort((a, b) => comparePairs(a.pairs, b.pairs));
    for (const { read } of found) yield read;
  }

  close(): Promise<void> {
    return this.#tsdb.close();
  }

  /** Lists of matchers that together find every series once: those with a name, and the rest. */
  async #disjointMatchers(minTimeMs: number, maxTimeMs: number): Promise<Matcher[][]> {
    const nameless = [createMatcher('=', METRIC_NAME, '')];
    const request = { matcherSets: [nameless], minTimeMs, maxTimeMs, limit: 0 };
    const lists = [[createMatcher('!=', METRIC_NAME, '')]];
    const { items } = await this.#tsdb.labelNames(request);
    const before = nameless;
    for (const name of items) {
      lists.push([createMatcher('!=', name, ''), ...before]);
      before.push(createMatcher('=', name, ''));
    }
    return lists;
  }
}

function isWanted(labels: Labels, matcherSets: MatcherSets): boolean {
  return matcherSets.length === 0 || matcherSets.some((matchers) => matchesAll(matchers, labels));
}

/** Whether it is a time that dates can tell, some 270,000 years around 1970. */
export function isTime(timeMs: number): boolean {
  return Math.abs(timeMs) <= 8.64e15;
}

function windowsOf(ranges: Iterable<TimeRange>): number[] {
  const starts = new Set<number>();
  for (const { minTimeMs, maxTimeMs } of ranges) {
    for (let at = windowStart(minTimeMs); at <= maxTimeMs; at += BLOCK_RANGE_MS) starts.add(at);
  }
  return [...starts].sort((a, b) => a - b);
}

export function windowStart(timeMs: number): number {
  return Math.floor(timeMs / BLOCK_RANGE_MS) * BLOCK_RANGE_MS;
}
