import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type FloatHistogram, Labels, writeStaleBits, bitsOf } from '@tyto/model';
import { yaml } from '@tyto/base';
import { NodeHttpClient, relabelConfigsSchema } from '@tyto/collect';
import { FaultyDisk } from '@tyto/tsdb/testing';
import {
  committed,
  FakeReceiver,
  labelsOf,
  pendingOf,
  REMOTE_WRITE,
  removeBenches,
  startBench,
  until,
} from './testing/bench.ts';

const HISTOGRAM: FloatHistogram = {
  isInteger: true,
  counterResetHint: 'unknown',
  schema: 1,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 5,
  sum: 18.4,
  positiveSpans: [{ offset: -1, length: 2 }],
  negativeSpans: [],
  positiveBuckets: [1, 2],
  negativeBuckets: [],
  customValues: [],
};
const NOW = Date.now();

afterEach(removeBenches);

describe('what the store takes', () => {
  for (const version of [1, 2] as const) {
    it(`arrives, with external labels, as message ${version}`, async () => {
      const receiver = new FakeReceiver();
      const { forwarder } = await startBench(receiver, { ...REMOTE_WRITE, version });
      const floats = committed([
        [1, NOW, 1.5],
        [2, NOW, -0],
        [1, NOW + 1, 0],
      ]);
      writeStaleBits(bitsOf(floats.values), 2);
      const series = labelsOf(1);
      const exemplar = { labels: Labels.of({ trace: 'x' }), value: 3, timestampMs: NOW };
      await forwarder.committed(
        {
          ...floats,
          histograms: [{ ref: 7, timestampMs: NOW, histogram: HISTOGRAM }],
          exemplars: [{ series, exemplar }],
        },
        labelsOf,
      );
      await until('it is sent', () => pendingOf(forwarder) === 0);
      expect(await receiver.samples()).toEqual({
        'm{cluster="here", id="1"}': [`${NOW} 1.5`, `${NOW + 1} stale`],
        'm{cluster="here", id="2"}': [`${NOW} 0`],
        'm{cluster="here", id="7"}': [`${NOW} ${JSON.stringify(HISTOGRAM)}`],
      });
      const range = { minTimeMs: 0, maxTimeMs: 9e15 };
      const [found] = await receiver.store.exemplars({ matcherSets: [[]], ...range });
      expect(found.exemplars).toEqual([exemplar]);
      await forwarder.close();
    });
  }

  it('has its metadata in message 2, and floats and histograms of a series apart', async () => {
    const receiver = new FakeReceiver();
    const config = { ...REMOTE_WRITE, version: 2 as const };
    const family = { family: 'm', type: 'counter' as const, help: 'Ä help.', unit: 's' };
    const { forwarder } = await startBench(receiver, config, { metadata: () => [family] });
    const histograms = [{ ref: 1, timestampMs: NOW + 1, histogram: HISTOGRAM }];
    await forwarder.committed({ ...committed([[1, NOW, 3]]), histograms }, labelsOf);
    await until('it is sent', () => pendingOf(forwarder) === 0);
    const [samples] = Object.values(await receiver.samples());
    expect(samples.sort()).toEqual([`${NOW} 3`, `${NOW + 1} ${JSON.stringify(HISTOGRAM)}`]);
    expect(receiver.metadata.get('m')).toMatchObject({ help: 'Ä help.', type: 'counter' });
    await forwarder.close();
  });

  it('is sent apart where it came late, so that a refusal costs nothing else', async () => {
    const receiver = new FakeReceiver();
    const { forwarder } = await startBench(receiver);
    await forwarder.committed(committed([[1, NOW, 1]]), labelsOf);
    await until('it is sent', () => pendingOf(forwarder) === 0);
    await forwarder.committed(committed([[1, NOW + 1, 2]]), labelsOf);
    await forwarder.committed(committed([[1, NOW - 50, 7]], { late: true }), labelsOf);
    await until('it is sent', () => pendingOf(forwarder) === 0);
    expect(Object.values(await receiver.samples())).toEqual([[`${NOW} 1`, `${NOW + 1} 2`]]);
    expect(receiver.refused).toBe(1);
    await forwarder.close();
  });

  it('is relabelled, and what relabelling drops is counted', async () => {
    const receiver = new FakeReceiver();
    const { value } = yaml.decodeYaml(
      '[{source_labels: [id], regex: "1", action: drop}, {regex: cluster, action: labeldrop}]',
      'relabel.yml',
      relabelConfigsSchema,
    );
    const config = { ...REMOTE_WRITE, relabelConfigs: value ?? [] };
    const { forwarder } = await startBench(receiver, config);
    for (let i = 0; i < 3; i++) {
      await forwarder.committed(
        committed([
          [1, NOW + i, 1],
          [2, NOW + i, 2],
        ]),
        labelsOf,
      );
    }
    await until('it is sent', () => pendingOf(forwarder) === 0);
    expect(Object.keys(await receiver.samples())).toEqual(['m{id="2"}']);
    const [{ intake }] = forwarder.endpoints;
    expect([intake.taken, intake.dropped]).toEqual([6, 3]);
    await forwarder.close();
  });
});

