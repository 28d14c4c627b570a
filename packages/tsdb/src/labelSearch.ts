/** Label names, label values, series and exemplars of a time range, over all sources. */
import type { Clock } from '@tyto/base';
import {
  compareLabels,
  type Exemplar,
  type ExemplarRequest,
  type LabelRequest,
  type Labels,
  type Limited,
  matchesAll,
  type SeriesExemplars,
} from '@tyto/model';
import type { ExemplarRing } from './exemplarRing.ts';
import { findSeries, type LabelsOf } from './indexSearch.ts';
import { sortSliced } from './block/sortSliced.ts';
import { pacedSearch } from './pacedSearch.ts';
import type { Postings } from './postings.ts';
import type { SeriesSource } from './seriesSource.ts';
import { breathe } from './slices.ts';

/** Series whose labels are made before others get their turn: some milliseconds. */
const LABELS_PER_SLICE = 4096;

/** The sources of a time range as they are now. */
type Sources = (minTimeMs: number, maxTimeMs: number) => readonly SeriesSource[];

export function searchLabelNames(
  sources: Sources,
  request: LabelRequest,
  clock: Clock,
): Promise<Limited<string>> {
  return pacedSearch(request.matcherSets, clock, undefined, (matcherSets) => {
    const { minTimeMs, maxTimeMs } = request;
    return labelNames(sources(minTimeMs, maxTimeMs), { ...request, matcherSets });
  });
}

export function searchLabelValues(
  sources: Sources,
  name: string,
  request: LabelRequest,
  clock: Clock,
): Promise<Limited<string>> {
  return pacedSearch(request.matcherSets, clock, undefined, (matcherSets) => {
    const { minTimeMs, maxTimeMs } = request;
    return labelValues(sources(minTimeMs, maxTimeMs), name, { ...request, matcherSets });
  });
}

/** Series are found in one turn; their labels are made in slices. */
export async function searchSeries(
  sources: Sources,
  request: LabelRequest,
  clock: Clock,
): Promise<Limited<Labels>> {
  const sets = request.matcherSets.length === 0 ? [[]] : request.matcherSets;
  const lists = await pacedSearch(sets, clock, undefined, (matcherSets) => {
    const { minTimeMs, maxTimeMs } = request;
    return sources(minTimeMs, maxTimeMs).map((source) =>
      labelLister(source, { ...request, matcherSets }),
    );
  });
  const found = new Map<string, Labels>();
  for (const { count, labelsOf } of lists) {
    for (let i = 0; i < count; i++) {
      if (i % LABELS_PER_SLICE === LABELS_PER_SLICE - 1) await breathe();
      const labels = labelsOf(i);
      found.set(labels.key, labels);
    }
  }
  const series = [...found.values()];
  const order = Uint32Array.from(series, (_, i) => i);
  const sorted = await sortSliced(order, (a, b) => compareLabels(series[a], series[b]));
  const { limit } = request;
  const shown = limit > 0 ? sorted.subarray(0, limit) : sorted;
  return {
    items: Array.from(shown, (i) => series[i]),
    truncated: shown.length < sorted.length,
  };
}

/** Series that were found, whose labels stay as they were. */
interface LabelLister {
  readonly count: number;
  readonly labelsOf: LabelsOf;
}

function labelLister(source: SeriesSource, request: LabelRequest): LabelLister {
  const { minTimeMs, maxTimeMs, matcherSets } = request;
  const seen = new Set<number>();
  for (const matchers of matcherSets) {
    for (const id of findSeries(source, matchers)) {
      if (source.mayHaveSamples(id, minTimeMs, maxTimeMs)) seen.add(id);
    }
  }
  const ids = Uint32Array.from(seen);
  const labelsOf = source.keepLabels?.(ids) ?? ((index: number) => source.labels(ids[index]));
  return { count: ids.length, labelsOf };
}

