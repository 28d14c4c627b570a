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
    eachSeries(source, request, (labels) => {
      for (const [name] of labels.entries()) names.add(name);
    });
  }
  return limited(sorted(names), request.limit);
}

export function searchLabelValues(
  sources: readonly SeriesSource[],
  name: string,
  request: LabelRequest,
): Limited<string> {
  const values = new Set<string>();
  for (const source of sources) {
    if (request.matcherSets.length === 0) {
      for (const value of source.labelValues(name)) values.add(value);
      continue;
    }
    eachSeries(source, request, (labels) => {
      const value = labels.get(name);
      if (value !== '') values.add(value);
    });
  }
  return limited(sorted(values), request.limit);
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

function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort((a, b) => (a < b ? -1 : 1));
}

function limited<T>(items: T[], limit: number): Limited<T> {
  const truncated = limit > 0 && items.length > limit;
  return { items: truncated ? items.slice(0, limit) : items, truncated };
}
