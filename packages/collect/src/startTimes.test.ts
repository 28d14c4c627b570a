/** What becomes of start times that come from outside, with and without `keepsStartTimes`. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, silentLogger, systemClock } from '@tyto/base';
import { OtlpReceiver, ScrapeManager, WriteReceiver } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import { createMatcher, MemoryMetricStore, SampleColumns } from '@tyto/model';
import { ProtobufWriter } from '@tyto/wire';
import { eventually, jobsOf } from './testing.ts';

const NOW_MS = 1_700_000_000_000;

/** By series: its start times, of all samples or of the first so many. */
async function startTimes(store: MemoryMetricStore, first = Infinity) {
  const matchers = [createMatcher('=~', '__name__', '.+')];
  const selection = await store.select({ matchers, minTimeMs: -8e15, maxTimeMs: 8e15 });
  const found: Record<string, number[]> = {};
  for (let i = 0; i < selection.size; i++) {
    const columns = new SampleColumns();
    selection.readInto(i, columns);
    const length = Math.min(columns.length, first);
    found[selection.labels(i).toString()] = Array.from(
      { length },
      (_, sample) => columns.startTimes?.[sample] ?? 0,
    );
  }
  return found;
}

describe('remote write 2.0', () => {
  /** A request of one series, each sample [time, value, start], and as many histograms. */
  function request(samples: readonly (readonly [number, number, number])[], histogramMs?: number) {
    const writer = new ProtobufWriter();
    for (const symbol of ['', '__name__', 'requests_total']) writer.string(4, symbol);
    const series = writer.begin(5);
    writer.uint32s(1, [1, 2]);
    for (const [timeMs, value, startMs] of samples) {
      const sample = writer.begin(2);
      writer.double(1, value);
      writer.int64(2, timeMs);
      if (startMs !== 0) writer.int64(3, startMs);
      writer.end(sample);
    }
    if (histogramMs !== undefined) {
      const histogram = writer.begin(3);
      writer.int64(15, histogramMs);
      writer.int64(17, histogramMs - 7);
      writer.end(histogram);
    }
    writer.end(series);
    return [encodeSnappy(writer.finish())];
  }

  async function receive(body: Uint8Array[], keepsStartTimes: boolean) {
    const store = new MemoryMetricStore();
    const key = new Uint8Array(16);
    const options = { store, clock: new ManualClock(NOW_MS), key, keepsStartTimes };
    const receiver = new WriteReceiver(options);
    const outcome = await receiver.receive(body, 2);
    return { outcome, found: (await startTimes(store)).requests_total };
  }

  it('has the start times of its samples and histograms', async () => {
    const body = request(
      [
        [1000, 1, 500],
        [2000, 2, 0],
        [3000, 3, 2500],
      ],
      4000,
    );
    const { outcome, found } = await receive(body, true);
    expect(outcome).toMatchObject({ samples: 3, histograms: 1, refused: undefined });
    expect(found).toEqual([500, 0, 2500, 3993]);
    expect((await receive(body, false)).found).toEqual([0, 0, 0, 0]);
  });

  it('counts what it refuses as ever', async () => {
    const { outcome, found } = await receive(
      request([
        [1000, 1, 500],
        [3000, 3, 500],
        [2000, 2, 500],
        [3000, 3, 600],
      ]),
      true,
    );
    expect(outcome).toMatchObject({ samples: 3 });
    expect(outcome.refused).toMatch('out of order');
    expect(found).toEqual([500, 500]);
  });

  it('has them of a series that takes several batches of the reader', async () => {
    const count = 20_000;
    const samples = Array.from(
      { length: count },
      (_, i) => [i + 1, i, i % 3 === 0 ? 0 : -i] as const,
    );
    const { outcome, found } = await receive(request(samples), true);
    expect(outcome).toMatchObject({ samples: count });
    expect(found).toEqual(samples.map(([, , startMs]) => startMs + 0));
  });
});

describe('OpenTelemetry', () => {
  const nanos = (timeMs: number) => `${timeMs}000000`;
  const point = (startMs: number, timeMs: number, asInt: string) => ({
    startTimeUnixNano: nanos(startMs),
    timeUnixNano: nanos(timeMs),
    asInt,
  });
  const sumOf = (aggregationTemporality: number, dataPoints: object[]) => ({
    name: 'requests',
    sum: { isMonotonic: true, aggregationTemporality, dataPoints },
  });

  async function receive(keepsStartTimes: boolean, ...metrics: object[]) {
    const store = new MemoryMetricStore();
    const receiver = new OtlpReceiver({ store, clock: new ManualClock(NOW_MS), keepsStartTimes });
    const text = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    await receiver.receive(new TextEncoder().encode(text), 'json');
    return startTimes(store);
  }

  it('has the start times of cumulative points, and not of gauges', async () => {
    const cumulative = sumOf(2, [point(1000, 5000, '1'), point(1000, 6000, '2')]);
    const gauge = { name: 'g', gauge: { dataPoints: [point(1000, 5000, '1')] } };
    const want = { requests_total: [1000, 1000], g: [0] };
    expect(await receive(true, cumulative, gauge)).toEqual(want);
    expect(await receive(false, cumulative)).toEqual({ requests_total: [0, 0] });
  });

  it('begins the total of deltas with the first of them', async () => {
    const deltas = sumOf(1, [point(1000, 5000, '1'), point(5000, 6000, '2')]);
    expect(await receive(true, deltas)).toEqual({ requests_total: [1000, 1000] });
  });

  it('has them of every series of a classic histogram', async () => {
    const dataPoints = [
      {
        ...point(1000, 5000, '0'),
        count: '2',
        sum: 3,
        explicitBounds: [1],
        bucketCounts: ['1', '1'],
      },
    ];
    const histogram = { name: 'h', histogram: { aggregationTemporality: 2, dataPoints } };
    expect(Object.values(await receive(true, histogram))).toEqual([[1000], [1000], [1000], [1000]]);
  });
});

