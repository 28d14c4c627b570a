/** Label names, label values, series and exemplars of a time range, over all sources. */
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
import { findSeries } from './indexSearch.ts';
import type { Postings } from './postings.ts';
import type { SeriesSource } from './seriesSource.ts';

export function searchLabelNames(
  sources: readonly SeriesSource[],
  request: LabelRequest,
): Limited<string> {
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

export function searchLabelValues(
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

export function searchSeries(
  sources: readonly SeriesSource[],
  request: LabelRequest,
): Limited<Labels> {
  const found = new Map<string, Labels>();
  for (const source of sources) {
    eachSeries(source, request, (labels) => found.set(labels.key, labels));
  }
  return limited([...found.values()].sort(compareLabels), request.limit);
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

function eachSeries(
  source: SeriesSource,
  request: LabelRequest,
  visit: (labels: Labels) => void,
): void {
  const sets = request.matcherSets.length === 0 ? [[]] : request.matcherSets;
  const seen = new Set<number>();
  for (const matchers of sets) {
    for (const id of findSeries(source, matchers)) {
      if (seen.has(id) || !source.mayHaveSamples(id, request.minTimeMs, request.maxTimeMs))
        continue;
      seen.add(id);
      visit(source.labels(id));
    }
  }
}

/** The series of a source that count. */
interface FoundSeries {
  readonly ids: readonly Postings[];
  counts(id: number): boolean;
}

function foundSeries(source: SeriesSource, request: LabelRequest): FoundSeries {
  const { minTimeMs, maxTimeMs } = request;
  const ids = request.matcherSets.map((matchers) => findSeries(source, matchers));
  const marks = new Uint8Array(Math.max(0, ...ids.map((list) => (list.at(-1) ?? -1) + 1)));
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
