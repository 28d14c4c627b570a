/** The late samples as readers see them: their series are the head's. */
import type { Labels, SampleColumns } from '@tyto/model';
import type { LateSamples } from './head/lateSamples.ts';
import type { LabelsOf } from './indexSearch.ts';
import type { Postings } from './postings.ts';
import type { PairFinder, SeriesSource } from './seriesSource.ts';
import type { SeriesTable } from './series/seriesTable.ts';

export class LateSource implements SeriesSource {
  readonly #series: SeriesTable;
  readonly #late: LateSamples;

  constructor(series: SeriesTable, late: LateSamples) {
    this.#series = series;
    this.#late = late;
  }

  allSeries(): Postings {
    return this.#series.allSeries();
  }

  postings(name: string, value: string): Postings {
    return this.#series.postings(name, value);
  }

  labelNames(): Iterable<string> {
    return this.#series.labelNames();
  }

  labelValues(name: string): Iterable<string> {
    return this.#series.labelValues(name);
  }

  valueCount(name: string): number {
    return this.#series.valueCount(name);
  }

  labels(id: number): Labels {
    return this.#series.labels(id);
  }

  keepLabels(ids: Uint32Array): LabelsOf {
    return this.#series.keepLabels(ids);
  }

  pairFinder(name: string): PairFinder {
    return this.#series.pairFinder(name);
  }

  mayHaveSamples(id: number, minTimeMs: number, maxTimeMs: number): boolean {
    return this.#late.mayHaveSamples(id, minTimeMs, maxTimeMs);
  }

  readInto(id: number, minTimeMs: number, maxTimeMs: number, target: SampleColumns): void {
    this.#late.readInto(id, minTimeMs, maxTimeMs, target);
  }
}
