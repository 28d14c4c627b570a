import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, yaml } from '@tyto/base';
import { DEFAULT_OTLP, type OtlpConfig, OtlpReceiver, otlpSchema } from '@tyto/collect';
import { createMatcher, type FloatHistogram, MemoryMetricStore, SampleColumns } from '@tyto/model';
import { dumpStore } from '../testing.ts';

const NOW_MS = 1_700_000_000_000;
const DELTA = 1;
const CUMULATIVE = 2;

let store: MemoryMetricStore;
let clock: ManualClock;
let receiver: OtlpReceiver;

beforeEach(() => {
  store = new MemoryMetricStore();
  clock = new ManualClock(NOW_MS);
  receiver = new OtlpReceiver({ store, clock, deltaSeriesMax: 3, deltaAgeMsMax: 60_000 });
});

type Attributes = Readonly<Record<string, string>>;
const keyValues = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/** A request with these metrics of one resource. */
function send(metrics: readonly object[], resource: Attributes = {}, scope: object = {}) {
  const request = {
    resourceMetrics: [
      { resource: { attributes: keyValues(resource) }, scopeMetrics: [{ scope, metrics }] },
    ],
  };
  return receiver.receive(new TextEncoder().encode(JSON.stringify(request)), 'json');
}

const nanos = (timeMs: number) => `${timeMs}000000`;
const at = (afterMs: number) => ({ timeUnixNano: nanos(NOW_MS + afterMs) });

function sum(value: number, temporality: number, afterMs = 0, attributes: Attributes = {}) {
  const dataPoints = [{ ...at(afterMs), asInt: String(value), attributes: keyValues(attributes) }];
  return {
    name: 'requests',
    sum: { isMonotonic: true, aggregationTemporality: temporality, dataPoints },
  };
}

function apply(config: Partial<OtlpConfig>): void {
  receiver.config = { ...DEFAULT_OTLP, ...config };
}

async function histogramsOf(name: string): Promise<FloatHistogram[]> {
  const matchers = [createMatcher('=', '__name__', name)];
  const selection = await store.select({ matchers, minTimeMs: -Infinity, maxTimeMs: Infinity });
  const columns = new SampleColumns();
  if (selection.size > 0) selection.readInto(0, columns);
  return (columns.histograms ?? []).filter((histogram) => histogram !== undefined);
}

describe('names', () => {
  const cases: [string, string, string, string, string, string][] = [
    // name, unit, kind, and the names with suffixes, without, and with dots and suffixes.
    [
      'http.server.duration',
      's',
      'gauge',
      'http_server_duration_seconds',
      'http_server_duration',
      'http.server.duration_seconds',
    ],
    [
      'http.requests',
      '{request}',
      'sum',
      'http_requests_total',
      'http_requests',
      'http.requests_total',
    ],
    ['memory.usage', 'By', 'gauge', 'memory_usage_bytes', 'memory_usage', 'memory.usage_bytes'],
    [
      'cpu.utilization',
      '1',
      'gauge',
      'cpu_utilization_ratio',
      'cpu_utilization',
      'cpu.utilization_ratio',
    ],
    ['count', '1', 'sum', 'count_total', 'count', 'count_total'],
    ['disk.io', 'By/s', 'gauge', 'disk_io_bytes_per_second', 'disk_io', 'disk.io_bytes_per_second'],
    [
      'system_total_bytes',
      'By',
      'sum',
      'system_bytes_total',
      'system_total_bytes',
      'system_total_bytes_total',
    ],
    ['requests_total', '', 'sum', 'requests_total', 'requests_total', 'requests_total'],
    [
      '(lambda).executions(#)',
      '',
      'gauge',
      'lambda_executions',
      'lambda_executions',
      '(lambda).executions(#)',
    ],
    ['2xx', '', 'gauge', '_2xx', '_2xx', '2xx'],
    ['dropped', 'packets', 'gauge', 'dropped_packets', 'dropped', 'dropped_packets'],
  ];
  it.each(cases)('%s in %s as %s', async (name, unit, kind, escaped, plain, dotted) => {
    const dataPoints = [{ ...at(0), asDouble: 1 }];
    const data = { dataPoints, isMonotonic: true, aggregationTemporality: CUMULATIVE };
    for (const [translationStrategy, expected] of [
      ['UnderscoreEscapingWithSuffixes', escaped],
      ['UnderscoreEscapingWithoutSuffixes', plain],
      ['NoUTF8EscapingWithSuffixes', dotted],
      ['NoTranslation', name],
    ] as const) {
      store = new MemoryMetricStore();
      receiver = new OtlpReceiver({ store, clock });
      apply({ translationStrategy });
      expect(await send([{ name, unit, [kind]: data }])).toMatchObject({ points: 1 });
      const { items } = await store.labelValues('__name__', {
        matcherSets: [],
        minTimeMs: -Infinity,
        maxTimeMs: Infinity,
        limit: 0,
      });
      expect(items, translationStrategy).toEqual([expected]);
    }
  });

  it('of labels: underscores, and "key" before what may not come first', async () => {
    const attributes = {
      'http.method': 'GET',
      _private: 'a',
      '2xx': 'b',
      'a..b': 'c',
      'a.-b': 'd',
    };
    await send([sum(1, CUMULATIVE, 0, attributes)]);
    expect(await dumpStore(store)).toEqual([
      'requests_total{a__b="d;c", http_method="GET", key_2xx="b", key_private="a"} ' +
        `1@${NOW_MS}`,
    ]);
  });
});

