/**
 * Remote read and federation: a real Prometheus reads from Tyto, Tyto reads from it and from
 * another Tyto, and Prometheus scrapes what Tyto federates.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeSnappy } from '@tyto/kernels';
import { type FloatHistogram, Labels } from '@tyto/model';
import { encodeWriteRequest, type WriteSeries } from '@tyto/wire';
import {
  type Envelope,
  freePort,
  type Program,
  programPath,
  startProgram,
  startTyto,
  type Tyto,
  temporaryDirectory,
  waitFor,
} from './harness.ts';

const HISTOGRAM: FloatHistogram = {
  isInteger: true,
  counterResetHint: 'unknown',
  schema: 1,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 13,
  sum: 18.4,
  positiveSpans: [
    { offset: -1, length: 2 },
    { offset: 2, length: 1 },
  ],
  negativeSpans: [],
  positiveBuckets: [3, 7, 1],
  negativeBuckets: [],
  customValues: [],
};
const NOW = Date.now();
const MINUTE = 60_000;

interface Prometheus extends Program {
  readonly baseUrl: string;
}

async function startPrometheus(config: string): Promise<Prometheus> {
  const path = programPath('prometheus');
  if (path === undefined) throw new Error('prometheus is not installed');
  const directory = temporaryDirectory({ 'prometheus.yml': config });
  const address = `127.0.0.1:${await freePort()}`;
  const program = startProgram(path, [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=${address}`,
    '--web.enable-remote-write-receiver',
    '--enable-feature=native-histograms',
  ]);
  const baseUrl = `http://${address}/`;
  await waitFor('Prometheus is ready', async () => (await fetch(`${baseUrl}-/ready`)).ok, 20_000);
  return { ...program, baseUrl };
}

async function write(baseUrl: string, series: readonly WriteSeries[]): Promise<void> {
  const answer = await fetch(`${baseUrl}api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body: encodeSnappy(encodeWriteRequest({ series }, 1)),
  });
  if (answer.status !== 204) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** Forty minutes of ten series, each minute, and a series of histograms. */
function samples(name: string): WriteSeries[] {
  const timestamps = Float64Array.from({ length: 40 }, (_, i) => NOW - (40 - i) * MINUTE);
  const floats = Array.from({ length: 10 }, (_, s) => ({
    labels: Labels.of({ __name__: name, path: `/ä${s}`, job: 'app' }),
    timestamps,
    values: timestamps.map((_, i) => Math.sin(i + s) * 1000),
  }));
  const none = new Float64Array(0);
  const histograms = Array.from(timestamps, (timestampMs, i) => ({
    timestampMs,
    histogram: { ...HISTOGRAM, count: 13 + i, zeroCount: 2 + i },
  }));
  const labels = Labels.of({ __name__: `${name}_latency`, job: 'app' });
  return [...floats, { labels, timestamps: none, values: none, histograms }];
}

async function answerOf(baseUrl: string, expression: string): Promise<Envelope['data']> {
  const query = `query=${encodeURIComponent(expression)}&time=${NOW / 1000 - 0.5}`;
  const envelope = (await (await fetch(`${baseUrl}api/v1/query?${query}`)).json()) as Envelope;
  if (envelope.status !== 'success') throw new Error(envelope.error);
  const { result } = envelope.data;
  const text = (row: unknown) => JSON.stringify(row);
  return [...result].sort((a, b) => (text(a.metric) < text(b.metric) ? -1 : 1));
}

const EXPRESSIONS = (name: string) => [
  `${name}[1h]`,
  `sum by (job) (sum_over_time(${name}[5m]))`,
  `${name}{path=~"/ä[1-3]"} offset 10m`,
  `${name}{path!~".+", job="app"}`,
];

const HISTOGRAMS = (name: string) => [
  `histogram_count(${name}_latency{job="app"})`,
  `histogram_sum(rate(${name}_latency{job="app"}[30m]))`,
  `histogram_fraction(0, 0.9, ${name}_latency{job="app"})`,
];

let tyto: Tyto;

beforeAll(async () => {
  tyto = await startTyto({ config: 'global: {external_labels: {cluster: eu}}\n' });
  await write(tyto.baseUrl, samples('work'));
});

