/**
 * Where the series of a selection are: per series its places, (source, id) pairs in the order of
 * the sources, as flat arrays. Where one source is read, a series is an id and nothing else; its
 * labels are made when they are asked for.
 */
import type { Labels } from '@tyto/model';
import type { LabelsOf } from './indexSearch.ts';
import type { SeriesSource } from './seriesSource.ts';

/** Places of series i are [firstPlace(i), firstPlace(i + 1)). */
export interface SeriesPlaces {
  readonly size: number;
  labels(index: number): Labels;
  firstPlace(index: number): number;
  sourceOf(place: number): number;
  idOf(place: number): number;
}

/** The places of the series that each source found; `found` is kept. */
export function joinPlaces(
  sources: readonly SeriesSource[],
  found: readonly Uint32Array[],
): SeriesPlaces {
  return sources.length === 1 ? new OneSource(sources[0], found[0]) : joinMany(sources, found);
}

class OneSource implements SeriesPlaces {
  readonly #ids: Uint32Array;
  readonly #labels: LabelsOf;

  constructor(source: SeriesSource, ids: Uint32Array) {
    this.#ids = ids;
    this.#labels = source.keepLabels?.(ids) ?? ((index) => source.labels(ids[index]));
  }

  get size(): number {
    return this.#ids.length;
  }

  labels(index: number): Labels {
    return this.#labels(index);
  }

  firstPlace(index: number): number {
    return index;
  }

  sourceOf(): number {
    return 0;
  }

  idOf(place: number): number {
    return this.#ids[place];
  }
}

class ManySources implements SeriesPlaces {
  readonly #labels: readonly Labels[];
  readonly #first: Uint32Array;
  readonly #source: Uint16Array;
  readonly #id: Uint32Array;

  constructor(labels: readonly Labels[], first: Uint32Array, source: Uint16Array, id: Uint32Array) {
    this.#labels = labels;
    this.#first = first;
    this.#source = source;
    this.#id = id;
  }

  get size(): number {
    return this.#labels.length;
  }

  labels(index: number): Labels {
    return this.#labels[index];
  }

  firstPlace(index: number): number {
    return this.#first[index];
  }

  sourceOf(place: number): number {
    return this.#source[place];
  }

  idOf(place: number): number {
    return this.#id[place];
  }
}

/** Brings together what the sources have of the same series, in the order of its finding. */
function joinMany(sources: readonly SeriesSource[], found: readonly Uint32Array[]): SeriesPlaces {
  const indexOf = new Map<string, number>();
  const labels: Labels[] = [];
  const seriesOf = found.map((ids, sourceIndex) => {
    const series = new Uint32Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      const own = sources[sourceIndex].labels(ids[i]);
      let index = indexOf.get(own.key);
      if (index === undefined) {
        index = labels.push(own) - 1;
        indexOf.set(own.key, index);
      }
      series[i] = index;
    }
    return series;
  });
  // Counts, and from them where the places of each series begin.
  const first = new Uint32Array(labels.length + 1);
  for (const series of seriesOf) for (const index of series) first[index + 1]++;
  for (let i = 0; i < labels.length; i++) first[i + 1] += first[i];
  const next = first.slice();
  const source = new Uint16Array(first[labels.length]);
  const id = new Uint32Array(first[labels.length]);
  seriesOf.forEach((series, sourceIndex) => {
    for (let i = 0; i < series.length; i++) {
      const place = next[series[i]]++;
      source[place] = sourceIndex;
      id[place] = found[sourceIndex][i];
    }
  });
  return new ManySources(labels, first, source, id);
}