describe('resources', () => {
  const service = {
    'service.name': 'shop',
    'service.namespace': 'eu',
    'service.instance.id': 'i1',
  };

  it('are job and instance, and target_info for the rest', async () => {
    await send([sum(1, CUMULATIVE)], { ...service, 'host.name': 'h1' });
    expect(await dumpStore(store)).toEqual([
      `requests_total{instance="i1", job="eu/shop"} 1@${NOW_MS}`,
      `target_info{host_name="h1", instance="i1", job="eu/shop"} 1@${NOW_MS}`,
    ]);
  });

  it('have no target_info where it would say nothing, or of nobody', async () => {
    await send([sum(1, CUMULATIVE)], service);
    await send([sum(2, CUMULATIVE, 1)], { 'host.name': 'h1' });
    expect((await dumpStore(store)).join()).not.toContain('target_info');
  });

  it('are promoted to labels, one by one or all but some', async () => {
    const resource = { ...service, 'host.name': 'h1', region: 'x' };
    apply({ promoteResourceAttributes: ['host.name'] });
    await send([sum(1, CUMULATIVE)], resource);
    expect((await dumpStore(store, 'req.*'))[0]).toMatch(
      /^requests_total\{host_name="h1", instance="i1", job="eu\/shop"\}/,
    );
    apply({
      promoteAllResourceAttributes: true,
      ignoreResourceAttributes: ['region', 'service.namespace'],
      keepIdentifyingResourceAttributes: true,
    });
    await send([sum(1, CUMULATIVE, 1)], resource);
    expect((await dumpStore(store, 'req.*')).join()).toContain(
      'job="eu/shop", service_instance_id="i1", service_name="shop"}',
    );
    expect((await dumpStore(store, 'target_info')).join()).toContain('service_name="shop"');
  });

  it('have scopes, where they are wished for', async () => {
    apply({ promoteScopeMetadata: true });
    const scope = { name: 'lib', version: '1.2', attributes: keyValues({ a: 'b' }) };
    await send([sum(1, CUMULATIVE)], {}, scope);
    expect((await dumpStore(store))[0]).toContain(
      'otel_scope_a="b", otel_scope_name="lib", otel_scope_version="1.2"',
    );
  });
});

describe('histograms', () => {
  const point = {
    ...at(0),
    count: '10',
    sum: 12.5,
    bucketCounts: ['1', '4', '5'],
    explicitBounds: [0.5, 2],
    exemplars: [
      { ...at(-5), asDouble: 1, traceId: '5B8EFFF798038103D269B633813FC60C', spanId: '' },
    ],
  };
  const histogram = (temporality: number, more = {}) => ({
    name: 'd',
    unit: 'ms',
    histogram: { aggregationTemporality: temporality, dataPoints: [{ ...point, ...more }] },
  });

  it('are classic ones, with exemplars at their buckets', async () => {
    await send([histogram(CUMULATIVE)]);
    expect(await dumpStore(store)).toEqual([
      `d_milliseconds_bucket{le="+Inf"} 10@${NOW_MS}`,
      `d_milliseconds_bucket{le="0.5"} 1@${NOW_MS}`,
      `d_milliseconds_bucket{le="2.0"} 5@${NOW_MS}`,
      `d_milliseconds_count 10@${NOW_MS}`,
      `d_milliseconds_sum 12.5@${NOW_MS}`,
    ]);
    const range = { minTimeMs: 0, maxTimeMs: Infinity };
    const exemplars = await store.exemplars({
      matcherSets: [[createMatcher('=~', '__name__', '.+')]],
      ...range,
    });
    expect(exemplars).toHaveLength(1);
    expect(exemplars[0].seriesLabels.get('le')).toBe('2.0');
    expect(exemplars[0].exemplars[0].labels.toString()).toBe(
      '{trace_id="5b8efff798038103d269b633813fc60c"}',
    );
  });

  it('are native ones with custom buckets, where they are converted', async () => {
    apply({ convertHistogramsToNhcb: true });
    await send([histogram(CUMULATIVE)]);
    expect(await histogramsOf('d_milliseconds')).toMatchObject([
      { schema: -53, customValues: [0.5, 2], positiveBuckets: [1, 4, 5], count: 10, sum: 12.5 },
    ]);
  });

  it('add up their deltas, and begin anew with other buckets', async () => {
    await send([histogram(DELTA)]);
    await send([histogram(DELTA, at(1000))]);
    expect((await dumpStore(store, '.*_bucket'))[2]).toContain(`10@${NOW_MS + 1000}`);
    await send([histogram(DELTA, { ...at(2000), explicitBounds: [1, 2] })]);
    expect((await dumpStore(store, '.*_count'))[0]).toContain(`10@${NOW_MS + 2000}`);
  });

  it.each([
    ['counts that are not one more', { bucketCounts: ['1', '2'] }, 'with 2 bounds has 2 counts'],
    ['bounds that do not rise', { explicitBounds: [2, 2] }, 'do not rise'],
    ['counts below zero', { bucketCounts: ['-1', '1', '1'] }, 'below zero'],
  ])('are rejected with %s', async (_, more, message) => {
    const outcome = await send([histogram(CUMULATIVE, more), sum(1, CUMULATIVE)]);
    expect(outcome).toMatchObject({ points: 1, rejectedPoints: 1 });
    expect(outcome.message).toContain(message);
  });
});

