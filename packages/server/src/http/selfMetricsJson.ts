/**
 * What Tyto measures of itself as JSON: the message MetricFamily of Prometheus' client library in
 * ProtoJSON, where counts of 64 bits are texts, and so are numbers that JSON does not have.
 */
import { compileAnchored } from '@tyto/base';
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import { named, type Params } from './params.ts';

type Json = Readonly<Record<string, unknown>>;
type Family = MetricObjectWithValues<MetricValue<string>>;
/** A value of a histogram or summary says which of its series it is of. */
type NamedValue = MetricValue<string> & { readonly metricName?: string };

/** The families whose name the parameter `metric_name_pattern` matches as a whole. */
export async function selfMetricFamilies(registry: Registry, params: Params): Promise<Json[]> {
  const text = params.text('metric_name_pattern');
  const pattern = named('metric_name_pattern', () => compileAnchored(text === '' ? '.*' : text));
  const families = await registry.getMetricsAsJSON();
  return families.filter(({ name }) => pattern.matches(name)).map(familyJson);
}

function familyJson(family: Family): Json {
  const { name, help, values } = family;
  // The types of prom-client say numbers; what it gives are these words.
  const type = String(family.type);
  const simple = type === 'counter' || type === 'gauge' ? type : 'untyped';
  const metric =
    type === 'histogram' || type === 'summary'
      ? compoundMetrics(name, type, values)
      : values.map(({ labels, value }) => ({
          ...labelPairs(labels),
          [simple]: { value: protoNumber(value) },
        }));
  return { name, help, type: type.toUpperCase(), metric };
}

/** The values of a histogram or summary that have all labels but `le` or `quantile` in common. */
interface Compound {
  readonly labels: MetricValue<string>['labels'];
  sum: number;
  count: number;
  readonly parts: { readonly bound: number; readonly value: number }[];
}

function compoundMetrics(
  name: string,
  type: 'histogram' | 'summary',
  values: readonly NamedValue[],
): Json[] {
  const groups = new Map<string, Compound>();
  for (const { metricName, labels, value } of values) {
    const { le, quantile, ...others } = labels as Record<string, string | number | undefined>;
    const key = JSON.stringify(Object.entries(others).sort());
    const group = groups.get(key) ?? { labels: others as Compound['labels'], ...emptyCompound() };
    groups.set(key, group);
    const bound = type === 'histogram' ? le : quantile;
    if (metricName === `${name}_sum`) group.sum = value;
    else if (metricName === `${name}_count`) group.count = value;
    else if (bound !== '+Inf') group.parts.push({ bound: Number(bound), value });
  }
  return [...groups.values()].map((group) => ({
    ...labelPairs(group.labels),
    [type]: {
      sampleCount: String(group.count),
      sampleSum: protoNumber(group.sum),
      ...(type === 'histogram'
        ? { bucket: group.parts.map(bucketJson) }
        : { quantile: group.parts.map(quantileJson) }),
    },
  }));
}

function emptyCompound() {
  return { sum: 0, count: 0, parts: [] };
}

function bucketJson({ bound, value }: Compound['parts'][number]): Json {
  return { cumulativeCount: String(value), upperBound: protoNumber(bound) };
}

function quantileJson({ bound, value }: Compound['parts'][number]): Json {
  return { quantile: protoNumber(bound), value: protoNumber(value) };
}

function labelPairs(labels: MetricValue<string>['labels']): Json {
  const pairs = Object.entries(labels).map(([name, value]) => ({ name, value: String(value) }));
  return pairs.length === 0 ? {} : { label: pairs };
}

function protoNumber(value: number): number | string {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}
