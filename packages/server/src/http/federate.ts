/**
 * GET /federate: the newest sample of each series that a `match[]` selects, in the text format.
 * Native histograms have no place in it and are left out.
 */
import type { Clock } from '@tyto/base';
import {
  compareLabels,
  type Labels,
  type Matcher,
  METRIC_NAME,
  type MetricQuerier,
  SampleColumns,
} from '@tyto/model';
import { type FamilySample, type MetricFamily, writeExposition } from '@tyto/wire';
import type { FastifyInstance } from 'fastify';
import { paramsOf } from './params.ts';

export interface FederateOptions {
  readonly clock: Clock;
  readonly store: MetricQuerier;
  readonly lookbackMs: number;
  externalLabels(): Labels;
}

interface NewestSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
}

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

export function registerFederate(app: FastifyInstance, options: FederateOptions): void {
  app.get('/federate', async (request, reply) => {
    const matcherSets = paramsOf(request).requiredMatcherSets();
    const samples = await newestSamples(matcherSets, options);
    const text = writeExposition(familiesOf(samples, options.externalLabels()));
    return reply.type(TEXT).send(text);
  });
}

async function newestSamples(
  matcherSets: readonly (readonly Matcher[])[],
  { clock, store, lookbackMs }: FederateOptions,
): Promise<NewestSample[]> {
  const nowMs = clock.nowMs();
  const found = new Map<string, NewestSample>();
  const columns = new SampleColumns();
  for (const matchers of matcherSets) {
    const range = { minTimeMs: nowMs - lookbackMs, maxTimeMs: nowMs };
    const selection = await store.select({ matchers, ...range });
    for (let i = 0; i < selection.size; i++) {
      const labels = selection.labels(i);
      if (!labels.has(METRIC_NAME) || found.has(labels.key)) continue;
      columns.clear();
      selection.readInto(i, columns);
      const last = columns.length - 1;
      if (last < 0 || columns.isStale(last) || columns.histograms?.[last] !== undefined) continue;
      const timestampMs = columns.timestamps[last];
      found.set(labels.key, { labels, timestampMs, value: columns.values[last] });
    }
  }
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...found.values()].sort(
    (a, b) => byName(a.labels.metricName, b.labels.metricName) || compareLabels(a.labels, b.labels),
  );
}

/** A family for each name; with the external labels that a series does not have itself. */
function familiesOf(samples: readonly NewestSample[], external: Labels): MetricFamily[] {
  const added = new Map(external.entries());
  // An empty instance tells who scrapes this that the series has none, and shall get none.
  if (!added.has('instance')) added.set('instance', '');
  const more = [...added].sort(([a], [b]) => (a < b ? -1 : 1));
  const families: (MetricFamily & { readonly samples: FamilySample[] })[] = [];
  for (const { labels, timestampMs, value } of samples) {
    const name = labels.metricName;
    let family = families.at(-1);
    if (family?.name !== name) {
      family = { name, type: 'unknown', help: '', samples: [] };
      families.push(family);
    }
    const own = [...labels.entries()].filter(([label]) => label !== METRIC_NAME);
    const rest = more.filter(([label]) => !labels.has(label));
    family.samples.push({ labels: [...own, ...rest], value, timestampMs });
  }
  return families;
}