function labelNames(sources: readonly SeriesSource[], request: LabelRequest): Limited<string> {
  const names = new Set<string>();
  for (const source of sources) {
    if (request.matcherSets.length === 0) {
      for (const name of source.labelNames()) names.add(name);
      continue;
    }
    const found = foundSeries(source, request);
    for (const name of source.labelNames()) {
      if (!names.has(name) && hasAnyPair(source, name, found)) names.add(name);
    }
  }
  return limited([...names].sort(), request.limit);
}

function labelValues(
  sources: readonly SeriesSource[],
  name: string,
  request: LabelRequest,
): Limited<string> {
  const lists = sources.map((source): readonly string[] => {
    if (request.matcherSets.length === 0) return [...source.labelValues(name)];
    return valuesOf(source, name, foundSeries(source, request));
  });
  const having = lists.filter((list) => list.length > 0);
  const values = having.length === 1 ? having[0] : new Set(having.flat());
  return limited([...values].sort(), request.limit);
}

export function searchExemplars(
  ring: ExemplarRing,
  request: ExemplarRequest,
): readonly SeriesExemplars[] {
  const { matcherSets, minTimeMs, maxTimeMs } = request;
  const found = new Map<string, { seriesLabels: Labels; exemplars: Exemplar[] } | undefined>();
  for (const [series, exemplar] of ring.entries()) {
    if (!found.has(series.key)) {
      const wanted = matcherSets.some((matchers) => matchesAll(matchers, series));
      found.set(series.key, wanted ? { seriesLabels: series, exemplars: [] } : undefined);
    }
    if (exemplar.timestampMs < minTimeMs || exemplar.timestampMs > maxTimeMs) continue;
    found.get(series.key)?.exemplars.push(exemplar);
  }
  return [...found.values()].filter(
    (one) => one !== undefined && one.exemplars.length > 0,
  ) as readonly SeriesExemplars[];
}

/** The series of a source that count. */
interface FoundSeries {
  readonly ids: readonly Postings[];
  counts(id: number): boolean;
}

function foundSeries(source: SeriesSource, request: LabelRequest): FoundSeries {
  const { minTimeMs, maxTimeMs } = request;
  const ids = request.matcherSets.map((matchers) => findSeries(source, matchers));
  const size = ids.reduce((most, list) => Math.max(most, (list.at(-1) ?? -1) + 1), 0);
  const marks = new Uint8Array(size);
  for (const list of ids) for (const id of list) marks[id] = 1;
  const counts = (id: number) => marks[id] === 1 && source.mayHaveSamples(id, minTimeMs, maxTimeMs);
  return { ids, counts };
}

function hasAnyPair(source: SeriesSource, name: string, found: FoundSeries): boolean {
  const finder = source.pairFinder(name);
  for (const pair of finder.pairs()) {
    if (finder.seriesOf(pair).some(found.counts)) return true;
  }
  return false;
}

/** By the series where they are few, by the values otherwise: one series that counts is enough. */
function valuesOf(source: SeriesSource, name: string, found: FoundSeries): string[] {
  const finder = source.pairFinder(name);
  const pairs = new Set<number>();
  const seriesCount = found.ids.reduce((sum, list) => sum + list.length, 0);
  if (seriesCount < source.valueCount(name)) {
    for (const list of found.ids) {
      for (const id of list) {
        const pair = finder.pairOf(id);
        if (pair >= 0 && !pairs.has(pair) && found.counts(id)) pairs.add(pair);
      }
    }
  } else {
    for (const pair of finder.pairs()) {
      if (finder.seriesOf(pair).some(found.counts)) pairs.add(pair);
    }
  }
  return Array.from(pairs, (pair) => finder.valueOf(pair));
}

function limited<T>(items: T[], limit: number): Limited<T> {
  const truncated = limit > 0 && items.length > limit;
  return { items: truncated ? items.slice(0, limit) : items, truncated };
}