describe('exponential histograms', () => {
  const exponential = (temporality: number, more: object, afterMs = 0) => ({
    name: 'e',
    exponentialHistogram: {
      aggregationTemporality: temporality,
      dataPoints: [{ ...at(afterMs), sum: 3, scale: 0, ...more }],
    },
  });
  const positive = (offset: number, ...counts: number[]) => ({
    positive: { offset, bucketCounts: counts.map(String) },
  });

  it('are native ones, whose buckets are counted from one', async () => {
    const more = { count: '6', zeroCount: '1', ...positive(1, 2, 0, 3) };
    await send([exponential(CUMULATIVE, more)]);
    expect(await histogramsOf('e')).toEqual([
      {
        isInteger: true,
        counterResetHint: 'unknown',
        schema: 0,
        zeroThreshold: 1e-128,
        zeroCount: 1,
        count: 6,
        sum: 3,
        positiveSpans: [
          { offset: 2, length: 1 },
          { offset: 1, length: 1 },
        ],
        negativeSpans: [],
        positiveBuckets: [2, 3],
        negativeBuckets: [],
        customValues: [],
      },
    ]);
  });

  it('become coarser where they are too fine, and are rejected where too coarse', async () => {
    await send([exponential(CUMULATIVE, { count: '7', scale: 10, ...positive(2, 1, 2, 4) })]);
    expect(await histogramsOf('e')).toMatchObject([
      { schema: 8, positiveSpans: [{ offset: 1, length: 2 }], positiveBuckets: [3, 4] },
    ]);
    const outcome = await send([exponential(CUMULATIVE, { count: '1', scale: -5 }, 1)]);
    expect(outcome.message).toContain('scale must be >= -4, was -5');
  });

  it('add up their deltas at the coarser of the scales', async () => {
    await send([exponential(DELTA, { count: '3', scale: 1, ...positive(0, 1, 2) })]);
    await send([exponential(DELTA, { count: '4', scale: 0, ...positive(0, 4) }, 1000)]);
    expect((await histogramsOf('e')).at(-1)).toMatchObject({
      schema: 0,
      count: 7,
      sum: 6,
      positiveSpans: [{ offset: 1, length: 1 }],
      positiveBuckets: [7],
    });
  });
});

it('summaries have a count, a sum and quantiles', async () => {
  const quantileValues = [
    { quantile: 0.5, value: 2 },
    { quantile: 1, value: 9 },
  ];
  const dataPoints = [{ ...at(0), count: '4', sum: 10, quantileValues }];
  await send([{ name: 's', summary: { dataPoints } }]);
  expect(await dumpStore(store)).toEqual([
    `s_count 4@${NOW_MS}`,
    `s_sum 10@${NOW_MS}`,
    `s{quantile="0.5"} 2@${NOW_MS}`,
    `s{quantile="1.0"} 9@${NOW_MS}`,
  ]);
});

it('a point without a recorded value ends its series', async () => {
  await send([sum(5, CUMULATIVE)]);
  const dataPoints = [{ ...at(1000), flags: 1 }];
  const data = { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints };
  await send([{ name: 'requests', sum: data }]);
  expect(await dumpStore(store)).toEqual([`requests_total 5@${NOW_MS} stale@${NOW_MS + 1000}`]);
});

