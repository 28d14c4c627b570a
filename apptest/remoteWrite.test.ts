/** Remote write: what a real Prometheus and vmagent send arrives; what cannot be is refused. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeSnappy } from '@tyto/kernels';
import { type FloatHistogram, Labels } from '@tyto/model';
import { encodeWriteRequest, type WriteSeries } from '@tyto/wire';
import {
  type Envelope,
  freePort,
  programPath,
  startProgram,
  startTyto,
  type Tyto,
  temporaryDirectory,
  waitFor,
} from './harness.ts';
import { startHttp } from './targets.ts';

const EXPOSITION = `# HELP requests_total How many.
# TYPE requests_total counter
requests_total{path="/a"} 7
requests_total{path="/ä"} 8
`;
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
const V1 = 'application/x-protobuf';
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

let tyto: Tyto;

function startTarget() {
  return startHttp((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(EXPOSITION);
  });
}

/** A program of the machine; a missing one is a failure here: .ci/run installs all of them. */
function program(name: string): string {
  const path = programPath(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

function series(name: string, samples: [timestampMs: number, value: number][]): WriteSeries {
  return {
    labels: Labels.of({ __name__: name, job: 'test' }),
    timestamps: Float64Array.from(samples, ([timestampMs]) => timestampMs),
    values: Float64Array.from(samples, ([, value]) => value),
  };
}

function send(all: readonly WriteSeries[], type = V1, encoding = 'snappy'): Promise<Response> {
  return fetch(`${tyto.baseUrl}api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': type, 'content-encoding': encoding },
    body: encodeSnappy(encodeWriteRequest({ series: all }, type === V2 ? 2 : 1)),
  });
}

beforeAll(async () => {
  tyto = await startTyto({ config: 'scrape_configs: []\n' });
});

describe('a real sender', () => {
  it('Prometheus is heard, with metadata and stale markers', async () => {
    const target = await startTarget();
    const port = await freePort();
    const directory = temporaryDirectory({
      'prometheus.yml': `global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: app, static_configs: [{targets: ['${target.address}']}]}
remote_write:
  - url: ${tyto.baseUrl}api/v1/write
    metadata_config: {send_interval: 1s}
    queue_config: {batch_send_deadline: 500ms}
`,
    });
    const sender = startProgram(program('prometheus'), [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    await waitFor(
      'samples arrive',
      async () => {
        const value = await tyto.value('requests_total{job="app",path="/ä"}');
        return value === 8;
      },
      20_000,
    );
    await waitFor(
      'several samples arrive',
      async () => ((await tyto.value('count_over_time(up{job="app"}[1m])')) ?? 0) >= 3,
    );
    await waitFor('metadata arrives', async () => {
      const metadata = await tyto.api('metadata?metric=requests_total');
      return metadata.requests_total?.[0]?.help === 'How many.';
    });
    await target.close();
    await waitFor('the series end', async () => {
      const up = await tyto.value('up{job="app"}');
      return up === 0 && (await tyto.query('requests_total{job="app"}')).length === 0;
    });
    await sender.kill();
  });

  it('vmagent is heard', async () => {
    const target = await startTarget();
    const directory = temporaryDirectory({
      'scrape.yml': `global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: agent, static_configs: [{targets: ['${target.address}']}]}
`,
    });
    const sender = startProgram(program('vmagent'), [
      `-promscrape.config=${join(directory, 'scrape.yml')}`,
      `-remoteWrite.url=${tyto.baseUrl}api/v1/write`,
      `-remoteWrite.tmpDataPath=${join(directory, 'data')}`,
      '-remoteWrite.flushInterval=200ms',
      `-httpListenAddr=127.0.0.1:${await freePort()}`,
    ]);
    await waitFor(
      'samples arrive',
      async () => (await tyto.value('requests_total{job="agent",path="/a"}')) === 7,
      20_000,
    ).catch((error) => {
      throw new Error(`${error}\n${sender.output()}`);
    });
    await sender.kill();
    await target.close();
  });
});

describe('what is encoded here', () => {
  it('is what a real Prometheus understands, histograms and exemplars included', async () => {
    const port = await freePort();
    const directory = temporaryDirectory({ 'prometheus.yml': 'scrape_configs: []\n' });
    const receiver = startProgram(program('prometheus'), [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--enable-feature=native-histograms,exemplar-storage',
    ]);
    const now = Date.now();
    const exemplars = [{ labels: Labels.of({ trace_id: 'x' }), value: 1, timestampMs: now - 500 }];
    const sent = {
      series: [
        { ...series('plain', [[now - 500, 2]]), exemplars },
        {
          ...series('latency', []),
          histograms: [{ timestampMs: now - 500, histogram: HISTOGRAM }],
        },
      ],
    };
    const api = `http://127.0.0.1:${port}/api/v1/`;
    await waitFor('Prometheus takes it', async () => {
      const headers = { 'content-type': V1, 'content-encoding': 'snappy' };
      const body = encodeSnappy(encodeWriteRequest(sent, 1));
      return (await fetch(`${api}write`, { method: 'POST', headers, body })).status === 204;
    });
    const ask = async (path: string) => {
      const envelope = (await (await fetch(api + path)).json()) as Envelope;
      return envelope.data;
    };
    const { result } = await ask('query?query=latency');
    expect(result[0].histogram[1]).toEqual({
      count: '13',
      sum: '18.4',
      buckets: [
        [3, '-0.001', '0.001', '2'],
        [0, '0.5', '0.7071067811865475', '3'],
        [0, '0.7071067811865475', '1', '7'],
        [0, '2', '2.82842712474619', '1'],
      ],
    });
    const range = `start=${now / 1000 - 9}&end=${now / 1000}`;
    const found = await ask(`query_exemplars?query=plain&${range}`);
    expect(found[0].exemplars).toMatchObject([{ labels: { trace_id: 'x' }, value: '1' }]);
    await receiver.kill();
  });
});

