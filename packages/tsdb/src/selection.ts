/**
 * What a select found: per series its places, which are (source, id) pairs in the order of the
 * sources. Sources may overlap in time; of samples at one time the first source's counts.
 * Blocks come and go while a query runs; then the layout's number has changed, and a series is
 * looked up anew by its labels in what is there by then.
 */
import type { Clock } from '@tyto/base';
import {
  type ColumnReader,
  createMatcher,
  type Labels,
  type SampleColumns,
  type SelectRequest,
  type SeriesGroups,
  type SeriesSelection,
  type WindowRequest,
} from '@tyto/model';
import { findSeries } from './indexSearch.ts';
import { mergeRuns } from './mergeSamples.ts';
import { pacedSearch } from './pacedSearch.ts';
import { canScan, ColumnScan } from './readers/columnScan.ts';
import { LatestScan } from './readers/latestScan.ts';
import { ReadAhead } from './readers/readAhead.ts';
import type { ReaderPool } from './readers/readerPool.ts';
import type { Scanner } from './readers/scanner.ts';
import { groupPlaces } from './seriesGroups.ts';
import type { SeriesTable } from './series/seriesTable.ts';
import { joinPlaces, type SeriesPlaces } from './seriesPlaces.ts';
import type { DamageListener, SeriesSource } from './seriesSource.ts';

/** Warnings that one query carries at most. */
const WARNINGS_MAX = 10;

/** The sources of a time range, the first before the others, and the number of their layout. */
export interface Layout {
  number(): number;
  sources(minTimeMs: number, maxTimeMs: number): readonly SeriesSource[];
  /** The head's series: what sources have of the same one is brought together by it. */
  readonly series: SeriesTable;
  /** Hears of damage that a reader met. */
  damaged: DamageListener;
  /** Threads that wide selections read with. */
  readonly readers?: ReaderPool | undefined;
  /** Computes columns on the main thread. */
  readonly scanner: Scanner;
}

export class Selection implements SeriesSelection {
  readonly #layout: Layout;
  readonly #request: SelectRequest;
  readonly #layoutNumber: number;
  readonly #sources: readonly SeriesSource[];
  /** What was left out so far, for the reader's eyes. */
  readonly warnings = new Set<string>();
  readonly #places: SeriesPlaces;
  readonly #ahead: ReadAhead | undefined;
  readonly #scans: ColumnScan[] = [];

  /** Rejects with TytoError `timeout` where the patterns of the matchers take too long. */
  static find(layout: Layout, request: SelectRequest, clock: Clock): Promise<Selection> {
    return pacedSearch([request.matchers], clock, request.signal, ([matchers]) => {
      return new Selection(layout, { ...request, matchers });
    });
  }

  private constructor(layout: Layout, request: SelectRequest) {
    this.#layout = layout;
    this.#request = request;
    this.#layoutNumber = layout.number();
    this.#sources = layout.sources(request.minTimeMs, request.maxTimeMs);
    const found = this.#sources.map((source) => this.#ids(source));
    this.#places = joinPlaces(this.#sources, found, layout.series);
    const { readers } = layout;
    if (readers !== undefined) {
      const { minTimeMs, maxTimeMs } = request;
      this.#ahead = new ReadAhead(readers, this.#sources, this.#places, minTimeMs, maxTimeMs);
    }
  }

  prepare(index: number): Promise<void> | undefined {
    if (this.#ahead === undefined) return undefined;
    if (this.#layout.number() === this.#layoutNumber) return this.#ahead.prepare(index);
    this.#ahead.release();
    return undefined;
  }

  release(): void {
    this.#ahead?.release();
    for (const scan of this.#scans) scan.release();
  }

  columns(request: WindowRequest): ColumnReader | undefined {
    const { readers, scanner } = this.#layout;
    if (!canScan(request, readers)) return undefined;
    const { minTimeMs, maxTimeMs } = this.#request;
    const selection = {
      sources: this.#sources,
      places: this.#places,
      minTimeMs,
      maxTimeMs,
      isCurrent: () => this.#layout.number() === this.#layoutNumber,
    };
    if (request.name === 'last' && request.count === 1) {
      const latest = new LatestScan(selection, request);
      if (latest.isQuick()) return latest;
    }
    const scan = new ColumnScan(readers, scanner, selection, request);
    this.#scans.push(scan);
    return scan;
  }

  groupBy(names: readonly string[]): SeriesGroups | undefined {
    if (this.#layout.number() !== this.#layoutNumber) return undefined;
    return groupPlaces(this.#sources, this.#places, names);
  }

  get size(): number {
    return this.#places.size;
  }

  labels(index: number): Labels {
    return this.#places.labels(index);
  }

  readInto(index: number, target: SampleColumns): void {
    const { minTimeMs, maxTimeMs } = this.#request;
    if (this.#layout.number() !== this.#layoutNumber) {
      this.#readAnew(this.labels(index), target);
      return;
    }
    const places = this.#places;
    const end = places.firstPlace(index + 1);
    const start = target.length;
    for (let place = places.firstPlace(index); place < end; place++) {
      const middle = target.length;
      const source = this.#sources[places.sourceOf(place)];
      const decoded = this.#ahead?.decoded(index, place);
      source.readInto(places.idOf(place), minTimeMs, maxTimeMs, target, this.#damaged, decoded);
      mergeRuns(target, start, middle);
    }
    this.#ahead?.used(index);
  }

  readonly #damaged = (message: string): void => {
    this.#layout.damaged(message);
    if (this.warnings.size < WARNINGS_MAX) {
      this.warnings.add(`samples are missing: ${message}`);
    }
  };

  #ids(source: SeriesSource): Uint32Array {
    const { minTimeMs, maxTimeMs, matchers } = this.#request;
    const ids = findSeries(source, matchers).filter((id) =>
      source.mayHaveSamples(id, minTimeMs, maxTimeMs),
    );
    source.noteRead?.(ids);
    return ids;
  }

  #readAnew(labels: Labels, target: SampleColumns): void {
    const { minTimeMs, maxTimeMs } = this.#request;
    const matchers = [...labels.entries()].map(([name, value]) => createMatcher('=', name, value));
    const start = target.length;
    for (const source of this.#layout.sources(minTimeMs, maxTimeMs)) {
      for (const id of findSeries(source, matchers)) {
        // Series with further labels satisfy the matchers too.
        if (!source.labels(id).equals(labels)) continue;
        const middle = target.length;
        source.readInto(id, minTimeMs, maxTimeMs, target, this.#damaged);
        mergeRuns(target, start, middle);
      }
    }
  }
}