describe('a scrape', () => {
  let store: MemoryMetricStore;
  let server: Server;
  let body: Uint8Array | string;
  let type: string;

  beforeEach(async () => {
    store = new MemoryMetricStore();
    server = createServer((_, response) => {
      response.setHeader('Content-Type', type);
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function scrape(keepsStartTimes: boolean, more = '') {
    const options = { store, clock: systemClock, logger: silentLogger, version: '1' };
    const manager = new ScrapeManager({ ...options, keepsStartTimes });
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const job = `{job_name: j, static_configs: [{targets: ["${address}"]}], ${more}}`;
    await manager.apply(jobsOf(`global: {scrape_interval: 300ms}\nscrape_configs: [${job}]`));
    await eventually(() => manager.targets().active[0].health !== 'unknown');
    expect(manager.targets().active[0].lastError).toBe('');
    await manager.stop();
    const found: Record<string, number> = {};
    for (const [series, [first]] of Object.entries(await startTimes(store, 1))) {
      const shown = series.replace(/(?:, )?(?:instance|job)="[^"]*"/g, '').replace('{, ', '{');
      if (!/^(?:up|scrape_)/.test(shown)) found[shown.replace('{}', '')] = first;
    }
    return found;
  }

  it('in OpenMetrics has the times that _created tells, and no series of it', async () => {
    type = 'application/openmetrics-text; version=1.0.0';
    body = [
      '# TYPE c counter',
      'c_total{a="1"} 5',
      'c_created{a="1"} 1700000000.25',
      'c_created{a="2"} 1700000001',
      'c_total{a="2"} 6',
      'c_total{a="3"} 7',
      '# TYPE h histogram',
      'h_bucket{le="1.0"} 1',
      'h_bucket{le="+Inf"} 2',
      'h_count 2',
      'h_sum 3',
      'h_created 1700000002',
      '# TYPE s summary',
      's{quantile="0.5"} 1',
      's_count 1',
      's_created 1700000003.9999',
      '# TYPE g gauge',
      'g 1',
      '# TYPE broken counter',
      'broken_total 1',
      'broken_created NaN',
      '# EOF',
      '',
    ].join('\n');
    expect(await scrape(true)).toEqual({
      'c_total{a="1"}': 1_700_000_000_250,
      'c_total{a="2"}': 1_700_000_001_000,
      'c_total{a="3"}': 0,
      'h_bucket{le="1.0"}': 1_700_000_002_000,
      'h_bucket{le="+Inf"}': 1_700_000_002_000,
      h_count: 1_700_000_002_000,
      h_sum: 1_700_000_002_000,
      's{quantile="0.5"}': 1_700_000_003_999,
      s_count: 1_700_000_003_999,
      g: 0,
      broken_total: 0,
    });
  });

  it('in OpenMetrics has them of histograms that become native ones', async () => {
    type = 'application/openmetrics-text; version=1.0.0';
    body =
      '# TYPE h histogram\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 2\nh_count 2\nh_sum 3\n' +
      'h_created 1700000002\n# EOF\n';
    const more = 'convert_classic_histograms_to_nhcb: true';
    expect(await scrape(true, more)).toEqual({ h: 1_700_000_002_000 });
  });

  it('without it has _created as series and no start times', async () => {
    type = 'application/openmetrics-text; version=1.0.0';
    body = '# TYPE c counter\nc_total 5\nc_created 1700000000.25\n# EOF\n';
    expect(await scrape(false)).toEqual({ c_total: 0, c_created: 0 });
  });

  it('in protobuf has those of counters, summaries and histograms', async () => {
    const message = 'proto=io.prometheus.client.MetricFamily; encoding=delimited';
    type = `application/vnd.google.protobuf; ${message}`;
    const family = (name: string, kind: number, valueField: number, timeField: number) => {
      const writer = new ProtobufWriter();
      writer.string(1, name);
      writer.uint32(3, kind);
      const metric = writer.begin(4);
      const value = writer.begin(valueField);
      const time = writer.begin(timeField);
      writer.int64(1, 1_700_000_000 + kind);
      writer.uint32(2, 500_000_000);
      writer.end(time);
      writer.end(value);
      writer.end(metric);
      const message = writer.finish();
      return [message.length, ...message];
    };
    body = Uint8Array.from([
      ...family('c', 0, 3, 3),
      ...family('s', 2, 4, 4),
      ...family('h', 4, 7, 15),
      ...family('g', 1, 2, 3),
    ]);
    expect(await scrape(true, 'scrape_protocols: [PrometheusProto]')).toEqual({
      c: 1_700_000_000_500,
      s_count: 1_700_000_002_500,
      s_sum: 1_700_000_002_500,
      h_count: 1_700_000_004_500,
      h_sum: 1_700_000_004_500,
      'h_bucket{le="+Inf"}': 1_700_000_004_500,
      g: 0,
    });
  });
});
