/**
 * Where the series of a selection are: per series its places, (source, id) pairs in the order of
 * the sources, as flat arrays. Where one source is read, a series is an id and nothing else; its
 * labels are made when they are asked for.
 */
import { Labels } from '@tyto/model';
import type { LabelsOf } from './indexSearch.ts';
import type { SeriesTable } from './series/seriesTable.ts';
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
  table: SeriesTable,
): SeriesPlaces {
  const having = sources.filter((_, i) => found[i].length > 0);
  if (having.length > 1) return joinMany(sources, found, table);
  const source = Math.max(
    0,
    found.findIndex((ids) => ids.length > 0),
  );
  return new OneSource(sources, source, found[source] ?? new Uint32Array(0));
}

class OneSource implements SeriesPlaces {
  readonly #source: number;
  readonly #ids: Uint32Array;
  readonly #labels: LabelsOf;

  constructor(sources: readonly SeriesSource[], source: number, ids: Uint32Array) {
    this.#source = source;
    this.#ids = ids;
    this.#labels = ids.length === 0 ? () => Labels.empty : labelsOf(sources[source], ids);
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
    return this.#source;
  }

  idOf(place: number): number {
    return this.#ids[place];
  }
}

class ManySources implements SeriesPlaces {
  readonly #found: readonly Uint32Array[];
  readonly #labels: readonly LabelsOf[];
  readonly #first: Uint32Array;
  readonly #source: Uint16Array;
  /** By place: where its source found it. */
  readonly #position: Uint32Array;

  constructor(
    sources: readonly SeriesSource[],
    found: readonly Uint32Array[],
    first: Uint32Array,
    source: Uint16Array,
    position: Uint32Array,
  ) {
    this.#found = found;
    this.#labels = sources.map((one, i) => labelsOf(one, found[i]));
    this.#first = first;
    this.#source = source;
    this.#position = position;
  }

  get size(): number {
    return this.#first.length - 1;
  }

  labels(index: number): Labels {
    const place = this.#first[index];
    return this.#labels[this.#source[place]](this.#position[place]);
  }

  firstPlace(index: number): number {
    return this.#first[index];
  }

  sourceOf(place: number): number {
    return this.#source[place];
  }

  idOf(place: number): number {
    return this.#found[this.#source[place]][this.#position[place]];
  }
}

function labelsOf(source: SeriesSource, ids: Uint32Array): LabelsOf {
  return source.keepLabels?.(ids) ?? ((position) => source.labels(ids[position]));
}

/** Brings together what the sources have of the same series, in the order of its finding. */
function joinMany(
  sources: readonly SeriesSource[],
  found: readonly Uint32Array[],
  table: SeriesTable,
): SeriesPlaces {
  const series = new SeriesNumbers(table);
  const numbersOf = found.map((ids, i) => Uint32Array.from(ids, (id) => series.of(sources[i], id)));
  // Counts, and from them where the places of each series begin.
  const first = new Uint32Array(series.count + 1);
  for (const numbers of numbersOf) for (const number of numbers) first[number + 1]++;
  for (let i = 0; i < series.count; i++) first[i + 1] += first[i];
  const next = first.slice();
  const source = new Uint16Array(first[series.count]);
  const position = new Uint32Array(first[series.count]);
  numbersOf.forEach((numbers, sourceIndex) => {
    for (let i = 0; i < numbers.length; i++) {
      const place = next[numbers[i]]++;
      source[place] = sourceIndex;
      position[place] = i;
    }
  });
  return new ManySources(sources, found, first, source, position);
}

/** Numbers series in the order of their coming: by their id in the head, or else their labels. */
class SeriesNumbers {
  readonly #table: SeriesTable;
  readonly #byHeadId = new Map<number, number>();
  readonly #byLabels = new Map<string, number>();
  count = 0;

  constructor(table: SeriesTable) {
    this.#table = table;
  }

  of(source: SeriesSource, id: number): number {
    const headId = source.headId === undefined ? id : source.headId(id, this.#table);
    const known: Map<unknown, number> = headId < 0 ? this.#byLabels : this.#byHeadId;
    const key = headId < 0 ? source.labels(id).key : headId;
    let number = known.get(key);
    if (number === undefined) {
      number = this.count++;
      known.set(key, number);
    }
    return number;
  }
}