describe('a real Prometheus that reads from Tyto', () => {
  for (const own of ['{}', '{external_labels: {cluster: eu}}']) {
    it(`answers as Tyto does, with global: ${own}`, async () => {
      const prometheus = await startPrometheus(
        `global: ${own}\nremote_read: [{url: ${tyto.baseUrl}api/v1/read, read_recent: true}]\n`,
      );
      for (const expression of EXPRESSIONS('work')) {
        const wanted = await answerOf(tyto.baseUrl, expression);
        const found = await answerOf(prometheus.baseUrl, expression);
        for (const row of found) {
          if (own === '{}' && row.metric.path !== undefined) expect(row.metric.cluster).toBe('eu');
          delete row.metric.cluster;
        }
        expect(found, expression).toEqual(wanted);
      }
      await prometheus.kill('SIGKILL');
    });
  }
});

describe('Tyto that reads', () => {
  it('answers as Prometheus and another Tyto do, and has samples of both once', async () => {
    const prometheus = await startPrometheus('scrape_configs: []\n');
    await write(prometheus.baseUrl, samples('other'));
    const reader = await startTyto({
      config: `remote_read:
  - {url: ${prometheus.baseUrl}api/v1/read, read_recent: true, required_matchers: {job: app}}
  - {url: ${tyto.baseUrl}api/v1/read, read_recent: true}
`,
    });
    for (const expression of EXPRESSIONS('other')) {
      const selected = expression
        .replaceAll(/other(?=\[|\))/g, 'other{job="app"}')
        .replaceAll('other{path=~', 'other{job="app", path=~');
      const wanted = await answerOf(prometheus.baseUrl, selected);
      expect(await answerOf(reader.baseUrl, selected), selected).toEqual(wanted);
    }
    const [count] = HISTOGRAMS('other');
    const [{ value }] = await answerOf(reader.baseUrl, count);
    expect(value).toEqual((await answerOf(prometheus.baseUrl, count))[0].value);
    for (const expression of HISTOGRAMS('work')) {
      const [own] = await answerOf(tyto.baseUrl, expression);
      const [read] = await answerOf(reader.baseUrl, expression);
      expect(read.value, expression).toEqual(own.value);
    }
    // Without the matcher that the first one demands, it is not asked.
    expect(await answerOf(reader.baseUrl, 'other')).toEqual([]);
    const [first] = samples('work');
    const labels = first.labels.with('cluster', 'eu');
    await write(reader.baseUrl, [
      {
        labels,
        timestamps: Float64Array.of(NOW - 2 * MINUTE, NOW - MINUTE, NOW - 1000),
        values: Float64Array.of(first.values[38], first.values[39], 5),
      },
    ]);
    const series = await answerOf(reader.baseUrl, 'work{path="/ä0"}[1h]');
    expect(series.length).toBe(1);
    expect(series[0].values.length).toBe(41);
    await prometheus.kill('SIGKILL');
    const answer = await reader.get('api/v1/query?query=work{job="app"}');
    expect(answer.json?.data.result.length).toBe(10);
    expect(answer.text).toContain('connection refused');
    await reader.kill();
  });
});

describe('federation', () => {
  it('gives the newest samples, with external labels, sorted, gzipped where asked', async () => {
    const path = 'federate?match[]=work{path=~"/ä[01]"}&match[]=work{path="/ä1"}';
    const answer = await tyto.get(`${path}&match[]=work_latency`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const [first, second] = samples('work').map(({ values }) => values[39]);
    expect(answer.text).toBe(`# TYPE work untyped
work{job="app",path="/ä0",cluster="eu",instance=""} ${first} ${NOW - MINUTE}
work{job="app",path="/ä1",cluster="eu",instance=""} ${second} ${NOW - MINUTE}
`);
    const headers = { 'accept-encoding': 'gzip' };
    const packed = await fetch(`${tyto.baseUrl}federate?match[]=work`, { headers });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect((await tyto.get('federate')).status).toBe(400);
  });

  it('is scraped by a real Prometheus', async () => {
    const prometheus = await startPrometheus(`global: {scrape_interval: 1s}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {'match[]': ['{job="app"}']}
    static_configs: [{targets: ['${tyto.baseUrl.slice(7, -1)}']}]
`);
    await waitFor('it is scraped', async () => {
      const found = await answerOf(prometheus.baseUrl, 'work');
      return found.length === 10;
    });
    const found = await answerOf(prometheus.baseUrl, 'work');
    expect(found[0].metric).toEqual({
      __name__: 'work',
      cluster: 'eu',
      job: 'app',
      path: '/ä0',
    });
    await prometheus.kill('SIGKILL');
  });
});