describe('an endpoint', () => {
  it('that is away gets everything later, in order, in requests of the right size', async () => {
    const receiver = new FakeReceiver();
    receiver.answer = () => 'broken';
    const { forwarder } = await startBench(receiver);
    for (let i = 0; i < 50; i++) {
      const samples = [1, 2, 3, 4, 5].map((ref) => [ref, NOW + i, i] as const);
      await forwarder.committed(committed(samples), labelsOf);
    }
    await until('it was tried', () => receiver.requests.length > 3);
    expect(pendingOf(forwarder)).toBe(250);
    receiver.answer = () => 204;
    await until('it is sent', () => pendingOf(forwarder) === 0);
    const samples = await receiver.samples();
    const wanted = Array.from({ length: 50 }, (_, i) => `${NOW + i} ${i}`);
    expect(Object.values(samples)).toEqual(Array.from({ length: 5 }, () => wanted));
    const [{ totals }] = forwarder.endpoints;
    expect(totals).toMatchObject({ samples: 250, samplesFailed: 0 });
    expect(totals.samplesRetried).toBeGreaterThan(0);
    await forwarder.close();
  });

  it('that refuses samples loses them, and no others', async () => {
    const receiver = new FakeReceiver();
    receiver.answer = () => 400;
    const { forwarder } = await startBench(receiver);
    await forwarder.committed(committed([[1, NOW, 1]]), labelsOf);
    await until('it is refused', () => pendingOf(forwarder) === 0);
    receiver.answer = () => 204;
    await forwarder.committed(committed([[1, NOW + 1, 2]]), labelsOf);
    await until('it is sent', () => pendingOf(forwarder) === 0);
    expect(await receiver.samples()).toEqual({ 'm{cluster="here", id="1"}': [`${NOW + 1} 2`] });
    const [{ totals }] = forwarder.endpoints;
    expect(totals.samplesFailed).toBe(1);
    await forwarder.close();
  });

  it('that says when to come again is heard', async () => {
    const receiver = new FakeReceiver();
    const answers = [{ status: 429, retryAfter: '1' }];
    receiver.answer = () => answers.shift() ?? 204;
    const { forwarder } = await startBench(receiver);
    const startMs = performance.now();
    await forwarder.committed(committed([[1, NOW, 1]]), labelsOf);
    await until('it is sent', () => pendingOf(forwarder) === 0);
    expect(performance.now() - startMs).toBeGreaterThan(990);
    expect(receiver.requests.length).toBe(2);
    await forwarder.close();
  });

  it('that never answers is tried again, and does not hold up a stop', async () => {
    let requests = 0;
    const server = createServer(() => {
      requests++;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const config = { ...REMOTE_WRITE, url: `http://127.0.0.1:${port}/`, timeoutMs: 50 };
    const { forwarder } = await startBench(new NodeHttpClient(config.http), config);
    await forwarder.committed(committed([[1, NOW, 1]]), labelsOf);
    await until('it was tried three times', () => requests > 2);
    await forwarder.apply([{ ...config, timeoutMs: 60_000 }], Labels.empty);
    const tried = requests;
    await until('it is tried with the longer timeout', () => requests > tried);
    const startMs = performance.now();
    await forwarder.close();
    expect(performance.now() - startMs).toBeLessThan(5000);
    server.closeAllConnections();
    server.close();
  });

  it('keeps its queue over a reload, and loses it when it is removed', async () => {
    const receiver = new FakeReceiver();
    receiver.answer = () => 503;
    const { forwarder, directory } = await startBench(receiver);
    await forwarder.committed(committed([[1, NOW, 1]]), labelsOf);
    const timeoutMs = 5000;
    await forwarder.apply([{ ...REMOTE_WRITE, timeoutMs }], Labels.of({ cluster: 'there' }));
    await forwarder.committed(committed([[1, NOW + 1, 2]]), labelsOf);
    receiver.answer = () => 204;
    await until('it is sent', () => pendingOf(forwarder) === 0);
    expect(await receiver.samples()).toEqual({
      'm{cluster="here", id="1"}': [`${NOW} 1`],
      'm{cluster="there", id="1"}': [`${NOW + 1} 2`],
    });
    await forwarder.apply([], Labels.empty);
    expect(readdirSync(directory)).toEqual([]);
    expect(forwarder.isTapped).toBe(false);
  });
});

describe('the queue', () => {
  it('drops its oldest samples when it is full', async () => {
    const receiver = new FakeReceiver();
    receiver.answer = () => 503;
    const options = { queueBytesMax: 64 * 1024 };
    const { forwarder } = await startBench(receiver, REMOTE_WRITE, options);
    for (let i = 0; i < 3000; i++) {
      const samples = [1, 2, 3].map((ref) => [ref, NOW + i, Math.sin(i + ref)] as const);
      await forwarder.committed(committed(samples), labelsOf);
    }
    const [{ queue }] = forwarder.endpoints;
    expect(queue.bytes).toBeLessThanOrEqual(64 * 1024);
    expect(queue.dropped).toBeGreaterThan(1000);
    expect(queue.pending + queue.dropped).toBe(9000);
    receiver.answer = () => 204;
    await until('the rest is sent', () => queue.pending === 0);
    const newest = Object.values(await receiver.samples()).map((samples) => samples.at(-1));
    expect(newest).toEqual([1, 2, 3].map((ref) => `${NOW + 2999} ${Math.sin(2999 + ref)}`));
    await forwarder.close();
  });

  it('goes on after a disk that was full', async () => {
    const receiver = new FakeReceiver();
    const disk = new FaultyDisk();
    const { forwarder } = await startBench(receiver, REMOTE_WRITE, { disk });
    disk.freeBytes = 30;
    for (let i = 0; i < 5; i++) {
      await forwarder.committed(committed([[1, NOW + i, i]]), labelsOf);
    }
    const [{ queue }] = forwarder.endpoints;
    expect(queue.failures).toBeGreaterThan(0);
    disk.freeBytes = Infinity;
    await until('it is sent', () => queue.pending === 0);
    const [samples] = Object.values(await receiver.samples());
    expect(samples).toEqual([0, 1, 2, 3, 4].map((i) => `${NOW + i} ${i}`));
    await forwarder.close();
  });

  it('keeps count over a crash that left a segment empty', async () => {
    const receiver = new FakeReceiver();
    receiver.answer = () => 503;
    const first = await startBench(receiver);
    const twice = committed([
      [1, NOW, 1],
      [2, NOW, 2],
    ]);
    await first.forwarder.committed(twice, labelsOf);
    const [key] = readdirSync(first.directory);
    writeFileSync(join(first.directory, key, '0000000002.segment'), '');
    const { directory } = first;
    const second = await startBench(receiver, REMOTE_WRITE, { from: directory });
    expect(pendingOf(second.forwarder)).toBe(2);
    await second.forwarder.committed(committed([[1, NOW + 1, 3]]), labelsOf);
    expect(pendingOf(second.forwarder)).toBe(3);
    receiver.answer = () => 204;
    await until('it is sent', () => pendingOf(second.forwarder) === 0);
    expect(Object.values(await receiver.samples()).flat().length).toBe(3);
    await Promise.all([first, second].map(({ forwarder }) => forwarder.close()));
  });

  it('is found again after a stop, and the queue of a stranger is deleted', async () => {
    const receiver = new FakeReceiver();
    receiver.answer = () => 503;
    const first = await startBench(receiver);
    await first.forwarder.committed(committed([[1, NOW, 1]]), labelsOf);
    await first.forwarder.close();
    const { directory } = first;
    await startBench(receiver, { ...REMOTE_WRITE, url: 'http://other/' }, { from: directory }).then(
      ({ forwarder }) => forwarder.close(),
    );
    receiver.answer = () => 204;
    writeFileSync(join(directory, 'note'), 'not ours');
    const second = await startBench(receiver, REMOTE_WRITE, { from: directory });
    await until('it is sent', () => pendingOf(second.forwarder) === 0);
    expect(Object.values(await receiver.samples())).toEqual([[`${NOW} 1`]]);
    await second.forwarder.close();
  });
});