describe('an answer', () => {
  it('is 204 for what is written, and of 2.0 tells how much', async () => {
    const now = Date.now();
    const first = await send([series('first', [[now - 1000, 1]])]);
    expect([first.status, await first.text()]).toEqual([204, '']);
    const second = await send(
      [
        series('second', [
          [now - 1000, 1],
          [now, 2],
        ]),
      ],
      V2,
    );
    expect(second.status).toBe(204);
    expect(second.headers.get('x-prometheus-remote-write-samples-written')).toBe('2');
    expect(second.headers.get('x-prometheus-remote-write-histograms-written')).toBe('0');
    expect(second.headers.get('x-prometheus-remote-write-exemplars-written')).toBe('0');
    expect(await tyto.value('second{job="test"}')).toBe(2);
  });

  it('is 400 where samples were refused, and the rest is kept', async () => {
    const now = Date.now();
    await send([series('third', [[now - 1000, 1]])]);
    const answer = await send(
      [
        series('third', [
          [now - 20 * 60_000, 1],
          [now, 5],
        ]),
        series('fourth', [[now, 1]]),
      ],
      V2,
    );
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('too old sample for series {__name__="third"');
    expect(answer.headers.get('x-prometheus-remote-write-samples-written')).toBe('2');
    expect(await tyto.value('third')).toBe(5);
    expect(await tyto.value('fourth')).toBe(1);
  });

  it('is 415 for what is not understood, and 400 for what is no request', async () => {
    const text = await send([], 'text/plain');
    expect(text.status).toBe(415);
    expect(await text.text()).toContain('got text/plain content-type');
    const zstd = await send([], V1, 'zstd');
    expect([zstd.status, await zstd.text()]).toEqual([
      415,
      'zstd encoding (compression) is not accepted by this server; only snappy is acceptable\n',
    ]);
    const post = (body: Uint8Array<ArrayBuffer>) =>
      fetch(`${tyto.baseUrl}api/v1/write`, {
        method: 'POST',
        headers: { 'content-type': V1 },
        body,
      });
    expect((await post(Uint8Array.of(5, 0, 1))).status).toBe(400);
    expect((await post(Uint8Array.of(255, 255, 255, 255, 15))).status).toBe(413);
    expect((await post(encodeSnappy(Uint8Array.of(0x0a, 9, 1)))).status).toBe(400);
    const metrics = (await tyto.get('metrics')).text;
    expect(metrics).toContain('prometheus_api_remote_write_invalid_labels_samples_total 0');
    expect(metrics).toContain('tyto_remote_write_held_body_bytes 0');
  });

  it('is 404 where receiving is switched off', async () => {
    const deaf = await startTyto({ args: ['--no-web.enable-remote-write-receiver'] });
    const answer = await fetch(`${deaf.baseUrl}api/v1/write`, { method: 'POST' });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('--web.enable-remote-write-receiver');
  });
});
