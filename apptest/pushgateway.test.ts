/** Pushgateway's API with the clients that batch jobs have: prom-client, and curl's plain text. */
import { gzipSync } from 'node:zlib';
import client from 'prom-client';
import { beforeAll, expect, it } from 'vitest';
import { freePort, startTyto, temporaryDirectory, type Tyto, waitFor } from './harness.ts';

const CONFIG = 'global: { scrape_interval: 1s }\n';

let tyto: Tyto;
let dataDirectory: string;

beforeAll(async () => {
  dataDirectory = `${temporaryDirectory()}/data`;
  tyto = await startTyto({ config: CONFIG, dataDirectory });
});

function send(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>, headers = {}) {
  return fetch(tyto.baseUrl + path, { method, headers, ...(body === undefined ? {} : { body }) });
}

it('what prom-client pushes, adds and deletes comes, stays and ends', async () => {
  const registry = new client.Registry();
  const registers = [registry];
  const gauge = new client.Gauge({ name: 'batch_last', help: 'Last.', registers });
  const counter = new client.Counter({ name: 'batch_total', help: 'Total.', registers });
  const histogram = new client.Histogram({
    name: 'batch_size',
    help: 'Size.',
    buckets: [1, 5],
    registers,
  });
  gauge.set(42);
  counter.inc(3);
  histogram.observe(2);
  const gateway = new client.Pushgateway(tyto.baseUrl.replace(/\/$/, ''), {}, registry);
  const group = { jobName: 'nightly', groupings: { instance: 'b1' } };
  await gateway.push(group);
  const labels = '{job="nightly", instance="b1"}';
  await waitFor('the push is stored', async () => (await tyto.value(`batch_last${labels}`)) === 42);
  expect(await tyto.value(`batch_total${labels}`)).toBe(3);
  expect(await tyto.value(`batch_size_count${labels}`)).toBe(1);
  expect(await tyto.value('batch_size_bucket{le="5.0"}')).toBe(1);
  expect(await tyto.value(`time() - push_time_seconds${labels}`)).toBeLessThan(30);
  expect(await tyto.value(`push_failure_time_seconds${labels}`)).toBe(0);
  expect(await tyto.value('up{job="pushgateway"}')).toBe(1);
  registry.removeSingleMetric('batch_total');
  gauge.set(43);
  await gateway.pushAdd(group);
  await waitFor('it is replaced', async () => (await tyto.value(`batch_last${labels}`)) === 43);
  expect(await tyto.value(`batch_total${labels}`)).toBe(3);
  await gateway.delete(group);
  await waitFor('it is over', async () => (await tyto.query(labels)).length === 0);
});

it('plain text has the labels of its path, and no others', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await send('POST', 'metrics/job/some_job', 'some_metric 3.14\n', form)).status).toBe(200);
  const encoded = 'metrics/job/dirs/path@base64/L3Zhci90bXA';
  const gzip = { 'content-encoding': 'gzip' };
  const body = new Uint8Array(gzipSync('disk_used_bytes{kind="a"} 7\n'));
  expect((await send('PUT', encoded, body, gzip)).status).toBe(200);
  await waitFor('both are stored', async () => (await tyto.query('disk_used_bytes')).length > 0);
  const [some] = await tyto.query('some_metric');
  expect(some.metric).toEqual({ __name__: 'some_metric', job: 'some_job' });
  const [disk] = await tyto.query('disk_used_bytes');
  expect(disk.metric).toEqual({
    __name__: 'disk_used_bytes',
    job: 'dirs',
    path: '/var/tmp',
    kind: 'a',
  });
});

it('what is inconsistent or malformed is 400, and its time is told', async () => {
  const twice = await send('PUT', 'metrics/job/bad', 'x 1\nx 2\n');
  expect(twice.status).toBe(400);
  expect(await twice.text()).toContain('x is there twice');
  const type = await send('PUT', 'metrics/job/bad', '# TYPE some_metric counter\nsome_metric 1\n');
  expect(type.status).toBe(400);
  expect(await type.text()).toContain('pushed metrics are invalid or inconsistent');
  expect((await send('PUT', 'metrics/job/', 'x 1\n')).status).toBe(400);
  expect((await send('PUT', 'metrics/job/a', 'x 1 123\n')).status).toBe(400);
  await waitFor(
    'the failure is stored',
    async () => ((await tyto.value('push_failure_time_seconds{job="bad"}')) ?? 0) > 0,
  );
});

it('the listing has what Pushgateway has in it', async () => {
  const { status, data } = (await tyto.get('api/v1/metrics')).json ?? {};
  expect(status).toBe('success');
  const group = data.find(({ labels }: { labels: object }) => 'path' in labels);
  expect(group).toMatchObject({
    labels: { job: 'dirs', path: '/var/tmp' },
    last_push_successful: true,
    disk_used_bytes: {
      type: 'UNTYPED',
      metrics: [{ labels: { instance: '', job: 'dirs', kind: 'a' }, value: '7' }],
    },
    push_time_seconds: { type: 'GAUGE' },
  });
  expect((await tyto.get('metrics')).text).not.toContain('disk_used_bytes');
});

it('pushed metrics survive a restart, and are wiped only where that is allowed', async () => {
  expect((await send('PUT', 'api/v1/admin/wipe')).status).toBe(403);
  await tyto.kill('SIGTERM');
  const args = ['--web.enable-admin-api'];
  tyto = await startTyto({ config: CONFIG, dataDirectory, args, port: await freePort() });
  const found = (await tyto.get('api/v1/metrics')).json?.data;
  expect(found).toHaveLength(3);
  const before = Date.now() / 1000;
  await waitFor(
    'they are stored again',
    async () => ((await tyto.value('timestamp(disk_used_bytes)')) ?? 0) > before,
  );
  expect((await send('PUT', 'api/v1/admin/wipe')).status).toBe(202);
  expect((await tyto.get('api/v1/metrics')).json?.data).toEqual([]);
});
