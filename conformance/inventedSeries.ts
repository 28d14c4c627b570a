/** Series for which the selectors of an expression find something. */
import { appendSamples, Labels, type Matcher, MemoryMetricStore, METRIC_NAME } from '@tyto/model';
import { type Expr, walkExpr } from '@tyto/syntax';

const SAMPLES = 80;
const STEP_MS = 15_000;
const BOUNDS = ['0.1', '1', '10', '+Inf'];

/** A store with counters that rise, up to `endMs`; several where a metric counts in buckets. */
export async function inventSeries(expr: Expr, endMs: number): Promise<MemoryMetricStore> {
  const store = new MemoryMetricStore();
  const selectors: (readonly Matcher[])[] = [];
  walkExpr(expr, (node) => {
    if (node.kind === 'vector') selectors.push(node.matchers);
  });
  const seen = new Set<string>();
  for (const matchers of selectors) {
    for (const labels of labelSets(matchers)) {
      if (seen.has(labels.key)) continue;
      seen.add(labels.key);
      const factor = seen.size;
      const startMs = endMs - SAMPLES * STEP_MS;
      const samples = Array.from(
        { length: SAMPLES },
        (_, i) => [startMs + i * STEP_MS + 1, i * factor] as [number, number],
      );
      await appendSamples(store, labels, samples);
    }
  }
  return store;
}

function labelSets(matchers: readonly Matcher[]): Labels[] {
  const chosen = new Map<string, string>();
  for (const { name } of matchers) {
    const own = matchers.filter((matcher) => matcher.name === name);
    const value = candidates(own).find((one) => own.every((matcher) => matcher.matches(one)));
    // Nothing that is easy to think of: then the expression reads nothing there.
    if (value === undefined) return [];
    chosen.set(name, value);
  }
  if (!chosen.has(METRIC_NAME)) chosen.set(METRIC_NAME, 'something');
  const bounds = chosen.get(METRIC_NAME)?.endsWith('_bucket') === true ? BOUNDS : [undefined];
  return bounds
    .map((le) => Labels.fromEntries(le === undefined ? chosen : [...chosen, ['le', le]]))
    .filter((labels) => matchers.every((matcher) => matcher.matches(labels.get(matcher.name))));
}

function candidates(matchers: readonly Matcher[]): string[] {
  const written = matchers.flatMap(({ value }) => [
    value,
    ...value.replace(/[()^$]/g, '').split('|'),
    value.replace(/\\\\?/g, '').replace(/\.[*+]/g, 'x'),
    ...value.split('|').map((one) => one.replace(/[()^$\\?]/g, '').replace(/\.[*+]/g, 'x')),
  ]);
  return [...written, 'x', '1', 'a1', '200', ''];
}
