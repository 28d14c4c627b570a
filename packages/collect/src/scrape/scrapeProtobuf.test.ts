/** Targets that answer in protobuf, with native histograms, over real HTTP. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger, systemClock } from '@tyto/base';
import { type ActiveTarget, ScrapeManager } from '@tyto/collect';
import { createMatcher, type FloatHistogram, MemoryMetricStore, SampleColumns } from '@tyto/model';
import { ProtobufWriter } from '@tyto/wire';
import { dumpStore, eventually, jobsOf } from '../testing.ts';

const TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

let store: MemoryMetricStore;
let manager: ScrapeManager;
let server: Server;
let accept: string | undefined;
let body: Uint8Array;

beforeEach(async () => {
  store = new MemoryMetricStore();
  manager = new ScrapeManager({ store, clock: systemClock, logger: silentLogger, version: '1' });
  server = createServer((request, response) => {
    accept = request.headers.accept;
    response.setHeader('Content-Type', TYPE);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  body = histogramFamily(4);
});

afterEach(async () => {
  await manager.stop();
  server.closeAllConnections();
  server.close();
});

/** One histogram, native with buckets 1…, and classic with one bucket. */
function histogramFamily(buckets: number): Uint8Array {
  const writer = new ProtobufWriter();
  writer.string(1, 'h');
  writer.uint32(3, 4);
  const metric = writer.begin(4);
  const histogram = writer.begin(7);
  writer.int64(1, buckets);
  writer.double(2, 3.5);
  const bucket = writer.begin(3);
  writer.int64(1, 1);
  writer.double(2, 2);
  writer.end(bucket);
  writer.sint32(5, 3);
  const span = writer.begin(12);
  writer.sint32(1, 1);
  writer.uint32(2, buckets);
  writer.end(span);
  writer.sint64s(13, [1, ...new Array<number>(buckets - 1).fill(0)]);
  writer.end(histogram);
  writer.end(metric);
  const message = writer.finish();
  return Uint8Array.of(message.length, ...message);
}

async function scrape(more: string): Promise<ActiveTarget> {
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const job = `{job_name: j, static_configs: [{targets: ["${address}"]}], ${more}}`;
  await manager.apply(jobsOf(`global: {scrape_interval: 300ms}\nscrape_configs: [${job}]`));
  await eventually(() => manager.targets().active[0].health !== 'unknown');
  return manager.targets().active[0];
}

async function histograms(): Promise<FloatHistogram[]> {
  const selection = await store.select({
    matchers: [createMatcher('=', '__name__', 'h')],
    minTimeMs: -Infinity,
    maxTimeMs: Infinity,
  });
  const columns = new SampleColumns();
  if (selection.size > 0) selection.readInto(0, columns);
  return (columns.histograms ?? []).filter((histogram) => histogram !== undefined);
}

test('native histograms are asked for, stored, and end when they are gone', async () => {
  expect(await scrape('scrape_native_histograms: true')).toMatchObject({ lastError: '' });
  expect(accept).toMatch(/^application\/vnd\.google\.protobuf;proto=.*;encoding=delimited;q=0\.6,/);
  expect((await histograms())[0]).toMatchObject({ schema: 3, positiveBuckets: [1, 1, 1, 1] });
  expect(await dumpStore(store, 'h_.+')).toEqual([]);
  body = new Uint8Array(0);
  await eventually(async () => (await dumpStore(store, 'h'))[0].includes('stale'));
});

test('without a word on them only the classic parts are read', async () => {
  await scrape('scrape_protocols: [PrometheusProto]');
  const names = (await dumpStore(store, 'h.*')).map((line) => line.split('{')[0]);
  expect(names).toEqual(['h_bucket', 'h_bucket', 'h_count', 'h_sum']);
});

test('a limit of buckets and a least factor make histograms coarser', async () => {
  await scrape('scrape_native_histograms: true, native_histogram_bucket_limit: 3');
  const [limited] = await histograms();
  expect(limited).toMatchObject({ schema: 2, count: 4 });
  expect(limited.positiveBuckets).toEqual([2, 2]);
});

test('classic histograms become native ones where that is wished for', async () => {
  await scrape('scrape_protocols: [PrometheusProto], convert_classic_histograms_to_nhcb: true');
  expect((await histograms())[0]).toMatchObject({ schema: -53, customValues: [2] });
});

test('what is no protobuf fails the scrape and says so', async () => {
  body = Buffer.from('up 1\n');
  expect(await scrape('scrape_native_histograms: true')).toMatchObject({
    health: 'down',
    lastError: 'a metric family: it is longer than the exposition',
  });
});