it('metadata is kept: type, help and unit', async () => {
  await send([{ ...sum(1, CUMULATIVE), description: 'How many.', unit: 'By/s' }]);
  expect([...receiver.metadata]).toEqual([
    [
      'requests_bytes_per_second_total',
      { type: 'counter', help: 'How many.', unit: 'bytes_per_second' },
    ],
  ]);
});

describe('deltas', () => {
  it('are added up, each series for itself', async () => {
    await send([sum(2, DELTA), sum(7, DELTA, 0, { a: 'b' })]);
    await send([sum(3, DELTA, 1000)]);
    expect(await dumpStore(store)).toEqual([
      `requests_total 2@${NOW_MS} 5@${NOW_MS + 1000}`,
      `requests_total{a="b"} 7@${NOW_MS}`,
    ]);
  });

  it('that come twice or late are rejected and do not count', async () => {
    await send([sum(2, DELTA, 1000)]);
    expect(await send([sum(2, DELTA, 1000)])).toMatchObject({ rejectedPoints: 1 });
    expect(await send([sum(2, DELTA, 500)])).toMatchObject({ rejectedPoints: 1 });
    await send([sum(3, DELTA, 2000)]);
    expect((await dumpStore(store))[0]).toContain(`5@${NOW_MS + 2000}`);
  });

  it('are of so many series, until some are silent for long enough', async () => {
    for (const a of ['1', '2', '3']) await send([sum(1, DELTA, 0, { a })]);
    const refused = await send([sum(1, DELTA, 0, { a: '4' }), sum(1, DELTA, 1000, { a: '1' })]);
    expect(refused).toMatchObject({ points: 1, rejectedPoints: 1 });
    expect(receiver.deltaSeries).toBe(3);
    expect(refused.message).toContain('no more series of deltas');
    await clock.advance(61_000);
    expect(await send([sum(1, DELTA, 61_000, { a: '4' })])).toMatchObject({ message: '' });
    expect(receiver.deltaSeries).toBe(1);
    await send([sum(1, DELTA, 61_000, { a: '1' })]);
    expect((await dumpStore(store))[0]).toContain(`2@${NOW_MS + 1000} 1@${NOW_MS + 61_000}`);
  });

  it('count once more when their request was not written', async () => {
    await send([sum(2, DELTA)]);
    let isBroken = true;
    const flaky = {
      appender() {
        const appender = store.appender();
        if (!isBroken) return appender;
        return { ...appender, commit: async () => Promise.reject(new Error('disk full')) };
      },
    };
    receiver = new OtlpReceiver({ store: flaky, clock });
    await expect(send([sum(3, DELTA, 1000)])).rejects.toThrow('disk full');
    isBroken = false;
    expect(await send([sum(3, DELTA, 1000)])).toMatchObject({ points: 1 });
  });
});

describe('what is refused', () => {
  it('are points without a temporality, from the future, or out of order', async () => {
    await send([sum(2, CUMULATIVE)]);
    const outcome = await send([sum(1, 0), sum(1, CUMULATIVE, 3_600_000), sum(1, CUMULATIVE, -9)]);
    expect(outcome).toMatchObject({ points: 0, rejectedPoints: 3 });
    expect(outcome.message).toContain('no aggregation temporality for metric "requests"');
    expect(receiver.totals).toEqual({ requests: 2, points: 1, rejectedPoints: 3 });
  });

  it.each(['{', '[]', '{"resourceMetrics":{}}', '{"resourceMetrics":[1]}'])(
    'is %s',
    async (text) => {
      const sent = receiver.receive(new TextEncoder().encode(text), 'json');
      await expect(sent).rejects.toMatchObject({ kind: 'bad_data' });
    },
  );

  it('are attributes that nest without end', async () => {
    let value: object = { stringValue: 'x' };
    for (let i = 0; i < 50; i++) value = { arrayValue: { values: [value] } };
    const attributes = [{ key: 'a', value }];
    const gauge = { dataPoints: [{ ...at(0), asInt: 1, attributes }] };
    await expect(send([{ name: 'g', gauge }])).rejects.toThrow('nests deeper than 16');
  });

  it('is a configuration that contradicts itself', () => {
    const problems = (text: string) =>
      yaml.formatProblems(yaml.decodeYaml(text, 'p.yml', otlpSchema).problems);
    expect(
      problems('promote_resource_attributes: [a]\npromote_all_resource_attributes: true'),
    ).toContain('cannot both be set');
    expect(problems('ignore_resource_attributes: [a]')).toContain('means nothing without');
    expect(problems('translation_strategy: Dots')).toContain('NoTranslation');
  });
});
