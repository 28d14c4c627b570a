/**
 * Results of range queries for the part of time in which samples no longer change: a dashboard
 * that is shown again, a little later, is computed for what is new only. A result is kept for a
 * query's text, its step, and where its steps lie.
 */
import type { Labels, SettledTime } from '@tyto/model';
import { type Duration, type Expr, walkExpr } from '@tyto/syntax';
import { type Column, type Grid, HISTOGRAM } from './column.ts';
import { RESULT_CACHE_SHARE } from './limits.ts';

/** About what a kept series takes besides its points. */
const SERIES_BYTES = 400;
const POINT_BYTES = 9;
/** The same for a result without any series. */
const ENTRY_BYTES = 1000;

/** A part of a result: columns of equal length, over the steps of a grid. */
export interface CachedRange {
  readonly grid: Grid;
  readonly columns: readonly CachedColumn[];
  readonly infos: readonly string[];
  readonly warnings: readonly string[];
}

interface CachedColumn {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

interface Entry extends CachedRange {
  readonly version: number;
  readonly bytes: number;
}

/** Functions whose value depends on where the query begins and ends. */
const OF_THE_RANGE: ReadonlySet<string> = new Set(['start', 'end', 'range']);

export class ResultCache {
  readonly #bytesMax: number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What is known of a result from the first step of its grid on; undefined for nothing.
   * `version` is that of the store: entries of others are no longer right.
   */
  find(key: string, grid: Grid, version: number): CachedRange | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.version !== version) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    const { startMs, stepMs } = grid;
    const skipped = (startMs - entry.grid.startMs) / stepMs;
    const count = Math.min(entry.grid.count - skipped, grid.count);
    if (skipped < 0 || count <= 0) return undefined;
    const columns = entry.columns.map(({ labels, values, present }) => ({
      labels,
      values: values.subarray(skipped, skipped + count),
      present: present.subarray(skipped, skipped + count),
    }));
    return { ...entry, grid: { startMs, stepMs, count }, columns };
  }

  /** Keeps the steps of a result before `beforeMs`, unless as much is known already. */
  keep(
    key: string,
    {
      grid,
      columns,
      infos,
      warnings,
    }: Omit<CachedRange, 'columns'> & { columns: readonly Column[] },
    { beforeMs, version }: SettledTime,
  ): void {
    const { startMs, stepMs } = grid;
    const count = Math.min(grid.count, Math.ceil((beforeMs - startMs) / stepMs));
    const known = this.#entries.get(key);
    const isKnown =
      known !== undefined && known.version === version && covers(known.grid, startMs, count);
    if (count <= 0 || isKnown || columns.some(({ present }) => present.includes(HISTOGRAM))) return;
    const bytes =
      ENTRY_BYTES + 2 * key.length + columns.length * (count * POINT_BYTES + SERIES_BYTES);
    if (known !== undefined) this.#bytes -= known.bytes;
    this.#entries.delete(key);
    if (bytes > this.#bytesMax * RESULT_CACHE_SHARE) return;
    this.#makeRoom(bytes);
    const kept = columns.map(({ labels, values, present }) => ({
      labels,
      values: values.slice(0, count),
      present: present.slice(0, count),
    }));
    const entry = {
      grid: { startMs, stepMs, count },
      columns: kept,
      infos,
      warnings,
      version,
      bytes,
    };
    this.#entries.set(key, entry);
    this.#bytes += bytes;
  }

  #makeRoom(bytes: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#bytesMax) return;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
    }
  }
}

function covers(grid: Grid, startMs: number, count: number): boolean {
  const skipped = (startMs - grid.startMs) / grid.stepMs;
  return skipped >= 0 && skipped + count <= grid.count;
}

/**
 * The key of a query's results; undefined where a step's depends on more than what was before it.
 * The text is part of it as it was written, since warnings tell places in it.
 */
export function cacheKey(
  text: string,
  expr: Expr,
  { startMs, stepMs }: Grid,
  lookbackMs: number,
): string | undefined {
  let isPlain = true;
  const fixed = (duration: Duration) => duration.kind === 'fixed';
  const looksBack = (offset: Duration) => offset.kind === 'fixed' && offset.ms >= 0;
  walkExpr(expr, (part) => {
    if (part.kind === 'vector') {
      isPlain &&= part.at === undefined && looksBack(part.offset) && !part.smoothed;
    } else if (part.kind === 'matrix') {
      isPlain &&= fixed(part.range);
    } else if (part.kind === 'subquery') {
      isPlain &&= part.at === undefined && looksBack(part.offset) && fixed(part.range);
      isPlain &&= part.step === undefined || fixed(part.step);
    } else if (part.kind === 'call') {
      isPlain &&= !OF_THE_RANGE.has(part.name);
    }
  });
  if (!isPlain) return undefined;
  return `${stepMs} ${startMs % stepMs} ${lookbackMs} ${text}`;
}

/** The columns of a known part and of the steps behind it, as those of all steps. */
export function joinRanges(known: CachedRange, rest: readonly Column[], count: number): Column[] {
  const from = known.grid.count;
  const joined = new Map<string, Column>();
  const columnOf = (labels: Labels): Column => {
    const found = joined.get(labels.key);
    if (found !== undefined) return found;
    const values = new Float64Array(count);
    const column = {
      labels,
      dropName: false,
      values,
      present: new Uint8Array(count),
      histograms: null,
    };
    joined.set(labels.key, column);
    return column;
  };
  for (const { labels, values, present } of known.columns) {
    const column = columnOf(labels);
    column.values.set(values);
    column.present.set(present);
  }
  for (const one of rest) {
    const column = columnOf(one.labels);
    column.values.set(one.values, from);
    column.present.set(one.present, from);
    if (one.histograms === null) continue;
    const histograms = new Array<(typeof one.histograms)[number]>(from).fill(undefined);
    joined.set(one.labels.key, { ...column, histograms: [...histograms, ...one.histograms] });
  }
  return [...joined.values()];
}
